#include "llm/tokenizer.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <map>
#include <set>

#include "llm/error.h"
#include "llm/tokenizer_json.h"

namespace dsv4::llm {
namespace {

constexpr std::uintmax_t kMaxFile = 256u << 20;
// A word this long is rare enough that remembering it costs more than encoding it again.
constexpr size_t kCachedWord = 64;
constexpr size_t kCachedWords = 1u << 16;

// Finds the longest added token at a place of the text.
class Trie {
 public:
  struct Found {
    int32_t id = -1;
    size_t length = 0;
  };

  void add(const TokenizerSpec::Added& token) {
    size_t node = 0;
    for (const char c : token.text) {
      const auto [edge, fresh] = nodes_[node].next.try_emplace(c, nodes_.size());
      node = edge->second;
      if (fresh) nodes_.emplace_back();
    }
    longest_ = std::max(longest_, token.text.size());
    nodes_[node].id = token.id;
    nodes_[node].marker = token.marker;
  }

  bool empty() const { return nodes_.size() == 1; }

  // Whether an added token begins with all of the text and goes on.
  bool begins_with(std::string_view text) const {
    size_t node = 0;
    for (const char c : text) {
      const auto edge = nodes_[node].next.find(c);
      if (edge == nodes_[node].next.end()) return false;
      node = edge->second;
    }
    return !nodes_[node].next.empty();
  }

  size_t longest_token() const { return longest_; }

  // Markers may take at most `markup` bytes: what is left of the stretch of markup.
  Found longest(std::string_view text, size_t markup) const {
    Found best;
    size_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const auto edge = nodes_[node].next.find(text[i]);
      if (edge == nodes_[node].next.end()) break;
      node = edge->second;
      const Node& here = nodes_[node];
      if (here.id >= 0 && (!here.marker || i + 1 <= markup)) best = {here.id, i + 1};
    }
    return best;
  }

 private:
  struct Node {
    std::map<char, size_t> next;
    int32_t id = -1;
    bool marker = false;
  };
  std::deque<Node> nodes_ = std::deque<Node>(1);  // growing it moves no node
  size_t longest_ = 0;
};

// Without a last character that may not be whole.
size_t settled_bytes(std::string_view text) {
  size_t at = text.size();
  while (at > 0 && text.size() - at < 4) {
    const auto byte = static_cast<unsigned char>(text[--at]);
    if (byte < 0x80) break;
    if (byte >= 0xC0) return at;
  }
  return text.size();
}

// A part of the joined text: one added token, or text that is still to be cut.
struct Part {
  size_t begin = 0, end = 0;
  int32_t id = -1;
};

// Where the joined text is markup.
class MarkupMap {
 public:
  explicit MarkupMap(std::span<const Segment> segments) {
    size_t at = 0;
    for (const Segment& segment : segments) {
      if (segment.markup && !segment.text.empty()) {
        if (!runs_.empty() && runs_.back().end == at) {
          runs_.back().end += segment.text.size();
        } else {
          runs_.push_back({at, at + segment.text.size()});
        }
      }
      at += segment.text.size();
    }
  }

  // Bytes of markup from `at` on; `at` never decreases from call to call until rewind().
  size_t left(size_t at) {
    while (current_ < runs_.size() && runs_[current_].end <= at) ++current_;
    return current_ < runs_.size() && runs_[current_].begin <= at ? runs_[current_].end - at : 0;
  }
  void rewind() { current_ = 0; }

 private:
  struct Run {
    size_t begin, end;
  };
  std::vector<Run> runs_;
  size_t current_ = 0;
};

std::vector<Part> cut_added(const Trie& trie, std::string_view text, MarkupMap& markup,
                            const std::vector<Part>& parts) {
  if (trie.empty()) return parts;
  markup.rewind();
  std::vector<Part> out;
  for (const Part& part : parts) {
    if (part.id >= 0) {
      out.push_back(part);
      continue;
    }
    size_t begin = part.begin;
    for (size_t at = part.begin; at < part.end;) {
      const Trie::Found found = trie.longest(text.substr(at, part.end - at), markup.left(at));
      if (found.id < 0) {
        ++at;
        continue;
      }
      if (at > begin) out.push_back({begin, at, -1});
      out.push_back({at, at + found.length, found.id});
      at += found.length;
      begin = at;
    }
    if (part.end > begin) out.push_back({begin, part.end, -1});
  }
  return out;
}

// Appends words to a list of ids. Words repeat: most are copied from where they came first. The
// views it is given must outlive it.
class WordEncoder {
 public:
  WordEncoder(const BytePairs& pairs, const std::unordered_map<std::string, int32_t>& whole_words,
              std::vector<int32_t>& ids)
      : pairs_(pairs), whole_words_(whole_words), ids_(ids) {}

  void encode(std::string_view word) {
    if (!whole_words_.empty()) {
      const auto whole = whole_words_.find(std::string(word));
      if (whole != whole_words_.end()) return ids_.push_back(whole->second);
    }
    if (word.size() > kCachedWord) return pairs_.encode(word, ids_);
    const auto known = seen_.find(word);
    if (known != seen_.end()) {
      for (size_t i = known->second.begin; i < known->second.end; ++i) ids_.push_back(ids_[i]);
      return;
    }
    const size_t begin = ids_.size();
    pairs_.encode(word, ids_);
    if (seen_.size() < kCachedWords) seen_.emplace(word, Place{begin, ids_.size()});
  }

