#include "llm/session_batch.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "llm/error.h"
#include "llm/session_state.h"

namespace dsv4::llm {
namespace {

// Of a model that the processor's caches hold, decoding takes less time than waiting for the other
// threads several times a layer.
constexpr int64_t kSmallModel = 32 << 20;  // bytes

// How much more than its share of the work the busiest thread may have, in percent, before all
// threads had better do it together.
constexpr int64_t kMostUneven = 140;

// What computing so many ids of one session costs a thread: its state has to be brought to the
// processor once for all of them, which takes longer than computing one.
int64_t cost_of(int64_t ids) { return 3 + 2 * ids; }

// How many ids of each part, at most, so that all take no more than `chunk`: what short ones leave
// goes to the others. At least one.
int64_t fair_share(std::span<const BatchPart> parts, int64_t chunk) {
  std::vector<int64_t> sizes;
  for (const BatchPart& part : parts) sizes.push_back(static_cast<int64_t>(part.ids.size()));
  std::sort(sizes.begin(), sizes.end());
  int64_t share = chunk;
  for (size_t i = 0; i < sizes.size(); ++i) {
    share = chunk / static_cast<int64_t>(sizes.size() - i);
    if (sizes[i] > share) break;
    chunk -= sizes[i];
  }
  return std::max<int64_t>(1, share);
}

}  // namespace

// What is computed of one part.
struct SessionBatch::Computed {
  SessionState* state = nullptr;
  std::span<const int32_t> ids;

  int64_t cost() const { return cost_of(static_cast<int64_t>(ids.size())); }
};

// Parts that go through the network together.
struct SessionBatch::Group {
  Network* network = nullptr;
  kernels::ThreadPool* pool = nullptr;
  std::vector<Computed> parts{};
  std::vector<float> logits{};  // [parts, vocab], after the last id of each
  int64_t cost = 0;

  void run();
};

void SessionBatch::Group::run() {
  std::vector<Stretch> stretches;
  for (const Computed& part : parts) {
    stretches.push_back({part.ids, part.state->position, &part.state->layers});
  }
  const ForwardContext alone = parts.front().state->context();
  const ForwardContext ctx{alone.config, alone.precision, *pool, alone.isa, &network->scratch()};
  network->run(ctx, stretches);
  const int64_t vocab = ctx.config.vocab_size;
  logits.resize(parts.size() * static_cast<size_t>(vocab));
  // Last ids that are neighbours share a product.
  for (size_t i = 0, end = 0, token = 0; i < parts.size(); i = end) {
    end = i + 1;
    token += parts[i].ids.size();
    while (end < parts.size() && parts[end].ids.size() == 1) ++end;
    network->logits(ctx, static_cast<int64_t>(token) - 1, static_cast<int64_t>(end - i),
                    logits.data() + static_cast<int64_t>(i) * vocab);
    token += end - i - 1;
  }
}

SessionBatch::SessionBatch(std::shared_ptr<const Model> model, kernels::ThreadPool& pool)
    : model_(std::move(model)), pool_(pool) {
  int64_t bytes = 0;
  for (const MappedFile& file : model_->weights().checkpoint.files()) {
    bytes += static_cast<int64_t>(file.bytes().size());
  }
  // A card is not shared out among threads.
  small_model_ = bytes <= kSmallModel && model_->backend().name() == "cpu";
}

SessionBatch::~SessionBatch() = default;

void SessionBatch::check(std::span<const BatchPart> parts) const {
  std::unordered_set<const SessionState*> seen;
  for (const BatchPart& part : parts) {
    const SessionState& state = *part.session->state_;
    const SessionState& first = *parts.front().session->state_;
    if (state.model != model_) throw Error("a session of a batch has another model");
    if (state.precision != first.precision) {
      throw Error("sessions in one batch must have the same precision");
    }
    if (!seen.insert(&state).second) throw Error("a session is twice in one batch");
    if (part.ids.empty()) throw Error("a session of a batch has no ids to append");
    state.check(part.ids);
  }
}

// Of a small model as many groups as threads, if the work can be shared out evenly; else one.
std::vector<SessionBatch::Group> SessionBatch::group(std::span<Computed> computed) {
  const auto threads = static_cast<size_t>(pool_.size());
  // The longest first, so that the short ones even out.
  std::stable_sort(computed.begin(), computed.end(), [](const Computed& a, const Computed& b) {
    return a.ids.size() > b.ids.size();
  });
  int64_t all = 0;
  for (const Computed& c : computed) all += c.cost();
  const int64_t longest = computed.front().cost() * static_cast<int64_t>(threads);
  const bool even = computed.size() >= threads && longest * 100 <= all * kMostUneven;
  const bool apart = even && small_model_;
  std::vector<Group> groups(apart ? threads : 1);
  while (networks_.size() < groups.size()) {
    networks_.push_back(model_->backend().make_network());
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    groups[i].network = networks_[i].get();
    groups[i].pool = apart ? &alone_ : &pool_;
  }
  for (const Computed& c : computed) {
    Group& least =
        *std::min_element(groups.begin(), groups.end(),
                          [](const Group& a, const Group& b) { return a.cost < b.cost; });
    least.parts.push_back(c);
    least.cost += c.cost();
  }
  return groups;
}

void SessionBatch::run(std::span<Computed> computed) {
  // Forks share what their lists are made of: none may grow while another is computed.
  for (const Computed& c : computed) {
    const int64_t end = c.state->position + static_cast<int64_t>(c.ids.size());
    for (size_t i = 0; i < c.state->layers.size(); ++i) {
      grow_layer(model_->config().layers[i], c.state->position, end, c.state->layers[i]);
    }
  }
  std::vector<Group> groups = group(computed);
  if (groups.size() == 1) {
    groups.front().run();
  } else {
    pool_.parallel_for(static_cast<int64_t>(groups.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) groups[static_cast<size_t>(i)].run();
    });
  }
  const auto vocab = static_cast<std::ptrdiff_t>(model_->config().vocab_size);
  for (const Group& group : groups) {
    auto row = group.logits.begin();
    for (const Computed& part : group.parts) {
      SessionState& s = *part.state;
      s.logits.assign(row, row + vocab);
      row += vocab;
      const bool due = s.until_checkpoint() == static_cast<int64_t>(part.ids.size());
      s.add_ids(part.ids);
      if (due) s.checkpoint();
    }
  }
}

std::vector<int64_t> SessionBatch::append(std::span<const BatchPart> parts) {
  check(parts);
  if (parts.empty()) return {};
  const int64_t room = fair_share(parts, parts.front().session->state_->options.chunk);
  std::vector<int64_t> appended(parts.size(), 1);
  std::vector<Computed> computed;
  for (size_t i = 0; i < parts.size(); ++i) {
    SessionState& s = *parts[i].session->state_;
    if (s.take_guess(parts[i].ids.front())) continue;
    s.forget_guess();
    const auto most = static_cast<int64_t>(parts[i].ids.size());
    appended[i] = std::min({room, s.until_checkpoint(), most});
    computed.push_back({&s, parts[i].ids.first(static_cast<size_t>(appended[i]))});
  }
  if (!computed.empty()) run(computed);
  return appended;
}

}  // namespace dsv4::llm
