#pragma once

namespace dsv4::llm {

// The instruction set that the engine's kernels use on this processor, for people: "AVX2".
const char* processor_name();

}  // namespace dsv4::llm
