#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/packed_rows/packed_rows.h"
#include "llm/config.h"
#include "llm/model.h"
#include "llm/page_list.h"
#include "llm/row_ring.h"

namespace dsv4::llm {

// So many ids may be computed beyond a position and be forgotten again by cutting the entries: the
// window's ring and the frontiers have as many slots more than they need, and nothing that the
// position needs is overwritten.
inline constexpr int64_t kGuessRoom = 32;

// Counts what the states of a session and its forks take together.
struct StateMemory {
  std::shared_ptr<PageMemory> pages = std::make_shared<PageMemory>();  // grows with the context
  std::shared_ptr<PageMemory> rings = std::make_shared<PageMemory>();  // windows and frontiers
};

// What a compressor keeps (deepseek-v4.md section 5): its entries, and the frontier: the projected
// rows of the unfinished block and, with overlap, of the whole block before it.
struct CompressorState {
  CompressorState(const LayerConfig& layer, const kernels::RowLayout& stored,
                  const StateMemory& memory);

  kernels::PagedRows rows() const { return {layout, entries.pages(), PageList::kRowsPerPage}; }

  // Entry i as kernels::pack_row makes it: takes it out, or puts in one that has been added.
  void load(int64_t i, uint8_t* row) const { rows().load(i, row); }
  void store(const uint8_t* row, int64_t i) {
    kernels::store_row(layout, row, entries.new_page_of(i), i % PageList::kRowsPerPage);
  }

  kernels::RowLayout layout;  // of an entry
  PageList entries;           // append-only, one for each finished block
  int64_t width = 0;          // of a projected row: dim, or 2 * dim with overlap
  RowRing kv;                 // frontier rows: ratio, or twice that with overlap, and kGuessRoom
  RowRing gate;
};

class DeviceLayer;  // cuda/device_layer.h

// What the positions so far have left behind in one layer. A copy shares it until it goes on. The
// window's rows have been rounded to what they are when stored, but lie ready for arithmetic: they
// are few.
struct LayerState {
  // raw: what stored_rows says.
  LayerState(const Config& config, const LayerConfig& layer, kernels::RowFormat raw,
             const StateMemory& memory);

  kernels::RowLayout layout;                // of a raw row when stored
  int64_t window = 0;                       // raw rows that a later position may read
  RowRing ring;                             // [window + kGuessRoom, head_dim]
  std::vector<CompressorState> compressor;  // one in layers that compress
  std::vector<CompressorState> indexer;     // one in CSA layers
  std::shared_ptr<DeviceLayer> device;  // the same on a card; null, or shared by forks that have
                                        // not gone on: whoever changes this drops it
};

// How a precision stores raw rows and compressed entries.
kernels::RowFormat stored_rows(Precision precision);

int64_t state_bytes(const LayerState& state);
// Of them, those of the window and the frontiers.
int64_t ring_bytes(const LayerState& state);

// Makes room for positions [begin, end): for the entries of the blocks that end in them, to be
// written before they are read, and in the window and the frontiers. Changes what copies share, but
// nothing when it is called again.
void grow_layer(const LayerConfig& layer, int64_t begin, int64_t end, LayerState& state);

// Forgets everything from `position` on, at most kGuessRoom ids.
void cut_layer(const LayerConfig& layer, int64_t position, LayerState& state);

// What a later position overwrites in a layer: the window and the frontiers. With it, and the
// entries cut to those that position p had, a layer is again as it was at p, exactly.
struct LayerMoment {
  std::vector<uint8_t> ring;    // the window's raw rows, stored, in the order of their positions
  std::vector<float> frontier;  // kv and gate rows that unfinished blocks need
};

// `since`: only rows of positions from there on; the others are in the state already when such a
// moment is restored.
LayerMoment save_moment(const LayerConfig& layer, const LayerState& state, int64_t position,
                        int64_t since = 0);
void restore_moment(const LayerConfig& layer, const LayerMoment& moment, int64_t position,
                    LayerState& state, int64_t since = 0);
int64_t moment_bytes(const LayerMoment& moment);

}  // namespace dsv4::llm
