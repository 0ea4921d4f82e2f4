#include "agent/terminal/keys.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "agent/printable.h"

namespace dsv4::agent::terminal {
namespace {

using Kind = Key::Kind;

constexpr std::string_view kPasteBegin = "\x1b[200~";
constexpr std::string_view kPasteEnd = "\x1b[201~";
constexpr size_t kLongestPaste = 8 << 20;  // bytes; a terminal that says no end is not waited for

// Length of the escape sequence at the front; 0 when more has to come.
size_t sequence_length(std::string_view text) {
  if (text.size() < 2) return 0;
  if (text[1] == 'O') return text.size() < 3 ? 0 : 3;
  if (text[1] != '[')
    return text[1] == '\x1b' ? 1 : 1 + std::max<size_t>(1, utf8_length(text.substr(1)));
  // Parameters, then one final byte.
  for (size_t at = 2; at < text.size(); ++at) {
    if (text[at] >= 0x40 && text[at] <= 0x7e) return at + 1;
    if (text[at] < 0x20 || text[at] > 0x3f) return at;  // broken off: what it is begins anew
  }
  return 0;
}

struct Sequence {
  std::string_view behind;  // Esc
  Kind kind;
};

// As xterm, the Linux console, rxvt, screen and tmux send them.
constexpr std::array kSequences = {
    Sequence{"", Kind::kEscape},         Sequence{"\r", Kind::kNewLine},
    Sequence{"\n", Kind::kNewLine},      Sequence{"[A", Kind::kUp},
    Sequence{"OA", Kind::kUp},           Sequence{"[B", Kind::kDown},
    Sequence{"OB", Kind::kDown},         Sequence{"[C", Kind::kRight},
    Sequence{"OC", Kind::kRight},        Sequence{"[D", Kind::kLeft},
    Sequence{"OD", Kind::kLeft},         Sequence{"[1;5C", Kind::kWordRight},
    Sequence{"[1;3C", Kind::kWordRight}, Sequence{"[1;5D", Kind::kWordLeft},
    Sequence{"[1;3D", Kind::kWordLeft},  Sequence{"[H", Kind::kHome},
    Sequence{"OH", Kind::kHome},         Sequence{"[1~", Kind::kHome},
    Sequence{"[7~", Kind::kHome},        Sequence{"[F", Kind::kEnd},
    Sequence{"OF", Kind::kEnd},          Sequence{"[4~", Kind::kEnd},
    Sequence{"[8~", Kind::kEnd},         Sequence{"[3~", Kind::kDelete},
};

Kind kind_of_sequence(std::string_view sequence) {
  const std::string_view behind = sequence.substr(1);
  const auto known = std::find_if(kSequences.begin(), kSequences.end(),
                                  [&](const Sequence& each) { return each.behind == behind; });
  return known == kSequences.end() ? Kind::kEdit : known->kind;
}

Kind kind_of_byte(char byte) {
  switch (byte) {
    case '\x03':
      return Kind::kInterrupt;
    case '\x1a':
      return Kind::kSuspend;
    case '\x0c':
      return Kind::kRepaint;
    case '\x0f':
      return Kind::kExpand;
    case '\n':
      return Kind::kNewLine;
    default:
      return Kind::kEdit;
  }
}

// Terminals paste a newline as \r.
std::string with_newlines(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\r') {
      out += text[at];
    } else if (at + 1 == text.size() || text[at + 1] != '\n') {
      out += '\n';
    }
  }
  return out;
}

// Length of the character at the front; 0 when more has to come. A byte that is none is one.
size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t expected = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  const size_t end = std::min(text.size(), expected);
  for (size_t at = 1; at < end; ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) return 1;
  }
  if (text.size() < expected && first < 0xf5) return 0;
  return std::max<size_t>(1, utf8_length(text));
}

}  // namespace

std::vector<Key> KeyDecoder::push(std::string_view bytes) {
  rest_ += bytes;
  std::vector<Key> keys;
  while (!rest_.empty() && take(keys)) continue;
  return keys;
}

std::vector<Key> KeyDecoder::release() {
  std::vector<Key> keys;
  if (!waits()) return keys;
  keys.push_back({Kind::kEscape});
  const std::string behind = rest_.substr(1);
  rest_.clear();
  for (Key& key : push(behind)) keys.push_back(std::move(key));
  return keys;
}

bool KeyDecoder::take(std::vector<Key>& keys) {
  size_t length = 0;
  Key key;
  if (pasting_) {
    length = rest_.find(kPasteEnd);
    if (length == std::string::npos && rest_.size() < kLongestPaste) return false;
    keys.push_back({Kind::kPaste, with_newlines(rest_.substr(0, length))});
    rest_.erase(0, std::max(length, length + kPasteEnd.size()));  // npos: all of it
    pasting_ = false;
    return true;
  }
  if (rest_[0] == '\x1b') {
    length = sequence_length(rest_);
    if (length == 0) return false;
    key.kind = kind_of_sequence(std::string_view(rest_).substr(0, length));
  } else {
    length = character_length(rest_);
    if (length == 0) return false;
    key.kind = kind_of_byte(rest_[0]);
  }
  key.bytes = rest_.substr(0, length);
  rest_.erase(0, length);
  if (key.bytes == kPasteBegin) {
    pasting_ = true;
  } else {
    keys.push_back(std::move(key));
  }
  return true;
}

}  // namespace dsv4::agent::terminal
