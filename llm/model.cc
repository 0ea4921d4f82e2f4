#include "llm/model.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "llm/error.h"

namespace dsv4::llm {
namespace {

std::string name_of(const std::filesystem::path& dir) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::weakly_canonical(dir, error);
  if (error) path = dir;
  return path.filename().string();
}

Digest digest_of(const Config& model, const Weights& weights) {
  constexpr size_t kWhole = 64 << 20;
  constexpr size_t kSample = 4096;
  constexpr size_t kSamples = 256;
  Sha256 hash;
  const std::string config = to_json(model).dump();
  hash.add(std::span(reinterpret_cast<const uint8_t*>(config.data()), config.size()));
  for (const MappedFile& file : weights.checkpoint.files()) {
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(file.bytes().data()),
                                         file.bytes().size());
    if (bytes.size() <= kWhole) {
      hash.add(bytes);
      continue;
    }
    // The header, which is at the front, then samples evenly over the file.
    hash.add(bytes.first(1 << 20));
    for (size_t i = 0; i < kSamples; ++i) {
      hash.add(bytes.subspan((bytes.size() - kSample) / kSamples * i, kSample));
    }
    hash.add(bytes.last(kSample));
  }
  return hash.finish();
}

}  // namespace

Precision parse_precision(std::string_view name) {
  if (name == "f32") return Precision::kF32;
  if (name == "exact") return Precision::kExact;
  if (name == "fast") return Precision::kFast;
  throw FormatError("precision", "'" + std::string(name) + "' is not one of f32, exact and fast");
}

Model::Model(std::string name, Config config, Weights weights, std::string_view device)
    : name_(std::move(name)),
      config_(std::move(config)),
      weights_(std::move(weights)),
      backend_(make_backend(device, config_, weights_)) {}

std::shared_ptr<const Model> Model::open(const std::filesystem::path& dir,
                                         std::string_view device) {
  Config config = load_config(dir);
  Checkpoint checkpoint = Checkpoint::open(dir);
  try {
    Weights weights = load_weights(config, std::move(checkpoint));
    return std::shared_ptr<const Model>(
        new Model(name_of(dir), std::move(config), std::move(weights), device));
  } catch (const ModelError& e) {
    throw ModelError(dir.string() + ": " + e.what());
  }
}

Precision Model::default_precision() const {
  return weights_.quantized ? Precision::kExact : Precision::kF32;
}

const Digest& Model::fingerprint() const {
  std::call_once(fingerprinted_, [this] { fingerprint_ = digest_of(config_, weights_); });
  return fingerprint_;
}

}  // namespace dsv4::llm
