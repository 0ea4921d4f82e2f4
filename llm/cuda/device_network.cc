#include "llm/cuda/device_network.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "kernels/attention/attention_cuda.h"
#include "kernels/attention/attention_rows_cuda.h"
#include "kernels/compressor/compressor_cuda.h"
#include "kernels/embedding/embedding_cuda.h"
#include "kernels/hyper_connections/hyper_connections_cuda.h"
#include "kernels/indexer/indexer_cuda.h"
#include "kernels/matmul/matmul_cuda.h"
#include "kernels/moe/experts_cuda.h"
#include "kernels/moe/routing_cuda.h"
#include "kernels/rms_norm/rms_norm_cuda.h"
#include "llm/error.h"
#include "llm/moe_site.h"

namespace dsv4::llm {

namespace cuda = kernels::cuda;

namespace {

cuda::DeviceInfo card_number(int number) {
  const std::vector<cuda::DeviceInfo> cards = cuda::devices();
  if (cards.empty()) {
    throw DeviceUnavailable(
        "no NVIDIA GPU can be used here: there is none, or its driver is "
        "missing or too old; use --device cpu");
  }
  if (number >= static_cast<int>(cards.size())) {
    throw DeviceUnavailable("there is no GPU " + std::to_string(number) + ": this machine has " +
                            std::to_string(cards.size()));
  }
  return cards[static_cast<size_t>(number)];
}

// Tables have room for sequences as long as any model's.
constexpr int64_t kPositions = int64_t{1} << 20;

int64_t positions_of(const Config& c) { return std::max(c.max_position_embeddings, kPositions); }

}  // namespace

// What the steps of a layer take.
struct DeviceNetwork::Layer {
  const LayerConfig& config;
  const DeviceLayerWeights& weights;
  const LeftBehind& left;
  const LayerState& state;  // of one of the sequences
  StateTable states;
  kernels::RowLayout index_layout;
  cuda::RopeTurns turns;
  const float* frequencies;
};

DeviceModel::DeviceModel(const Config& c, const Weights& w, int number)
    : config(c), card(card_number(number)), stream(number), weights(upload(stream, c, w)) {}

DeviceNetwork::DeviceNetwork(std::shared_ptr<DeviceModel> model) : model_(std::move(model)) {}

const float* DeviceNetwork::streams() {
  throw std::logic_error("the MTP layer is not on the card");
}
void DeviceNetwork::run_mtp(const ForwardContext&, std::span<const int32_t>, int64_t, const float*,
                            LayerState&) {
  throw std::logic_error("the MTP layer is not on the card");
}
void DeviceNetwork::mtp_logits(const ForwardContext&, int64_t, int64_t, float*) {
  throw std::logic_error("the MTP layer is not on the card");
}

void DeviceNetwork::run(const ForwardContext& ctx, std::span<const Stretch> stretches) {
  stretches_ = stretches;
  stored_ = {stored_rows(ctx.precision), config().head_dim, config().rope_dim};
  try {
    make_room(stretches);
    bring_states(stretches);
    upload_chunk(stretches);
    const RunMemory& m = memory_;
    cuda::embed(stream(),
                {model_->weights.embed, m.ids, chunk_.tokens, config().hc_mult, m.streams});
    for (const bool compressed : {false, true}) {
      cuda::fill_turns(
          stream(),
          {compressed ? model_->weights.compressed_frequencies : model_->weights.frequencies,
           config().rope_dim / 2, chunk_.position, chunk_.tokens,
           compressed ? m.compressed_cos : m.cos, compressed ? m.compressed_sin : m.sin});
    }
    for (size_t i = 0; i < config().layers.size(); ++i) run_layer(ctx, i);
    take_back(stretches);
  } catch (const cuda::DeviceError& error) {
    for (const Stretch& s : stretches) {
      for (LayerState& state : *s.layers) state.device.reset();
    }
    throw Error(std::string("the GPU cannot go on: ") + error.what());
  }
}

void DeviceNetwork::make_room(std::span<const Stretch> stretches) {
  RunSize need{0, static_cast<int64_t>(stretches.size()), 1};
  int64_t end = 0;
  for (const Stretch& s : stretches) {
    need.tokens += s.tokens();
    end = std::max(end, s.end());
  }
  for (const LayerConfig& layer : config().layers) {
    if (layer.overlaps()) need.entries = std::max(need.entries, end / layer.compress_ratio);
  }
  if (size_.holds(need)) return;
  // Grows by doubling, so that it does so rarely.
  const auto grown = [](int64_t had, int64_t wanted) {
    return wanted <= had ? had : std::max(wanted, 2 * had);
  };
  size_ = {std::max(need.tokens, size_.tokens), grown(size_.sequences, need.sequences),
           grown(size_.entries, need.entries)};
  Arena counting;
  lay_out(config(), model_->weights, model_->card, size_, counting);
  stream().wait();
  memory_bytes_ = cuda::DeviceMemory();
  memory_bytes_ = cuda::DeviceMemory(stream(), counting.used());
  Arena arena(memory_bytes_.data());
  memory_ = lay_out(config(), model_->weights, model_->card, size_, arena);
  cuda::fill_with_zeros(stream(), memory_.hyper, memory_.hyper_bytes);
}

// Makes the card's states what the processor's are, with room for the entries that the run adds.
void DeviceNetwork::bring_states(std::span<const Stretch> stretches) {
  for (const Stretch& s : stretches) {
    for (size_t i = 0; i < s.layers->size(); ++i) {
      const LayerConfig& layer = config().layers[i];
      LayerState& state = (*s.layers)[i];
      const int64_t had = layer.compresses() ? s.start / layer.compress_ratio : 0;
      if (!state.device) {
        cut_layer(layer, s.start, state);
        state.device =
            std::make_shared<DeviceLayer>(stream(), layer, state, positions_of(config()));
      } else if (state.device.use_count() > 1) {
        state.device = std::make_shared<DeviceLayer>(stream(), *state.device);
      }
      grow_layer(layer, s.start, s.end(), state);
      const int64_t has = layer.compresses() ? s.end() / layer.compress_ratio : 0;
      if (state.device->compressor()) state.device->compressor()->grow(stream(), had, has);
      if (state.device->indexer()) state.device->indexer()->grow(stream(), had, has);
    }
  }
}

// One copy, of all that lies from memory_.position on.
void DeviceNetwork::upload_chunk(std::span<const Stretch> stretches) {
  const auto* first = reinterpret_cast<const std::byte*>(memory_.position);
  const auto* end = reinterpret_cast<const std::byte*>(
      memory_.pointers +
      static_cast<int64_t>(config().layers.size()) * kStatePointers * size_.sequences);
  input_.assign(static_cast<size_t>(end - first), std::byte{});
  const auto at = [&](const auto* device) {
    return reinterpret_cast<std::remove_const_t<std::remove_pointer_t<decltype(device)>>*>(
        input_.data() + (reinterpret_cast<const std::byte*>(device) - first));
  };
  const auto put = [&](const auto* device, int64_t i, auto value) { at(device)[i] = value; };
  int32_t row = 0;
  for (size_t s = 0; s < stretches.size(); ++s) {
    const auto sequence = static_cast<int32_t>(s);
    put(memory_.begin, sequence, row);
    for (int64_t t = 0; t < stretches[s].tokens(); ++t, ++row) {
      put(memory_.ids, row, stretches[s].ids[static_cast<size_t>(t)]);
      put(memory_.position, row, stretches[s].start + t);
      put(memory_.sequence, row, sequence);
    }
    put(memory_.begin, sequence + 1, row);
    for (size_t i = 0; i < config().layers.size(); ++i) {
      DeviceLayer& layer = *(*stretches[s].layers)[i].device;
      const auto set = [&](int64_t which, const void* pointer) {
        put(memory_.pointers,
            (static_cast<int64_t>(i) * kStatePointers + which) * size_.sequences + sequence,
            const_cast<void*>(pointer));
      };
      set(0, layer.ring());
      const auto set_three = [&](int64_t which, DeviceCompressorState* c) {
        if (c == nullptr) return;
        set(which, c->pages());
        set(which + 1, c->kv());
        set(which + 2, c->gate());
      };
      set_three(1, layer.compressor());
      set_three(4, layer.indexer());
    }
  }
  cuda::copy_to_device(stream(), input_.data(), static_cast<int64_t>(input_.size()),
                       memory_.position);
  chunk_ = {row, memory_.position, memory_.sequence, memory_.begin};
}

StateTable DeviceNetwork::states_of(size_t layer) const {
  void** first = memory_.pointers + static_cast<int64_t>(layer) * kStatePointers * size_.sequences;
  const auto table = [&](int64_t which) { return first + which * size_.sequences; };
  const auto floats = [&](int64_t which) { return reinterpret_cast<float**>(table(which)); };
  const auto pages = [&](int64_t which) { return reinterpret_cast<uint8_t***>(table(which)); };
  return {floats(0), pages(1), floats(2), floats(3), pages(4), floats(5), floats(6)};
}

void DeviceNetwork::multiply() {
  cuda::matmul_batch(stream(), products_, {memory_.products, memory_.product_bytes});
}

void DeviceNetwork::enter(const DeviceHyper& hyper, const float* norm, const float* streams,
                          int64_t tokens, bool head) {
  cuda::HyperEnterParams p;
  p.x = streams;
  p.tokens = tokens;
  p.streams = config().hc_mult;
  p.dim = config().hidden_size;
  p.fn = hyper.fn;
  p.base = hyper.base;
  p.scale = hyper.scale;
  p.weight = norm;
  p.rms_eps = static_cast<float>(config().rms_norm_eps);
  p.eps = static_cast<float>(config().hc_eps);
  p.iterations = config().hc_sinkhorn_iters;
  p.head = head;
  p.scratch = memory_.hyper;
  p.post = memory_.post;
  p.comb = memory_.comb;
  p.y = memory_.y;
  cuda::hyper_enter(stream(), p);
}

void DeviceNetwork::leave() {
  cuda::hyper_leave(stream(), {memory_.streams, memory_.z, memory_.post, memory_.comb,
                               chunk_.tokens, config().hc_mult, config().hidden_size});
}

void DeviceNetwork::run_layer(const ForwardContext& ctx, size_t index) {
  const RunMemory& m = memory_;
  const LayerConfig& c = config().layers[index];
  const DeviceLayerWeights& w = model_->weights.layers[index];
  const bool compressed = c.compresses();
  const kernels::RowFormat index_format = stored_.format == kernels::RowFormat::kF32
                                              ? kernels::RowFormat::kF32
                                              : kernels::RowFormat::kFp4;
  const Layer layer{c,
                    w,
                    m.left[index],
                    (*stretches_.front().layers)[index],
                    states_of(index),
                    {index_format, config().index_head_dim, 0},
                    {compressed ? m.compressed_cos : m.cos, compressed ? m.compressed_sin : m.sin},
                    model_->weights.compressed_frequencies};
  enter(w.hc_attn, w.attn_norm, m.streams, chunk_.tokens, false);
  attend(ctx, layer);
  leave();
  enter(w.hc_ffn, w.ffn_norm, m.streams, chunk_.tokens, false);
  feed_forward(ctx, layer);
  leave();
}

void DeviceNetwork::attend(const ForwardContext& ctx, const Layer& layer) {
  const Config& c = config();
  const RunMemory& m = memory_;
  project(ctx, layer);
  compress(ctx, layer);
  if (layer.config.overlaps()) choose(ctx, layer);
  cuda::AttendParams p;
  p.chunk = chunk_;
  p.q = m.q;
  p.heads = c.num_attention_heads;
  p.dim = c.head_dim;
  p.sink = layer.weights.attention.sink;
  p.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.head_dim)));
  p.raw = layer.left.raw;
  p.ring = layer.states.ring;
  p.slots = layer.state.ring.rows();
  p.window = c.sliding_window;
  p.ratio = layer.config.compress_ratio;
  p.entries = {stored_, layer.states.pages, PageList::kRowsPerPage};
  if (layer.config.overlaps()) {
    p.selected = m.selected;
    p.selected_stride = c.index_topk;
    p.count = m.count;
  }
  p.groups = c.o_groups;
  p.rope_dim = c.rope_dim;
  p.turns = layer.turns;
  p.out = m.heads;
  p.in_halves = ctx.precision == Precision::kFast;
  p.shared_bytes = model_->card.shared_bytes;
  p.splits = cuda::attend_splits(model_->card.processors, chunk_.tokens, p.heads, p.in_halves);
  p.scratch = m.attention;
  cuda::attend(stream(), p);
  if (!fits_ring(layer)) {
    cuda::store_in_ring(stream(), {chunk_, layer.left.raw, c.head_dim, layer.states.ring, p.slots});
  }
  project_output(ctx, layer);
}

