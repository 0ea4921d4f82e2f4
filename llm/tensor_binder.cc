#include "llm/tensor_binder.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "kernels/rounding/rounding.h"
#include "llm/error.h"
#include "llm/tensor_names.h"

namespace dsv4::llm {
namespace {

using kernels::WeightFormat;
using kernels::WeightMatrix;

constexpr size_t kMaxFaults = 6;

std::string show(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return out + "]";
}

std::string describe(const TensorView& view) {
  return "'" + view.name + "' is " + dtype_name(view.dtype) + " " + show(view.shape);
}

float half_to_float(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  float magnitude = 0.0F;
  if (exponent == 31) {
    magnitude = mantissa == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

template <typename T>
T load(const std::byte* data, int64_t i) {
  T value;
  std::memcpy(&value, data + static_cast<size_t>(i) * sizeof(T), sizeof(T));
  return value;
}

bool is_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kBf16 || dtype == DType::kF16;
}

float float_at(const TensorView& view, int64_t i) {
  if (view.dtype == DType::kF32) return load<float>(view.data, i);
  const auto raw = load<uint16_t>(view.data, i);
  if (view.dtype == DType::kF16) return half_to_float(raw);
  return std::bit_cast<float>(static_cast<uint32_t>(raw) << 16);
}

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

TensorBinder::TensorBinder(const Checkpoint& checkpoint,
                           std::list<std::vector<std::byte>>& converted)
    : converted_(converted) {
  for (const auto& [name, view] : checkpoint.tensors()) {
    const auto [it, fresh] = tensors_.emplace(authors_name(name), &view);
    if (!fresh) fault("'" + name + "' and '" + it->second->name + "' are the same tensor");
  }
}

bool TensorBinder::has(const std::string& name) const { return tensors_.count(name) != 0; }

bool TensorBinder::has_prefix(std::string_view prefix) const {
  const auto it = tensors_.lower_bound(std::string(prefix));
  return it != tensors_.end() && it->first.compare(0, prefix.size(), prefix) == 0;
}

void TensorBinder::fault(const std::string& what) {
  faults_.push_back(what);
  if (faults_.size() >= kMaxFaults) fail();
}

void TensorBinder::fail() const {
  std::string message = "the tensors do not fit config.json: ";
  for (size_t i = 0; i < faults_.size(); ++i) message += (i == 0 ? "" : "; ") + faults_[i];
  throw ModelError(message + (faults_.size() >= kMaxFaults ? "; and perhaps more" : ""));
}

void TensorBinder::finish() {
  for (const auto& [name, view] : tensors_) {
    // Tables that older exports of `transformers` kept; they are computed from the config.
    if (name.find("rotary_emb.") != std::string::npos) continue;
    fault("'" + view->name + "' is unexpected");
  }
  if (!faults_.empty()) fail();
}

const TensorView* TensorBinder::take(const std::string& name) {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) {
    fault("'" + name + "' is missing");
    return nullptr;
  }
  const TensorView* view = it->second;
  tensors_.erase(it);
  return view;
}

std::byte* TensorBinder::allocate(size_t bytes) { return converted_.emplace_back(bytes).data(); }

WeightMatrix TensorBinder::plain(const TensorView& view, int64_t rows, int64_t cols) {
  if (view.dtype == DType::kF32) return {WeightFormat::kF32, view.data, nullptr, rows, cols};
  if (view.dtype == DType::kBf16) return {WeightFormat::kBf16, view.data, nullptr, rows, cols};
  // The products have no f16; f32 holds every f16 value.
  std::byte* out = allocate(static_cast<size_t>(rows * cols) * sizeof(float));
  for (int64_t i = 0; i < rows * cols; ++i) {
    const float value = float_at(view, i);
    std::memcpy(out + static_cast<size_t>(i) * sizeof(float), &value, sizeof(float));
  }
  return {WeightFormat::kF32, out, nullptr, rows, cols};
}

WeightMatrix TensorBinder::scaled(const TensorView& view, const std::string& name, int64_t rows,
                                  int64_t cols) {
  const TensorView* scale = take(name + ".scale");
  if (scale == nullptr) return {};
  const bool fp8 = view.dtype == DType::kF8E4M3;
  const std::vector<int64_t> expected =
      fp8 ? std::vector{ceil_div(rows, 128), ceil_div(cols, 128)} : std::vector{rows, cols / 32};
  const bool bytes = scale->dtype == DType::kF8E8M0 || scale->dtype == DType::kU8;
  if (!bytes || scale->shape != expected) {
    fault(describe(*scale) + " where F8_E8M0 " + show(expected) + " is expected");
    return {};
  }
  quantized_ = true;
  return {fp8 ? WeightFormat::kFp8Block128 : WeightFormat::kFp4Block32, view.data,
          reinterpret_cast<const uint8_t*>(scale->data), rows, cols};
}

WeightMatrix TensorBinder::matrix(const std::string& name, int64_t rows, int64_t cols, bool bare) {
  const TensorView* view = take(bare ? name : name + ".weight");
  if (view == nullptr) return {};
  const std::vector<int64_t> whole = {rows, cols};
  if (is_float(view->dtype) && view->shape == whole) return plain(*view, rows, cols);
  if (view->dtype == DType::kF8E4M3 && view->shape == whole && !bare) {
    return scaled(*view, name, rows, cols);
  }
  const bool packed = view->dtype == DType::kI8 || view->dtype == DType::kU8;
  if (packed && cols % 32 == 0 && view->shape == std::vector{rows, cols / 2} && !bare) {
    return scaled(*view, name, rows, cols);
  }
  fault(describe(*view) + " where " + show(whole) + " is expected");
  return {};
}

WeightMatrix TensorBinder::fused(const std::string& name, int64_t count, int64_t rows,
                                 int64_t cols) {
  const TensorView* view = take(name);
  if (view == nullptr) return {};
  const std::vector<int64_t> expected = {count, rows, cols};
  if (!is_float(view->dtype) || view->shape != expected) {
    fault(describe(*view) + " where floats " + show(expected) + " are expected");
    return {};
  }
  return plain(*view, count * rows, cols);
}

std::vector<float> TensorBinder::floats(const std::string& name,
                                        std::initializer_list<int64_t> shape) {
  const TensorView* view = take(name);
  if (view == nullptr) return {};
  if (!is_float(view->dtype) || view->shape != std::vector<int64_t>(shape)) {
    fault(describe(*view) + " where floats " + show(shape) + " are expected");
    return {};
  }
  std::vector<float> out(static_cast<size_t>(view->elements()));
  for (size_t i = 0; i < out.size(); ++i) out[i] = float_at(*view, static_cast<int64_t>(i));
  return out;
}

std::vector<int32_t> TensorBinder::indexes(const std::string& name, int64_t rows, int64_t cols,
                                           int64_t limit) {
  const TensorView* view = take(name);
  if (view == nullptr) return {};
  const bool integers = view->dtype == DType::kI64 || view->dtype == DType::kI32;
  if (!integers || view->shape != std::vector{rows, cols}) {
    fault(describe(*view) + " where I64 " + show({rows, cols}) + " is expected");
    return {};
  }
  std::vector<int32_t> out(static_cast<size_t>(rows * cols));
  for (int64_t i = 0; i < rows * cols; ++i) {
    const int64_t value =
        view->dtype == DType::kI64 ? load<int64_t>(view->data, i) : load<int32_t>(view->data, i);
    if (value < 0 || value >= limit) {
      fault("'" + view->name + "' names expert " + std::to_string(value) + " of " +
            std::to_string(limit));
      return {};
    }
    out[static_cast<size_t>(i)] = static_cast<int32_t>(value);
  }
  return out;
}

WeightMatrix TensorBinder::widen(const WeightMatrix& fp8) {
  std::byte* out = allocate(static_cast<size_t>(fp8.rows * fp8.cols) * sizeof(uint16_t));
  const auto* codes = static_cast<const uint8_t*>(fp8.data);
  const int64_t blocks = ceil_div(fp8.cols, 128);
  for (int64_t r = 0; r < fp8.rows; ++r) {
    for (int64_t c = 0; c < fp8.cols; ++c) {
      const float value = kernels::decode_e4m3(codes[r * fp8.cols + c]) *
                          kernels::decode_e8m0(fp8.scale[r / 128 * blocks + c / 128]);
      const auto bits = static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16);
      std::memcpy(out + static_cast<size_t>(r * fp8.cols + c) * sizeof(bits), &bits, sizeof(bits));
    }
  }
  return {WeightFormat::kBf16, out, nullptr, fp8.rows, fp8.cols};
}

void TensorBinder::ignore_prefix(std::string_view prefix) {
  auto it = tensors_.lower_bound(std::string(prefix));
  while (it != tensors_.end() && it->first.compare(0, prefix.size(), prefix) == 0) {
    it = tensors_.erase(it);
  }
}

}  // namespace dsv4::llm
