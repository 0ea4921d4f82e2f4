#pragma once

#include "sandbox/launcher.h"
#include "sandbox/sandbox.h"

namespace dsv4::sandbox {

// Starts `launch` (an init program, see launch_spec.h), has it run `command` under the limits of
// `policy`, and returns when the command and every process it left behind are gone. Throws
// SetupError when the init program never reported for work.
Result supervise(Launch launch, const Policy& policy, const Command& command);

}  // namespace dsv4::sandbox
