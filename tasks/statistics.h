#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dsv4::tasks {

// A share and the interval that holds the true one in 95 of 100 cases; all from 0 to 1 (of a
// difference: from -1 to 1).
struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;
};

// Wilson's score interval for a share of so many independent trials (E. B. Wilson, 1927), z = 1.96.
// Where each trial is itself a mean of several runs, it is wider than need be, never narrower.
Interval wilson(double share, size_t trials);

// The mean of the values, with the percentile interval of 10,000 bootstrap resamples. The same
// values give the same interval.
Interval bootstrap_mean(std::span<const double> values);

// The chance that at least one of k samples is right, estimated without bias from n samples of
// which c are: 1 - C(n-c, k) / C(n, k) (M. Chen et al., 2021, "Evaluating Large Language Models
// Trained on Code", equation 1). 1 <= k <= n.
double pass_at_k(int n, int c, int k);

// The two-sided exact p-value of McNemar's test: how likely it is that `only_first` and
// `only_second`, the pairs that differ, are that uneven where neither side is better.
double mcnemar(size_t only_first, size_t only_second);

// Of values that need not be sorted: the smallest, the quarters, the largest; zeros for none.
// Quantiles between two values are interpolated linearly.
struct Spread {
  double least = 0;
  double quarter = 0;
  double median = 0;
  double three_quarters = 0;
  double most = 0;
};
Spread spread(std::span<const double> values);

}  // namespace dsv4::tasks
