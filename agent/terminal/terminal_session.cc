#include "agent/terminal/terminal_session.h"

#include <signal.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cstdio>
#include <utility>

#include "agent/duration.h"
#include "agent/error.h"
#include "agent/printable.h"
#include "agent/run_directory.h"
#include "agent/terminal/completion.h"

namespace dsv4::agent::terminal {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using boost::system::error_code;

constexpr std::chrono::milliseconds kLongestWithoutPicture{40};

std::optional<InputHistory> open_history() {
  try {
    return InputHistory(state_directory() / "history");
  } catch (const UsageError&) {
    return std::nullopt;  // there is no home to keep it in
  }
}

std::string sentence_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return "out of memory: close other programs or use a smaller model";
  } catch (const std::exception& known) {
    return known.what();
  }
}

// On which line of the message the cursor is, and how many there are.
bool has_line_before(const LineEditor::Text& text) {
  return text.bytes.substr(0, text.cursor).find('\n') != std::string::npos;
}
bool has_line_behind(const LineEditor::Text& text) {
  return text.bytes.find('\n', text.cursor) != std::string::npos;
}

}  // namespace

TerminalSession::TerminalSession(const ChatOpener& chats, bool colour)
    : chats_(chats),
      terminal_(open_terminal(STDIN_FILENO)),
      modes_(terminal_.get()),
      screen_(STDOUT_FILENO, size_of_terminal(terminal_.get()), colour),
      keys_(loop_, open_terminal(STDIN_FILENO).release()),
      signals_(loop_, SIGINT, SIGTERM, SIGHUP),
      escape_timer_(loop_),
      tick_timer_(loop_),
      editor_(terminal_.get(), {[this] { return next_character(); },
                                [this](const std::string& text, size_t cursor) {
                                  return complete_input(text, cursor, paths_);
                                }}),
      history_(open_history()),
      transcript_(*this),
      observer_(transcript_,
                [this](std::function<void()> what) { asio::post(loop_, std::move(what)); }) {
  for (const int number : {SIGWINCH, SIGTSTP, SIGCONT}) signals_.add(number);
  if (!history_) return;
  for (const std::string& message : history_->load()) editor_.remember(message);
}

TerminalSession::~TerminalSession() = default;

int TerminalSession::run() {
  screen_.enter(screen_.size());
  read_keys();
  wait_for_signal();
  tick();
  start([this](std::stop_token cancel) { open(cancel); });
  while (!quit_) {
    const std::optional<std::string> line = editor_.read();
    if (quit_) break;
    submit(line.value_or("/quit"));
  }
  shut_down();
  if (failed_) std::rethrow_exception(failed_);
  return exit_code_;
}

// The work is stopped and waited for; what it still says is shown.
void TerminalSession::shut_down() {
  quit_ = true;
  queue_.clear();
  worker_.stop();
  if (question_) answer_question({Key::Kind::kEscape});
  while (busy_) loop_.run_one();
  signals_.cancel();
  screen_.leave();
  if (!chat_ || exit_code_ == 0) return;
  chat_->keep_interrupted();  // the person could not be asked
  const std::string patch = chat_->patch();
  if (!patch.empty()) chat_->save_patch(patch);
}

void TerminalSession::end(int exit_code) {
  exit_code_ = exit_code;
  quit_ = true;
}

// Display

void TerminalSession::add(Lines lines) {
  screen_.add(std::move(lines));
  dirty_ = true;
}

void TerminalSession::begun(Lines lines) {
  scene_.begun = std::move(lines);
  dirty_ = true;
}

void TerminalSession::activity(Line line) {
  scene_.activity.reset();
  if (!line.empty()) scene_.activity = std::move(line);
  dirty_ = true;
}

void TerminalSession::meter(const Meter& meter) {
  meter_ = meter;
  dirty_ = true;
}

// The loop

// Runs the loop until a character for the editor is there.
std::optional<wchar_t> TerminalSession::next_character() {
  dirty_ = true;  // the editor has done what the last one meant
  if (!std::exchange(raw_, true)) modes_.remember();
  while (characters_.empty() && !quit_) {
    if (!typed_.empty()) {  // only now is it known what the keys before it did
      const Key key = std::move(typed_.front());
      typed_.pop_front();
      on_key(key);
      continue;
    }
    // Whatever is ready, then one picture of it.
    const Clock::time_point begin = Clock::now();
    while (loop_.poll_one() > 0 && typed_.empty() &&
           Clock::now() - begin < kLongestWithoutPicture) {
    }
    if (!typed_.empty() || quit_) continue;
    paint();
    loop_.run_one();
  }
  if (quit_) return std::nullopt;
  const wchar_t next = characters_.front();
  characters_.pop_front();
  return next;
}

