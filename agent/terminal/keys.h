#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dsv4::agent::terminal {

// One key, as a terminal sends it.
struct Key {
  enum class Kind {
    kEdit,       // for the line editor: `bytes` as they came, a whole character or sequence
    kEscape,     // Esc by itself
    kInterrupt,  // Ctrl-C
    kSuspend,    // Ctrl-Z
    kRepaint,    // Ctrl-L
    kExpand,     // Ctrl-O
    kNewLine,    // Alt-Enter, Ctrl-J: a new line in the message
    kUp,
    kDown,
    kLeft,
    kRight,
    kWordLeft,
    kWordRight,
    kHome,
    kEnd,
    kDelete,
    kPaste,  // `bytes` were pasted, newlines as \n
  };
  Kind kind = Kind::kEdit;
  std::string bytes{};
};

// Finds the keys in the bytes that come from a terminal, in pieces of any size.
class KeyDecoder {
 public:
  std::vector<Key> push(std::string_view bytes);

  // Esc came and nothing after it yet. When that stays so for kEscapeTime the caller calls
  // release(): it was the key by itself.
  bool waits() const { return !rest_.empty() && rest_[0] == '\x1b' && !pasting_; }
  std::vector<Key> release();

  static constexpr int kEscapeTime = 50;  // ms; a sequence comes in one piece, over ssh too

 private:
  bool take(std::vector<Key>& keys);

  std::string rest_;  // not a whole key yet
  bool pasting_ = false;
};

}  // namespace dsv4::agent::terminal
