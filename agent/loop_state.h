#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "agent/loop.h"

namespace dsv4::agent {

// Counts how often the same thing happened in a row.
class Repeats {
 public:
  int count(const std::string& signature);

  // "DIGEST COUNT", and back.
  std::string state() const { return last_ + ' ' + std::to_string(count_); }
  void go_on_from(const std::string& state);

 private:
  std::string last_;  // digest of the signature
  int count_ = 0;
};

// What the loop of an attempt knows between two turns, beside conversation and tools.
struct LoopState {
  AttemptResult result;  // so far
  std::optional<bool> last_test;
  int64_t generated = 0;
  int corrections = 0;
  int trials = 0;
  Repeats same_call;
  Repeats same_turn;
};

nlohmann::ordered_json to_json(const LoopState& state);

// Throws nlohmann::json::exception for what to_json() never gives.
LoopState loop_state_from(const nlohmann::ordered_json& json);

nlohmann::ordered_json to_json(const Seconds& seconds);
Seconds seconds_from(const nlohmann::ordered_json& json);

// Is told where another process could take an attempt up.
class AttemptSaver {
 public:
  virtual ~AttemptSaver() = default;

  // Before every turn: all of the last one has been done, and its results are in the conversation.
  virtual void between_turns(const LoopState& state) = 0;

  // The conversation's context has been computed.
  virtual void computed() = 0;
};

}  // namespace dsv4::agent
