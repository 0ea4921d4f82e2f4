#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::llm {

// The values that an argument of a call may have, given the names of the turn's earlier calls, the
// tool, the parameter, and the arguments written before it in the same call. Nothing: any text.
// Must not throw.
using ArgumentChoices = std::function<std::optional<std::vector<std::string>>(
    const std::vector<std::string>& earlier, const std::string& tool, const std::string& parameter,
    const nlohmann::ordered_json& arguments)>;

// Keeps a block of tool calls well formed while it is sampled: it follows the text of the turn, and
// says which continuations are calls that the tools' schemas allow. Outside a block of calls, and
// inside an argument whose value is free, everything is allowed.
//
// Parameters come in the schema's order, each at most once, required ones always. A value that was
// chosen from a list is followed by the end of the parameter.
class CallGuide {
 public:
  // tools: {"name","parameters":{"properties","required"}}. choices may be empty.
  CallGuide(const std::vector<nlohmann::ordered_json>& tools, ArgumentChoices choices);
  ~CallGuide();
  CallGuide(const CallGuide&) = delete;
  CallGuide& operator=(const CallGuide&) = delete;

  // Forgets the turn that was followed: the next text begins a new one.
  void begin_turn();

  // The turn goes on with these bytes.
  void accept(std::string_view text);

  // False while any text may follow.
  bool restricts() const;

  // Whether the turn may go on with these bytes. An empty text is never allowed while restricts().
  bool allows(std::string_view text) const;

  // Whether the turn may end here: outside a block of calls, or right after it.
  bool may_end() const;

  // Whether one call has ended and another, or the end of the block, is to come.
  bool between_calls() const;

  // The bytes that may come next, as a table of 256, so that a caller can skip most of a vocabulary
  // without asking allows().
  std::vector<bool> first_bytes() const;

 private:
  struct Grammar;
  struct Place;  // where in the grammar the turn stands
  std::unique_ptr<const Grammar> grammar_;
  std::unique_ptr<Place> place_;
};

}  // namespace dsv4::llm
