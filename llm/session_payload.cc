#include "llm/session_payload.h"

#include <algorithm>
#include <string>

#include "kernels/parallel/isa.h"

namespace dsv4::llm {
namespace {

// Goes up whenever the kernels' order of summation changes: what was computed in another order is
// not what would be computed now, bit for bit.
constexpr int kArithmetic = 2;

template <typename T>
std::span<const uint8_t> as_bytes(std::span<const T> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)};
}

void write_entries(const LayerConfig& layer, const CompressorState& state, int64_t from, int64_t to,
                   PayloadWriter& out) {
  std::vector<uint8_t> row(static_cast<size_t>(state.entries.row_bytes()));
  for (int64_t i = from / layer.compress_ratio; i < to / layer.compress_ratio; ++i) {
    state.load(i, row.data());
    out.bytes(row.data(), row.size());
  }
}

void read_entries(const LayerConfig& layer, int64_t from, int64_t to, PayloadReader& in,
                  CompressorState& state) {
  const int64_t end = to / layer.compress_ratio;
  state.entries.resize(end);
  for (int64_t i = from / layer.compress_ratio; i < end; ++i) {
    const auto row = in.bytes(static_cast<size_t>(state.entries.row_bytes()));
    if (!row.empty()) state.store(row.data(), i);
  }
}

}  // namespace

Digest session_base(const SessionState& state) {
  const std::string how = "precision " + std::to_string(static_cast<int>(state.precision)) +
                          " isa " + kernels::isa_name(kernels::detect_isa()) + " block " +
                          std::to_string(kSessionBlock) + " row " +
                          std::to_string(state.layers.front().layout.bytes()) + " arithmetic " +
                          std::to_string(kArithmetic);
  return Sha256().add(state.model->fingerprint()).add(as_bytes(std::span(how))).finish();
}

Digest block_after(const Digest& before, std::span<const int32_t> block) {
  return Sha256().add(before).add(as_bytes(block)).finish();
}

std::vector<Digest> block_names(const Digest& base, std::span<const int32_t> ids) {
  std::vector<Digest> chain = {base};
  for (; ids.size() >= kSessionBlock; ids = ids.subspan(kSessionBlock)) {
    chain.push_back(block_after(chain.back(), ids.first(kSessionBlock)));
  }
  return chain;
}

Digest moment_name(const Digest& block, std::span<const int32_t> rest) {
  constexpr uint8_t kMark[] = {'m'};
  return Sha256().add(block).add(kMark).add(as_bytes(rest)).finish();
}

void write_positions(const SessionState& s, int64_t from, int64_t to, PayloadWriter& out) {
  const std::vector<int32_t> ids = s.ids_between(from, to);
  out.bytes(ids.data(), ids.size() * sizeof(int32_t));
  for (size_t i = 0; i < s.layers.size(); ++i) {
    const LayerConfig& layer = s.model->config().layers[i];
    for (const CompressorState& c : s.layers[i].compressor) write_entries(layer, c, from, to, out);
    for (const CompressorState& c : s.layers[i].indexer) write_entries(layer, c, from, to, out);
  }
}

bool read_positions(int64_t from, int64_t to, PayloadReader& in, SessionState& s) {
  if (from != s.position || to < from) return false;
  const auto bytes = in.bytes(static_cast<size_t>(to - from) * sizeof(int32_t));
  if (!in.ok()) return false;
  std::vector<int32_t> ids(static_cast<size_t>(to - from));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<uint8_t*>(ids.data()));
  s.add_ids(ids);
  for (size_t i = 0; i < s.layers.size(); ++i) {
    const LayerConfig& layer = s.model->config().layers[i];
    for (CompressorState& c : s.layers[i].compressor) read_entries(layer, from, to, in, c);
    for (CompressorState& c : s.layers[i].indexer) read_entries(layer, from, to, in, c);
  }
  return in.ok();
}

void write_moment(const SessionCheckpoint& moment, PayloadWriter& out) {
  for (const LayerMoment& layer : moment.layers) {
    out.list(layer.ring);
    out.list(layer.frontier);
  }
  out.list(moment.logits);
}

// What a moment of this model holds has the same size at every session: that of one taken now.
bool read_moment(const SessionState& s, int64_t since, PayloadReader& in,
                 SessionCheckpoint& moment) {
  moment.position = s.position;
  for (size_t i = 0; i < s.layers.size(); ++i) {
    const LayerMoment like =
        save_moment(s.model->config().layers[i], s.layers[i], s.position, since);
    LayerMoment& layer = moment.layers.emplace_back();
    layer.ring = in.list<uint8_t>(like.ring.size());
    layer.frontier = in.list<float>(like.frontier.size());
    const bool whole =
        layer.ring.size() == like.ring.size() && layer.frontier.size() == like.frontier.size();
    if (!in.ok() || !whole) return false;
  }
  const auto vocab = static_cast<size_t>(s.model->config().vocab_size);
  moment.logits = in.list<float>(vocab);
  return in.at_end() && moment.logits.size() == vocab;
}

}  // namespace dsv4::llm
