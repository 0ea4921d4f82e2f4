#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/attempts.h"
#include "agent/gate.h"
#include "agent/observer.h"

namespace dsv4::agent {

// What became of one of the attempts that ran at the same time.
struct SideResult {
  int number = 0;
  AttemptResult result;
  std::string patch;
  std::optional<GateResult> gate;  // of an attempt that went there
  std::chrono::duration<double> gate_time{0};
  std::exception_ptr error;  // what ended it before its end
};

// What each of them does, on its own thread. All must outlive the call.
struct SideSteps {
  std::function<AttemptResult(Attempt&, Observer&, std::stop_token)> run;
  std::function<std::string(const Attempt&, Observer&)> patch;
  std::function<GateResult(int number, const std::string& patch, std::stop_token)> gate;
};

// Runs attempts at the same time; what their models compute at the same time is one pass. Each
// tells the observer through a wrapper that says whose turn it is (Observer::on_beside).
//
// Once the gate has passed the patch of one, those with higher numbers are cancelled, and those
// with lower ones go on: which patch is taken does not depend on how fast each was. Returns when
// all have ended, in the order of the attempts.
std::vector<SideResult> run_side_by_side(std::vector<Attempt>& attempts, const SideSteps& steps,
                                         Observer& observer, std::stop_token cancel);

}  // namespace dsv4::agent
