#include <array>
#include <cctype>

#include "llm/error.h"
#include "llm/tokenizer_split.h"

namespace dsv4::llm {
namespace {

// Unicode White_Space. PCRE2's own \s adds U+180E, which lost the property in Unicode 6.3.
constexpr std::string_view kSpace =
    "\\x{09}-\\x{0D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}"
    "\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}";

constexpr std::array<std::string_view, 8> kGroups = {
    "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?i)"};

// Reads the expression once from left to right; what it cannot vouch for is refused.
class Translator {
 public:
  explicit Translator(std::string_view expression) : in_(expression) {}

  std::string run() {
    while (at_ < in_.size()) {
      if (in_[at_] == '\\') {
        escape();
      } else if (in_class_) {
        class_character();
      } else {
        character();
      }
    }
    if (in_class_) refuse("a class that does not end");
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw ModelError("tokenizer.json: the pattern '" + std::string(in_.substr(0, 200)) + "' uses " +
                     what + ", which this engine does not support");
  }

  char peek(size_t ahead) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }

  void copy(size_t count) {
    out_.append(in_.substr(at_, count));
    at_ += count;
  }

  void character() {
    const char c = in_[at_];
    if (c == '[') {
      in_class_ = true;
      copy(peek(1) == '^' ? 2 : 1);
      if (peek(0) == ']') copy(1);
      return;
    }
    if (c == '(' && peek(1) == '?') {
      for (std::string_view group : kGroups) {
        if (in_.substr(at_).starts_with(group)) return copy(group.size());
      }
      refuse("the group " + std::string(in_.substr(at_, 4)));
    }
    if (c == '(' && peek(1) == '*') refuse("a verb (*...)");
    if (c == '{' && peek(1) == ',') refuse("a repetition without a lower bound");
    if (c == '}' && peek(1) == '+') refuse("'+' after a counted repetition");
    copy(1);
  }

  void class_character() {
    const char c = in_[at_];
    if (c == '[') refuse("a class inside a class");
    if (c == '&' && peek(1) == '&') refuse("an intersection of classes");
    if (c == ']') in_class_ = false;
    copy(1);
  }

  void escape() {
    const char c = peek(1);
    switch (c) {
      case 's':
        emit(in_class_ ? std::string(kSpace) : "[" + std::string(kSpace) + "]");
        return;
      case 'S':
        if (in_class_) refuse("\\S inside a class");
        emit("[^" + std::string(kSpace) + "]");
        return;
      case 'v':  // a vertical tab for Oniguruma, a class for PCRE2
        emit("\\x{0B}");
        return;
      case 'u':
        unicode();
        return;
      case 'p':
      case 'P':
        if (peek(2) != '{') refuse("a property without braces");
        copy(2);
        return;
      case 'd':
      case 'D':
      case 'n':
      case 'r':
      case 't':
      case 'f':
      case 'x':
        copy(2);
        return;
      default:
        if (c == '\0' && at_ + 1 >= in_.size()) refuse("a backslash at its end");
        if (static_cast<unsigned char>(c) >= 0x80 || !std::isalnum(static_cast<unsigned char>(c))) {
          copy(2);
          return;
        }
        refuse(std::string("\\") + c);
    }
  }

  void emit(const std::string& text) {
    out_ += text;
    at_ += 2;
  }

  void unicode() {
    std::string digits;
    while (digits.size() < 4 &&
           std::isxdigit(static_cast<unsigned char>(peek(2 + digits.size())))) {
      digits += peek(2 + digits.size());
    }
    if (digits.size() != 4) refuse("\\u without four digits");
    out_ += "\\x{" + digits + "}";
    at_ += 6;
  }

  std::string_view in_;
  std::string out_;
  size_t at_ = 0;
  bool in_class_ = false;
};

}  // namespace

std::string translate_pattern(std::string_view expression) { return Translator(expression).run(); }

}  // namespace dsv4::llm
