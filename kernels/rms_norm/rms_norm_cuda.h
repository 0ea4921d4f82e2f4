#pragma once

#include "kernels/cuda/device.h"
#include "kernels/rms_norm/rms_norm.h"

namespace dsv4::kernels::cuda {

// rms_norm with all pointers on the device.
void rms_norm(Stream& stream, const RmsNormParams& p);

}  // namespace dsv4::kernels::cuda
