#pragma once

#include <thread>

namespace dsv4::kernels {

// Moves a thread to another core when it waits for the one that the caller runs on, and leaves it
// there only for now: the cores that it may run on afterwards are those it could before. Does
// nothing where there is no other core, or the system has no such call.
void move_off_this_core(std::jthread& thread);

}  // namespace dsv4::kernels
