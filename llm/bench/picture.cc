// The rows of `dsv4-bench frontier` as one picture.

#include "llm/bench/picture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "llm/error.h"

namespace dsv4::llm::bench {
namespace {

constexpr const char kUsage[] =
    "usage: dsv4-bench picture ROWS.jsonl OUT.svg\n"
    "Draws the `frontier` rows of a file: prefill and decode speed, and memory, by context "
    "length.\n";

struct Line {
  const char* name;
  const char* colour;
  double FrontierRow::*value;
};

template <typename... T>
std::string format(const char* pattern, T... values) {
  char text[256];
  std::snprintf(text, sizeof(text), pattern, values...);
  return text;
}

// 1024 -> 1K, 2.5e6 -> 2.4M: powers of 1024, as contexts are counted.
std::string short_number(double value) {
  const char* const units[] = {"", "K", "M", "G"};
  int unit = 0;
  while (value >= 1023.5 && unit < 3) {
    value /= 1024;
    ++unit;
  }
  const int digits = value < 9.95 && std::abs(value - std::round(value)) > 0.05 ? 1 : 0;
  return format("%.*f%s", digits, value, units[unit]);
}

// One diagram: a box on the page with a logarithmic scale to each side.
class Panel {
 public:
  Panel(double top, std::span<const FrontierRow> rows, std::vector<Line> lines, std::string title)
      : top_(top), rows_(rows), lines_(std::move(lines)), title_(std::move(title)) {
    low_ = std::numeric_limits<double>::infinity();
    for (const FrontierRow& row : rows) {
      for (const Line& line : lines_) {
        low_ = std::fmin(low_, row.*line.value);  // NaN does not count
        high_ = std::fmax(high_, row.*line.value);
      }
    }
    low_ = std::exp2(std::floor(std::log2(low_)));
    high_ = std::max(low_ * 2, std::exp2(std::ceil(std::log2(high_))));
  }

  std::string draw() const {
    std::string out = format("<text x=\"%g\" y=\"%g\" class=\"title\">%s</text>\n", kLeft,
                             top_ - 12, title_.c_str());
    for (double value = low_; value <= high_ * 1.001; value *= grid_step()) {
      out += format("<path d=\"M%g %.1fH%g\" class=\"grid\"/>", kLeft, y(value), kLeft + kWidth);
      out += format("<text x=\"%g\" y=\"%.1f\" class=\"end\">%s</text>\n", kLeft - 8, y(value) + 4,
                    short_number(value).c_str());
    }
    for (const FrontierRow& row : rows_) {
      out += format("<text x=\"%.1f\" y=\"%g\" class=\"middle\">%s</text>\n", x(row.tokens),
                    top_ + kHeight + 18, short_number(row.tokens).c_str());
    }
    for (const Line& line : lines_) out += draw(line);
    return out;
  }

  static constexpr double kLeft = 70;
  static constexpr double kWidth = 480;
  static constexpr double kHeight = 200;

 private:
  double grid_step() const { return high_ / low_ > 64 ? 4 : 2; }
  double x(double tokens) const {
    const double first = std::log2(rows_.front().tokens);
    const double last = std::log2(rows_.back().tokens);
    return kLeft + kWidth * (std::log2(tokens) - first) / (last - first);
  }
  double y(double value) const {
    return top_ + kHeight * (1 - std::log2(value / low_) / std::log2(high_ / low_));
  }

  std::string draw(const Line& line) const {
    std::string path;
    std::string points;
    double last = NAN;
    for (const FrontierRow& row : rows_) {
      const double value = row.*line.value;
      if (std::isnan(value)) continue;
      last = value;
      path += format("%c%.1f %.1f", path.empty() ? 'M' : 'L', x(row.tokens), y(value));
      points += format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>", x(row.tokens),
                       y(value), line.colour);
    }
    if (path.empty()) return "";
    return "<path d=\"" + path + "\" class=\"line\"" + format(" stroke=\"%s\"/>", line.colour) +
           points +
           format("<text x=\"%g\" y=\"%.1f\" fill=\"%s\">%s</text>\n", kLeft + kWidth + 10,
                  y(last) + 4, line.colour, line.name);
  }

  double top_;
  std::span<const FrontierRow> rows_;
  std::vector<Line> lines_;
  std::string title_;
  double low_;
  double high_ = 0;
};

std::vector<FrontierRow> read_rows(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw Error("cannot read " + file);
  std::vector<FrontierRow> rows;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("bench") || json["bench"] != "frontier") continue;
    try {
      const nlohmann::json& prefill = json.at("prefill_tokens_s");
      rows.push_back({json.at("tokens"), prefill.is_null() ? NAN : prefill.get<double>(),
                      json.at("decode_tokens_s"), json.at("resident_bytes")});
    } catch (const nlohmann::json::exception&) {
      throw Error(file + " line " + std::to_string(number) + " is no whole `frontier` row");
    }
    const FrontierRow& row = rows.back();
    const bool drawable =
        row.tokens > 0 && !(row.prefill <= 0) && row.decode > 0 && row.resident_bytes > 0;
    if (!drawable) {
      throw Error(file + " line " + std::to_string(number) + " has a number that is not positive");
    }
  }
  std::sort(rows.begin(), rows.end(),
            [](const FrontierRow& a, const FrontierRow& b) { return a.tokens < b.tokens; });
  if (rows.size() < 2 || rows.front().tokens == rows.back().tokens) {
    throw Error(file + " holds fewer than two lengths; `dsv4-bench frontier` prints them");
  }
  return rows;
}

}  // namespace

std::string draw_frontier(std::span<const FrontierRow> rows) {
  const Panel speed(
      50, rows,
      {{"prefill", "#1f6fb2", &FrontierRow::prefill}, {"decode", "#c2571a", &FrontierRow::decode}},
      "tokens a second, by tokens in the context");
  const Panel memory(330, rows, {{"resident", "#4b7f3a", &FrontierRow::resident_bytes}},
                     "bytes of memory, by tokens in the context");
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640\" height=\"580\" "
         "viewBox=\"0 0 640 580\">\n"
         "<style>text{font:12px sans-serif;fill:#333}.title{font-weight:bold}"
         ".end{text-anchor:end}.middle{text-anchor:middle}"
         ".grid{stroke:#ddd;fill:none}.line{fill:none;stroke-width:2}</style>\n"
         "<rect width=\"640\" height=\"580\" fill=\"#fff\"/>\n" +
         speed.draw() + memory.draw() + "</svg>\n";
}

int run_picture(int argc, char** argv) {
  if (argc != 2) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const std::string picture = draw_frontier(read_rows(argv[0]));
  std::ofstream out(argv[1], std::ios::trunc);
  out << picture;
  out.flush();
  if (!out) throw Error(std::string("cannot write ") + argv[1]);
  return 0;
}

}  // namespace dsv4::llm::bench
