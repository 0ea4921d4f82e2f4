#pragma once

#include "kernels/cuda/device.h"
#include "kernels/moe/routing.h"

namespace dsv4::kernels::cuda {

// route with all pointers on the device; p.scores is not used. Throws std::invalid_argument for
// more than 512 experts.
void route(Stream& stream, const RoutingParams& p);

}  // namespace dsv4::kernels::cuda
