#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/cuda/device.h"
#include "kernels/packed_rows/packed_rows.h"
#include "llm/layer_state.h"

namespace dsv4::llm {

// What a compressor keeps (CompressorState) on a card: pages that are byte for byte the
// processor's, found through a table in the card's memory, and the frontier.
class DeviceCompressorState {
 public:
  // Copies all of it. capacity: entries that the table has room for.
  DeviceCompressorState(kernels::cuda::Stream& stream, const CompressorState& host,
                        int64_t capacity);
  // Shares the pages that neither will write to.
  DeviceCompressorState(kernels::cuda::Stream& stream, const DeviceCompressorState& other);

  // The first `keep` entries stay, room is made for those up to `rows`.
  void grow(kernels::cuda::Stream& stream, int64_t keep, int64_t rows);

  // Copies the entries from `first` to before `last` into those that the processor's has added;
  // they are there after the stream's wait().
  void take_back(kernels::cuda::Stream& stream, int64_t first, int64_t last,
                 CompressorState& host) const;

  uint8_t* const* pages() const { return table_.data(); }  // in the card's memory
  float* kv() const { return kv_.data(); }                 // [slots, width]
  float* gate() const { return gate_.data(); }             // [slots, width]

 private:
  struct Slab;
  struct Page {
    std::shared_ptr<Slab> slab;
    uint8_t* data = nullptr;
  };

  int64_t page_bytes() const { return layout_.bytes() * PageList::kRowsPerPage; }
  std::shared_ptr<Page> make_page(kernels::cuda::Stream& stream);
  void write_table(kernels::cuda::Stream& stream, size_t from);

  kernels::RowLayout layout_;
  std::vector<std::shared_ptr<Page>> pages_;
  std::shared_ptr<Slab> slab_;  // where new pages come from
  kernels::cuda::DeviceArray<uint8_t*> table_;
  kernels::cuda::DeviceArray<float> kv_, gate_;
};

// A LayerState on a card. Holds what the processor's holds: whoever runs the network on the card
// brings both along.
class DeviceLayer {
 public:
  // positions: that a sequence may have, at most.
  DeviceLayer(kernels::cuda::Stream& stream, const LayerConfig& layer, const LayerState& host,
              int64_t positions);
  DeviceLayer(kernels::cuda::Stream& stream, const DeviceLayer& other);

  float* ring() const { return ring_.data(); }                       // [slots, head_dim]
  DeviceCompressorState* compressor() { return compressor_.get(); }  // null: none
  DeviceCompressorState* indexer() { return indexer_.get(); }

 private:
  kernels::cuda::DeviceArray<float> ring_;
  std::unique_ptr<DeviceCompressorState> compressor_, indexer_;
};

}  // namespace dsv4::llm
