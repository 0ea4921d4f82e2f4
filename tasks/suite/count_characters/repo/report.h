#pragma once

#include <string>

#include "counts.h"
#include "options.h"

// The chosen numbers in their order, with a blank between them.
std::string report(const Counts& counts, const Options& options);
