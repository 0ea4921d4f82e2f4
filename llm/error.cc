#include "llm/error.h"

namespace dsv4::llm {

FormatError::FormatError(const std::string& where, const std::string& what)
    : Error(where + ": " + what) {}

}  // namespace dsv4::llm
