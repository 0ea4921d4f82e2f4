#include "agent/models.h"

#include <fstream>
#include <sstream>

#include "agent/model_directory.h"
#include "llm/error.h"
#include "llm/model.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

uint64_t size_of(const fs::path& directory) {
  uint64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace

Memory read_memory() {
  Memory memory;
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    uint64_t kilobytes = 0;
    if (!(words >> name >> kilobytes)) continue;
    if (name == "MemTotal:") memory.total = kilobytes << 10;
    if (name == "MemAvailable:") memory.available = kilobytes << 10;
  }
  return memory;
}

ModelRow look_at_model(const std::optional<std::string>& named, std::string source) {
  ModelRow row;
  row.source = std::move(source);
  row.directory = named.value_or("");
  try {
    row.directory = find_model(named);
    const auto model = llm::Model::open(row.directory);
    const llm::Config& config = model->config();
    row.name = named && !is_embedded_model(named) ? model->name() : "nano";
    row.window = config.max_position_embeddings;
    row.layers = static_cast<int64_t>(config.layers.size());
    row.experts = config.n_routed_experts;
    row.bytes = size_of(row.directory);
  } catch (const llm::Error& error) {
    row.error = error.what();
  } catch (const fs::filesystem_error& error) {
    row.error = error.code().message();
  }
  return row;
}

}  // namespace dsv4::agent