// Everything that reads the site's input in one batch, then everything that reads the query
// residual.
void DeviceNetwork::project(const ForwardContext& ctx, const Layer& layer) {
  const Config& c = config();
  const RunMemory& m = memory_;
  const DeviceAttention& w = layer.weights.attention;
  const int64_t tokens = chunk_.tokens;
  const auto eps = static_cast<float>(c.rms_norm_eps);
  products_.clear();
  const auto add = [&](const kernels::WeightMatrix& matrix, const float* x, float* y) {
    products_.push_back({ctx.product(matrix, x, tokens, y)});
  };
  add(w.wq_a, m.y, m.qr);
  add(w.wkv, m.y, layer.left.raw);
  if (layer.config.compresses()) {
    add(w.compressor.wkv, m.y, layer.left.kv);
    add(w.compressor.wgate, m.y, layer.left.gate);
  }
  if (layer.config.overlaps()) {
    add(w.indexer.compressor.wkv, m.y, layer.left.index_kv);
    add(w.indexer.compressor.wgate, m.y, layer.left.index_gate);
    add(w.indexer.weights_proj, m.y, m.index_weights);
  }
  multiply();
  cuda::rms_norm(stream(), {m.qr, tokens, c.q_lora_rank, w.q_norm, eps, m.qr});
  products_.clear();
  add(w.wq_b, m.qr, m.q);
  if (layer.config.overlaps()) add(w.indexer.wq_b, m.qr, m.index_q);
  multiply();
  finish_rows(ctx, layer);
}

