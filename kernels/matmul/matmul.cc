#include "kernels/matmul/matmul.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/matmul/activation.h"
#include "kernels/matmul/row_kernel.h"

namespace dsv4::kernels {
namespace {

// A product ready to run: its rows are units [first_unit, first_unit + units) of the batch.
struct Job {
  RowKernelArgs args;
  RowKernel kernel = nullptr;
  int64_t first_unit = 0;
  int64_t units = 0;
};

bool same_activations(const MatmulParams& a, const KernelTable& a_kernels, const MatmulParams& b,
                      const KernelTable& b_kernels) {
  const PrepareRow a_prepare = a_kernels.by_format[static_cast<size_t>(a.weight.format)].prepare;
  const PrepareRow b_prepare = b_kernels.by_format[static_cast<size_t>(b.weight.format)].prepare;
  return a.x == b.x && a.tokens == b.tokens && a.weight.cols == b.weight.cols &&
         a.rounding == b.rounding && a_prepare == b_prepare;
}

void run_units(const std::vector<Job>& jobs, int64_t begin, int64_t end) {
  for (const Job& job : jobs) {
    const int64_t first = std::max(begin, job.first_unit) - job.first_unit;
    const int64_t last = std::min(end, job.first_unit + job.units) - job.first_unit;
    if (first >= last) continue;
    job.kernel(job.args, first * kRowBlock, std::min(last * kRowBlock, job.args.weight.rows));
  }
}

}  // namespace

struct MatmulScratch::State {
  std::vector<std::byte> activations;
  std::vector<Job> jobs;
};

MatmulScratch::MatmulScratch() : state_(std::make_unique<State>()) {}
MatmulScratch::~MatmulScratch() = default;
MatmulScratch::MatmulScratch(MatmulScratch&&) noexcept = default;
MatmulScratch& MatmulScratch::operator=(MatmulScratch&&) noexcept = default;

const KernelTable& choose_kernels(Isa isa, const MatmulParams& p) {
  const auto format = static_cast<size_t>(p.weight.format);
  const KernelTable* bf16 = avx512_bf16_kernels();
  if (isa >= Isa::kAvx512Bf16 && p.rounding == ActivationRounding::kFp8Block128 &&
      bf16 != nullptr && bf16->by_format[format].multiply != nullptr) {
    return *bf16;
  }
  if (isa >= Isa::kAvx512Bf16 && avx512_bytes_kernels() != nullptr) return *avx512_bytes_kernels();
  if (isa >= Isa::kAvx512 && avx512_kernels() != nullptr) return *avx512_kernels();
  if (isa >= Isa::kAvx2 && avx2_kernels() != nullptr) return *avx2_kernels();
  return *scalar_kernels();
}

void matmul(ThreadPool& pool, Isa isa, const MatmulParams& p, MatmulScratch* scratch) {
  matmul_batch(pool, isa, {&p, 1}, scratch);
}

void matmul_batch(ThreadPool& pool, Isa isa, std::span<const MatmulParams> products,
                  MatmulScratch* scratch) {
  if (scratch == nullptr) {
    MatmulScratch own;
    return matmul_batch(pool, isa, products, &own);
  }
  MatmulScratch::State& state = scratch->state();
  size_t bytes = 0;
  for (const MatmulParams& p : products) bytes += prepared_bytes(p, choose_kernels(isa, p));
  if (state.activations.size() < bytes) state.activations.resize(bytes);

  state.jobs.clear();
  std::byte* free = state.activations.data();
  int64_t units = 0;
  int64_t work = 0;  // multiply-adds
  for (size_t i = 0; i < products.size(); ++i) {
    const MatmulParams& p = products[i];
    const KernelTable& kernels = choose_kernels(isa, p);
    Job job;
    if (i > 0 &&
        same_activations(products[i - 1], choose_kernels(isa, products[i - 1]), p, kernels)) {
      job.args = state.jobs.back().args;
      job.args.weight = p.weight;
      job.args.y = p.y;
    } else {
      const PreparedActivations x = prepare(pool, p, kernels, free);
      free += prepared_bytes(p, kernels);
      job.args = {p.weight, x.x, x.stride, p.tokens, p.y};
    }
    job.kernel = kernels.by_format[static_cast<size_t>(p.weight.format)].multiply;
    job.first_unit = units;
    job.units = (p.weight.rows + kRowBlock - 1) / kRowBlock;
    units += job.units;
    work += p.tokens * p.weight.rows * p.weight.cols;
    state.jobs.push_back(job);
  }
  // About ten microseconds of work for each wake-up of a thread.
  constexpr int64_t kGrainWork = 64 * 1024;
  const int64_t grain = units == 0 ? 1 : std::max<int64_t>(1, kGrainWork * units / (work + 1));
  pool.parallel_for(units, grain, [jobs = &state.jobs](int64_t begin, int64_t end) {
    run_units(*jobs, begin, end);
  });
}

}  // namespace dsv4::kernels
