#include "kernels/bench/rows.h"

namespace dsv4::kernels::bench {

void add_parallel_rows(Bench& bench) {
  bench.row({"parallel_for", "empty loop", 0, 0,
             [&] { bench.pool().parallel_for(64, 1, [](int64_t, int64_t) {}); }});
}

}  // namespace dsv4::kernels::bench