void TerminalSession::read_keys() {
  keys_.async_read_some(asio::buffer(bytes_), [this](const error_code& error, size_t count) {
    if (error || count == 0) return end(kInterrupted);  // the terminal is gone
    escape_timer_.cancel();
    for (Key& key : decoder_.push({bytes_.data(), count})) typed_.push_back(std::move(key));
    if (decoder_.waits()) {
      escape_timer_.expires_after(std::chrono::milliseconds(KeyDecoder::kEscapeTime));
      escape_timer_.async_wait([this](const error_code& cancelled) {
        if (cancelled) return;
        for (Key& key : decoder_.release()) typed_.push_back(std::move(key));
      });
    }
    read_keys();
  });
}

void TerminalSession::wait_for_signal() {
  signals_.async_wait([this](const error_code& error, int number) {
    if (error) return;
    if (number == SIGWINCH) {
      screen_.resize(size_of_terminal(terminal_.get()));
      dirty_ = true;
    } else if (number == SIGINT) {
      on_interrupt();
    } else if (number == SIGTSTP) {
      suspend();
    } else if (number == SIGCONT) {  // it was stopped in a way that nobody is asked about
      go_on();
    } else {
      end(kInterrupted);
    }
    wait_for_signal();
  });
}

void TerminalSession::tick() {
  tick_timer_.expires_after(std::chrono::seconds(1));
  tick_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    dirty_ = dirty_ || busy_;  // the time it takes is shown
    tick();
  });
}

void TerminalSession::paint() {
  if (!dirty_) return;
  dirty_ = false;
  Scene scene = scene_;
  if (busy_ && !question_) {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_);
    Line doing("(" + std::to_string(took.count() / 1000) + " s, Esc stops) ", Style::kDim);
    scene.activity = doing.add(scene.activity.value_or(Line("working")));
  } else {
    scene.activity.reset();
  }
  scene.queued.assign(queue_.begin(), queue_.end());
  scene.mode = mode_line();
  scene.message = editor_.text();
  if (question_) {
    scene.question = question_->text + " " + question_->typed;
  } else if (scene.hints.empty()) {
    scene.hints = suggestions(scene.message.bytes, scene.message.cursor, paths_);
  }
  screen_.draw(picture_of(scene, screen_.size()));
}

Line TerminalSession::mode_line() const {
  std::string text = " " + (state_.model.empty() ? "opening" : state_.model);
  if (!state_.approval.empty()) text += " | " + state_.approval + " | " + state_.branch;
  if (meter_.window > 0) {
    char share[32];
    std::snprintf(share, sizeof share, "%.1f%%",
                  100.0 * static_cast<double>(meter_.tokens) / static_cast<double>(meter_.window));
    text +=
        " | " + grouped(meter_.tokens) + "/" + grouped(meter_.window) + " tokens (" + share + ")";
    if (meter_.bytes > 0) text += ", " + byte_count(static_cast<uint64_t>(meter_.bytes));
  }
  text += " | /help ";
  return Line(text, Style::kBar);
}

void TerminalSession::on_key(const Key& key) {
  dirty_ = true;
  scene_.hints.clear();
  if (question_) return answer_question(key);
  if (key.kind != Key::Kind::kInterrupt) leaving_ = false;
  using Action = LineEditor::Action;
  const auto type = [this](const std::wstring& text) {
    characters_.insert(characters_.end(), text.begin(), text.end());
  };
  const auto act = [this](Action action) { characters_.push_back(LineEditor::character(action)); };
  switch (key.kind) {
    case Key::Kind::kEscape:
      if (busy_) {
        worker_.stop();
      } else if (editor_.is_vi()) {
        type(L"\033");
      }
      return;
    case Key::Kind::kInterrupt:
      return on_interrupt();
    case Key::Kind::kSuspend:
      return suspend();
    case Key::Kind::kRepaint:
      return screen_.repaint();
    case Key::Kind::kExpand:
      return add(transcript_.expand(0));
    case Key::Kind::kPaste:
      return editor_.insert(key.bytes);
    case Key::Kind::kNewLine:
      return act(Action::kNewLine);
    case Key::Kind::kUp:
      if (take_back()) return;
      return act(has_line_before(editor_.text()) ? Action::kLineUp : Action::kOlder);
    case Key::Kind::kDown:
      return act(has_line_behind(editor_.text()) ? Action::kLineDown : Action::kNewer);
    case Key::Kind::kLeft:
      return act(Action::kLeft);
    case Key::Kind::kRight:
      return act(Action::kRight);
    case Key::Kind::kWordLeft:
      return act(Action::kWordLeft);
    case Key::Kind::kWordRight:
      return act(Action::kWordRight);
    case Key::Kind::kHome:
      return act(Action::kLineBegin);
    case Key::Kind::kEnd:
      return act(Action::kLineEnd);
    case Key::Kind::kDelete:
      return act(Action::kDelete);
    case Key::Kind::kEdit:
      return type(wide(key.bytes));
  }
}

