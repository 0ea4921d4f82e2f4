#include "tools/edit_match.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "tools/text.h"

namespace dsv4::tools {
namespace {

// Lines that are compared in full when the closest ones are looked for.
constexpr size_t kCompared = 20000;

struct Line {
  Span span;  // without the line's end
  std::string_view text;
};

std::vector<Line> lines_of(std::string_view text, Span within) {
  std::vector<Line> lines;
  size_t begin = within.begin;
  while (begin < within.end) {
    const size_t end = std::min(text.find('\n', begin), within.end);
    lines.push_back({{begin, end}, text.substr(begin, end - begin)});
    begin = end + 1;
  }
  return lines;
}

size_t line_number(std::string_view text, size_t at) {
  return static_cast<size_t>(
             std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n')) +
         1;
}

std::string_view without_trailing_space(std::string_view line) {
  const size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view without_indentation(std::string_view line) {
  return line.substr(indentation(line).size());
}

// Typographic characters that models and word processors write for plain ones.
std::string plain_punctuation(std::string_view line) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kPlain{{
      {"\u2018", "'"},
      {"\u2019", "'"},
      {"\u201A", "'"},
      {"\u201C", "\""},
      {"\u201D", "\""},
      {"\u201E", "\""},
      {"\u2010", "-"},
      {"\u2011", "-"},
      {"\u2012", "-"},
      {"\u2013", "-"},
      {"\u2014", "-"},
      {"\u2212", "-"},
      {"\u00A0", " "},
      {"\u202F", " "},
      {"\u3000", " "},
      {"\u2026", "..."},
  }};
  std::string result;
  while (!line.empty()) {
    const auto found = std::find_if(kPlain.begin(), kPlain.end(),
                                    [&](const auto& pair) { return line.starts_with(pair.first); });
    result += found == kPlain.end() ? line.substr(0, 1) : found->second;
    line.remove_prefix(found == kPlain.end() ? 1 : found->first.size());
  }
  return result;
}

// How a line is read before it is compared, from strict to loose.
struct Reading {
  std::function<std::string(std::string_view)> of;
  const char* note;
  bool may_be_margin = false;  // no note is due when old only stands at the margin
};

std::vector<Reading> readings() {
  const auto keep = [](auto function) {
    return [function](std::string_view line) { return std::string(function(line)); };
  };
  return {
      {keep(without_trailing_space), "Note: old differed from the file in trailing spaces."},
      {keep(without_indentation),
       "Note: old differed from the file in indentation; new was given the file's.", true},
      {keep(trimmed), "Note: old differed from the file in trailing spaces."},
      {[](std::string_view line) { return std::string(trimmed(plain_punctuation(line))); },
       "Note: old differed from the file in punctuation such as quotes and dashes."},
  };
}

// Exact occurrences that do not overlap, at most Several::kMost.
std::vector<size_t> occurrences(std::string_view text, Span within, std::string_view old) {
  std::vector<size_t> result;
  const std::string_view region = text.substr(0, within.end);
  for (size_t at = region.find(old, within.begin); at != std::string_view::npos;
       at = region.find(old, at + old.size())) {
    result.push_back(at);
    if (result.size() == Several::kMost) break;
  }
  return result;
}

size_t line_begin(std::string_view text, size_t at) {
  return at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
}

// Whether only indentation stands before and nothing after, up to the line's end.
bool covers_lines(std::string_view text, Span span) {
  const size_t begin = line_begin(text, span.begin);
  const bool starts =
      text.substr(begin, span.begin - begin).find_first_not_of(" \t") == std::string_view::npos;
  return starts && (span.end == text.size() || text[span.end] == '\n');
}

Replacement removed_lines(std::string_view text, Span lines) {
  const bool has_end = lines.end < text.size();
  return {.span = {lines.begin, lines.end + (has_end ? 1 : 0)}, .removes_lines = true};
}

Replacement replace_exact(std::string_view text, Span span, std::string_view old,
                          std::string_view replacement) {
  if (!covers_lines(text, span)) return {.span = span, .text = std::string(replacement)};
  if (replacement.size() > 1 && replacement.ends_with('\n')) replacement.remove_suffix(1);
  const size_t begin = line_begin(text, span.begin);
  if (replacement.empty()) return removed_lines(text, {begin, span.end});
  const std::string_view before = text.substr(begin, span.begin - begin);
  const std::string_view wanted = indentation(text.substr(begin, span.end - begin));
  // With several lines, all but the first are where the file has them, so the new ones are too.
  const bool one_line = old.find('\n') == std::string_view::npos;
  if (before.empty() || !one_line) {
    if (replacement.starts_with(before)) replacement.remove_prefix(before.size());
    return {.span = span, .text = std::string(replacement)};
  }
  Replacement result{.span = {begin, span.end},
                     .text = reindented(replacement, indentation(old), wanted)};
  if (replacement.find('\n') != std::string_view::npos) {
    result.literal = std::string(wanted) + std::string(without_indentation(replacement));
  }
  return result;
}

// Whether old is the file's lines moved to the margin, as it may always be written.
bool moved_to_margin(const std::vector<Line>& lines, size_t at,
                     const std::vector<std::string_view>& old) {
  std::string_view margin;
  bool first = true;
  for (size_t k = 0; k < old.size(); ++k) {
    if (trimmed(old[k]).empty()) continue;
    const std::string_view there = indentation(lines[at + k].text);
    if (first) margin = there;
    if (first && !indentation(old[k]).empty()) return false;
    first = false;
    if (!there.starts_with(margin) || there.substr(margin.size()) != indentation(old[k])) {
      return false;
    }
  }
  return true;
}

// Starts of the runs of lines that read as `old` does.
std::vector<size_t> matching_runs(const std::vector<Line>& lines,
                                  const std::vector<std::string_view>& old,
                                  const Reading& reading) {
  std::vector<std::string> wanted;
  for (const std::string_view line : old) wanted.push_back(reading.of(line));
  std::vector<size_t> result;
  if (lines.size() < wanted.size()) return result;
  std::vector<std::string> present;
  for (const Line& line : lines) present.push_back(reading.of(line.text));
  for (size_t at = 0; at + wanted.size() <= present.size(); ++at) {
    if (std::equal(wanted.begin(), wanted.end(),
                   present.begin() + static_cast<std::ptrdiff_t>(at))) {
      result.push_back(at);
      if (result.size() == Several::kMost) break;
    }
  }
  return result;
}

std::string_view first_indentation(const std::vector<std::string_view>& lines) {
  for (const std::string_view line : lines) {
    if (!trimmed(line).empty()) return indentation(line);
  }
  return "";
}

Replacement replace_lines(std::string_view text, const std::vector<Line>& lines, size_t at,
                          const std::vector<std::string_view>& old, std::string_view replacement) {
  const Span span{lines[at].span.begin, lines[at + old.size() - 1].span.end};
  if (replacement.empty()) return removed_lines(text, span);
  std::vector<std::string_view> present;
  for (size_t k = 0; k < old.size(); ++k) present.push_back(lines[at + k].text);
  return {.span = span,
          .text = reindented(replacement, first_indentation(old), first_indentation(present))};
}

// Pairs of neighbouring bytes, counted.
std::map<std::pair<char, char>, int> pairs_of(std::string_view line) {
  std::map<std::pair<char, char>, int> pairs;
  line = trimmed(line).substr(0, 300);
  for (size_t k = 0; k + 1 < line.size(); ++k) ++pairs[{line[k], line[k + 1]}];
  return pairs;
}

// Dice's coefficient over pairs of bytes: 1 for equal lines, 0 for nothing in common.
double likeness(const std::map<std::pair<char, char>, int>& a, std::string_view line) {
  const auto b = pairs_of(line);
  int common = 0;
  int total = 0;
  for (const auto& [pair, count] : a) {
    const auto other = b.find(pair);
    if (other != b.end()) common += std::min(count, other->second);
    total += count;
  }
  for (const auto& [pair, count] : b) total += count;
  return total == 0 ? 0 : 2.0 * common / total;
}

std::vector<size_t> closest_lines(std::string_view text, const std::vector<Line>& lines,
                                  const std::vector<std::string_view>& old) {
  constexpr size_t kShown = 5;
  std::string_view wanted;
  for (const std::string_view line : old) {
    if (wanted.empty()) wanted = trimmed(line);
  }
  const auto pairs = pairs_of(wanted);
  std::vector<std::pair<double, size_t>> scored;
  for (size_t k = 0; k < std::min(lines.size(), kCompared); ++k) {
    const double score = likeness(pairs, lines[k].text);
    if (score > 0) scored.push_back({score, k});
  }
  std::stable_sort(scored.begin(), scored.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  scored.resize(std::min(scored.size(), kShown));
  const size_t first = lines.empty() ? 0 : line_number(text, lines.front().span.begin);
  std::vector<size_t> result;
  for (const auto& [score, k] : scored) result.push_back(first + k);
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

std::string reindented(std::string_view replacement, std::string_view old_indentation,
                       std::string_view wanted) {
  const std::vector<std::string_view> lines = split_lines(replacement);
  std::optional<std::string_view> common;
  bool all_old = true;
  bool all_wanted = true;
  for (const std::string_view line : lines) {
    if (trimmed(line).empty()) continue;
    const std::string_view own = indentation(line);
    all_old = all_old && own.starts_with(old_indentation);
    all_wanted = all_wanted && own.starts_with(wanted);
    if (!common) common = own;
    const auto [end, other] = std::mismatch(common->begin(), common->end(), own.begin(), own.end());
    common = common->substr(0, static_cast<size_t>(end - common->begin()));
  }
  size_t dropped = common.value_or("").size();
  if (all_old && !old_indentation.empty()) dropped = old_indentation.size();
  if (all_wanted && old_indentation.empty()) dropped = wanted.size();
  std::string result;
  for (size_t k = 0; k < lines.size(); ++k) {
    if (k > 0) result += '\n';
    if (trimmed(lines[k]).empty()) continue;
    result += wanted;
    result += lines[k].substr(dropped);
  }
  return result;
}

Match match(std::string_view text, Span within, std::string_view old,
            std::string_view replacement) {
  if (old.ends_with('\n') && old.size() > 1) {
    old.remove_suffix(1);
    if (replacement.ends_with('\n')) replacement.remove_suffix(1);
  }
  std::vector<size_t> exact = occurrences(text, within, old);
  std::vector<size_t> whole;
  std::copy_if(exact.begin(), exact.end(), std::back_inserter(whole), [&](size_t at) {
    return covers_lines(text, {at, at + old.size()});
  });
  if (exact.size() > 1 && !whole.empty()) exact = whole;  // whole lines are what is asked for
  if (exact.size() == 1) {
    return replace_exact(text, {exact[0], exact[0] + old.size()}, old, replacement);
  }
  if (exact.size() > 1) {
    Several several;
    for (const size_t at : exact) several.lines.push_back(line_number(text, at));
    return several;
  }
  const std::vector<Line> lines = lines_of(text, within);
  const std::vector<std::string_view> old_lines = split_lines(old);
  if (replacement.ends_with('\n')) replacement.remove_suffix(1);
  for (const Reading& reading : readings()) {
    if (trimmed(old).empty()) break;
    const std::vector<size_t> runs = matching_runs(lines, old_lines, reading);
    if (runs.size() == 1) {
      Replacement result = replace_lines(text, lines, runs[0], old_lines, replacement);
      const bool usual = reading.may_be_margin && moved_to_margin(lines, runs[0], old_lines);
      if (!usual) result.note = reading.note;
      return result;
    }
    if (runs.empty()) continue;
    Several several;
    const size_t first = line_number(text, lines.front().span.begin);
    for (const size_t at : runs) several.lines.push_back(first + at);
    return several;
  }
  return Miss{closest_lines(text, lines, old_lines)};
}

}  // namespace dsv4::tools
