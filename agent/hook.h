#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace dsv4::agent {

// A command that the user's configuration attaches to what happens in a run or session (hooks.h).
struct Hook {
  enum class On { kBeforeTool, kAfterTool, kFinish };

  On on = On::kFinish;
  std::string command;             // run by sh -c
  std::vector<std::string> tools;  // before and after these only; every tool where empty
  std::chrono::milliseconds timeout = std::chrono::seconds(10);
  bool sandboxed = true;
};

}  // namespace dsv4::agent
