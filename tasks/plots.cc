#include "tasks/plots.h"

#include <algorithm>
#include <cstdio>

#include "tasks/html.h"

namespace dsv4::tasks {
namespace {

using nlohmann::ordered_json;

template <typename... T>
std::string format(const char* pattern, T... values) {
  char text[512];
  std::snprintf(text, sizeof(text), pattern, values...);
  return text;
}

std::string text_of(const ordered_json& row, const char* name) {
  return escaped(row.value(name, std::string()));
}

std::string number(const ordered_json& row, const char* name) { return shown_number(row[name]); }

// A drawing that is stretched to whatever width there is: 100 units wide, 16 high.
std::string strip(const std::string& label, const std::string& inside) {
  return "<svg class=\"strip\" viewBox=\"0 0 100 16\" preserveAspectRatio=\"none\" role=\"img\" "
         "aria-label=\"" +
         label + "\">" + inside + "</svg>";
}

std::string whisker(double low, double high) {
  return format(
      "<path class=\"whisker\" d=\"M%.2f 8H%.2fM%.2f 4V12M%.2f 4V12\" "
      "vector-effect=\"non-scaling-stroke\"/>",
      low, high, low, high);
}

}  // namespace

std::string share_bars(const ordered_json& rows) {
  std::string out = "<div class=\"rows\">\n";
  for (const ordered_json& row : rows) {
    const double percent = row["percent"].get<double>();
    const std::string label = text_of(row, "name") + ": " + number(row, "percent") + " %";
    out += "<div class=\"row\"><span class=\"name\">" + text_of(row, "name") + "</span>";
    out += strip(label, "<rect class=\"ground\" x=\"0\" y=\"2\" width=\"100\" height=\"12\"/>" +
                            format("<rect class=\"bar\" x=\"0\" y=\"2\" width=\"%.2f\" "
                                   "height=\"12\"/>",
                                   percent) +
                            whisker(row["low"].get<double>(), row["high"].get<double>()));
    out += "<span class=\"value\"><b>" + number(row, "percent") + " %</b> <small>" +
           number(row, "resolved") + " of " + number(row, "runs") + ", " + number(row, "low") +
           " to " + number(row, "high") + " %</small></span></div>\n";
  }
  return out + "</div>\n";
}

std::string spread_boxes(const ordered_json& rows) {
  std::string out = "<div class=\"rows\">\n";
  for (const ordered_json& row : rows) {
    const double most = std::max(row["most"].get<double>(), 1e-9);
    const auto x = [&](const char* name) { return 100 * row[name].get<double>() / most; };
    const std::string label = text_of(row, "name") + ": median " + number(row, "median");
    std::string box = "<path class=\"grid\" d=\"M0 8H100\" vector-effect=\"non-scaling-stroke\"/>";
    box += whisker(x("least"), x("most"));
    box += format("<rect class=\"box\" x=\"%.2f\" y=\"2\" width=\"%.2f\" height=\"12\"/>",
                  x("quarter"), std::max(0.3, x("three_quarters") - x("quarter")));
    box += format("<path class=\"median\" d=\"M%.2f 1V15\" vector-effect=\"non-scaling-stroke\"/>",
                  x("median"));
    out += "<div class=\"row\"><span class=\"name\">" + text_of(row, "name") + "</span>" +
           strip(label, box) + "<span class=\"value\"><b>" + number(row, "median") +
           "</b> <small>" + number(row, "least") + " | " + number(row, "quarter") + " to " +
           number(row, "three_quarters") + " | " + number(row, "most") + "; in all " +
           number(row, "total") + "</small></span></div>\n";
  }
  return out + "</div>\n";
}

std::string share_curve(const ordered_json& rows, const char* key) {
  constexpr double kLeft = 40;
  constexpr double kTop = 10;
  constexpr double kWidth = 300;
  constexpr double kHeight = 160;
  const double last = std::max<double>(static_cast<double>(rows.size()) - 1, 1);
  const auto x = [&](size_t at) { return kLeft + kWidth * static_cast<double>(at) / last; };
  const auto y = [&](double percent) { return kTop + kHeight * (1 - percent / 100); };
  std::string out = "<svg class=\"curve\" viewBox=\"0 0 360 210\" role=\"img\" aria-label=\"" +
                    std::string(key) + "\">\n";
  for (const int percent : {0, 25, 50, 75, 100}) {
    out += format("<path class=\"grid\" d=\"M%g %.1fH%g\"/>", kLeft, y(percent), kLeft + kWidth);
    out += format("<text class=\"end\" x=\"%g\" y=\"%.1f\">%d %%</text>\n", kLeft - 6,
                  y(percent) + 4, percent);
  }
  std::string line;
  std::string above;
  std::string below;
  std::string points;
  const size_t step = std::max<size_t>(1, (rows.size() + 7) / 8);
  for (size_t at = 0; at < rows.size(); ++at) {
    const ordered_json& row = rows[at];
    const double value = row["percent"].get<double>();
    line += format("%c%.1f %.1f", at == 0 ? 'M' : 'L', x(at), y(value));
    above += format("%c%.1f %.1f", at == 0 ? 'M' : 'L', x(at), y(row["high"].get<double>()));
    below = format("L%.1f %.1f", x(at), y(row["low"].get<double>())) + below;
    points += format("<circle class=\"point\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", x(at), y(value));
    if (at % step == 0 || at + 1 == rows.size()) {
      out += format("<text class=\"middle\" x=\"%.1f\" y=\"%g\">%s</text>\n", x(at),
                    kTop + kHeight + 18, shown_number(row[key]).c_str());
    }
  }
  out += "<path class=\"band\" d=\"" + above + below + "Z\"/><path class=\"line\" d=\"" + line +
         "\"/>" + points + "\n</svg>\n<ul class=\"points\">\n";
  for (const ordered_json& row : rows) {
    out += "<li>" + number(row, key) + ": <b>" + number(row, "percent") + " %</b> <small>" +
           number(row, "low") + " to " + number(row, "high") + " %" +
           (row.contains("resolved") ? ", " + number(row, "resolved") + " resolved" : "") +
           "</small></li>\n";
  }
  return out + "</ul>\n";
}

std::string difference_bar(double value, double low, double high) {
  const auto x = [](double percent) { return 50 + percent / 2; };
  const double begin = std::min(x(0), x(value));
  return strip("difference",
               "<rect class=\"ground\" x=\"0\" y=\"2\" width=\"100\" height=\"12\"/>" +
                   format("<rect class=\"%s\" x=\"%.2f\" y=\"2\" width=\"%.2f\" height=\"12\"/>",
                          value < 0 ? "worse" : "bar", begin, std::abs(x(value) - x(0))) +
                   "<path class=\"median\" d=\"M50 0V16\" vector-effect=\"non-scaling-stroke\"/>" +
                   whisker(x(low), x(high)));
}

}  // namespace dsv4::tasks
