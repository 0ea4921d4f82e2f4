#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "llm/session_file.h"
#include "llm/session_state.h"
#include "llm/sha256.h"

namespace dsv4::llm {

// What the files of sessions are called and what is in them; for session_store.cc and
// session_trail.cc.

// What the numbers of a session depend on beside its ids: the model, the precision, and the
// processor's order of summation.
Digest session_base(const SessionState& state);

// The name of a block's worth of ids after those that `before` names.
Digest block_after(const Digest& before, std::span<const int32_t> block);

// Names of the blocks that the ids fill: element k is that of the first k; element 0 is the base.
std::vector<Digest> block_names(const Digest& base, std::span<const int32_t> ids);

// The name of the state after the last of `rest`, fewer ids than a block, which follow those that
// `block` names.
Digest moment_name(const Digest& block, std::span<const int32_t> rest);

// The ids of positions [from, to) and the entries they finished.
void write_positions(const SessionState& state, int64_t from, int64_t to, PayloadWriter& out);

// Adds them to the session, which ends where they begin. False when what is there is not what a
// session of this model needs; the session is then of no use.
bool read_positions(int64_t from, int64_t to, PayloadReader& in, SessionState& state);

// What it takes beside them to go on from a checkpoint: of the layers' rows, those of positions
// from `since` on.
void write_moment(const SessionCheckpoint& moment, PayloadWriter& out);
bool read_moment(const SessionState& state, int64_t since, PayloadReader& in,
                 SessionCheckpoint& moment);

}  // namespace dsv4::llm
