#pragma once

#include <set>
#include <string>
#include <string_view>

#include "tools/syntax.h"

namespace dsv4::tools {

// Names that Python code uses and that are bound nowhere in the file, neither as a variable,
// parameter, definition or import, nor built in: using one is a NameError. Scopes are not looked
// into. Empty for other languages, and for files that import everything from somewhere.
std::set<std::string> undefined_names(Language language, std::string_view source);

}  // namespace dsv4::tools