 private:
  struct Place {
    size_t begin, end;
  };
  const BytePairs& pairs_;
  const std::unordered_map<std::string, int32_t>& whole_words_;
  std::vector<int32_t>& ids_;
  std::unordered_map<std::string_view, Place> seen_;
};

}  // namespace

struct Tokenizer::Parts {
  explicit Parts(TokenizerSpec read) : spec(std::move(read)), pairs(spec.byte_ids, spec.merges) {
    for (const TokenizerSpec::Added& token : spec.added) {
      (token.normalized ? added_normalized : added_first).add(token);
      added_ids.emplace(token.text, token.id);
      if (token.marker) markers.insert(token.id);
    }
    spec.merges = {};
  }

  // Whether some added token begins with the text and goes on.
  bool may_become_longer(std::string_view text) const {
    const auto in = [&](const Trie& trie) {
      return text.size() < trie.longest_token() && trie.begins_with(text);
    };
    return in(added_first) || in(added_normalized);
  }

  TokenizerSpec spec;
  BytePairs pairs;
  Trie added_first, added_normalized;
  std::map<std::string, int32_t, std::less<>> added_ids;
  std::set<int32_t> markers;
};

Tokenizer::Tokenizer(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::parse(std::string_view json) {
  return Tokenizer(std::make_unique<const Parts>(read_tokenizer_json(json)));
}

Tokenizer Tokenizer::load(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "tokenizer.json";
  std::error_code failed;
  const std::uintmax_t bytes = std::filesystem::file_size(file, failed);
  if (failed) {
    throw ModelError(file.string() + ": " + failed.message() +
                     "; the model's directory must have a tokenizer.json");
  }
  if (bytes > kMaxFile) throw ModelError(file.string() + ": larger than any tokenizer.json");
  std::ifstream in(file, std::ios::binary);
  std::string text(static_cast<size_t>(bytes), '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size()))) {
    throw ModelError(file.string() + ": cannot be read");
  }
  try {
    return parse(text);
  } catch (const ModelError& error) {
    throw ModelError(directory.string() + "/" + error.what());
  }
}

// The joined segments, cut at added tokens.
struct Tokenizer::Text {
  Text(const Parts& tokenizer, std::span<const Segment> segments) {
    for (const Segment& segment : segments) joined += segment.text;
    MarkupMap markup(segments);
    parts = {{0, joined.size(), -1}};
    parts = cut_added(tokenizer.added_first, joined, markup, parts);
    parts = cut_added(tokenizer.added_normalized, joined, markup, parts);
  }

  std::string_view of(const Part& part) const {
    return std::string_view(joined).substr(part.begin, part.end - part.begin);
  }

  std::string joined;
  std::vector<Part> parts;
};

std::vector<int32_t> Tokenizer::encode(std::span<const Segment> segments) const {
  const Text text(*parts_, segments);
  std::vector<int32_t> ids;
  std::deque<std::string> added;
  WordEncoder words(parts_->pairs, parts_->spec.whole_words, ids);
  for (const Part& part : text.parts) {
    if (part.id >= 0) {
      ids.push_back(part.id);
      continue;
    }
    for (const std::string_view word : split_words(parts_->spec.steps, text.of(part), added)) {
      words.encode(word);
    }
  }
  return ids;
}

std::vector<int32_t> Tokenizer::encode_settled(std::span<const Segment> segments) const {
  const Text text(*parts_, segments);
  const std::string_view joined = text.joined;
  std::vector<int32_t> ids;
  std::deque<std::string> added;
  WordEncoder words(parts_->pairs, parts_->spec.whole_words, ids);
  for (const Part& part : text.parts) {
    if (part.id >= 0) {
      if (parts_->may_become_longer(joined.substr(part.begin))) break;
      ids.push_back(part.id);
      continue;
    }
    // Where an added token may begin that the text does not end.
    size_t open = part.begin;
    while (open < part.end && !parts_->may_become_longer(joined.substr(open))) ++open;
    const bool last = part.end == joined.size();
    if (last) open = std::min(open, part.begin + settled_bytes(text.of(part)));
    const char* end = joined.data() + part.begin;
    for (const std::string_view word : split_words(parts_->spec.steps, text.of(part), added)) {
      // What was changed on the way cannot be placed, and what touches the open end may grow.
      if (word.data() != end) return ids;
      end += word.size();
      if ((last || open < part.end) && end >= joined.data() + open) return ids;
      words.encode(word);
    }
    if (open < part.end) break;
  }
  return ids;
}

std::vector<int32_t> Tokenizer::encode_data(std::string_view text) const {
  const Segment segment{std::string(text), false};
  return encode({&segment, 1});
}

std::vector<int32_t> Tokenizer::encode_markup(std::string_view text) const {
  const Segment segment{std::string(text), true};
  return encode({&segment, 1});
}

std::string_view Tokenizer::bytes(int32_t id) const {
  return id >= 0 && id < size() ? std::string_view(parts_->spec.bytes[static_cast<size_t>(id)])
                                : std::string_view();
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  std::string out;
  for (const int32_t id : ids) out += bytes(id);
  return out;
}

std::optional<int32_t> Tokenizer::added_token(std::string_view text) const {
  const auto found = parts_->added_ids.find(text);
  if (found == parts_->added_ids.end()) return std::nullopt;
  return found->second;
}

bool Tokenizer::is_marker(int32_t id) const { return parts_->markers.contains(id); }

int32_t Tokenizer::size() const { return static_cast<int32_t>(parts_->spec.bytes.size()); }

}  // namespace dsv4::llm
