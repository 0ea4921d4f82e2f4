#pragma once

// How a Landlock box is closed around a command, from inside.

#include <stddef.h>

#include "sandbox/launch_spec.h"

namespace dsv4::sandbox {

// What went wrong where; error 0 is success.
struct Closed {
  SetupStep step;
  int error;
};

// Of the process above the command: namespaces of its own for the network and System V IPC, with a
// loopback that is up. Needs CAP_SYS_ADMIN.
Closed make_namespaces();
// A socket that listens on the loopback; -1 and errno.
int listen_on(uint32_t port);
// Sends `bytes` of `data` and a descriptor along.
bool send_descriptor(int socket, int fd, const void* data, size_t bytes);
// Of the process above the command: no capability is left, nor can one come back.
Closed drop_capabilities();
// Of the command itself, just before it is executed. Sends the descriptor on which its calls wait
// for the broker to `broker`.
Closed close_box(int broker);
// The same in a bubblewrap box, whose other walls are up already. `broker` is sent the calls that
// make names, if those `guarded` are to be kept from being made, and what is refused whatever its
// arguments. Where no process may be told of calls and none needs to, nothing is sent.
Closed refuse_calls(int broker, bool guarded);
// At the other end of that socket; -1 when the command ended before.
int receive_listener(int socket);

}  // namespace dsv4::sandbox
