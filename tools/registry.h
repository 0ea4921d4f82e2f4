#pragma once

#include <vector>

#include "tools/schema.h"

namespace dsv4::tools {

// Every tool, in the order the model is told of them. A new tool is a file pair and one row.
std::vector<Tool> registry();

}  // namespace dsv4::tools
