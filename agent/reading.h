#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

#include "agent/context.h"
#include "agent/observer.h"
#include "agent/repository.h"
#include "llm/conversation.h"
#include "tools/toolbox.h"

namespace dsv4::agent {

// What a conversation begins with: a system text with the tools' schemas, and the repository.
struct Reading {
  std::string_view system;
  tools::Toolbox& toolbox;  // on the listed files: for its schemas and outlines
  const Listing& listing;
  ContextOptions context;
  std::string issue;  // decides which files are shown whole where not all fit; may be empty
};

struct ReadRepository {
  RepositoryContext context;  // what of the repository the model sees
  std::chrono::duration<double> seconds{0};
  bool whole = false;  // false when cancelled: the rest is computed when the model speaks
};

// Adds it to an empty conversation, computes it and keeps what was computed for later runs.
// Throws llm::Error, llm::WindowError when even the system text does not fit.
ReadRepository read_repository(llm::Conversation& conversation, const Reading& what,
                               Observer& observer, std::stop_token cancel);

}  // namespace dsv4::agent
