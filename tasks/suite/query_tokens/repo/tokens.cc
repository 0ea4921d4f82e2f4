#include "tokens.h"

namespace query {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view query) : query_(query) {}

  std::vector<Token> scan() {
    std::vector<Token> tokens;
    while (at_ < query_.size()) {
      const char c = query_[at_];
      if (c == ' ') {
        ++at_;
      } else if (c == '"') {
        tokens.push_back({Kind::kString, string()});
      } else if (const size_t which = kSigns.find(c); which != std::string_view::npos) {
        tokens.push_back({kKinds[which], std::string(1, c)});
        ++at_;
      } else {
        tokens.push_back({Kind::kWord, word()});
      }
    }
    return tokens;
  }

 private:
  static constexpr std::string_view kSigns = ":()-";
  static constexpr Kind kKinds[] = {Kind::kColon, Kind::kOpen, Kind::kClose, Kind::kNot};

  // A dash inside a word belongs to it.
  std::string word() {
    const size_t begin = at_;
    while (at_ < query_.size() && std::string_view(" \":()").find(query_[at_]) == query_.npos)
      ++at_;
    return std::string(query_.substr(begin, at_ - begin));
  }

  std::string string() {
    ++at_;
    std::string text;
    while (query_.at(at_) != '"') text += query_[at_++];
    ++at_;
    return text;
  }

  std::string_view query_;
  size_t at_ = 0;
};

}  // namespace

std::vector<Token> tokenize(std::string_view query) { return Scanner(query).scan(); }

}  // namespace query
