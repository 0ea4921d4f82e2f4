#include "tools/pattern_parts.h"

#include <algorithm>
#include <cstring>

namespace dsv4::tools {
namespace {

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

// One walk over the pattern. `runs` of plain characters that stand in every match are collected
// outside of groups and where there is no choice.
class Look {
 public:
  explicit Look(std::string_view pattern) : rest_(pattern) {}

  PatternParts parts() {
    if (rest_.starts_with("(?i)")) {
      rest_.remove_prefix(4);
      literal_ = false;
      whole_ = false;
    }
    while (!rest_.empty() && (literal_ || in_line_)) step();
    end_run();
    if (depth_ != 0) literal_ = in_line_ = false;
    PatternParts result;
    result.in_line = in_line_;
    if (literal_) result.literal = best_;
    result.is_literal = literal_ && whole_ && !best_.empty();
    return result;
  }

 private:
  char next(size_t ahead = 0) const { return ahead < rest_.size() ? rest_[ahead] : '\0'; }

  void give_up() { literal_ = in_line_ = false; }

  void end_run() {
    if (run_.size() > best_.size()) best_ = run_;
    run_.clear();
  }
  // Something that is no plain character.
  void other(size_t bytes) {
    whole_ = false;
    if (depth_ == 0) end_run();
    rest_.remove_prefix(std::min(bytes, rest_.size()));
  }
  void plain(size_t skipped) {
    const char c = next(skipped);
    if (static_cast<unsigned char>(c) < 32 && c != '\t') return give_up();  // no line holds \n
    if (depth_ == 0) run_ += c;
    rest_.remove_prefix(std::min(skipped + 1, rest_.size()));
  }
  // A repeat may stand for nothing: the character before it is in no run.
  void drop_last() {
    while (!run_.empty() && (run_.back() & 0xC0) == 0x80) run_.pop_back();
    if (!run_.empty()) run_.pop_back();
  }

  void step() {
    switch (next()) {
      case '\\':
        return escape();
      case '[':
        return bracket();
      case '(':
        return open();
      case ')':
        if (depth_-- == 0) return give_up();
        return other(1);
      case '|':
        if (depth_ == 0) literal_ = false;
        return other(1);
      case '*':
      case '?':
      case '+':
        return repeat();
      case '{':
        return braces();
      case '.':
      case '^':
      case '$':
        return other(1);
      default:
        return plain(0);
    }
  }

  void repeat() {
    if (depth_ == 0 && next() != '+') drop_last();
    if (next(1) == '+') in_line_ = false;  // what a possessive repeat takes it does not give back
    other(next(1) == '+' || next(1) == '?' ? 2 : 1);
  }

  // Perhaps a repeat, perhaps plain: the bytes are in no run either way.
  void braces() {
    if (depth_ == 0) drop_last();
    const size_t close = rest_.find_first_not_of("0123456789, ", 1);
    if (close == std::string_view::npos || rest_[close] != '}') return other(1);
    if (next(close + 1) == '+') in_line_ = false;
    const bool sign = next(close + 1) == '+' || next(close + 1) == '?';
    other(close + 1 + (sign ? 1 : 0));
  }

  void open() {
    if (next(1) == '*') return give_up();
    if (next(1) != '?') {
      ++depth_;
      return other(1);
    }
    if (next(2) != ':') {  // looking around, options, names
      const bool around = next(2) == '=' || next(2) == '!' ||
                          (next(2) == '<' && (next(3) == '=' || next(3) == '!'));
      if (!around) return give_up();
      in_line_ = false;
    }
    ++depth_;
    other(next(2) == '<' ? 4 : 3);
  }

  void escape() {
    const char c = next(1);
    if (c == '\0' || static_cast<unsigned char>(c) >= 128) return give_up();
    if (!is_word(c)) return plain(1);
    if (c == 'd' || c == 'w' || c == 'b' || c == 'B') return other(2);
    if (c == 't') return other(2);
    if (c == 's' || c == 'S' || c == 'D' || c == 'W' || c == 'h' || c == 'v' || c == 'n' ||
        c == 'r' || c == 'A' || c == 'z' || c == 'Z') {
      in_line_ = false;
      return other(2);
    }
    give_up();
  }

  void bracket() {
    size_t at = 1;
    if (next(at) == '^') {
      in_line_ = false;
      ++at;
    }
    if (next(at) == ']') ++at;
    for (; at < rest_.size() && rest_[at] != ']'; ++at) {
      const char c = rest_[at];
      if (static_cast<unsigned char>(c) < 32) in_line_ = false;
      if (c == '[' && (next(at + 1) == ':' || next(at + 1) == '.' || next(at + 1) == '=')) {
        return give_up();
      }
      if (c != '\\') continue;
      ++at;
      const bool harmless = next(at) == 'd' || next(at) == 'w' || !is_word(next(at));
      if (!harmless) in_line_ = false;
      if (next(at) == 'Q' || next(at) == 'E') return give_up();
    }
    if (at >= rest_.size()) return give_up();
    other(at + 1);
  }

  std::string_view rest_;
  int depth_ = 0;
  bool literal_ = true;
  bool whole_ = true;
  bool in_line_ = true;
  std::string run_;
  std::string best_;
};

// From often to rarely seen in sources; what is not here is rarer.
constexpr std::string_view kOften =
    " etraionslcdupmf_hgb,()y.;v-*=w/>\"x01k2:I{}S#ETARNCLDOP&[]3M4|q'jU568B7F9z<G+H\t!V\\WYXK%@ZQ"
    "J$?^~`";

size_t rarity(char c) {
  const size_t place = kOften.find(c);
  return place == std::string_view::npos ? kOften.size() : place;
}

}  // namespace

PatternParts look_at(std::string_view pattern) { return Look(pattern).parts(); }

LiteralFinder::LiteralFinder(std::string_view literal) : literal_(literal) {
  for (size_t k = 1; k < literal.size(); ++k) {
    if (rarity(literal[k]) > rarity(literal[rarest_])) rarest_ = k;
  }
}

size_t LiteralFinder::find(std::string_view text, size_t from) const {
  if (literal_.empty()) return std::min(from, text.size());
  const size_t behind = literal_.size() - rarest_;  // the rarest byte and what follows it
  for (size_t at = from + rarest_; at + behind <= text.size(); ++at) {
    const void* found =
        std::memchr(text.data() + at, literal_[rarest_], text.size() - behind - at + 1);
    if (!found) break;
    at = static_cast<size_t>(static_cast<const char*>(found) - text.data());
    if (std::memcmp(text.data() + at - rarest_, literal_.data(), literal_.size()) == 0) {
      return at - rarest_;
    }
  }
  return std::string_view::npos;
}

}  // namespace dsv4::tools
