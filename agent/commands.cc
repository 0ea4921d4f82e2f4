#include "agent/commands.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <iomanip>
#include <iostream>
#include <new>

#include "agent/error.h"
#include "agent/printable.h"
#include "llm/error.h"
#include "sandbox/sandbox.h"

namespace dsv4::agent {
namespace {

constexpr std::array kCommands = {
    CommandRow{"fix", "repair a repository until its tests pass: one task, unattended", cmd_fix},
    CommandRow{"interactive", "a session in the terminal; the same as no command", cmd_interactive},
    CommandRow{"resume", "go on with a run or session that was cut short, where it was",
               cmd_resume},
    CommandRow{"github", "an issue repaired inside GitHub Actions", cmd_github},
    CommandRow{"sessions", "what was run here, and how it ended", cmd_sessions},
    CommandRow{"doctor", "what works here, what does not, and what to do about it", cmd_doctor},
    CommandRow{"models", "the models that can be used here", cmd_models},
    CommandRow{"bench", "what the engine does on this machine, as JSON lines", cmd_bench},
    CommandRow{"serve", "the model over OpenAI's protocol, for many clients at the same time",
               cmd_serve},
    CommandRow{"logits", "what the model computes after every id of a list", cmd_logits},
    CommandRow{"generate", "ids that the model puts after a list of ids", cmd_generate},
    CommandRow{"tokenize", "the ids of a text, as the model's tokenizer has them", cmd_tokenize},
    CommandRow{"render", "the exact prompt that a list of messages becomes", cmd_render},
};

void print_help(std::ostream& out, std::span<const CommandRow> more) {
  out << "dsv4-agent: a coding agent whose model runs inside it\n\n"
         "usage: dsv4-agent [options]                 a session in the terminal\n"
         "       dsv4-agent COMMAND [arguments]\n"
         "       dsv4-agent COMMAND --help\n"
         "       dsv4-agent --version\n\n"
         "commands:\n";
  for (const std::span<const CommandRow> rows : {std::span<const CommandRow>(kCommands), more}) {
    for (const CommandRow& row : rows) {
      out << "  " << std::left << std::setw(11) << row.name << ' ' << row.summary << '\n';
    }
  }
}

int complain(const std::exception& error, ExitCode code) {
  std::cerr << "dsv4-agent: " << printable(error.what()) << '\n';
  return code;
}

int run_guarded(const CommandRow& row, const std::vector<std::string>& arguments) {
  try {
    return row.run(arguments);
  } catch (const UsageError& error) {
    return complain(error, kUsage);
  } catch (const llm::Error& error) {
    return complain(error, kEngine);
  } catch (const sandbox::SetupError& error) {
    return complain(error, kSandbox);
  } catch (const TestsError& error) {
    return complain(error, kTests);
  } catch (const std::bad_alloc&) {
    std::cerr << "dsv4-agent: out of memory: close other programs or use a smaller model\n";
    return kEngine;
  } catch (const std::exception& error) {
    return complain(error, kUsage);
  }
}

const CommandRow* find_row(std::string_view name, std::span<const CommandRow> more) {
  for (const std::span<const CommandRow> rows : {std::span<const CommandRow>(kCommands), more}) {
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const CommandRow& each) { return each.name == name; });
    if (row != rows.end()) return &*row;
  }
  return nullptr;
}

int dispatch(const std::vector<std::string>& arguments, std::span<const CommandRow> more) {
  // Without a command, or with options only, it is a session.
  const bool session = arguments.empty() || arguments[0].starts_with("-");
  const std::string name = arguments.empty() ? "interactive" : arguments[0];
  if (name == "--help" || name == "-h" || name == "help") {
    print_help(std::cout, more);
    return 0;
  }
  if (name == "--version") {
    std::cout << "dsv4-agent " DSV4_VERSION "\n";
    return 0;
  }
  if (session) {
    return run_guarded({"interactive", "", cmd_interactive}, arguments);
  }
  if (const CommandRow* row = find_row(name, more)) {
    return run_guarded(*row, std::vector<std::string>(arguments.begin() + 1, arguments.end()));
  }
  std::cerr << "dsv4-agent: there is no command '" << printable_line(name, 100)
            << "'; `dsv4-agent --help` lists the commands\n";
  return kUsage;
}

// Whether standard output is a pipe whose reader has seen enough, as in `... | head -1`.
bool reader_left() {
  pollfd entry{STDOUT_FILENO, 0, 0};
  return ::poll(&entry, 1, 0) > 0 && (entry.revents & POLLERR) != 0;
}

}  // namespace

std::span<const CommandRow> command_table() { return kCommands; }

int run_program(const std::vector<std::string>& arguments, std::span<const CommandRow> more) {
  const int code = dispatch(arguments, more);
  if (std::cout.flush() || reader_left()) return code;
  std::cerr << "dsv4-agent: standard output could not be written to, so the result is not whole: "
               "is the disk full?\n";
  return code == kPassed ? kUsage : code;
}

}  // namespace dsv4::agent
