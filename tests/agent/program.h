#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "tests/agent/scratch.h"

// How a run of the real program ended, as a person or a script sees it.
struct Ended {
  int status = -1;  // -1: killed by a signal
  std::string out;
  std::string err;
};

// Runs dsv4-agent in `directory`. Arguments are words of sh, redirections included; $S is the
// scratch directory.
inline Ended run_agent(const Scratch& scratch, const std::filesystem::path& directory,
                       const std::string& arguments) {
  const std::string command = "cd '" + directory.string() + "' && export S='" +
                              scratch.path().string() + "' XDG_STATE_HOME='" +
                              (scratch / "state").string() + "' XDG_CONFIG_HOME='" +
                              (scratch / "config").string() + "' && exec " + DSV4_BUILD_DIR +
                              "/dsv4-agent >\"$S/out\" 2>\"$S/err\" " + arguments;
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, scratch.read("out"), scratch.read("err")};
}
