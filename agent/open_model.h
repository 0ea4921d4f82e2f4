#pragma once

#include <memory>
#include <optional>
#include <string>

#include "llm/conversation.h"

namespace dsv4::agent {

// Opens the named model directory, else the embedded model, for a conversation in this process.
// Computed contexts are kept in $XDG_CACHE_HOME/dsv4-agent/sessions (~/.cache when that is not
// set), for the next run that begins with the same repository.
// Throws llm::ModelError.
std::unique_ptr<llm::Conversation> open_model(const std::optional<std::string>& named);

}  // namespace dsv4::agent
