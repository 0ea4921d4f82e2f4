#include "llm/processor.h"

#include "kernels/parallel/isa.h"

namespace dsv4::llm {

const char* processor_name() { return kernels::isa_name(kernels::detect_isa()); }

}  // namespace dsv4::llm