void TerminalSession::answer_question(const Key& key) {
  const bool away = key.kind == Key::Kind::kEscape || key.kind == Key::Kind::kInterrupt;
  std::string& typed = question_->typed;
  char answer = question_->keys.back();
  if (!away) {
    // Enter is needed: somebody who was writing when the question came must not have answered it.
    if (key.bytes != "\r") {
      const bool back = key.bytes == "\x7f" || key.bytes == "\b";
      if (back && !typed.empty()) typed.pop_back();
      if (key.bytes.size() == 1 && key.bytes[0] > ' ' && !back) typed += key.bytes;
      return;
    }
    if (typed.size() != 1 || question_->keys.find(typed) == std::string::npos) {
      return typed.clear();
    }
    answer = typed[0];
  }
  add({Line(question_->text + " ", Style::kStrong).add({&answer, 1}).fold(Line::Fold::kWords)});
  const std::unique_ptr<Question> answered = std::move(question_);
  answered->answer.set_value(answer);
}

void TerminalSession::on_interrupt() {
  dirty_ = true;
  const bool second = std::exchange(leaving_, false);
  if (busy_) return worker_.stop();
  if (!editor_.text().bytes.empty()) {
    characters_.push_back(LineEditor::character(LineEditor::Action::kClear));
  } else if (second) {
    queue_.push_back("/quit");
    next_in_queue();
  } else {
    leaving_ = true;
    scene_.hints = {Line("Ctrl-C once more, Ctrl-D or /quit ends the session", Style::kDim)};
  }
}

// The last message that waits, to be changed or left.
bool TerminalSession::take_back() {
  if (queue_.empty() || !editor_.text().bytes.empty()) return false;
  editor_.insert(queue_.back());
  queue_.pop_back();
  return true;
}

void TerminalSession::suspend() {
  screen_.leave();
  modes_.lend();
  for (const int number : {SIGTSTP, SIGCONT}) signals_.remove(number);
  ::kill(::getpid(), SIGTSTP);  // returns when the shell lets the program go on
  for (const int number : {SIGTSTP, SIGCONT}) signals_.add(number);
  go_on();
}

void TerminalSession::go_on() {
  if (!raw_) return;
  modes_.take_again();
  screen_.enter(size_of_terminal(terminal_.get()));
  dirty_ = true;
}

// What the person sends

void TerminalSession::submit(const std::string& line) {
  const size_t begin = line.find_first_not_of(" \t\n");
  if (begin == std::string::npos) return;
  const std::string text = line.substr(begin, line.find_last_not_of(" \t\n") + 1 - begin);
  editor_.remember(text);
  if (history_ && begin == 0) history_->add(text);  // a blank in front: not written down
  const std::optional<Slash> slash = parse_slash(text);
  if (slash && (slash->command == nullptr || slash->command->look != nullptr)) return look(*slash);
  if (slash && slash->command->name == "quit") {
    queue_.clear();
    if (busy_) worker_.stop();
  }
  queue_.push_back(text);
  next_in_queue();
}

void TerminalSession::look(const Slash& slash) {
  Desk desk;
  desk.show = [this](Lines lines) { add(std::move(lines)); };
  desk.expand = [this](size_t number) { return transcript_.expand(number); };
  try {
    if (slash.command == nullptr) {
      throw UsageError("there is no command /" + slash.word + "; /help lists them");
    }
    slash.command->look(desk, slash.arguments);
  } catch (const UsageError& error) {
    add({Line(error.what(), Style::kBad).fold(Line::Fold::kWords)});
  }
}

