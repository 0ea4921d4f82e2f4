#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sandbox/allowed_host.h"
#include "sandbox/descriptor.h"

namespace dsv4::sandbox {

// An HTTP proxy (CONNECT, and GET and the like of http:// addresses) for one command. Its listening
// socket was made inside the box, in the box's network; the connections it makes are of this
// program's. Only allowed hosts are reached, by the name the command asked for; a name that turns
// out to mean this machine or a private network is refused, unless that address itself is allowed.
// What goes over an allowed connection is not looked at.
class Proxy {
 public:
  // log: a line for every attempt, called on a thread of the proxy's.
  Proxy(Descriptor listener, std::vector<AllowedHost> allowed,
        std::function<void(const std::string&)> log);
  ~Proxy();  // ends all connections
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

 private:
  struct Service;
  std::unique_ptr<Service> service_;
};

}  // namespace dsv4::sandbox
