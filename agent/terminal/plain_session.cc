#include "agent/terminal/plain_session.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "agent/error.h"
#include "agent/printable.h"
#include "agent/terminal/display.h"
#include "agent/terminal/interrupts.h"
#include "agent/terminal/slash.h"
#include "agent/terminal/transcript.h"

namespace dsv4::agent::terminal {
namespace {

constexpr size_t kLongestInput = 16 << 20;  // bytes of one message

class PlainDisplay : public Display {
 public:
  PlainDisplay(std::ostream& out, bool colour) : out_(out), colour_(colour) {}
  void add(Lines lines) override {
    for (const Line& line : lines) out_ << coded(line, colour_) << '\n';
    out_ << std::flush;
  }

 private:
  std::ostream& out_;
  bool colour_;
};

// Lines of standard input, until it or the session ends.
class Input {
 public:
  explicit Input(const Interrupts& interrupts) : interrupts_(interrupts) {}

  std::optional<std::string> line() {
    for (;;) {
      if (interrupts_.ended()) return std::nullopt;
      const size_t newline = rest_.find('\n');
      if (newline != std::string::npos || (ended_ && !rest_.empty())) {
        std::string line = rest_.substr(0, newline);
        rest_.erase(0, newline == std::string::npos ? newline : newline + 1);
        if (line.ends_with('\r')) line.pop_back();
        return line;
      }
      if (ended_) return std::nullopt;
      read_more();
    }
  }

 private:
  void read_more() {
    pollfd entries[] = {{STDIN_FILENO, POLLIN, 0}, {interrupts_.end_fd(), POLLIN, 0}};
    if (::poll(entries, 2, -1) < 0 || entries[1].revents != 0) return;
    char bytes[1 << 14];
    const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    ended_ = count <= 0;
    if (count > 0) rest_.append(bytes, static_cast<size_t>(count));
    if (rest_.size() > kLongestInput) {
      throw UsageError("a line of the input is over 16 MiB: name the file with @path instead");
    }
  }

  const Interrupts& interrupts_;
  std::string rest_;
  bool ended_ = false;
};

class PlainSession {
 public:
  PlainSession(const ChatOpener& chats, const PlainOptions& plain, std::ostream& out,
               std::ostream& err)
      : chats_(chats),
        plain_(plain),
        err_(err),
        out_(out),
        interrupts_(plain.person),
        input_(interrupts_),
        display_(out, plain.colour),
        transcript_(display_) {}

  int run() {
    const std::stop_token cancel = interrupts_.work();
    try {
      chat_ = chats_.first(transcript_, asker(), cancel);
    } catch (const std::exception&) {
      if (!cancel.stop_requested()) throw;
      complain("it was stopped before the session began", kInterrupted);
      return kInterrupted;
    }
    interrupts_.done();
    while (!quit_ && !interrupts_.ended()) {
      const std::optional<std::string> text = next();
      if (!text) break;
      handle(*text);
    }
    if (!quit_ && !interrupts_.ended()) handle("/quit");
    if (interrupts_.ended()) keep_changes();
    return interrupts_.ended() ? static_cast<int>(kInterrupted) : code_;
  }

 private:
  // A command, or a message.
  std::optional<std::string> next() {
    if (waiting_) return std::exchange(waiting_, std::nullopt);
    if (plain_.person) out_ << "> " << std::flush;
    std::optional<std::string> text = input_.line();
    if (!text || plain_.person || plain_.each_line || parse_slash(*text)) return text;
    while (const std::optional<std::string> line = input_.line()) {
      if (parse_slash(*line)) {
        waiting_ = line;
        break;
      }
      *text += "\n" + *line;
      if (text->size() > kLongestInput) throw UsageError("a message is over 16 MiB");
    }
    return text;
  }

  void handle(const std::string& text) {
    const size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string::npos) return;
    const std::stop_token cancel = interrupts_.work();
    try {
      if (const std::optional<Slash> slash = parse_slash(text)) {
        command(*slash, cancel);
      } else {
        message(text.substr(begin, text.find_last_not_of(" \t\n") + 1 - begin), cancel);
      }
    } catch (const UsageError& error) {
      complain(error.what(), kUsage);
    } catch (const std::exception& error) {
      if (!plain_.person) throw;
      complain(error.what(), kEngine);
    }
    interrupts_.done();
  }

  void message(const std::string& text, const std::stop_token& cancel) {
    const ChatAnswer answer = chat_->say(text, plain_.person, cancel);
    if (answer.code != kPassed) code_ = answer.code;
    if (!answer.trouble.empty()) complain(answer.trouble, answer.code);
    if (answer.changed != "no changes") transcript_.on_note(answer.changed + " changed");
  }

  void command(const Slash& slash, const std::stop_token& cancel) {
    if (slash.command == nullptr) {
      throw UsageError("there is no command /" + slash.word + "; /help lists them");
    }
    Desk desk;
    desk.show = [this](Lines lines) { display_.add(std::move(lines)); };
    desk.choose = [this](const std::string& question, const std::string& keys) {
      return choose(question, keys);
    };
    desk.expand = [this](size_t number) { return transcript_.expand(number); };
    desk.cancel = cancel;
    desk.typed = plain_.person;
    desk.sessions = chats_.sessions();
    if (slash.command->look != nullptr) {
      slash.command->look(desk, slash.arguments);
    } else {
      slash.command->run(*chat_, desk, slash.arguments);
    }
    quit_ = desk.quit;
    if (desk.next) chat_ = chats_.resume(*std::move(desk.next), transcript_, asker(), cancel);
  }

  AskPerson asker() {
    return [this](const std::string& question) {
      return choose(question + " Allow? y: yes, n: no", "yn") == 'y';
    };
  }

  std::optional<char> choose(const std::string& question, const std::string& keys) {
    if (!plain_.person) return std::nullopt;
    for (;;) {
      out_ << printable(question) << ' ' << std::flush;
      const std::optional<std::string> line = input_.line();
      if (!line) return std::nullopt;
      if (line->size() == 1 && keys.find(*line) != std::string::npos) return line->front();
    }
  }

  // Nobody is there to be asked.
  void keep_changes() {
    chat_->keep_interrupted();
    const std::string patch = chat_->patch();
    if (!patch.empty()) {
      err_ << "the changes are kept in " << chat_->save_patch(patch).string() << '\n';
    }
    if (chat_->is_kept()) err_ << "resume it with dsv4-agent resume " << chat_->id() << '\n';
  }

  void complain(const std::string& sentence, ExitCode code) {
    err_ << "dsv4-agent: " << printable(sentence) << std::endl;
    code_ = code;
  }

  const ChatOpener& chats_;
  const PlainOptions plain_;
  std::ostream& err_;
  std::ostream& out_;
  Interrupts interrupts_;
  Input input_;
  PlainDisplay display_;
  Transcript transcript_;
  std::unique_ptr<Chat> chat_;
  std::optional<std::string> waiting_;  // a command that ended a message
  bool quit_ = false;
  int code_ = 0;
};

}  // namespace

int run_plain(const ChatOpener& chats, const PlainOptions& plain, std::ostream& out,
              std::ostream& err) {
  return PlainSession(chats, plain, out, err).run();
}

}  // namespace dsv4::agent::terminal
