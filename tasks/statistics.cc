#include "tasks/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace dsv4::tasks {
namespace {

constexpr double kZ = 1.959963984540054;  // of 95 %
constexpr size_t kResamples = 10'000;

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// C(n, k) as its logarithm.
double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

}  // namespace

Interval wilson(double share, size_t trials) {
  if (trials == 0) return {};
  const auto n = static_cast<double>(trials);
  const double bound = 1 + kZ * kZ / n;
  const double middle = (share + kZ * kZ / (2 * n)) / bound;
  const double half = kZ * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n)) / bound;
  return {share, std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

Interval bootstrap_mean(std::span<const double> values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  std::mt19937_64 random(1);  // any fixed number: a report must not change when it is made again
  std::vector<double> means(kResamples);
  for (double& each : means) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += values[random() % values.size()];
    each = sum / n;
  }
  std::sort(means.begin(), means.end());
  return {mean, quantile(means, 0.025), quantile(means, 0.975)};
}

double pass_at_k(int n, int c, int k) {
  if (n - c < k) return 1;
  double none = 1;
  for (int i = n - c + 1; i <= n; ++i) none *= 1 - static_cast<double>(k) / i;
  return 1 - none;
}

double mcnemar(size_t only_first, size_t only_second) {
  const auto n = static_cast<double>(only_first + only_second);
  const size_t fewer = std::min(only_first, only_second);
  double tail = 0;
  for (size_t i = 0; i <= fewer; ++i) {
    tail += std::exp(log_choose(n, static_cast<double>(i)) - n * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

Spread spread(std::span<const double> values) {
  if (values.empty()) return {};
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return {sorted.front(), quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75),
          sorted.back()};
}

}  // namespace dsv4::tasks
