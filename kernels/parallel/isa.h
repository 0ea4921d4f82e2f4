#pragma once

namespace dsv4::kernels {

// Instruction sets that kernels are written for, weakest first. A kernel without code for one
// falls back to the next weaker. kAvx512Bf16 has the byte instructions of VNNI and VBMI too.
enum class Isa { kScalar, kAvx2, kAvx512, kAvx512Bf16 };

// The strongest set that this processor and operating system offer.
Isa detect_isa();

const char* isa_name(Isa isa);

}  // namespace dsv4::kernels
