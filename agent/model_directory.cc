#include "agent/model_directory.h"

#include "agent/printable.h"
#include "llm/error.h"

namespace dsv4::agent {

namespace fs = std::filesystem;

std::vector<fs::path> embedded_model_places() {
  std::vector<fs::path> places;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    places.push_back(program.parent_path().parent_path() / "share/dsv4-agent/nano");
    places.push_back(program.parent_path().parent_path() / "llm/nano/model");
  }
  const fs::path source = DSV4_EMBEDDED_MODEL;
  if (places.empty() || places.back() != source) places.push_back(source);
  return places;
}

bool is_embedded_model(const std::optional<std::string>& named) {
  if (!named) return true;
  for (const fs::path& place : embedded_model_places()) {
    std::error_code error;
    if (fs::equivalent(place, *named, error)) return true;
  }
  return false;
}

fs::path find_model(const std::optional<std::string>& named) {
  std::error_code error;
  if (named) {
    const fs::path directory = *named;
    const std::string shown = printable_line(*named, 300);
    if (!fs::is_directory(directory, error)) {
      throw llm::ModelError("there is no model directory " + shown +
                            ": --model names the directory of a checkpoint");
    }
    if (!fs::is_regular_file(directory / "config.json", error)) {
      throw llm::ModelError("the model directory " + shown +
                            " has no config.json: --model names the directory of a checkpoint");
    }
    return directory;
  }
  const std::vector<fs::path> places = embedded_model_places();
  for (const fs::path& place : places) {
    if (fs::is_regular_file(place / "config.json", error)) return place;
  }
  throw llm::ModelError("the embedded model is not in " + places.back().string() +
                        ": name a checkpoint with --model");
}

}  // namespace dsv4::agent
