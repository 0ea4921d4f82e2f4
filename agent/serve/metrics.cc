#include "agent/serve/metrics.h"

#include <algorithm>
#include <cstdio>

namespace dsv4::agent::serve {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}

void head(const std::string& name, const char* type, const std::string& help, std::string& out) {
  out += "# HELP " + name + ' ' + help + "\n# TYPE " + name + ' ' + type + '\n';
}

void one(const std::string& name, const char* type, const std::string& help, int64_t value,
         std::string& out) {
  head(name, type, help, out);
  out += name + ' ' + std::to_string(value) + '\n';
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

void Histogram::add(double seconds) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), seconds);
  ++counts_[static_cast<size_t>(at - bounds_.begin())];
  sum_ += seconds;
  ++count_;
}

void Histogram::write(const std::string& name, const std::string& help, std::string& out) const {
  head(name, "histogram", help, out);
  int64_t below = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    below += counts_[i];
    const std::string bound = i < bounds_.size() ? number(bounds_[i]) : "+Inf";
    out += name + "_bucket{le=\"" + bound + "\"} " + std::to_string(below) + '\n';
  }
  out += name + "_sum " + number(sum_) + '\n';
  out += name + "_count " + std::to_string(count_) + '\n';
}

Metrics::Metrics()
    : first_({0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300}),
      next_({0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5}) {}

void Metrics::answered(const std::string& route, int code) {
  const std::lock_guard lock(mutex_);
  ++requests_[{route, code}];
}

void Metrics::began(int64_t prompt, int64_t cached) {
  const std::lock_guard lock(mutex_);
  prompt_ += prompt;
  cached_ += cached;
}

void Metrics::first_token(double seconds) {
  const std::lock_guard lock(mutex_);
  first_.add(seconds);
}

void Metrics::tokens(int64_t count, double seconds) {
  const std::lock_guard lock(mutex_);
  generated_ += count;
  for (int64_t i = 0; i < count; ++i) next_.add(seconds / static_cast<double>(count));
}

std::string Metrics::text(const Gauges& gauges) const {
  const std::lock_guard lock(mutex_);
  std::string out;
  head("dsv4_requests_total", "counter", "Requests answered, by route and status.", out);
  for (const auto& [key, count] : requests_) {
    out += "dsv4_requests_total{route=\"" + key.first + "\",code=\"" + std::to_string(key.second) +
           "\"} " + std::to_string(count) + '\n';
  }
  one("dsv4_connections", "gauge", "Open connections.", gauges.connections, out);
  one("dsv4_queue_length", "gauge", "Requests that wait to be computed.", gauges.queued, out);
  one("dsv4_running", "gauge", "Requests that are computed.", gauges.running, out);
  one("dsv4_contexts", "gauge", "Computed contexts that are kept.", gauges.contexts, out);
  one("dsv4_context_bytes", "gauge", "Memory of all contexts, shared pages counted once.",
      gauges.bytes, out);
  one("dsv4_passes_total", "counter", "Passes over the network.", gauges.passes, out);
  one("dsv4_prompt_tokens_total", "counter", "Tokens of prompts.", prompt_, out);
  one("dsv4_cached_tokens_total", "counter", "Tokens of prompts that were computed before.",
      cached_, out);
  one("dsv4_generated_tokens_total", "counter", "Tokens generated.", generated_, out);
  first_.write("dsv4_time_to_first_token_seconds", "From a request's arrival to its first token.",
               out);
  next_.write("dsv4_token_seconds", "Between one token of a turn and the next.", out);
  return out;
}

}  // namespace dsv4::agent::serve
