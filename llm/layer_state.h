#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/packed_rows/packed_rows.h"
#include "llm/config.h"
#include "llm/model.h"
#include "llm/page_list.h"

namespace dsv4::llm {

// So many ids may be computed beyond a position and be forgotten again by cutting the entries: the
// window's ring and the frontiers have as many slots more than they need, and nothing that the
// position needs is overwritten.
inline constexpr int64_t kGuessRoom = 32;

// What a compressor keeps (deepseek-v4.md section 5): its entries, and the frontier: the projected
// rows of the unfinished block and, with overlap, of the whole block before it.
struct CompressorState {
  CompressorState(const LayerConfig& layer, const kernels::RowLayout& stored,
                  const std::shared_ptr<PageMemory>& memory);

  kernels::PagedRows rows() const { return {layout, entries.pages(), PageList::kRowsPerPage}; }

  // Entry i as kernels::pack_row makes it: takes it out, or puts in one that has been added.
  void load(int64_t i, uint8_t* row) const { rows().load(i, row); }
  void store(const uint8_t* row, int64_t i) {
    kernels::store_row(layout, row, entries.new_page_of(i), i % PageList::kRowsPerPage);
  }

  kernels::RowLayout layout;  // of an entry
  PageList entries;           // append-only, one for each finished block
  int64_t width = 0;          // of a projected row: dim, or 2 * dim with overlap
  int64_t slots = 0;  // frontier rows: ratio, or twice that with overlap, and kGuessRoom; position
                      // p is in p mod slots
  std::vector<float> kv;    // [slots, width]
  std::vector<float> gate;  // [slots, width]
};

// What the positions so far have left behind in one layer. A copy shares the entries. The window's
// rows have been rounded to what they are when stored, but lie ready for arithmetic: they are few.
struct LayerState {
  kernels::RowLayout layout;                // of a raw row when stored
  int64_t window = 0;                       // raw rows that a later position may read
  int64_t slots = 0;                        // window + kGuessRoom
  std::vector<float> ring;                  // [slots, head_dim]; position p is in p mod slots
  std::vector<CompressorState> compressor;  // one in layers that compress
  std::vector<CompressorState> indexer;     // one in CSA layers
};

// How a precision stores raw rows and compressed entries.
kernels::RowFormat stored_rows(Precision precision);

// raw: what stored_rows says.
LayerState make_layer_state(const Config& config, const LayerConfig& layer, kernels::RowFormat raw,
                            const std::shared_ptr<PageMemory>& memory);

int64_t state_bytes(const LayerState& state);
// Of them, those that a copy does not share.
int64_t own_bytes(const LayerState& state);

// Makes room for the entries of the blocks that end before `position`, to be written before they
// are read.
void grow_layer(const LayerConfig& layer, int64_t position, LayerState& state);

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
