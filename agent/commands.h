#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::agent {

// Exit codes of the program (README).
enum ExitCode {
  kPassed = 0,
  kGaveUp = 1,
  kUsage = 2,
  kEngine = 3,
  kSandbox = 4,
  kTests = 5,
  kInterrupted = 130,
};

// One command: a row of the table in commands.cc and a function in cmd_<name>.cc. `run` gets the
// arguments after the command's name and returns the exit code. It may throw: what run_program does
// with each kind of exception is told there.
struct CommandRow {
  std::string_view name;
  std::string_view summary;  // one line of --help
  int (*run)(const std::vector<std::string>& arguments);
};

std::span<const CommandRow> command_table();

// Runs the program on its arguments (argv[0] left out) and returns its exit code. Never throws: a
// usage error ends with 2, an engine error with 3, a sandbox error with 4, each with its sentence
// on stderr. `more`: commands from rooms that this one does not know.
int run_program(const std::vector<std::string>& arguments, std::span<const CommandRow> more = {});

int cmd_bench(const std::vector<std::string>& arguments);
int cmd_doctor(const std::vector<std::string>& arguments);
int cmd_fix(const std::vector<std::string>& arguments);
int cmd_generate(const std::vector<std::string>& arguments);
int cmd_github(const std::vector<std::string>& arguments);
int cmd_interactive(const std::vector<std::string>& arguments);
int cmd_logits(const std::vector<std::string>& arguments);
int cmd_models(const std::vector<std::string>& arguments);
int cmd_render(const std::vector<std::string>& arguments);
int cmd_resume(const std::vector<std::string>& arguments);
int cmd_serve(const std::vector<std::string>& arguments);
int cmd_sessions(const std::vector<std::string>& arguments);
int cmd_tokenize(const std::vector<std::string>& arguments);

}  // namespace dsv4::agent
