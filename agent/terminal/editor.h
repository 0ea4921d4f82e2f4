#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dsv4::agent::terminal {

// What the Tab key may put in place of bytes [from, cursor) of the text.
struct Completion {
  size_t from = 0;
  std::vector<std::string> candidates;
};

// Edits one message: libedit's keys, kill buffer, history and search, and what the user's ~/.editrc
// binds. It draws nothing: text() is what a screen has to show. The terminal is put into raw mode
// by read() and left in it.
class LineEditor {
 public:
  struct Source {
    // Waits for the next character; nothing: the input has ended. May throw.
    std::function<std::optional<wchar_t>()> next;
    std::function<Completion(const std::string& text, size_t cursor)> complete;
  };

  // `terminal` is an open terminal; it and what `source` refers to must outlive the editor.
  LineEditor(int terminal, Source source);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // One message, without the newline that ended it; nothing at the end of the input. Rethrows what
  // `next` threw.
  std::optional<std::string> read();

  struct Text {
    std::string bytes;  // UTF-8
    size_t cursor = 0;  // before that byte
  };
  Text text() const;

  // Puts text at the cursor. Only inside `next`.
  void insert(const std::string& text);

  // Whether the user's ~/.editrc chose vi's keys, where Esc is one.
  bool is_vi() const;

  // Becomes the last entry of the history.
  void remember(const std::string& message);

  // What keys do that terminals send in several ways, or that libedit does not know.
  enum class Action {
    kClear,
    kNewLine,
    kLineUp,
    kLineDown,
    kOlder,  // in the history
    kNewer,
    kLeft,
    kRight,
    kWordLeft,
    kWordRight,
    kLineBegin,
    kLineEnd,
    kDelete,
  };

  // The character for `next` to return that does this, whatever else is bound.
  static wchar_t character(Action action) { return kActions + static_cast<wchar_t>(action); }

 private:
  static constexpr wchar_t kActions = 0x90;  // control characters that no keyboard has

  struct State;
  std::unique_ptr<State> state_;
};

// UTF-8 and back; what is not UTF-8 becomes U+FFFD.
std::wstring wide(const std::string& text);
std::string narrow(std::wstring_view text);

}  // namespace dsv4::agent::terminal
