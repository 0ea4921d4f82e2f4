#pragma once

#include <cstdint>
#include <string>

#include "kernels/cuda/device.h"
#include "kernels/cuda/lane.h"

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#endif

namespace dsv4::kernels::cuda {

struct Grid {
  int64_t blocks_x = 1;  // none: nothing is launched
  int64_t blocks_y = 1;
  int threads = kWarp;  // of a block, a multiple of 32
  int64_t shared_bytes = 0;
};

#if defined(__CUDACC__)

// How many blocks of it a kernel wants side by side on a multiprocessor, which leaves each lane
// fewer registers: K::kSideBySide where it says, else the compiler's choice.
template <class K>
constexpr int side_by_side() {
  if constexpr (requires { K::kSideBySide; }) {
    return K::kSideBySide;
  } else {
    return 0;
  }
}

template <class K>
__global__ void __launch_bounds__(K::kThreads, side_by_side<K>())
    run_kernel(const __grid_constant__ typename K::Params params) {
  K::run(params);
}

#endif

// Runs kernel K (lane.h) after what the stream has been given before. Throws DeviceError when it
// cannot be launched; what goes wrong as it runs shows at the stream's wait().
template <class K>
void launch(Stream& stream, const Grid& grid, const typename K::Params& params) {
  if (grid.blocks_x <= 0 || grid.blocks_y <= 0) return;
#if defined(__CUDACC__)
  constexpr int64_t kUnasked = 48 << 10;  // shared memory that any kernel may have
  cudaError_t code = cudaSuccess;
  if (grid.shared_bytes > kUnasked) {
    code = cudaFuncSetAttribute(run_kernel<K>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                static_cast<int>(grid.shared_bytes));
  }
  if (code == cudaSuccess) {
    const dim3 blocks(static_cast<unsigned>(grid.blocks_x), static_cast<unsigned>(grid.blocks_y));
    run_kernel<K>
        <<<blocks, static_cast<unsigned>(grid.threads), static_cast<size_t>(grid.shared_bytes),
           static_cast<cudaStream_t>(stream.native())>>>(params);
    code = cudaGetLastError();
  }
  if (code != cudaSuccess) {
    throw DeviceError(std::string("cannot launch ") + K::kName + ": " + cudaGetErrorString(code));
  }
#else
  static_cast<void>(stream);
  emulated::Block block;
  block.blocks_x = static_cast<int>(grid.blocks_x);
  block.blocks_y = static_cast<int>(grid.blocks_y);
  block.threads = grid.threads;
  block.shared_bytes = grid.shared_bytes;
  for (block.block_y = 0; block.block_y < block.blocks_y; ++block.block_y) {
    for (block.block_x = 0; block.block_x < block.blocks_x; ++block.block_x) {
      emulated::run_block(block, [&] { K::run(params); });
    }
  }
#endif
}

}  // namespace dsv4::kernels::cuda
