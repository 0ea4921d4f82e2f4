#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "llm/session.h"

namespace dsv4::llm {

// What one session of a batch is to append.
struct BatchPart {
  Session* session = nullptr;
  std::span<const int32_t> ids;  // at least one
};

// One pass over the network for several sessions: appends the first ids of every part, at least one
// of each, and returns how many. A single id of each costs far less than one after another, because
// every weight is read and decoded once. Nothing but the time it takes differs from
// Session::append, bit for bit: a session's logits do not depend on the batch it was in.
//
// The sessions are different ones, of one model, thread pool and precision; forks of one session
// always are. Throws Error where that does not hold and FormatError when an id is outside the
// vocabulary: nothing is computed then. As many ids are computed at once as the first session's
// `chunk` says, but at least one of each.
std::vector<int64_t> append_together(std::span<const BatchPart> parts);

}  // namespace dsv4::llm
