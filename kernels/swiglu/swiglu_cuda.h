#pragma once

#include "kernels/cuda/device.h"
#include "kernels/swiglu/swiglu.h"

namespace dsv4::kernels::cuda {

// swiglu with all pointers on the device.
void swiglu(Stream& stream, const SwigluParams& p);

}  // namespace dsv4::kernels::cuda
