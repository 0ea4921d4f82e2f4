#include <iostream>

#include "agent/commands.h"
#include "agent/model_directory.h"
#include "llm/bench/commands.h"

namespace dsv4::agent {
namespace {

constexpr const char* kHelp =
    "usage: dsv4-agent bench [COMMAND ...]\n\n"
    "What the engine does on this machine, as JSON lines. Without a COMMAND: speed, memory and\n"
    "sessions of the embedded model at 1K and 4K tokens, in a few seconds.\n\n";

}  // namespace

int cmd_bench(const std::vector<std::string>& arguments) {
  constexpr const char* kProgram = "dsv4-agent bench";
  if (arguments.empty()) {
    return llm::bench::run_command(
        kProgram, {"frontier", "--model", find_model(std::nullopt).string(), "--to", "4096"});
  }
  if (arguments[0] == "--help") std::cout << kHelp << std::flush;
  return llm::bench::run_command(kProgram, arguments);
}

}  // namespace dsv4::agent
