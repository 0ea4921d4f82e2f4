// dsv4-bench: what the engine can do on this machine, as JSON lines.

#include <cstdio>
#include <cstring>
#include <exception>

#include "kernels/bench/kernels_command.h"
#include "llm/bench/batch.h"
#include "llm/bench/draft.h"
#include "llm/bench/frontier.h"
#include "llm/bench/guide.h"
#include "llm/bench/picture.h"
#include "llm/bench/synth.h"

namespace {

struct Command {
  const char* name;
  int (*run)(int argc, char** argv);
  const char* what;
};

constexpr Command kCommands[] = {
    {"kernels", dsv4::kernels::bench::run_kernels, "each kernel beside this machine's ceilings"},
    {"batch", dsv4::llm::bench::run_batch, "sessions decoded together beside one alone"},
    {"draft", dsv4::llm::bench::run_draft, "what guessing ahead brings, by kind of text"},
    {"frontier", dsv4::llm::bench::run_frontier, "speed, memory and sessions by context length"},
    {"guide", dsv4::llm::bench::run_guide, "what keeping calls well formed costs per token"},
    {"picture", dsv4::llm::bench::run_picture, "the frontier rows of a file as an SVG"},
    {"synth", dsv4::llm::bench::run_synth, "a checkpoint with random weights, of any size"},
};

int usage() {
  std::fputs("usage: dsv4-bench COMMAND ...\n\n", stderr);
  for (const Command& c : kCommands) std::fprintf(stderr, "  %-10s %s\n", c.name, c.what);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return usage();
  for (const Command& command : kCommands) {
    if (std::strcmp(argv[1], command.name) != 0) continue;
    try {
      return command.run(argc - 2, argv + 2);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "dsv4-bench: %s\n", error.what());
      return 3;
    }
  }
  return usage();
}
