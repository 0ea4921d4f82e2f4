#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/terminal/cells.h"
#include "agent/terminal/chat_opener.h"
#include "agent/terminal/display.h"
#include "agent/terminal/editor.h"
#include "agent/terminal/input_history.h"
#include "agent/terminal/keys.h"
#include "agent/terminal/picture.h"
#include "agent/terminal/posted_observer.h"
#include "agent/terminal/screen.h"
#include "agent/terminal/slash.h"
#include "agent/terminal/transcript.h"
#include "agent/terminal/tty.h"
#include "agent/terminal/worker.h"

namespace dsv4::agent::terminal {

// A session on a terminal. Everything that is seen belongs to the thread that calls run(): it reads
// keys and signals and draws, in one loop. The chat belongs to the worker's thread, which does one
// message or command at a time and posts what happens to the loop.
class TerminalSession : private Display {
 public:
  TerminalSession(const ChatOpener& chats, bool colour);
  ~TerminalSession() override;

  // Until the person ends it, the terminal goes, or a signal asks for the end. The exit code.
  int run();

 private:
  // What the loop knows of the chat, as of the last job.
  struct ChatState {
    std::string model;
    std::string approval;
    std::string branch;
    std::optional<std::vector<std::string>> paths;  // nothing: as they were
  };
  struct Question {
    std::string text;
    std::string keys;
    std::string typed;
    std::promise<char> answer;
  };
  using Job = std::function<void(std::stop_token)>;

  void add(Lines lines) override;
  void begun(Lines lines) override;
  void activity(Line line) override;
  void meter(const Meter& meter) override;

  // The loop.
  std::optional<wchar_t> next_character();
  void read_keys();
  void wait_for_signal();
  void tick();
  void paint();
  Line mode_line() const;
  void on_key(const Key& key);
  void answer_question(const Key& key);
  void on_interrupt();
  bool take_back();
  void suspend();
  void go_on();
  void end(int exit_code);

  // What the person sends.
  void submit(const std::string& line);
  void look(const Slash& slash);
  void next_in_queue();
  void start(Job job, bool files = true);  // which may change files
  void finished(const std::exception_ptr& error, ChatState state);
  void shut_down();

  // In the worker's thread.
  AskPerson asker();
  void open(const std::stop_token& cancel);
  void work_on(const std::string& line, std::stop_token cancel);
  Desk desk_for(std::stop_token cancel);
  std::optional<char> choose(const std::string& question, const std::string& keys);
  ChatState chat_state(bool files) const;

  const ChatOpener& chats_;
  Utf8Thread utf8_;
  boost::asio::io_context loop_;
  tools::Descriptor terminal_;
  TerminalModes modes_;
  Screen screen_;
  boost::asio::posix::stream_descriptor keys_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer escape_timer_;
  boost::asio::steady_timer tick_timer_;
  std::array<char, 4096> bytes_{};
  KeyDecoder decoder_;
  std::deque<Key> typed_;           // keys that nothing was done for yet
  std::deque<wchar_t> characters_;  // of the last one, for the editor
  LineEditor editor_;
  std::optional<InputHistory> history_;
  Transcript transcript_;
  PostedObserver observer_;

  Scene scene_;  // what is shown, but for the message and the mode line
  Meter meter_;
  ChatState state_;
  std::vector<std::string> paths_;  // of the repository's files
  std::deque<std::string> queue_;
  std::unique_ptr<Question> question_;
  std::chrono::steady_clock::time_point began_;  // of the job
  bool leaving_ = false;  // the last key was one that ends the session when it is pressed again
  bool raw_ = false;      // the editor has set the terminal's modes
  bool busy_ = false;
  bool dirty_ = true;
  bool quit_ = false;
  int exit_code_ = 0;
  std::exception_ptr failed_;  // the session could not be opened

  std::unique_ptr<Chat> chat_;
  Worker worker_;  // last: its thread ends before what it uses goes
};

}  // namespace dsv4::agent::terminal
