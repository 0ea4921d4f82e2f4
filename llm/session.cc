#include "llm/session.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "llm/error.h"
#include "llm/network.h"

namespace dsv4::llm {
namespace {

constexpr int64_t kLogitsAtOnce = 32;  // rows of [vocab] held by append_each

bool power_of_two(int64_t n) { return (n & (n - 1)) == 0; }

}  // namespace

struct Session::State {
  std::shared_ptr<const Model> model;
  kernels::ThreadPool* pool;
  Precision precision;
  int64_t chunk;
  int64_t position = 0;
  std::vector<LayerState> layers;
  std::vector<float> logits;  // [vocab] after the last id
  Network network;            // scratch only

  State(std::shared_ptr<const Model> m, kernels::ThreadPool& p, Precision how, int64_t at_once)
      : model(std::move(m)),
        pool(&p),
        precision(how),
        chunk(at_once),
        network(model->config(), model->weights()) {}

  ForwardContext context() const {
    return {model->config(), precision, *pool, kernels::detect_isa()};
  }

  void check(std::span<const int32_t> ids) const {
    const int64_t vocab = model->config().vocab_size;
    for (const int32_t id : ids) {
      if (id < 0 || id >= vocab) {
        throw FormatError("token id " + std::to_string(id),
                          "is outside the vocabulary of " + std::to_string(vocab));
      }
    }
  }

  // Runs the next ids, at most `chunk`, and returns how many.
  int64_t step(std::span<const int32_t> ids) {
    const int64_t n = std::min<int64_t>(chunk, static_cast<int64_t>(ids.size()));
    network.run(context(), ids.first(static_cast<size_t>(n)), position, layers);
    position += n;
    return n;
  }

  void keep_logits(int64_t token) {
    logits.resize(static_cast<size_t>(model->config().vocab_size));
    network.logits(context(), token, 1, logits.data());
  }
};

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
  state_ = std::make_unique<State>(std::move(model), pool, precision,
                                   std::max<int64_t>(1, options.chunk));
  for (const LayerConfig& layer : c.layers) state_->layers.push_back(make_layer_state(c, layer));
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}

Session::~Session() = default;

bool Session::append(std::span<const int32_t> ids, const Progress& progress, std::stop_token stop) {
  State& s = *state_;
  s.check(ids);
  const auto total = static_cast<int64_t>(ids.size());
  int64_t done = 0;
  while (done < total) {
    if (stop.stop_requested()) return false;
    const int64_t n = s.step(ids.subspan(static_cast<size_t>(done)));
    done += n;
    // Between chunks the logits matter only to a caller who stops here.
    if (done == total || stop.stop_requested()) s.keep_logits(n - 1);
    if (progress) progress(done, total);
  }
  return true;
}

bool Session::append_each(std::span<const int32_t> ids, const LogitsSink& sink,
                          std::stop_token stop) {
  State& s = *state_;
  s.check(ids);
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
      s.network.logits(s.context(), first, count, rows.data());
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
  auto copy =
      std::make_unique<State>(state_->model, *state_->pool, state_->precision, state_->chunk);
  copy->position = state_->position;
  copy->layers = state_->layers;
  copy->logits = state_->logits;
  return std::unique_ptr<Session>(new Session(std::move(copy)));
}

int64_t Session::state_bytes() const {
  int64_t bytes = 0;
  for (const LayerState& layer : state_->layers) bytes += llm::state_bytes(layer);
  return bytes;
}

}  // namespace dsv4::llm
