#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/matmul.h"
#include "kernels/matmul/row_kernel.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// How a kernel wants its activations, and where they are.
struct PreparedActivations {
  const void* x = nullptr;
  int64_t stride = 0;  // elements from token to token
};

// Bytes that the prepared copy takes; 0 if the caller's rows serve as they are.
size_t prepared_bytes(const MatmulParams& p, const KernelTable& kernels);

// Prepares every token's row once, for all rows of the weight, into `to`.
PreparedActivations prepare(ThreadPool& pool, const MatmulParams& p, const KernelTable& kernels,
                            std::byte* to);

}  // namespace dsv4::kernels
