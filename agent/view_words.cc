#include "agent/view_words.h"

#include <algorithm>
#include <cstdio>

#include "agent/duration.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

constexpr size_t kWord = 50;      // characters shown of one argument
constexpr size_t kSummary = 200;  // after which no further argument is added
constexpr std::string_view kCalls = "<｜DSML｜";

// How many bytes of the text can be shown: all before the calls' marker, or before what may become
// it.
size_t showable(std::string_view text, bool* marker) {
  const size_t at = text.find(kCalls);
  *marker = at != std::string_view::npos;
  if (*marker) return at;
  for (size_t keep = std::min(kCalls.size() - 1, text.size()); keep > 0; --keep) {
    if (text.substr(text.size() - keep) == kCalls.substr(0, keep)) return text.size() - keep;
  }
  return text.size();
}

}  // namespace

std::string grouped(int64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string byte_count(uint64_t bytes) {
  if (bytes < 1024 * 1024) return std::to_string((bytes + 1023) / 1024) + " KB";
  const bool giga = bytes >= 1024 * 1024 * 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s",
                static_cast<double>(bytes) / (giga ? 1024.0 * 1024 * 1024 : 1024.0 * 1024),
                giga ? "GB" : "MB");
  return text;
}

std::string call_summary(const llm::ToolCall& call) {
  std::string text;
  if (!call.arguments.is_object()) return text;
  for (const auto& [key, value] : call.arguments.items()) {
    if (text.size() > kSummary) break;
    const std::string shown =
        value.is_string()
            ? value.get<std::string>()
            : value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    text += ' ';
    text += printable_line(shown.substr(0, shown.find_last_not_of(" \n") + 1), kWord);
  }
  return text;
}

std::string ReadingPace::describe(int64_t done, int64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (!reading_) {
    reading_ = true;
    began_ = now;
    first_ = done;
  }
  if (done >= total) reading_ = false;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  std::string text = grouped(done) + "/" + grouped(total) + " tokens";
  constexpr double kTooShortToTell = 0.05;
  if (seconds <= kTooShortToTell || done <= first_) return text;
  const double rate = static_cast<double>(done - first_) / seconds;
  text += ", " + grouped(static_cast<int64_t>(rate)) + " tokens/s";
  if (done < total) {
    const double left = static_cast<double>(total - done) / rate;
    text +=
        ", " + describe_duration(std::chrono::seconds(static_cast<int64_t>(left) + 1)) + " left";
  }
  return text;
}

std::string progress_bar(double share, size_t width) {
  const double filled = std::clamp(share, 0.0, 1.0) * static_cast<double>(width);
  const auto full = static_cast<size_t>(filled);
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
}

std::string SpokenText::push(std::string_view piece) {
  if (calls_) return "";
  held_back_ += piece;
  const size_t size = showable(held_back_, &calls_);
  std::string text = held_back_.substr(0, size);
  held_back_.erase(0, size);
  if (!begun_) text.erase(0, text.find_first_not_of(" \n\t"));
  begun_ = begun_ || !text.empty();
  return text;
}

}  // namespace dsv4::agent