// Whether the ring may take the chunk's rows before its attention.
bool DeviceNetwork::fits_ring(const Layer& layer) const {
  return chunk_.tokens <= layer.state.ring.rows() - config().sliding_window + 1;
}

void DeviceNetwork::finish_rows(const ForwardContext& ctx, const Layer& layer) {
  const Config& c = config();
  const RunMemory& m = memory_;
  const auto eps = static_cast<float>(c.rms_norm_eps);
  cuda::FinishSiteParams p;
  p.queries = {m.q, chunk_.tokens, c.num_attention_heads, c.head_dim, c.rope_dim, eps, layer.turns};
  p.rows.chunk = chunk_;
  p.rows.x = layer.left.raw;
  p.rows.weight = layer.weights.attention.kv_norm;
  p.rows.rope_dim = c.rope_dim;
  p.rows.eps = eps;
  p.rows.turns = layer.turns;
  p.rows.layout = stored_;
  if (fits_ring(layer)) {
    p.rows.ring = layer.states.ring;
    p.rows.slots = layer.state.ring.rows();
  }
  if (layer.config.overlaps()) {
    p.index = {m.index_q,        m.index_weights, chunk_.tokens, c.index_n_heads,
               c.index_head_dim, c.rope_dim,      layer.turns,   ctx.rounds()};
  }
  cuda::finish_site(stream(), p);
}

