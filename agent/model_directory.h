#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dsv4::agent {

// Where the embedded model may lie, in the order that is tried: beside an installed program
// (PREFIX/share/dsv4-agent/nano), then in the source tree it was built from.
std::vector<std::filesystem::path> embedded_model_places();

// Whether that model is meant, which knows one job and what it was trained with.
bool is_embedded_model(const std::optional<std::string>& named);

// The directory of the model to run: the named one, else the first place that has the embedded
// model. Throws llm::ModelError with a sentence when it is not there or has no config.json.
std::filesystem::path find_model(const std::optional<std::string>& named);

}  // namespace dsv4::agent
