#pragma once

#include <map>
#include <optional>
#include <string>

#include "llm/conversation.h"

namespace dsv4::agent {

// What a model costs, per million tokens, in whatever currency its user thinks of.
struct Price {
  double input = 0;         // prompt that the server computes
  double cached_input = 0;  // prompt that it had kept
  double output = 0;
};

using Prices = std::map<std::string, Price>;  // by the model's name

// Nothing where the model has no price.
inline std::optional<double> cost_of(const llm::Usage& usage, const std::string& model,
                                     const Prices& prices) {
  const auto found = prices.find(model);
  if (found == prices.end()) return std::nullopt;
  const Price& price = found->second;
  return (static_cast<double>(usage.prefilled) * price.input +
          static_cast<double>(usage.cached) * price.cached_input +
          static_cast<double>(usage.generated) * price.output) /
         1e6;
}

}  // namespace dsv4::agent
