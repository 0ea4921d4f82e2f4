#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/matmul/matmul.h"
#include "kernels/matmul/row_kernel.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// How a kernel wants its activations, and where they are.
struct PreparedActivations {
  const void* x = nullptr;
  int64_t stride = 0;  // elements from token to token
};

// Whether the caller's own rows serve as they are: nothing to round, pad, reorder or convert.
bool usable_as_is(const MatmulParams& p, const KernelTable& kernels);

// Bytes that the prepared copy takes.
size_t prepared_bytes(const MatmulParams& p, const KernelTable& kernels);

// Rounds every token's row once, pads it with zeros to whole steps, puts the columns of each step
// in the kernel's order and converts to its element type, into `to`.
PreparedActivations prepare(ThreadPool& pool, const MatmulParams& p, const KernelTable& kernels,
                            std::byte* to);

}  // namespace dsv4::kernels
