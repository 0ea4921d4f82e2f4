// A directory of safetensors files as one set of tensors.
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "llm/error.h"
#include "llm/safetensors.h"

namespace dsv4::llm {
namespace {

constexpr std::uintmax_t kMaxIndexBytes = 256 << 20;

// tensor name -> file name, as model.safetensors.index.json has it.
std::map<std::string, std::string> read_index(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::file_size(path, error) > kMaxIndexBytes || error) {
    throw ModelError(path.string() + ": cannot be read, or is too large for an index");
  }
  std::ifstream in(path, std::ios::binary);
  const nlohmann::json json = nlohmann::json::parse(in, nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    throw ModelError(path.string() + ": is not valid JSON");
  }
  const auto it = json.find("weight_map");
  if (it == json.end() || !it->is_object() || it->empty()) {
    throw ModelError(path.string() + ": has no 'weight_map'");
  }
  std::map<std::string, std::string> map;
  for (const auto& [name, file] : it->items()) {
    if (!file.is_string()) throw ModelError(path.string() + ": 'weight_map' holds no file names");
    const auto& text = file.get_ref<const std::string&>();
    // A shard lies beside its index; anything else could reach outside the model directory.
    if (text.empty() || text == "." || text == ".." ||
        text.find_first_of(std::string("/\0", 2)) != std::string::npos) {
      throw ModelError(path.string() + ": the shard name '" + text.substr(0, 80) +
                       "' is not a file beside the index");
    }
    map.emplace(name, text);
  }
  return map;
}

}  // namespace

void Checkpoint::add_file(const std::filesystem::path& path) {
  files_.emplace_back(path);
  const std::span<const std::byte> bytes = files_.back().bytes();
  const SafetensorsHeader header = parse_header(bytes, bytes.size(), path.string());
  for (const auto& [name, info] : header.tensors) {
    TensorView view{name, info.dtype, info.shape, bytes.data() + info.begin};
    if (!tensors_.emplace(name, std::move(view)).second) {
      throw ModelError(path.string() + ": tensor '" + name + "' is also in another shard");
    }
  }
}

Checkpoint Checkpoint::open(const std::filesystem::path& dir) {
  Checkpoint checkpoint;
  std::error_code error;
  const std::filesystem::path index = dir / "model.safetensors.index.json";
  if (!std::filesystem::exists(index, error)) {
    const std::filesystem::path single = dir / "model.safetensors";
    if (!std::filesystem::exists(single, error)) {
      throw ModelError(dir.string() +
                       ": holds neither model.safetensors nor model.safetensors.index.json");
    }
    checkpoint.add_file(single);
    return checkpoint;
  }
  const std::map<std::string, std::string> map = read_index(index);
  std::set<std::string> shards;
  for (const auto& [name, file] : map) shards.insert(file);
  for (const std::string& file : shards) checkpoint.add_file(dir / file);
  for (const auto& [name, file] : map) {
    if (checkpoint.tensors_.count(name) == 0) {
      throw ModelError(index.string() + ": tensor '" + name + "' is not in " + file);
    }
  }
  return checkpoint;
}

}  // namespace dsv4::llm
