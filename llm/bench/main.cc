// dsv4-bench: what the engine can do on this machine, as JSON lines.

#include "llm/bench/commands.h"

int main(int argc, char** argv) {
  return dsv4::llm::bench::run_command("dsv4-bench", {argv + (argc > 0), argv + argc});
}
