#include "report.h"

std::string report(const Counts& counts, const Options& options) {
  std::string line;
  const auto add = [&](bool chosen, size_t number) {
    if (chosen) line += (line.empty() ? "" : " ") + std::to_string(number);
  };
  add(options.lines, counts.lines);
  add(options.words, counts.words);
  add(options.bytes, counts.bytes);
  return line;
}