void DeviceNetwork::compress(const ForwardContext& ctx, const Layer& layer) {
  if (!layer.config.compresses()) return;
  const DeviceAttention& w = layer.weights.attention;
  cuda::CompressChunkParams p;
  p.chunk = chunk_;
  p.kv = layer.left.kv;
  p.gate = layer.left.gate;
  p.ratio = layer.config.compress_ratio;
  p.overlap = layer.config.overlaps();
  p.ape = w.compressor.ape;
  p.norm = w.compressor.norm;
  p.eps = static_cast<float>(config().rms_norm_eps);
  p.frequencies = layer.frequencies;
  p.rope_dim = config().rope_dim;
  p.entries = {stored_, layer.states.pages, PageList::kRowsPerPage};
  p.frontier_kv = layer.states.kv;
  p.frontier_gate = layer.states.gate;
  p.slots = layer.state.compressor.front().kv.rows();
  if (!layer.config.overlaps()) return cuda::compress_chunk(stream(), p);
  cuda::CompressChunkParams index = p;
  index.kv = layer.left.index_kv;
  index.gate = layer.left.index_gate;
  index.ape = w.indexer.compressor.ape;
  index.norm = w.indexer.compressor.norm;
  index.transform = ctx.rounds();
  index.entries = {layer.index_layout, layer.states.index_pages, PageList::kRowsPerPage};
  index.frontier_kv = layer.states.index_kv;
  index.frontier_gate = layer.states.index_gate;
  index.slots = layer.state.indexer.front().kv.rows();
  cuda::compress_chunk(stream(), p, index);
}

