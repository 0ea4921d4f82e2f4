#include "llm/bench/commands.h"

#include <cstdio>
#include <exception>

#include "kernels/bench/kernels_command.h"
#include "llm/bench/batch.h"
#include "llm/bench/draft.h"
#include "llm/bench/frontier.h"
#include "llm/bench/guide.h"
#include "llm/bench/picture.h"
#include "llm/bench/synth.h"

namespace dsv4::llm::bench {
namespace {

struct Command {
  const char* name;
  int (*run)(int argc, char** argv);
  const char* what;
};

constexpr Command kCommands[] = {
    {"kernels", kernels::bench::run_kernels, "each kernel beside this machine's ceilings"},
    {"batch", run_batch, "sessions decoded together beside one alone"},
    {"draft", run_draft, "what guessing ahead brings, by kind of text"},
    {"frontier", run_frontier, "speed, memory and sessions by context length"},
    {"guide", run_guide, "what keeping calls well formed costs per token"},
    {"picture", run_picture, "the frontier rows of a file as an SVG"},
    {"synth", run_synth, "a checkpoint with random weights, of any size"},
};

void print_usage(std::FILE* out, const char* program) {
  std::fprintf(out, "usage: %s COMMAND ...\n\n", program);
  for (const Command& command : kCommands) {
    std::fprintf(out, "  %-10s %s\n", command.name, command.what);
  }
}

}  // namespace

int run_command(const char* program, std::vector<std::string> arguments) {
  if (arguments.empty()) {
    print_usage(stderr, program);
    return 2;
  }
  if (arguments[0] == "--help") {
    print_usage(stdout, program);
    return 0;
  }
  std::vector<char*> rest;
  for (size_t i = 1; i < arguments.size(); ++i) rest.push_back(arguments[i].data());
  for (const Command& command : kCommands) {
    if (arguments[0] != command.name) continue;
    try {
      return command.run(static_cast<int>(rest.size()), rest.data());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", program, error.what());
      return 3;
    }
  }
  print_usage(stderr, program);
  return 2;
}

}  // namespace dsv4::llm::bench
