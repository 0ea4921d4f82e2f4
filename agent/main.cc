#include <string>
#include <vector>

#include "agent/commands.h"

int main(int argc, char** argv) {
  return dsv4::agent::run_program(std::vector<std::string>(argv + 1, argv + argc));
}
