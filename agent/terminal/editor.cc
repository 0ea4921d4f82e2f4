#include "agent/terminal/editor.h"

#include <histedit.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <utility>

#include "agent/printable.h"

namespace dsv4::agent::terminal {
namespace {

constexpr int kHistory = 1000;

void append_utf8(std::string* out, uint32_t code) {
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += static_cast<char>(0xc0 | (code >> 6));
    *out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *out += static_cast<char>(0xe0 | (code >> 12));
    *out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    *out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    *out += static_cast<char>(0xf0 | (code >> 18));
    *out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    *out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    *out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

using Action = LineEditor::Action;
struct Binding {
  Action action;
  const wchar_t* function;
};
constexpr std::array kBindings = {
    Binding{Action::kClear, L"dsv4-clear"},           Binding{Action::kNewLine, L"dsv4-new-line"},
    Binding{Action::kLineUp, L"ed-prev-line"},        Binding{Action::kLineDown, L"ed-next-line"},
    Binding{Action::kOlder, L"ed-prev-history"},      Binding{Action::kNewer, L"ed-next-history"},
    Binding{Action::kLeft, L"ed-prev-char"},          Binding{Action::kRight, L"ed-next-char"},
    Binding{Action::kWordLeft, L"ed-prev-word"},      Binding{Action::kWordRight, L"em-next-word"},
    Binding{Action::kLineBegin, L"dsv4-line-begin"},  Binding{Action::kLineEnd, L"dsv4-line-end"},
    Binding{Action::kDelete, L"ed-delete-next-char"},
};

// What all candidates begin with.
std::string common_start(const std::vector<std::string>& candidates) {
  std::string start = candidates.at(0);
  for (const std::string& each : candidates) {
    const auto [end, other] = std::mismatch(start.begin(), start.end(), each.begin(), each.end());
    start.erase(end, start.end());
  }
  while (!start.empty() && !is_utf8(start)) start.pop_back();  // not in the middle of a character
  return start;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

std::wstring wide(const std::string& text) {
  std::wstring out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t length = utf8_length(rest);
    uint32_t code = 0xfffd;
    if (length > 0) {
      code = static_cast<uint8_t>(rest[0]);
      if (length > 1) code &= 0xffu >> (length + 1);
      for (size_t i = 1; i < length; ++i) {
        code = (code << 6) | (static_cast<uint8_t>(rest[i]) & 0x3fu);
      }
    }
    out += static_cast<wchar_t>(code);
    rest.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

std::string narrow(std::wstring_view text) {
  std::string out;
  for (const wchar_t c : text) append_utf8(&out, static_cast<uint32_t>(c));
  return to_utf8(out);
}

// libedit calls plain functions; they find this by its client data.
struct LineEditor::State {
  explicit State(Source from)
      : source(std::move(from)),
        nowhere(std::fopen("/dev/null", "r+")),
        history(history_winit(), history_wend) {
    if (!nowhere || !history) throw std::runtime_error("the line editor cannot be set up");
  }

  static State& of(EditLine* edit) {
    void* data = nullptr;
    el_wget(edit, EL_CLIENTDATA, &data);
    return *static_cast<State*>(data);
  }

  // An exception cannot pass through libedit: the line ends, and read() throws it again.
  static int next_character(EditLine* edit, wchar_t* character) {
    State& self = of(edit);
    try {
      const std::optional<wchar_t> next = self.source.next();
      if (!next) return 0;
      *character = *next;
      return 1;
    } catch (...) {
      self.thrown = std::current_exception();
      return 0;
    }
  }

  static unsigned char new_line(EditLine* edit, int) {
    el_winsertstr(edit, L"\n");
    return CC_REFRESH;
  }

  // Ends the line, as an empty one: the next begins at the newest of the history again.
  static unsigned char clear(EditLine* edit, int) {
    const LineInfoW* line = el_wline(edit);
    el_cursor(edit, static_cast<int>(line->lastchar - line->cursor));
    el_wdeletestr(edit, static_cast<int>(line->lastchar - line->buffer));
    of(edit).cleared = true;
    return CC_NEWLINE;
  }

  // libedit's own go to the ends of the whole message.
  static unsigned char line_begin(EditLine* edit, int) {
    const LineInfoW* line = el_wline(edit);
    const wchar_t* to = line->cursor;
    while (to > line->buffer && to[-1] != L'\n') --to;
    el_cursor(edit, static_cast<int>(to - line->cursor));
    return CC_CURSOR;
  }

  static unsigned char line_end(EditLine* edit, int) {
    const LineInfoW* line = el_wline(edit);
    el_cursor(edit,
              static_cast<int>(std::find(line->cursor, line->lastchar, L'\n') - line->cursor));
    return CC_CURSOR;
  }

  static unsigned char complete(EditLine* edit, int) {
    State& self = of(edit);
    try {
      self.complete_now();
    } catch (...) {
      self.thrown = std::current_exception();
      return CC_EOF;
    }
    return CC_REFRESH;
  }

  Text text() const {
    const LineInfoW* line = el_wline(edit.get());
    Text out;
    out.bytes = narrow({line->buffer, static_cast<size_t>(line->cursor - line->buffer)});
    out.cursor = out.bytes.size();
    out.bytes += narrow({line->cursor, static_cast<size_t>(line->lastchar - line->cursor)});
    return out;
  }

  void complete_now() {
    const Text now = text();
    const Completion found = source.complete(now.bytes, now.cursor);
    if (found.candidates.empty()) return;
    const std::string before = now.bytes.substr(found.from, now.cursor - found.from);
    std::string start = common_start(found.candidates);
    const bool only = found.candidates.size() == 1;
    if (only && !start.ends_with('/')) start += ' ';
    if (start.size() > before.size() || only) {
      el_wdeletestr(edit.get(), static_cast<int>(wide(before).size()));
      el_winsertstr(edit.get(), wide(start).c_str());
    }
  }

  Source source;
  std::unique_ptr<std::FILE, CloseFile> nowhere;  // for what libedit would draw
  std::unique_ptr<HistoryW, decltype(&history_wend)> history;
  std::unique_ptr<EditLine, decltype(&el_end)> edit{nullptr, el_end};
  std::exception_ptr thrown;
  bool cleared = false;  // the line was ended with nothing in it
};

LineEditor::LineEditor(int terminal, Source source)
    : state_(std::make_unique<State>(std::move(source))) {
  std::FILE* nowhere = state_->nowhere.get();
  // The last two say which terminal it is; nothing is written to them.
  state_->edit.reset(
      el_init_fd("dsv4-agent", nowhere, nowhere, nowhere, terminal, terminal, terminal));
  EditLine* edit = state_->edit.get();
  if (edit == nullptr) throw std::runtime_error("the line editor cannot be set up");
  el_wset(edit, EL_CLIENTDATA, state_.get());
  HistEventW event;
  history_w(state_->history.get(), &event, H_SETSIZE, kHistory);
  history_w(state_->history.get(), &event, H_SETUNIQUE, 1);
  el_wset(edit, EL_EDITOR, L"emacs");
  el_wset(edit, EL_HIST, history_w, state_->history.get());
  el_wset(edit, EL_ADDFN, L"dsv4-new-line", L"begin a new line", State::new_line);
  el_wset(edit, EL_ADDFN, L"dsv4-complete", L"complete a path or command", State::complete);
  el_wset(edit, EL_ADDFN, L"dsv4-clear", L"begin anew", State::clear);
  el_wset(edit, EL_ADDFN, L"dsv4-line-begin", L"go to the begin of the line", State::line_begin);
  el_wset(edit, EL_ADDFN, L"dsv4-line-end", L"go to the end of the line", State::line_end);
  el_wset(edit, EL_BIND, L"^R", L"em-inc-search-prev", nullptr);
  el_wset(edit, EL_BIND, L"^A", L"dsv4-line-begin", nullptr);
  el_wset(edit, EL_BIND, L"^E", L"dsv4-line-end", nullptr);
  // Ctrl-C, Ctrl-Z and Ctrl-J are keys, while a line is edited and between two.
  for (const wchar_t* mode : {L"-d", L"-x"}) {
    el_wset(edit, EL_SETTY, mode, L"-isig", L"-icrnl", L"-inlcr", L"-ixon", L"-echo", L"-icanon",
            nullptr);
  }
  el_source(edit, nullptr);  // ~/.editrc; it may choose vi
  el_wset(edit, EL_BIND, L"^I", L"dsv4-complete", nullptr);
  for (const auto& [action, function] : kBindings) {
    const std::wstring key(1, character(action));
    el_wset(edit, EL_BIND, key.c_str(), function, nullptr);
    el_wset(edit, EL_BIND, L"-a", key.c_str(), function, nullptr);  // vi's other mode
  }
  el_wset(edit, EL_GETCFN, State::next_character);
}

LineEditor::~LineEditor() = default;

std::optional<std::string> LineEditor::read() {
  int count = 0;
  const wchar_t* line = el_wgets(state_->edit.get(), &count);
  if (state_->thrown) std::rethrow_exception(std::exchange(state_->thrown, nullptr));
  if (std::exchange(state_->cleared, false)) return "";
  if (line == nullptr || count <= 0) return std::nullopt;
  std::string text = narrow({line, static_cast<size_t>(count)});
  if (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

LineEditor::Text LineEditor::text() const { return state_->text(); }

void LineEditor::insert(const std::string& text) {
  el_winsertstr(state_->edit.get(), wide(text).c_str());
}

bool LineEditor::is_vi() const {
  const wchar_t* editor = nullptr;
  el_wget(state_->edit.get(), EL_EDITOR, &editor);
  return editor != nullptr && std::wstring_view(editor) == L"vi";
}

void LineEditor::remember(const std::string& message) {
  HistEventW event;
  history_w(state_->history.get(), &event, H_ENTER, wide(message).c_str());
}

}  // namespace dsv4::agent::terminal
