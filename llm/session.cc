#include "llm/session.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "llm/error.h"
#include "llm/session_state.h"

namespace dsv4::llm {
namespace {

constexpr int64_t kLogitsAtOnce = 32;  // rows of [vocab] held by append_each
constexpr size_t kSampledAtOnce = 16;  // ids that append_sampled computes together

bool power_of_two(int64_t n) { return (n & (n - 1)) == 0; }

}  // namespace

SessionState::SessionState(std::shared_ptr<const Model> m, kernels::ThreadPool& p, Precision how,
                           const SessionOptions& with)
    : model(std::move(m)),
      pool(&p),
      precision(how),
      options(with),
      network(model->backend().make_network()),
      past(sizeof(int32_t), memory.pages),
      drafter(with.draft_always) {
  options.chunk = std::max<int64_t>(1, options.chunk);
  options.checkpoint_every = std::max<int64_t>(1, options.checkpoint_every);
  const Config& c = model->config();
  for (const LayerConfig& layer : c.layers) {
    layers.emplace_back(c, layer, stored_rows(precision), memory);
  }
  if (options.draft && network->has_mtp() && MtpDrafter::usable(*model)) {
    mtp.emplace(*model, stored_rows(precision), memory);
  }
}

ForwardContext SessionState::context() const {
  return {model->config(), precision, *pool, kernels::detect_isa(), &network->scratch()};
}

void SessionState::check(std::span<const int32_t> ids) const {
  const int64_t vocab = model->config().vocab_size;
  for (const int32_t id : ids) {
    if (id < 0 || id >= vocab) {
      throw FormatError("token id " + std::to_string(id),
                        "is outside the vocabulary of " + std::to_string(vocab));
    }
  }
}

int64_t SessionState::until_checkpoint() const {
  return options.checkpoint_every - position % options.checkpoint_every;
}

int64_t SessionState::step(std::span<const int32_t> next) {
  if (take_guess(next.front())) return 1;
  forget_guess();
  const int64_t due = until_checkpoint();
  const int64_t n = std::min({options.chunk, due, static_cast<int64_t>(next.size())});
  next = next.first(static_cast<size_t>(n));
  const Stretch stretch{next, position, &layers};
  network->run(context(), {&stretch, 1});
  keep_streams(position, n);
  add_ids(next);
  logits.clear();
  if (n == due) {
    keep_logits(n - 1);
    checkpoint();
  }
  return n;
}

void SessionState::add_ids(std::span<const int32_t> ids) {
  past.resize(position + static_cast<int64_t>(ids.size()));
  for (const int32_t id : ids) std::memcpy(past.new_row(position++), &id, sizeof(id));
}

void SessionState::keep_logits(int64_t token) {
  logits.resize(static_cast<size_t>(model->config().vocab_size));
  network->logits(context(), token, 1, logits.data());
}

void SessionState::checkpoint() {
  auto made = std::make_shared<SessionCheckpoint>();
  made->position = position;
  made->logits = logits;
  for (size_t i = 0; i < layers.size(); ++i) {
    made->layers.push_back(save_moment(model->config().layers[i], layers[i], position));
  }
  checkpoints.add(std::move(made));
}

void SessionState::restore(const SessionCheckpoint& checkpoint) {
  guess.reset();
  guess_taken = 0;
  if (mtp) mtp->clear();
  position = checkpoint.position;
  logits = checkpoint.logits;
  past.resize(position);
  for (size_t i = 0; i < layers.size(); ++i) {
    restore_moment(model->config().layers[i], checkpoint.layers[i], position, layers[i]);
  }
}

void SessionState::reset() {
  SessionCheckpoint nothing;
  nothing.layers.resize(layers.size());
  restore(nothing);
}

std::vector<int32_t> SessionState::ids_between(int64_t from, int64_t to) const {
  std::vector<int32_t> out(static_cast<size_t>(to - from));
  for (int64_t p = from; p < to; ++p) {
    std::memcpy(&out[static_cast<size_t>(p - from)], past.row(p), sizeof(int32_t));
  }
  return out;
}

Session::Session(std::shared_ptr<const Model> model, kernels::ThreadPool& pool,
                 SessionOptions options) {
  const Config& c = model->config();
  const Precision precision = options.precision.value_or(model->default_precision());
  const bool indexed = std::any_of(c.layers.begin(), c.layers.end(),
                                   [](const LayerConfig& l) { return l.overlaps(); });
  if (precision != Precision::kF32 && indexed && !power_of_two(c.index_head_dim)) {
    throw ModelError("index_head_dim is " + std::to_string(c.index_head_dim) +
                     ", no power of two: its Hadamard transform does not exist; only the "
                     "precision f32 can run this model");
  }
  state_ = std::make_unique<SessionState>(std::move(model), pool, precision, options);
}

Session::Session(std::unique_ptr<SessionState> state) : state_(std::move(state)) {}

Session::~Session() = default;

bool Session::append(std::span<const int32_t> ids, const Progress& progress, std::stop_token stop) {
  SessionState& s = *state_;
  s.check(ids);
  const auto total = static_cast<int64_t>(ids.size());
  int64_t done = 0;
  while (done < total) {
    if (stop.stop_requested()) return false;
    const int64_t n = s.step(ids.subspan(static_cast<size_t>(done)));
    done += n;
    // Between chunks the logits matter only to a caller who stops here.
    if (s.logits.empty() && (done == total || stop.stop_requested())) s.keep_logits(n - 1);
    if (progress) progress(done, total);
  }
  return true;
}

bool Session::append_sampled(std::span<const int32_t> ids, std::stop_token stop) {
  SessionState& s = *state_;
  if (!s.options.draft) return append(ids, {}, std::move(stop));
  s.check(ids);
  while (!ids.empty()) {
    if (stop.stop_requested()) return false;
    if (s.take_guess(ids.front())) {
      s.drafter.said(s.past, s.position - 1, ids.front());
      ids = ids.subspan(1);
      continue;
    }
    const size_t now = std::min({ids.size(), kSampledAtOnce, static_cast<size_t>(s.options.chunk)});
    s.step_guessing(ids.first(now));
    ids = ids.subspan(now);
  }
  return true;
}

DraftCounts Session::drafts() const { return state_->drafts; }

bool Session::append_each(std::span<const int32_t> ids, const LogitsSink& sink,
                          std::stop_token stop) {
  SessionState& s = *state_;
  s.check(ids);
  s.forget_guess();
  const auto vocab = static_cast<size_t>(s.model->config().vocab_size);
  std::vector<float> rows;
  size_t done = 0;
  while (done < ids.size()) {
    if (stop.stop_requested()) return false;
    const int64_t start = s.position;
    const int64_t n = s.step(ids.subspan(done));
    done += static_cast<size_t>(n);
    for (int64_t first = 0; first < n; first += kLogitsAtOnce) {
      const int64_t count = std::min(kLogitsAtOnce, n - first);
      rows.resize(static_cast<size_t>(count) * vocab);
      s.network->logits(s.context(), first, count, rows.data());
      for (int64_t i = 0; i < count; ++i) {
        sink(start + first + i, std::span(rows).subspan(static_cast<size_t>(i) * vocab, vocab));
      }
    }
    s.logits.assign(rows.end() - static_cast<std::ptrdiff_t>(vocab), rows.end());
  }
  return true;
}

std::span<const float> Session::logits() const { return state_->logits; }

int64_t Session::position() const { return state_->position; }

Precision Session::precision() const { return state_->precision; }

const Model& Session::model() const { return *state_->model; }

std::unique_ptr<Session> Session::fork() const {
  return std::unique_ptr<Session>(new Session(std::make_unique<SessionState>(*state_)));
}

void Session::checkpoint() { state_->checkpoint(); }

int64_t Session::rewind(int64_t position) {
  SessionState& s = *state_;
  if (position < 0 || position > s.position) {
    throw Error("cannot go back to position " + std::to_string(position) + ": the session is at " +
                std::to_string(s.position));
  }
  if (position == s.position) return 0;
  const std::shared_ptr<const SessionCheckpoint> from = s.checkpoints.before(position);
  const int64_t start = from ? from->position : 0;
  const std::vector<int32_t> again = s.ids_between(start, position);
  if (from) {
    s.restore(*from);
  } else {
    s.reset();
  }
  s.checkpoints.cut(start);
  append(again);
  return position - start;
}

std::vector<int64_t> Session::checkpoints() const {
  std::vector<int64_t> positions;
  for (const auto& c : state_->checkpoints.all()) positions.push_back(c->position);
  return positions;
}

std::vector<int32_t> Session::ids(int64_t from) const {
  return state_->ids_between(from, state_->position);
}

int64_t Session::state_bytes() const {
  int64_t bytes = state_->past.bytes();
  for (const LayerState& layer : state_->layers) bytes += llm::state_bytes(layer);
  return bytes;
}

int64_t Session::page_bytes() const { return state_->memory.pages->bytes(); }

int64_t Session::ring_bytes() const { return state_->memory.rings->bytes(); }

int64_t Session::own_bytes() const {
  // Roughly: lists of pages and blocks, and what counts guesses.
  constexpr int64_t kBookkeeping = 8192;
  return state_->model->config().vocab_size * static_cast<int64_t>(sizeof(float)) + kBookkeeping;
}

}  // namespace dsv4::llm
