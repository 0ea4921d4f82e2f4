#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "kernels/parallel/isa.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels::bench {

// What the machine can do at best with these threads, measured, to compare kernels with.
struct Ceilings {
  double read_bytes_per_second = 0;
  double flops_per_second = 0;
};
Ceilings measure_ceilings(ThreadPool& pool, Isa isa);

// One thing to measure.
struct Row {
  std::string kernel;
  std::string shape;
  double bytes = 0;  // that one run must move from memory at least
  double flops = 0;  // a multiply-add counts two
  std::function<void()> run;
};

// The middle half of the runs' times.
struct Times {
  double median = 0;  // seconds
  double low = 0;     // first quartile
  double high = 0;    // third quartile
};
Times measure(const std::function<void()>& run);

// Measures rows and prints each as one line of JSON.
class Bench {
 public:
  // Rows whose kernel does not contain `filter` are left out.
  Bench(ThreadPool& pool, Isa isa, std::string filter);

  ThreadPool& pool() { return pool_; }
  Isa isa() const { return isa_; }
  bool wants(const std::string& kernel) const;
  void row(const Row& row);

 private:
  ThreadPool& pool_;
  Isa isa_;
  std::string filter_;
  Ceilings ceilings_;
};

}  // namespace dsv4::kernels::bench
