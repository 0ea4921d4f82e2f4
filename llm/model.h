#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "llm/backend.h"
#include "llm/config.h"
#include "llm/sha256.h"
#include "llm/weights.h"

namespace dsv4::llm {

// How activations and caches are rounded (deepseek-v4.md section 4).
enum class Precision {
  kF32,    // not at all: what `transformers` computes
  kExact,  // as the model was trained: FP8 and FP4 rounding; the default for published checkpoints
  kFast,   // the same formats, and stored rows as section 5 packs them: their rotated channels are
           // bf16 too, a seventh less memory for logits that this rounding moves
};

// "f32", "exact" or "fast"; throws FormatError for anything else.
Precision parse_precision(std::string_view name);

// A checkpoint, opened: its numbers and its weights. Immutable, so that any number of sessions may
// share it. The weights are mapped from the files, which must not change while the model lives.
class Model {
 public:
  // dir holds config.json and model.safetensors, or model.safetensors.index.json with its shards.
  // device: what its sessions compute with (make_backend). Throws ModelError, DeviceUnavailable.
  static std::shared_ptr<const Model> open(const std::filesystem::path& dir,
                                           std::string_view device = "cpu");

  const Config& config() const { return config_; }
  const Weights& weights() const { return weights_; }
  const Backend& backend() const { return *backend_; }

  // kExact when the weights are FP8 or FP4, else kF32.
  Precision default_precision() const;

  // Tells this model from others: a digest of the config, the files' headers and samples of their
  // contents (all of it up to 64 MiB a file). The first call reads them.
  const Digest& fingerprint() const;

  // The directory's name, for reports.
  const std::string& name() const { return name_; }

 private:
  Model(std::string name, Config config, Weights weights, std::string_view device);

  std::string name_;
  Config config_;
  Weights weights_;
  std::unique_ptr<Backend> backend_;
  mutable std::once_flag fingerprinted_;
  mutable Digest fingerprint_{};
};

}  // namespace dsv4::llm
