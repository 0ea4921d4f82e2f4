#include "llm/cuda/device_layer.h"

#include <algorithm>

namespace dsv4::llm {

namespace cuda = kernels::cuda;

namespace {

constexpr int64_t kRows = PageList::kRowsPerPage;
constexpr int64_t kSlabPages = 32;

size_t pages_for(int64_t rows) { return static_cast<size_t>((rows + kRows - 1) / kRows); }

template <class T>
cuda::DeviceArray<T> copy_of(cuda::Stream& stream, const cuda::DeviceArray<T>& other) {
  cuda::DeviceArray<T> made(stream, other.size());
  cuda::copy_on_device(stream, other.data(), other.size() * static_cast<int64_t>(sizeof(T)),
                       made.data());
  return made;
}

// The rows of slot 0, 1 and so on.
std::vector<float> rows_of(const RowRing& ring) {
  std::vector<float> rows;
  rows.reserve(static_cast<size_t>(ring.rows() * ring.width()));
  for (int64_t slot = 0; slot < ring.rows(); ++slot) {
    rows.insert(rows.end(), ring.row(slot), ring.row(slot) + ring.width());
  }
  return rows;
}

}  // namespace

// Memory is taken for many pages at once: a card is slow to give it.
struct DeviceCompressorState::Slab {
  cuda::DeviceMemory memory;
  int64_t used = 0;
};

DeviceCompressorState::DeviceCompressorState(cuda::Stream& stream, const CompressorState& host,
                                             int64_t capacity)
    : layout_(host.layout),
      table_(stream, static_cast<int64_t>(pages_for(capacity))),
      kv_(stream, rows_of(host.kv)),
      gate_(stream, rows_of(host.gate)) {
  for (int64_t i = 0; i < host.entries.size(); i += kRows) {
    pages_.push_back(make_page(stream));
    cuda::copy_to_device(stream, host.entries.page_of(i), page_bytes(), pages_.back()->data);
  }
  write_table(stream, 0);
}

DeviceCompressorState::DeviceCompressorState(cuda::Stream& stream,
                                             const DeviceCompressorState& other)
    : layout_(other.layout_),
      pages_(other.pages_),
      table_(copy_of(stream, other.table_)),
      kv_(copy_of(stream, other.kv_)),
      gate_(copy_of(stream, other.gate_)) {}

std::shared_ptr<DeviceCompressorState::Page> DeviceCompressorState::make_page(
    cuda::Stream& stream) {
  if (!slab_ || slab_->used == kSlabPages) {
    slab_ = std::make_shared<Slab>();
    slab_->memory = cuda::DeviceMemory(stream, page_bytes() * kSlabPages);
  }
  auto page = std::make_shared<Page>();
  page->slab = slab_;
  page->data = static_cast<uint8_t*>(slab_->memory.data()) + slab_->used++ * page_bytes();
  return page;
}

void DeviceCompressorState::write_table(cuda::Stream& stream, size_t from) {
  if (from >= pages_.size()) return;
  std::vector<uint8_t*> pointers;
  for (size_t i = from; i < pages_.size(); ++i) pointers.push_back(pages_[i]->data);
  cuda::copy_to_device(stream, pointers.data(),
                       static_cast<int64_t>(pointers.size() * sizeof(uint8_t*)),
                       table_.data() + from);
}

void DeviceCompressorState::grow(cuda::Stream& stream, int64_t keep, int64_t rows) {
  pages_.resize(std::min(pages_.size(), pages_for(keep)));
  size_t changed = pages_.size();
  const bool writes_last = rows > keep && keep % kRows != 0;
  if (writes_last && pages_.back().use_count() > 1) {
    const auto shared = pages_.back();
    pages_.back() = make_page(stream);
    cuda::copy_on_device(stream, shared->data, page_bytes(), pages_.back()->data);
    --changed;
  }
  while (pages_.size() < pages_for(rows)) pages_.push_back(make_page(stream));
  if (static_cast<int64_t>(pages_.size()) > table_.size()) {
    throw cuda::DeviceError("a sequence of more positions than the model has cannot go on");
  }
  write_table(stream, changed);
}

// Rows that are interleaved come as whole groups: what others have in a group is on both sides.
void DeviceCompressorState::take_back(cuda::Stream& stream, int64_t first, int64_t last,
                                      CompressorState& host) const {
  const int64_t group = layout_.group();
  for (int64_t i = first / group * group; i < last;) {
    const int64_t page_end = (i / kRows + 1) * kRows;
    const int64_t end = std::min(page_end, (last + group - 1) / group * group);
    const int64_t offset = i % kRows * layout_.bytes();
    cuda::copy_from_device(stream, pages_[static_cast<size_t>(i / kRows)]->data + offset,
                           (end - i) * layout_.bytes(),
                           host.entries.new_page_of(std::max(i, first)) + offset);
    i = end;
  }
}

DeviceLayer::DeviceLayer(cuda::Stream& stream, const LayerConfig& layer, const LayerState& host,
                         int64_t positions)
    : ring_(stream, rows_of(host.ring)) {
  const auto make = [&](const std::vector<CompressorState>& from) {
    if (from.empty()) return std::unique_ptr<DeviceCompressorState>();
    return std::make_unique<DeviceCompressorState>(stream, from.front(),
                                                   positions / layer.compress_ratio + 1);
  };
  compressor_ = make(host.compressor);
  indexer_ = make(host.indexer);
}

DeviceLayer::DeviceLayer(cuda::Stream& stream, const DeviceLayer& other)
    : ring_(copy_of(stream, other.ring_)) {
  const auto copy = [&](const std::unique_ptr<DeviceCompressorState>& from) {
    return from ? std::make_unique<DeviceCompressorState>(stream, *from) : nullptr;
  };
  compressor_ = copy(other.compressor_);
  indexer_ = copy(other.indexer_);
}

}  // namespace dsv4::llm
