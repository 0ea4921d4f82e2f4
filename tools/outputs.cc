#include "tools/outputs.h"

#include <fstream>
#include <sstream>

#include "tools/error.h"

namespace dsv4::tools {
namespace {

constexpr std::string_view kFolder = ".dsv4/outputs/";

}  // namespace

std::filesystem::path Outputs::file(size_t number) const {
  return directory_ / (std::to_string(number) + ".txt");
}

void Outputs::write(const std::filesystem::path& to, std::string_view text) const {
  std::error_code failed;
  std::filesystem::create_directories(directory_, failed);
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  out << text.substr(0, kKept) << std::flush;
  if (failed || !out) {
    throw ToolError("the whole output could not be kept in " + directory_.string() +
                    "; look for free space and call again with less output.");
  }
}

std::string Outputs::keep(std::string_view text) {
  write(file(++count_), text);
  return std::string(kFolder) + std::to_string(count_) + ".txt";
}

Outputs::Growing Outputs::begin() { return {keep(""), file(count_)}; }

std::optional<std::string> Outputs::find(const std::string& path) const {
  for (size_t number = 1; number <= count_; ++number) {
    if (path != std::string(kFolder) + std::to_string(number) + ".txt") continue;
    std::ifstream in(file(number), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  return std::nullopt;
}

}  // namespace dsv4::tools
