#include "kernels/bench/measure.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

namespace dsv4::kernels::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Long enough for a steady median, short enough for a table of many rows.
constexpr double kSecondsPerRow = 0.4;
constexpr int kFewestRuns = 7;
constexpr int kMostRuns = 2000;

}  // namespace

Times measure(const std::function<void()>& run) {
  run();  // touches memory and wakes the threads
  std::vector<double> times;
  const auto start = Clock::now();
  while (static_cast<int>(times.size()) < kFewestRuns ||
         (seconds_since(start) < kSecondsPerRow && static_cast<int>(times.size()) < kMostRuns)) {
    const auto begin = Clock::now();
    run();
    times.push_back(seconds_since(begin));
  }
  std::sort(times.begin(), times.end());
  const size_t n = times.size();
  return {times[n / 2], times[n / 4], times[n - 1 - n / 4]};
}

Bench::Bench(ThreadPool& pool, Isa isa, std::string filter)
    : pool_(pool), isa_(isa), filter_(std::move(filter)), ceilings_(measure_ceilings(pool, isa)) {
  std::printf(
      "{\"kernel\": \"ceilings\", \"isa\": \"%s\", \"threads\": %d, \"read_gb_s\": %.1f, "
      "\"fma_gflop_s\": %.1f}\n",
      isa_name(isa), pool.size(), ceilings_.read_bytes_per_second / 1e9,
      ceilings_.flops_per_second / 1e9);
}

bool Bench::wants(const std::string& kernel) const {
  return kernel.find(filter_) != std::string::npos;
}

void Bench::row(const Row& row) {
  if (!wants(row.kernel)) return;
  const Times t = measure(row.run);
  const double bandwidth = row.bytes / t.median;
  const double rate = row.flops / t.median;
  std::printf(
      "{\"kernel\": \"%s\", \"shape\": \"%s\", \"median_us\": %.1f, \"quartiles_us\": [%.1f, "
      "%.1f], "
      "\"gb_s\": %.2f, \"gflop_s\": %.1f, \"of_read_bandwidth\": %.2f, \"of_fma_peak\": %.2f}\n",
      row.kernel.c_str(), row.shape.c_str(), t.median * 1e6, t.low * 1e6, t.high * 1e6,
      bandwidth / 1e9, rate / 1e9, bandwidth / ceilings_.read_bytes_per_second,
      rate / ceilings_.flops_per_second);
  std::fflush(stdout);
}

}  // namespace dsv4::kernels::bench
