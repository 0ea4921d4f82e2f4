#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/endpoint.h"
#include "agent/fix.h"
#include "agent/model_choice.h"
#include "llm/conversation.h"

namespace dsv4::agent {

// Opens the named model directory, else the embedded model, for a conversation in this process.
// Computed contexts are kept in $XDG_CACHE_HOME/dsv4-agent/sessions (~/.cache when that is not
// set), for the next run that begins with the same repository.
// Throws llm::ModelError.
std::unique_ptr<llm::Conversation> open_model(const std::optional<std::string>& named);

// The same, or a conversation with a server where an endpoint is given.
std::unique_ptr<llm::Conversation> open_choice(const ModelChoice& choice, EndpointRun run,
                                               std::stop_token cancel);

// What a run of fix was asked for. The observer hears of the server's troubles, as long as only one
// attempt goes on at a time: it is no place for several threads.
std::unique_ptr<llm::Conversation> open_for_fix(const FixOptions& options, const std::string& key,
                                                Observer& observer, std::stop_token cancel);

}  // namespace dsv4::agent
