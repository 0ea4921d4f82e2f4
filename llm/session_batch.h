#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "llm/session.h"

namespace dsv4::llm {

class Network;

// What one session of a batch is to append.
struct BatchPart {
  Session* session = nullptr;
  std::span<const int32_t> ids;  // at least one
};

// Computes sessions of one model together. A single id of each in one pass costs far less than one
// after another: every weight is read and decoded once, or, of a model so small that this is not
// what takes the time, every thread computes some of the sessions without waiting for the others.
// Not thread-safe; while it appends to a session, nothing else may use that one or its forks.
class SessionBatch {
 public:
  // The pool must outlive the batch.
  SessionBatch(std::shared_ptr<const Model> model, kernels::ThreadPool& pool);
  ~SessionBatch();
  SessionBatch(const SessionBatch&) = delete;
  SessionBatch& operator=(const SessionBatch&) = delete;

  // Appends the first ids of every part, at least one of each, in one pass, and returns how many.
  // Nothing but the time it takes differs from Session::append, bit for bit: a session's logits do
  // not depend on the batch it was in. As many ids are computed at once as the first session's
  // `chunk` says, but at least one of each.
  //
  // The sessions are different ones, of the batch's model and of one precision; forks of one
  // session always are. Throws Error where that does not hold and FormatError when an id is outside
  // the vocabulary: nothing is computed then.
  std::vector<int64_t> append(std::span<const BatchPart> parts);

  // Whether the model is so small that it is the states of the sessions, not the weights, that have
  // to be brought to the processor: a few sessions many times are then computed faster than many
  // sessions a few times.
  bool small_model() const { return small_model_; }

 private:
  struct Group;
  struct Computed;
  void check(std::span<const BatchPart> parts) const;
  void run(std::span<Computed> computed);
  std::vector<Group> group(std::span<Computed> computed);

  std::shared_ptr<const Model> model_;
  kernels::ThreadPool& pool_;
  bool small_model_ = false;
  kernels::ThreadPool alone_{1};                    // of a thread that computes a group by itself
  std::vector<std::unique_ptr<Network>> networks_;  // one for each group
};

}  // namespace dsv4::llm
