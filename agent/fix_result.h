#pragma once

#include <string>

#include "agent/fix.h"

namespace dsv4::agent {

// Tells how a run of `fix` or `resume` ended: the result on stdout, as one JSON object or in words,
// and what else a person needs on stderr. Returns the exit code.
int show_result(const FixReport& report, bool json);

// The same for a command line that did not get as far as a run: with --json, too, it ends in one
// object.
int show_failure(const std::string& sentence, bool json);

}  // namespace dsv4::agent
