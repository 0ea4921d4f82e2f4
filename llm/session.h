#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "kernels/parallel/thread_pool.h"
#include "llm/model.h"

namespace dsv4::llm {

struct SessionState;

struct SessionOptions {
  std::optional<Precision> precision;  // default: the model's
  int64_t chunk = 256;              // ids computed together in prefill, at most; bounds the memory
  int64_t checkpoint_every = 4096;  // ids between the checkpoints that append makes by itself
  bool draft = true;                // whether append_sampled guesses ahead
  bool draft_always = false;        // and does so where it does not pay, to check and measure it
};

// What guessing ahead has brought so far.
struct DraftCounts {
  int64_t steps = 0;            // passes over the network for sampled ids
  int64_t guessed = 0;          // ids computed ahead in them
  int64_t right = 0;            // of those, how many were then appended
  int64_t predicted = 0;        // of the guessed ones, how many the MTP layer said
  int64_t predicted_right = 0;  // of the right ones
};

// One growing sequence of token ids and the state it leaves behind (deepseek-v4.md section 5). The
// logits after an id are the same, bit for bit, however the ids before it were split into calls.
//
// What grows with the context lies in pages that forks share (PageList), in the formats that the
// model defines; what does not is a window and a frontier of fixed size for each layer. A
// checkpoint is a copy of the latter. Not thread-safe, and a session and its forks share memory:
// they run in one thread.
class Session {
 public:
  // The pool must outlive the session and its forks.
  Session(std::shared_ptr<const Model> model, kernels::ThreadPool& pool,
          SessionOptions options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Called after each computed chunk: ids done and ids in all of this call.
  using Progress = std::function<void(int64_t done, int64_t total)>;

  // Called once per appended id, in order: its position and the logits [vocab] after it.
  using LogitsSink = std::function<void(int64_t position, std::span<const float> logits)>;

  // Computes ids at the next positions, in chunks. Returns false when `stop` asked to stop between
  // two chunks: position() tells how far it came, and the rest may be appended later.
  // Throws FormatError when an id is outside the vocabulary (nothing is computed then).
  bool append(std::span<const int32_t> ids, const Progress& progress = {},
              std::stop_token stop = {});

  // The same for ids that were sampled, most often one. May compute ids that are likely to follow
  // along with them (Drafter): appending those next costs nothing, and appending anything else
  // forgets them. Nothing but the time it takes differs from append, bit for bit.
  bool append_sampled(std::span<const int32_t> ids, std::stop_token stop = {});
  bool append_sampled(int32_t id, std::stop_token stop = {}) {
    return append_sampled({&id, 1}, std::move(stop));
  }
  DraftCounts drafts() const;

  // The same, with the logits after every id.
  bool append_each(std::span<const int32_t> ids, const LogitsSink& sink, std::stop_token stop = {});

  // Logits [vocab] after the last id; valid until the next append. Empty before the first id.
  std::span<const float> logits() const;

  // Ids appended so far.
  int64_t position() const;

  Precision precision() const;
  const Model& model() const;

  // An independent copy of the state that goes on from here. Shares pages and checkpoints: its
  // cost does not depend on the position.
  std::unique_ptr<Session> fork() const;

  // Remembers this position, so that rewinding to it computes nothing.
  void checkpoint();

  // Goes back to an earlier position, 0 to position(): as if the ids after it had never come. What
  // the last checkpoint before it lacks is computed again; returns how many ids that took. Throws
  // Error when the position was never reached.
  int64_t rewind(int64_t position);

  // Positions that a rewind would start from, ascending. The older they are, the farther apart.
  std::vector<int64_t> checkpoints() const;

  // The ids appended so far: [from, position()).
  std::vector<int32_t> ids(int64_t from = 0) const;

  // Bytes of state that the positions so far have left behind, shared pages included.
  int64_t state_bytes() const;

  // Bytes of all pages that this session and its forks hold, each counted once.
  int64_t page_bytes() const;

  // The same of their windows and frontiers.
  int64_t ring_bytes() const;

  // Bytes that each fork has for itself, whatever its position: logits and bookkeeping.
  int64_t own_bytes() const;

 private:
  friend class SessionBatch;
  friend class SessionStore;
  friend class SessionTrail;
  explicit Session(std::unique_ptr<SessionState> state);
  std::unique_ptr<SessionState> state_;
};

}  // namespace dsv4::llm
