#include "llm/session_batch.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "llm/error.h"
#include "llm/session_state.h"

namespace dsv4::llm {
namespace {

// Of a part that has to be computed.
struct Computed {
  SessionState* state = nullptr;
  std::span<const int32_t> ids;  // of this pass
};

void check_alike(const SessionState& a, const SessionState& b) {
  if (a.model != b.model || a.pool != b.pool) {
    throw Error("sessions in one batch must share their model and their threads");
  }
  if (a.precision != b.precision) {
    throw Error("sessions in one batch must have the same precision");
  }
}

void check(std::span<const BatchPart> parts, std::span<SessionState* const> states) {
  std::unordered_set<const SessionState*> seen;
  for (size_t i = 0; i < parts.size(); ++i) {
    check_alike(*states.front(), *states[i]);
    if (!seen.insert(states[i]).second) throw Error("a session is twice in one batch");
    if (parts[i].ids.empty()) throw Error("a session of a batch has no ids to append");
    states[i]->check(parts[i].ids);
  }
}

// Logits [computed, vocab] after the last id of each.
std::vector<float> last_logits(std::span<const Computed> computed) {
  const SessionState& any = *computed.front().state;
  const auto vocab = any.model->config().vocab_size;
  const auto count = static_cast<int64_t>(computed.size());
  std::vector<float> rows(static_cast<size_t>(count * vocab));
  const bool single = std::all_of(computed.begin(), computed.end(),
                                  [](const Computed& c) { return c.ids.size() == 1; });
  if (single) {  // their rows lie side by side: one product
    any.network->logits(any.context(), 0, count, rows.data());
    return rows;
  }
  int64_t token = -1;
  for (int64_t i = 0; i < count; ++i) {
    token += static_cast<int64_t>(computed[static_cast<size_t>(i)].ids.size());
    any.network->logits(any.context(), token, 1, rows.data() + i * vocab);
  }
  return rows;
}

void run(std::span<const Computed> computed) {
  std::vector<Stretch> stretches;
  for (const Computed& c : computed) {
    stretches.push_back({c.ids, c.state->position, &c.state->layers});
  }
  const SessionState& any = *computed.front().state;
  any.network->run(any.context(), stretches);
  const std::vector<float> rows = last_logits(computed);
  const auto vocab = static_cast<std::ptrdiff_t>(any.model->config().vocab_size);
  auto row = rows.begin();
  for (const Computed& c : computed) {
    c.state->logits.assign(row, row + vocab);
    row += vocab;
    const bool due = c.state->until_checkpoint() == static_cast<int64_t>(c.ids.size());
    c.state->add_ids(c.ids);
    if (due) c.state->checkpoint();
  }
}

}  // namespace

std::vector<int64_t> append_together(std::span<const BatchPart> parts) {
  std::vector<SessionState*> states;
  for (const BatchPart& part : parts) states.push_back(part.session->state_.get());
  check(parts, states);
  std::vector<int64_t> appended(parts.size(), 1);
  std::vector<Computed> computed;
  for (size_t i = 0; i < parts.size(); ++i) {
    SessionState& s = *states[i];
    if (s.take_guess(parts[i].ids.front())) continue;
    s.forget_guess();
    const auto most = static_cast<int64_t>(parts[i].ids.size());
    const int64_t room = states.front()->options.chunk / static_cast<int64_t>(parts.size());
    appended[i] = std::min({std::max<int64_t>(1, room), s.until_checkpoint(), most});
    computed.push_back({&s, parts[i].ids.first(static_cast<size_t>(appended[i]))});
  }
  if (!computed.empty()) run(computed);
  return appended;
}

}  // namespace dsv4::llm
