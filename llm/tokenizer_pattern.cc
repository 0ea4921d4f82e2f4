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

// Characters that Unicode 15.0, 15.1 and 16.0 added. PCRE2 10.42 knows version 14, the tokenizers
// of these models were made with later ones; to name a character twice does no harm where PCRE2 is
// newer.
constexpr std::string_view kNewLetters =
    "\\x{1C89}-\\x{1C8A}\\x{A7CB}-\\x{A7CD}\\x{A7DA}-\\x{A7DC}\\x{105C0}-\\x{105F3}"
    "\\x{10D4A}-\\x{10D65}\\x{10D6F}-\\x{10D85}\\x{10EC2}-\\x{10EC4}\\x{1123F}-\\x{11240}"
    "\\x{11380}-\\x{11389}\\x{1138B}\\x{1138E}\\x{11390}-\\x{113B5}\\x{113B7}\\x{113D1}"
    "\\x{113D3}\\x{11BC0}-\\x{11BE0}\\x{11F02}\\x{11F04}-\\x{11F10}\\x{11F12}-\\x{11F33}"
    "\\x{1342F}\\x{13441}-\\x{13446}\\x{13460}-\\x{143FA}\\x{16100}-\\x{1611D}"
    "\\x{16D40}-\\x{16D6C}\\x{18CFF}\\x{1B132}\\x{1B155}\\x{1DF25}-\\x{1DF2A}"
    "\\x{1E030}-\\x{1E06D}\\x{1E4D0}-\\x{1E4EB}\\x{1E5D0}-\\x{1E5ED}\\x{1E5F0}\\x{2B739}"
    "\\x{2EBF0}-\\x{2EE5D}\\x{31350}-\\x{323AF}";
constexpr std::string_view kNewMarks =
    "\\x{897}\\x{10D69}-\\x{10D6D}\\x{10EFC}-\\x{10EFF}\\x{11241}\\x{113B8}-\\x{113C0}"
    "\\x{113C2}\\x{113C5}\\x{113C7}-\\x{113CA}\\x{113CC}-\\x{113D0}\\x{113D2}"
    "\\x{113E1}-\\x{113E2}\\x{11F00}-\\x{11F01}\\x{11F03}\\x{11F34}-\\x{11F3A}"
    "\\x{11F3E}-\\x{11F42}\\x{11F5A}\\x{13440}\\x{13447}-\\x{13455}\\x{1611E}-\\x{1612F}"
    "\\x{1E08F}\\x{1E4EC}-\\x{1E4EF}\\x{1E5EE}-\\x{1E5EF}";
constexpr std::string_view kNewNumbers =
    "\\x{10D40}-\\x{10D49}\\x{116D0}-\\x{116E3}\\x{11BF0}-\\x{11BF9}\\x{11F50}-\\x{11F59}"
    "\\x{16130}-\\x{16139}\\x{16D70}-\\x{16D79}\\x{1CCF0}-\\x{1CCF9}\\x{1D2C0}-\\x{1D2D3}"
    "\\x{1E4F0}-\\x{1E4F9}\\x{1E5F1}-\\x{1E5FA}";
constexpr std::string_view kNewPunctuation =
    "\\x{1B4E}-\\x{1B4F}\\x{1B7F}\\x{10D6E}\\x{113D4}-\\x{113D5}\\x{113D7}-\\x{113D8}"
    "\\x{11B00}-\\x{11B09}\\x{11BE1}\\x{11F43}-\\x{11F4F}\\x{16D6D}-\\x{16D6F}\\x{1E5FF}";
constexpr std::string_view kNewSymbols =
    "\\x{2427}-\\x{2429}\\x{2FFC}-\\x{2FFF}\\x{31EF}\\x{10D8E}-\\x{10D8F}"
    "\\x{1CC00}-\\x{1CCEF}\\x{1CD00}-\\x{1CEB3}\\x{1F6DC}\\x{1F774}-\\x{1F776}"
    "\\x{1F77B}-\\x{1F77F}\\x{1F7D9}\\x{1F8B2}-\\x{1F8BB}\\x{1F8C0}-\\x{1F8C1}"
    "\\x{1FA75}-\\x{1FA77}\\x{1FA87}-\\x{1FA89}\\x{1FA8F}\\x{1FAAD}-\\x{1FAAF}"
    "\\x{1FABB}-\\x{1FABF}\\x{1FAC6}\\x{1FACE}-\\x{1FACF}\\x{1FADA}-\\x{1FADC}\\x{1FADF}"
    "\\x{1FAE8}-\\x{1FAE9}\\x{1FAF7}-\\x{1FAF8}\\x{1FBCB}-\\x{1FBEF}";

std::string_view new_in(char category) {
  switch (category) {
    case 'L':
      return kNewLetters;
    case 'M':
      return kNewMarks;
    case 'N':
      return kNewNumbers;
    case 'P':
      return kNewPunctuation;
    case 'S':
      return kNewSymbols;
    default:
      return {};
  }
}

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
        property(c == 'P');
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

  void property(bool negated) {
    if (peek(2) != '{') refuse("a property without braces");
    const std::string_view added = peek(4) == '}' ? new_in(peek(3)) : std::string_view();
    if (added.empty() || (negated && in_class_)) return copy(2);
    const std::string plain = "\\p{" + std::string(1, peek(3)) + "}" + std::string(added);
    out_ += in_class_ ? plain : (negated ? "[^" : "[") + plain + "]";
    at_ += 5;
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
