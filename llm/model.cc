#include "llm/model.h"

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

}  // namespace

Precision parse_precision(std::string_view name) {
  if (name == "f32") return Precision::kF32;
  if (name == "exact") return Precision::kExact;
  if (name == "fast") return Precision::kFast;
  throw FormatError("precision", "'" + std::string(name) + "' is not one of f32, exact and fast");
}

Model::Model(std::string name, Config config, Weights weights)
    : name_(std::move(name)), config_(std::move(config)), weights_(std::move(weights)) {}

std::shared_ptr<const Model> Model::open(const std::filesystem::path& dir) {
  Config config = load_config(dir);
  Checkpoint checkpoint = Checkpoint::open(dir);
  try {
    Weights weights = load_weights(config, std::move(checkpoint));
    return std::shared_ptr<const Model>(
        new Model(name_of(dir), std::move(config), std::move(weights)));
  } catch (const ModelError& e) {
    throw ModelError(dir.string() + ": " + e.what());
  }
}

Precision Model::default_precision() const {
  return weights_.quantized ? Precision::kExact : Precision::kF32;
}

}  // namespace dsv4::llm
