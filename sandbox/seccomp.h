#pragma once

#include <string>

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
// Throws SetupError. Without what refusing_filter() has.
Descriptor seccomp_filter(const FilterOptions& options);

// The rest of it: the calls that are refused with EPERM whatever their arguments. `telling`: init
// is asked, which refuses and reports them; else they are refused without a word.
Descriptor refusing_filter(bool telling);

// The calls that a box's broker must answer (init/broker.h): those of refusing_filter() too. With
// namespaces, the ones that can make a name in a folder; without, all that Landlock cannot judge.
// What seccomp_filter() refuses stays refused.
Descriptor broker_filter(const FilterOptions& options);

// Whether a process here can be told of another's calls and answer them: not before Linux 5.14, nor
// where somebody is told of this program's calls already, as a container's manager may be.
bool may_listen_to_calls();

// "ptrace", or the number where that is not known.
std::string call_name(int number);

}  // namespace dsv4::sandbox
