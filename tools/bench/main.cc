// dsv4-tools-bench: what the tools cost beside the commands they run. Prints JSON lines.
//   dsv4-tools-bench search [--files 100000]   the search tool beside ripgrep on one generated tree
//   dsv4-tools-bench turns [--files 1000]      each tool on a generated tree; a bare shell beside
//   it

#include <charconv>
#include <iostream>
#include <stdexcept>
#include <string_view>

#include "tools/bench/rows.h"

namespace {

constexpr const char* kUsage = "usage: dsv4-tools-bench search|turns [--files N]\n";

size_t number(std::string_view text) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) {
    throw std::invalid_argument("--files takes a number from 1, got " + std::string(text));
  }
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string_view what = argc > 1 ? argv[1] : "";
    const bool files = argc == 4 && std::string_view(argv[2]) == "--files";
    if ((what != "search" && what != "turns") || (argc != 2 && !files)) {
      std::cerr << kUsage;
      return 2;
    }
    const size_t given = files ? number(argv[3]) : 0;
    if (what == "search") {
      dsv4::tools::bench::search_rows(given ? given : 100'000, std::cout);
    } else {
      dsv4::tools::bench::turn_rows(given ? given : 1000, std::cout);
    }
  } catch (const std::exception& error) {
    std::cerr << "dsv4-tools-bench: " << error.what() << "\n";
    return 1;
  }
}
