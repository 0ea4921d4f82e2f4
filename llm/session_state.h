#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "llm/drafter.h"
#include "llm/mtp_drafter.h"
#include "llm/network.h"
#include "llm/page_list.h"
#include "llm/session.h"
#include "llm/session_checkpoints.h"

namespace dsv4::llm {

// What a session is made of; for session.cc, session_batch.cc and session_store.cc.
struct SessionState {
  std::shared_ptr<const Model> model;
  kernels::ThreadPool* pool;
  Precision precision;
  SessionOptions options;
  StateMemory memory;
  std::shared_ptr<Network> network;  // scratch only; forks use it in turn
  int64_t position = 0;
  PageList past;  // the ids so far
  std::vector<LayerState> layers;
  std::vector<float> logits;  // [vocab] after the last id
  SessionCheckpoints checkpoints;

  // Ids that the layers are ahead of the position, and the logits [1 + ids, vocab]: after the id
  // before them, then after each.
  struct Guess {
    std::vector<int32_t> ids;
    std::vector<float> logits;
    bool predicted = false;  // by the MTP layer
  };
  std::shared_ptr<const Guess> guess;  // null: none
  size_t guess_taken = 0;              // so many of them have been appended since
  Drafter drafter;
  std::optional<MtpDrafter> mtp;  // where the model has one that can be used
  DraftCounts drafts;

  SessionState(std::shared_ptr<const Model> m, kernels::ThreadPool& p, Precision how,
               const SessionOptions& with);

  ForwardContext context() const;
  void check(std::span<const int32_t> ids) const;

  // Ids until a checkpoint is due; at least 1.
  int64_t until_checkpoint() const;
  // Runs the next ids, at most a chunk, and returns how many. A chunk ends where a checkpoint is
  // due.
  int64_t step(std::span<const int32_t> next);
  // Runs ids, a few, along with ids that are guessed to follow them.
  void step_guessing(std::span<const int32_t> next);
  // The ids to compute along with those about to be appended, the last of which is `next`; at most
  // `most`. Whether the MTP layer has said them.
  struct Ahead {
    std::vector<int32_t> ids;
    bool predicted = false;
  };
  Ahead guess_after(int32_t next, int64_t most);
  std::vector<int32_t> predict(int32_t next, int64_t count);
  // The network has just run at positions [start, start + count).
  void keep_streams(int64_t start, int64_t count);
  // Of the ids just computed, those after `appended` are the guess.
  void keep_guess(const Ahead& ahead, size_t appended);
  // Whether `id` is what was guessed; it has been appended then.
  bool take_guess(int32_t id);
  void forget_guess();
  void add_ids(std::span<const int32_t> ids);
  void keep_logits(int64_t token);

  void checkpoint();
  // Back to a checkpoint of this sequence, or on to one whose ids and entries have been added.
  void restore(const SessionCheckpoint& checkpoint);
  // To before the first id.
  void reset();

  std::vector<int32_t> ids_between(int64_t from, int64_t to) const;
};

}  // namespace dsv4::llm
