#pragma once

#include "sandbox/descriptor.h"

namespace dsv4::sandbox {

// What else than the filter holds a box.
struct FilterOptions {
  bool namespaces = true;      // processes, mounts, network, IPC and users of its own
  bool own_network = true;     // a network and System V IPC of its own
  bool scoped_signals = true;  // signals stay inside by themselves
};

// The system-call filter of a boxed command, a BPF program in a file. What it refuses ordinary
// builds and tests do not need: tracing, mounting, new namespaces, keyrings, io_uring, kernel
// facilities, exotic sockets, set-user-id bits; without namespaces also what reaches other programs
// of this user. Refused calls fail with EPERM (or what programs then fall back from by themselves).
// Throws SetupError.
Descriptor seccomp_filter(const FilterOptions& options);

// The calls that a Landlock box's broker must answer (init/broker.h), as a second filter: what the
// first refuses stays refused.
Descriptor broker_filter(const FilterOptions& options);

}  // namespace dsv4::sandbox
