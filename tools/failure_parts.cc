#include "tools/failure_parts.h"

#include <algorithm>
#include <cctype>

#include "tools/syntax.h"
#include "tools/text.h"

namespace dsv4::tools {
namespace {

constexpr size_t kMessages = 4;

// "calc.js:3:1" behind the function's name, in brackets or not.
std::string_view place_in(std::string_view entry, std::string& function) {
  const size_t open = entry.rfind('(');
  if (open != entry.npos && entry.ends_with(')')) {
    function = trimmed(entry.substr(0, open));
    return entry.substr(open + 1, entry.size() - open - 2);
  }
  return entry;
}

}  // namespace

size_t blanks_before(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

void add_message(Failure& failure, std::string_view message) {
  message = trimmed(message);
  if (!message.empty() && failure.messages.size() < kMessages) {
    failure.messages.emplace_back(message);
  }
}

void add_frame(Failure& failure, const SourceView& view, const Located& place,
               const std::string& function) {
  const auto source = view.line(place.path, place.line);
  if (!source) return;
  failure.frames.push_back({place.path, place.line, function});
  if (failure.source.empty()) failure.source = *source;
}

void set_head(Failure& failure, const std::string& name) {
  const auto test = std::find_if(failure.frames.begin(), failure.frames.end(),
                                 [](const Frame& frame) { return is_test_file(frame.path); });
  if (test != failure.frames.end()) {
    failure.head = test->path + ": " + name;
  } else {
    failure.head = failure.frames.empty() ? name : failure.frames.front().path + ": " + name;
  }
}

// mocha's "+ expected - actual", node's "+ actual - expected", and the two lines of jest and
// vitest.
bool Said::heads_difference(std::string_view line) {
  if (line.starts_with("+ expected - actual")) {
    minus_ = Minus::kReceived;
  } else if (line.starts_with("+ actual - expected") ||
             (minus_ == Minus::kNothing && line.starts_with("- Expected"))) {
    minus_ = Minus::kExpected;
  } else {
    return (minus_ == Minus::kExpected && line.starts_with("+ Received")) || line == "Difference:";
  }
  expected_.reset();
  received_.reset();
  return true;
}

void Said::add(std::string_view line) {
  line = trimmed(line);
  if (line.empty() || heads_difference(line)) return;
  if (minus_ == Minus::kNothing) {
    // mocha's TAP gives the message and then the whole error, which ends with it.
    const bool repeats = std::any_of(lines_.begin(), lines_.end(), [&](const std::string& known) {
      return line.ends_with(known);
    });
    if (!repeats && lines_.size() < kMessages) lines_.emplace_back(line);
    return;
  }
  if (line[0] != '-' && line[0] != '+') return;
  auto& side = (line[0] == '-') == (minus_ == Minus::kExpected) ? expected_ : received_;
  std::string_view text = trimmed(line.substr(1));
  if (text.ends_with(',')) text.remove_suffix(1);
  if (!side && !text.empty()) side = std::string(text);
}

void Said::into(Failure& failure) const {
  for (const std::string& line : lines_) add_message(failure, line);
  const std::string both = received_.value_or("") + " !== " + expected_.value_or("");
  if (!lines_.empty() && lines_.back() == both) return;
  if (expected_) add_message(failure, "Expected: " + *expected_);
  if (received_) add_message(failure, "Received: " + *received_);
}

bool add_script_frame(std::string_view line, const SourceView& view, Failure& failure) {
  constexpr std::string_view kAt = "at ";
  constexpr std::string_view kAngle = "\u276f ";
  constexpr std::string_view kFile = "file://";
  line = trimmed(line);
  std::string function;
  std::string_view entry;
  if (line.starts_with(kAt)) {
    entry = place_in(line.substr(kAt.size()), function);
  } else if (line.starts_with(kAngle)) {
    entry = line.substr(kAngle.size());
    const size_t blank = entry.rfind(' ');
    if (blank != entry.npos) {
      function = entry.substr(0, blank);
      entry.remove_prefix(blank + 1);
    }
  } else {
    return false;
  }
  if (entry.starts_with(kFile)) entry.remove_prefix(kFile.size());
  if (entry == "<anonymous>" || entry == "native") return true;
  // Of node itself the scheme is no path: node:internal/timers:483:21.
  if (entry.starts_with("node:")) entry.remove_prefix(5);
  const auto place = located(std::string(entry) + ":");
  if (!place) return false;
  if (place->path.find("node_modules/") == std::string::npos) {
    add_frame(failure, view, *place, function);
  }
  return true;
}

}  // namespace dsv4::tools
