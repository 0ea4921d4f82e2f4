#pragma once

// Answers the calls of boxed processes that Landlock alone cannot judge. In the working copy a
// protected path lies inside a writable folder, which Landlock's rules cannot say: to it the
// whole working copy is read-only, and what changes it is done here, by this process, on handles
// that were checked. The same goes for changes it does not look at (modes, times, owners, sockets
// by name). Every other call goes on to the kernel, where Landlock judges it; so a caller who
// changes a path while it is read gains nothing.
//
// In a bubblewrap box mounts are the walls, and a mount cannot keep a name from being made without
// something being there. There the calls that make names are all done here.

#include "sandbox/init/places.h"

namespace dsv4::sandbox {

// What the supervisor has been told was denied: each thing once.
struct Told {
  static constexpr int kMost = 1024;
  bool calls[kMost] = {};
  bool paths[kMost] = {};
};

// Takes one call from the listener and answers it, or leaves a child of this process to do so where
// that may take long. What is denied is reported to the supervisor (launch_spec.h).
void answer_one(int listener, const Grounds& grounds, Told* told);

// How a call ends.
struct Answer {
  enum class Kind { kGoOn, kValue, kError, kDescriptor, kLater } kind;
  int value = 0;  // of kValue, kError (errno), kDescriptor
  bool close_on_exec = false;
};
inline Answer go_on() { return {Answer::Kind::kGoOn}; }
// What is not ours to do: the kernel judges it, or `error` where it must not be asked again.
Answer go_on_or(const Request& request, int error);
inline Answer later() { return {Answer::Kind::kLater}; }
Answer outcome(long result);  // of a system call: its errno when negative
Answer failed(int error);
Answer give(int fd, bool close_on_exec);  // closes it here

void send_answer(const Request& request, const Answer& answer);

// Handlers of system calls, by number; nullptr where a table does not have it.
using Handler = Answer (*)(const Request&);
Handler file_handler(int call);       // broker_files.cc: what changes the working copy
Handler attribute_handler(int call);  // broker_attributes.cc: modes, owners, times, lengths
Handler socket_handler(int call);     // broker_sockets.cc: sockets by name, watching files
Handler process_handler(int call);    // broker_processes.cc: signals, scheduling

// From now on this process answers with EINTR, and ends, when the caller has a signal to handle:
// the kernel does not break the call off by itself (listen_with() in box.cc).
void give_up_on_signals(const Request& request);

// Answers with `work` in a child process, because it may block.
template <typename Work>
Answer in_child(const Request& request, const Work& work) {
  const pid_t child = fork();
  if (child < 0) return failed(11 /* EAGAIN */);
  if (child > 0) return later();
  give_up_on_signals(request);
  send_answer(request, work());
  _exit(0);
}

}  // namespace dsv4::sandbox