void TerminalSession::next_in_queue() {
  dirty_ = true;
  if (busy_ || queue_.empty() || quit_) return;
  const std::string line = std::move(queue_.front());
  queue_.pop_front();
  add(Transcript::sent(line));
  start([this, line](std::stop_token cancel) { work_on(line, std::move(cancel)); },
        !parse_slash(line));
}

void TerminalSession::start(Job job, bool files) {
  busy_ = true;
  began_ = Clock::now();
  worker_.start([this, job = std::move(job), files](std::stop_token cancel) {
    std::exception_ptr error;
    ChatState state;
    try {
      job(std::move(cancel));
    } catch (...) {
      error = std::current_exception();
    }
    try {
      state = chat_state(files);
    } catch (...) {
      if (!error) error = std::current_exception();
    }
    asio::post(loop_, [this, error, state = std::move(state)]() mutable {
      finished(error, std::move(state));
    });
  });
}

void TerminalSession::finished(const std::exception_ptr& error, ChatState state) {
  busy_ = false;
  state_ = std::move(state);
  if (state_.paths) paths_ = *std::move(state_.paths);
  begun({});
  activity({});
  if (error && !chat_) {
    if (!quit_) failed_ = error;  // the session did not even begin
    quit_ = true;
  } else if (error) {
    add({Line(sentence_of(error), Style::kBad).fold(Line::Fold::kWords)});
  }
  next_in_queue();
}

// In the worker's thread

AskPerson TerminalSession::asker() {
  return [this](const std::string& question) {
    return choose(question + " Allow? y: yes, n: no", "yn") == 'y';
  };
}

void TerminalSession::open(const std::stop_token& cancel) {
  try {
    chat_ = chats_.first(observer_, asker(), cancel);
  } catch (const std::exception&) {
    if (!cancel.stop_requested()) throw;
    asio::post(loop_, [this] {
      add({Line("it was stopped before the session began", Style::kBad)});
      end(kInterrupted);
    });
  }
}

void TerminalSession::work_on(const std::string& line, std::stop_token cancel) {
  if (const std::optional<Slash> slash = parse_slash(line)) {
    Desk desk = desk_for(cancel);
    slash->command->run(*chat_, desk, slash->arguments);
    if (desk.next) chat_ = chats_.resume(*std::move(desk.next), observer_, asker(), cancel);
    if (desk.quit) asio::post(loop_, [this] { end(0); });
    return;
  }
  const ChatAnswer answer = chat_->say(line, true, std::move(cancel));
  if (!answer.trouble.empty()) {
    Lines lines = {Line(answer.trouble, Style::kBad).fold(Line::Fold::kWords)};
    asio::post(loop_, [this, lines = std::move(lines)]() mutable { add(std::move(lines)); });
  }
  if (answer.changed != "no changes")
    observer_.on_note(answer.changed + " changed (/diff, /apply)");
}

Desk TerminalSession::desk_for(std::stop_token cancel) {
  Desk desk;
  desk.show = [this](Lines lines) {
    asio::post(loop_, [this, lines = std::move(lines)]() mutable { add(std::move(lines)); });
  };
  desk.choose = [this](const std::string& question, const std::string& keys) {
    return choose(question, keys);
  };
  desk.cancel = std::move(cancel);
  desk.typed = true;
  desk.sessions = chats_.sessions();
  return desk;
}

std::optional<char> TerminalSession::choose(const std::string& question, const std::string& keys) {
  auto asked = std::make_unique<Question>(Question{question, keys, "", {}});
  std::future<char> answer = asked->answer.get_future();
  asio::post(loop_, [this, asked = std::move(asked)]() mutable {
    question_ = std::move(asked);
    dirty_ = true;
    if (quit_) answer_question({Key::Kind::kEscape});
  });
  return answer.get();
}

TerminalSession::ChatState TerminalSession::chat_state(bool files) const {
  if (!chat_) return {};
  ChatState state{chat_->model().name, std::string(approval_name(chat_->approval())),
                  chat_->timeline().branch(), std::nullopt};
  if (!files) return state;
  state.paths.emplace();
  for (const TreeEntry& entry : chat_->place().listing({}).entries) {
    state.paths->push_back(entry.path);
  }
  return state;
}

}  // namespace dsv4::agent::terminal
