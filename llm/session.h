#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>

#include "kernels/parallel/thread_pool.h"
#include "llm/model.h"

namespace dsv4::llm {

struct SessionOptions {
  std::optional<Precision> precision;  // default: the model's
  int64_t chunk = 256;  // ids computed together in prefill, at most; bounds the memory
};

// One growing sequence of token ids and the state it leaves behind (deepseek-v4.md section 5). The
// logits after an id are the same, bit for bit, however the ids before it were split into calls.
// Not thread-safe; sessions that run at the same time need a pool each.
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

  // The same, with the logits after every id.
  bool append_each(std::span<const int32_t> ids, const LogitsSink& sink, std::stop_token stop = {});

  // Logits [vocab] after the last id; valid until the next append. Empty before the first id.
  std::span<const float> logits() const;

  // Ids appended so far.
  int64_t position() const;

  Precision precision() const;
  const Model& model() const;

  // An independent copy of the state that goes on from here.
  std::unique_ptr<Session> fork() const;

  // Bytes of state that the positions so far have left behind.
  int64_t state_bytes() const;

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dsv4::llm
