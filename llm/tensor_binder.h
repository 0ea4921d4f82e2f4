#pragma once

#include <cstdint>
#include <initializer_list>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/matmul/matmul.h"
#include "llm/safetensors.h"

namespace dsv4::llm {

// Takes tensors out of a checkpoint by their authors' names, checks their shapes and types, and
// keeps count of what is missing, wrong and left over. Stops with a ModelError after a few faults.
class TensorBinder {
 public:
  // `converted` receives the memory of whatever cannot stay a view. Both must outlive the binder.
  TensorBinder(const Checkpoint& checkpoint, std::list<std::vector<std::byte>>& converted);

  bool has(const std::string& name) const;
  bool has_prefix(std::string_view prefix) const;

  // A matrix NAME.weight (with NAME.scale when it is FP8 or FP4), or NAME itself when
  // `bare` is set.
  kernels::WeightMatrix matrix(const std::string& name, int64_t rows, int64_t cols,
                               bool bare = false);

  // All of a fused [count, rows, cols] tensor as one f32 or bf16 matrix [count * rows, cols].
  kernels::WeightMatrix fused(const std::string& name, int64_t count, int64_t rows, int64_t cols);

  // A small tensor of any shape, converted to f32.
  std::vector<float> floats(const std::string& name, std::initializer_list<int64_t> shape);

  // An integer table whose values must be in [0, limit).
  std::vector<int32_t> indexes(const std::string& name, int64_t rows, int64_t cols, int64_t limit);

  // An FP8 matrix as bf16, exactly: e4m3 times a power of two fits bf16's mantissa.
  kernels::WeightMatrix widen(const kernels::WeightMatrix& fp8);

  // Drops what begins so from the left-overs: tensors this engine has no use for.
  void ignore_prefix(std::string_view prefix);

  // Throws when any fault was noted or a tensor was left over.
  void finish();

  bool quantized() const { return quantized_; }

 private:
  const TensorView* take(const std::string& name);
  kernels::WeightMatrix plain(const TensorView& view, int64_t rows, int64_t cols);
  kernels::WeightMatrix scaled(const TensorView& view, const std::string& name, int64_t rows,
                               int64_t cols);
  std::byte* allocate(size_t bytes);
  void fault(const std::string& what);
  [[noreturn]] void fail() const;

  std::map<std::string, const TensorView*> tensors_;  // by authors' name, taken ones removed
  std::list<std::vector<std::byte>>& converted_;
  std::vector<std::string> faults_;
  bool quantized_ = false;
};

}  // namespace dsv4::llm