void DeviceNetwork::choose(const ForwardContext&, const Layer& layer) {
  const Config& c = config();
  const RunMemory& m = memory_;
  cuda::SelectParams p;
  p.chunk = chunk_;
  p.q = m.index_q;
  p.weights = m.index_weights;
  p.heads = c.index_n_heads;
  p.dim = c.index_head_dim;
  p.keys = {layer.index_layout, layer.states.index_pages, PageList::kRowsPerPage};
  p.ratio = layer.config.compress_ratio;
  p.topk = c.index_topk;
  p.selected = m.selected;
  p.count = m.count;
  p.most_entries = size_.entries;
  p.scratch = m.select;
  p.scratch_bytes = m.select_bytes;
  cuda::select_entries(stream(), p);
}

// The grouped low-rank projection. wo_a takes unrounded activations in every precision.
void DeviceNetwork::project_output(const ForwardContext& ctx, const Layer& layer) {
  const Config& c = config();
  const RunMemory& m = memory_;
  const DeviceAttention& w = layer.weights.attention;
  const int64_t tokens = chunk_.tokens;
  const int64_t in = c.num_attention_heads / c.o_groups * c.head_dim;
  products_.clear();
  for (int64_t g = 0; g < c.o_groups; ++g) {
    cuda::Product& p = products_.emplace_back();
    p.x = m.heads + g * tokens * in;
    p.tokens = tokens;
    p.weight = w.wo_a[static_cast<size_t>(g)];
    p.y = m.low_rank + g * c.o_lora_rank;
    p.y_stride = c.o_groups * c.o_lora_rank;
  }
  multiply();
  products_.assign(1, {ctx.product(w.wo_b, m.low_rank, tokens, m.z)});
  multiply();
}

