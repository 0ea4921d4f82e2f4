#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace dsv4::agent::serve {

// How often durations came, by upper bounds in seconds.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void add(double seconds);
  void write(const std::string& name, const std::string& help, std::string& out) const;

 private:
  std::vector<double> bounds_;   // ascending
  std::vector<int64_t> counts_;  // one more than bounds
  double sum_ = 0;
  int64_t count_ = 0;
};

// What the server is doing at the moment.
struct Gauges {
  int64_t connections = 0;
  int64_t queued = 0;   // requests that wait
  int64_t running = 0;  // and that are computed
  int64_t contexts = 0;
  int64_t bytes = 0;  // of contexts
  int64_t passes = 0;
};

// What it has done, for Prometheus. Threads may share it.
class Metrics {
 public:
  Metrics();

  void answered(const std::string& route, int code);
  void began(int64_t prompt, int64_t cached);  // tokens
  void first_token(double seconds);            // after the request was there
  void tokens(int64_t count, double seconds);  // that came together, after the ones before
  std::string text(const Gauges& gauges) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, int64_t> requests_;
  int64_t prompt_ = 0, cached_ = 0, generated_ = 0;
  Histogram first_;
  Histogram next_;
};

}  // namespace dsv4::agent::serve
