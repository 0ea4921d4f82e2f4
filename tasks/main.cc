#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "agent/commands.h"
#include "tasks/cmd_eval.h"

namespace {

constexpr std::array kMoreCommands = {
    dsv4::agent::CommandRow{"eval", "many tasks and a report: how good is it?",
                            dsv4::tasks::cmd_eval},
};

// A file that is opened while a standard stream is closed takes its number, and what is meant for
// the stream ends up in the file. The direction is the wrong one on purpose: using the stream fails
// as if it were closed still.
void keep_standard_streams_taken() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    if (::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_streams_taken();
  return dsv4::agent::run_program(std::vector<std::string>(argv + 1, argv + argc), kMoreCommands);
}