void DeviceNetwork::feed_forward(const ForwardContext& ctx, const Layer& layer) {
  const Config& c = config();
  const RunMemory& m = memory_;
  const DeviceMoe& w = layer.weights.moe;
  const bool hashed = layer.config.routing == Routing::kHash;
  products_.assign(1, {ctx.product(w.gate, m.y, chunk_.tokens, m.router)});
  multiply();
  kernels::RoutingParams routing;
  routing.logits = m.router;
  routing.tokens = chunk_.tokens;
  routing.experts = c.n_routed_experts;
  routing.chosen = c.num_experts_per_tok;
  routing.score = routing_score(c.scoring);
  routing.bias = hashed ? nullptr : w.bias;
  routing.table = hashed ? w.tid2eid : nullptr;
  routing.ids = m.ids;
  routing.factor = static_cast<float>(c.routed_scaling_factor);
  routing.index = m.chosen;
  routing.weight = m.chosen_weight;
  cuda::route(stream(), routing);
  cuda::ExpertsParams p = experts_of(c, w, chunk_.tokens);
  p.x = m.y;
  p.index = m.chosen;
  p.weight = m.chosen_weight;
  if (!ctx.rounds()) p.rounding = kernels::ActivationRounding::kNone;
  p.out = m.z;
  cuda::run_experts(stream(), p, {m.products, m.product_bytes});
}

// The rows that the states keep, and the entries that are new.
void DeviceNetwork::take_back(std::span<const Stretch> stretches) {
  left_.resize(static_cast<size_t>(memory_.left_floats));
  cuda::copy_from_device(stream(), memory_.left_begin,
                         memory_.left_floats * static_cast<int64_t>(sizeof(float)), left_.data());
  for (const Stretch& s : stretches) {
    for (size_t i = 0; i < s.layers->size(); ++i) {
      const LayerConfig& layer = config().layers[i];
      if (!layer.compresses()) continue;
      LayerState& state = (*s.layers)[i];
      const int64_t first = s.start / layer.compress_ratio;
      const int64_t last = s.end() / layer.compress_ratio;
      state.device->compressor()->take_back(stream(), first, last, state.compressor.front());
      if (layer.overlaps()) {
        state.device->indexer()->take_back(stream(), first, last, state.indexer.front());
      }
    }
  }
  stream().wait();
  int64_t row = 0;
  for (const Stretch& s : stretches) {
    for (size_t i = 0; i < s.layers->size(); ++i) keep_rows(i, s, row, (*s.layers)[i]);
    row += s.tokens();
  }
}

void DeviceNetwork::keep_rows(size_t index, const Stretch& s, int64_t row, LayerState& state) {
  const LeftBehind& left = memory_.left[index];
  const auto keep = [&](const float* device, RowRing& to) {
    const float* from = left_.data() + (device - memory_.left_begin) + row * to.width();
    for (int64_t t = std::max<int64_t>(0, s.tokens() - to.rows()); t < s.tokens(); ++t) {
      std::copy_n(from + t * to.width(), to.width(), to.own_row(s.start + t));
    }
  };
  keep(left.raw, state.ring);
  for (CompressorState& c : state.compressor) {
    keep(left.kv, c.kv);
    keep(left.gate, c.gate);
  }
  for (CompressorState& c : state.indexer) {
    keep(left.index_kv, c.kv);
    keep(left.index_gate, c.gate);
  }
}

void DeviceNetwork::logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out) {
  const int64_t vocab = config().vocab_size;
  const int64_t width = config().hc_mult * config().hidden_size;
  try {
    for (int64_t at = 0; at < count; at += kLogitsAtOnce) {
      const int64_t n = std::min(kLogitsAtOnce, count - at);
      enter(model_->weights.hc_head, model_->weights.norm, memory_.streams + (first + at) * width,
            n, true);
      products_.assign(1, {ctx.product(model_->weights.head, memory_.y, n, memory_.logits)});
      multiply();
      cuda::copy_from_device(stream(), memory_.logits,
                             n * vocab * static_cast<int64_t>(sizeof(float)), out + at * vocab);
    }
    stream().wait();
  } catch (const cuda::DeviceError& error) {
    throw Error(std::string("the GPU cannot go on: ") + error.what());
  }
}

}  // namespace dsv4::llm
