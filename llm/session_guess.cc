// What a session computes ahead of the ids that it is given.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "llm/session_state.h"

namespace dsv4::llm {
namespace {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

void SessionState::keep_streams(int64_t start, int64_t count) {
  if (mtp) mtp->keep(start, count, network->streams());
}

std::vector<int32_t> SessionState::predict(int32_t next, int64_t count) {
  if (count == 0) return {};
  const Stopwatch catching_up;
  mtp->catch_up(context(), *network, past, position);
  const double before = catching_up.seconds();
  const Stopwatch asking;
  std::vector<int32_t> ids = mtp->guess(context(), *network, position, next, count);
  drafter.predicted(ids, asking.seconds(), before);
  return ids;
}

SessionState::Ahead SessionState::guess_after(int32_t next, int64_t most) {
  const bool may_ask = mtp && mtp->knows(position);
  Drafter::Plan plan = drafter.plan(past, position, next, may_ask);
  if (plan.ask > 0) return {predict(next, std::min(plan.ask, most)), true};
  if (static_cast<int64_t>(plan.ids.size()) > most) plan.ids.resize(static_cast<size_t>(most));
  return {std::move(plan.ids), false};
}

void SessionState::step_guessing(std::span<const int32_t> next) {
  forget_guess();
  const auto appended = static_cast<int64_t>(next.size());
  const int64_t start = position;
  const int64_t due = until_checkpoint();
  if (appended >= due) {  // a checkpoint comes among these ids
    while (!next.empty()) {
      const int64_t n = step(next);
      next = next.subspan(static_cast<size_t>(n));
      if (next.empty() && logits.empty()) keep_logits(n - 1);
    }
    return;
  }
  for (size_t i = 0; i < next.size(); ++i) {
    if (i > 0) add_ids(next.subspan(i - 1, 1));
    drafter.said(past, position, next[i]);
  }
  const int64_t room = std::min({due - 1, options.chunk, kGuessRoom}) - appended;
  const Ahead ahead = guess_after(next.back(), std::max<int64_t>(0, room));
  std::vector<int32_t> ids(next.begin(), next.end());
  ids.insert(ids.end(), ahead.ids.begin(), ahead.ids.end());
  const auto count = static_cast<int64_t>(ids.size());
  const Stopwatch computing;
  const Stretch stretch{ids, start, &layers};
  network->run(context(), {&stretch, 1});
  keep_streams(start, count);
  add_ids(next.last(1));
  if (ahead.ids.empty()) {
    keep_logits(count - 1);
  } else {
    keep_guess(ahead, next.size());
  }
  drafter.took(count, computing.seconds());
  ++drafts.steps;
}

// The logits of all guessed rows in one product, which reads the head's weights once.
void SessionState::keep_guess(const Ahead& ahead, size_t appended) {
  const auto vocab = static_cast<size_t>(model->config().vocab_size);
  auto made = std::make_shared<Guess>();
  made->ids = ahead.ids;
  made->predicted = ahead.predicted;
  const size_t rows = made->ids.size() + 1;
  made->logits.resize(rows * vocab);
  network->logits(context(), static_cast<int64_t>(appended) - 1, static_cast<int64_t>(rows),
                  made->logits.data());
  logits.assign(made->logits.begin(), made->logits.begin() + static_cast<std::ptrdiff_t>(vocab));
  drafts.guessed += static_cast<int64_t>(made->ids.size());
  if (made->predicted) drafts.predicted += static_cast<int64_t>(made->ids.size());
  guess = std::move(made);
  guess_taken = 0;
}

bool SessionState::take_guess(int32_t id) {
  if (!guess || guess_taken == guess->ids.size() || guess->ids[guess_taken] != id) return false;
  const auto vocab = static_cast<size_t>(model->config().vocab_size);
  const float* row = guess->logits.data() + ++guess_taken * vocab;
  logits.assign(row, row + vocab);
  add_ids({&id, 1});
  ++drafts.right;
  if (guess->predicted) ++drafts.predicted_right;
  return true;
}

void SessionState::forget_guess() {
  if (!guess) return;
  for (size_t i = 0; i < layers.size(); ++i) {
    cut_layer(model->config().layers[i], position, layers[i]);
  }
  if (mtp) mtp->cut(position);
  guess.reset();
  guess_taken = 0;
}

}  // namespace dsv4::llm
