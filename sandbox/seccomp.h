#pragma once

#include "sandbox/descriptor.h"

namespace dsv4::sandbox {

// The system-call filter of a boxed command, as the BPF program bubblewrap takes. What it refuses
// ordinary builds and tests do not need: tracing, mounting, new namespaces, keyrings, io_uring,
// kernel facilities, exotic sockets, set-user-id bits. Refused calls fail with EPERM (or ENOSYS
// where programs then fall back by themselves). Throws SetupError.
Descriptor seccomp_filter();

}  // namespace dsv4::sandbox
