#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "agent/context.h"

namespace dsv4::agent {

// How the events.jsonl of a run directory, which RunRecord writes, is read back by another process.
// It only grows, and one line is one event. A last line that is not whole, because its process was
// killed, does not count.

// Hands the events to `take`, in order, until one is not whole or no JSON object, or `take` says
// that it cannot be one. Returns the bytes of those before it. Throws what `take` throws.
std::uintmax_t read_events(const std::filesystem::path& directory,
                           const std::function<bool(const nlohmann::ordered_json&)>& take);

// What a "context" event and a report say of the repository's files: paths, not texts. And back:
// throws nlohmann::json::exception.
nlohmann::ordered_json json_of(const RepositoryContext& context);
RepositoryContext context_from(const nlohmann::ordered_json& event);

}  // namespace dsv4::agent
