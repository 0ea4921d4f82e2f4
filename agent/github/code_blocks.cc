#include "agent/github/code_blocks.h"

#include <algorithm>
#include <array>
#include <string>

namespace dsv4::agent::github {
namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\n") == std::string_view::npos;
}

// Length of the fence that the text begins with, or 0.
size_t fence_length(std::string_view text) {
  if (text.empty() || (text[0] != '`' && text[0] != '~')) return 0;
  const size_t length = std::min(text.find_first_not_of(text[0]), text.size());
  return length >= 3 ? length : 0;
}

bool mentions_fence(std::string_view line) {
  return line.find("```") != std::string_view::npos || line.find("~~~") != std::string_view::npos;
}

// Raw HTML that a blank line does not end, or may not end.
bool may_stay_open(std::string_view line) {
  constexpr auto kOpeners = std::to_array<std::string_view>(
      {"<!", "<?", "<script", "<pre", "<style", "<textarea", "<title", "<xmp", "<iframe",
       "<noembed", "<noframes", "<plaintext", "<math"});
  std::string lower(line);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::any_of(kOpeners.begin(), kOpeners.end(), [&](std::string_view opener) {
    return lower.find(opener) != std::string::npos;
  });
}

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  std::vector<Block> run() {
    while (at_ < text_.size()) {
      const size_t end = text_.find('\n', at_);
      const size_t next = end == std::string_view::npos ? text_.size() : end + 1;
      const std::string_view line = text_.substr(at_, next - at_);
      after_break_ = open_ > 0 ? look_for_end(line, next) : look_for_fence(line);
      at_ = next;
    }
    cut(text_.size(), open_ > 0);
    return std::move(blocks_);
  }

 private:
  // Whether a fence in the next line would be one for every reader.
  bool look_for_fence(std::string_view line) {
    const size_t length = after_break_ && !doubtful_ ? fence_length(line) : 0;
    const std::string_view info = line.substr(length);
    const bool good =
        length > 0 && !mentions_fence(info) && info.find('`') == std::string_view::npos;
    if (good) {
      cut(at_, false);
      open_ = length;
      fence_ = line[0];
    } else if (mentions_fence(line) || may_stay_open(line)) {
      doubtful_ = true;
    }
    return is_blank(line);
  }

  bool look_for_end(std::string_view line, size_t next) {
    if (!closes(line)) return false;
    cut(next, true);
    open_ = 0;
    return true;
  }

  bool closes(std::string_view line) const {
    const size_t indent = std::min(line.find_first_not_of(' '), line.size());
    const std::string_view rest = line.substr(indent);
    const size_t length = fence_length(rest);
    return indent <= 3 && length >= open_ && rest[0] == fence_ && is_blank(rest.substr(length));
  }

  void cut(size_t end, bool code) {
    if (end > begin_) blocks_.push_back({text_.substr(begin_, end - begin_), code});
    begin_ = end;
  }

  std::string_view text_;
  size_t begin_ = 0;  // of the part that has not been cut off yet
  size_t at_ = 0;
  size_t open_ = 0;  // length of the open fence; 0: none
  char fence_ = 0;
  bool after_break_ = true;
  bool doubtful_ = false;
  std::vector<Block> blocks_;
};

}  // namespace

std::vector<Block> split_at_code(std::string_view text) { return Splitter(text).run(); }

}  // namespace dsv4::agent::github
