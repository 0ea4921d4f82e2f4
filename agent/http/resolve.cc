#include "agent/http/resolve.h"

#include <netdb.h>

#include <boost/asio/ip/address.hpp>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include "agent/http/error.h"

namespace dsv4::http {
namespace {

using boost::asio::ip::tcp;

struct Lookup {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool done = false;
  int code = 0;
  std::vector<tcp::endpoint> found;
};

std::vector<tcp::endpoint> endpoints(const addrinfo* list) {
  std::vector<tcp::endpoint> out;
  for (; list != nullptr; list = list->ai_next) {
    tcp::endpoint endpoint;
    if (list->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), list->ai_addr, list->ai_addrlen);
    endpoint.resize(list->ai_addrlen);
    out.push_back(endpoint);
  }
  return out;
}

void look_up(Lookup& lookup, const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (code == EAI_NONAME || code == EAI_ADDRFAMILY) {
    // A machine that has nothing but its loopback has no address family "configured".
    hints.ai_flags = 0;
    code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  }
  const std::unique_lock lock(lookup.mutex);
  lookup.code = code;
  if (code == 0) {
    lookup.found = endpoints(list);
    ::freeaddrinfo(list);
  }
  lookup.done = true;
  lookup.changed.notify_all();
}

}  // namespace

std::vector<tcp::endpoint> resolve(const Url& url, std::chrono::steady_clock::time_point by,
                                   std::stop_token cancel) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(url.host, error);
  if (!error) return {tcp::endpoint(address, url.port)};
  // The C library's look-up can be neither cut short nor given a time limit. It therefore has a
  // thread of its own that nobody waits for, and that holds everything it touches.
  const auto lookup = std::make_shared<Lookup>();
  std::thread([lookup, host = url.host, port = std::to_string(url.port)] {
    look_up(*lookup, host, port);
  }).detach();
  std::unique_lock lock(lookup->mutex);
  const bool done = lookup->changed.wait_until(lock, cancel, by, [&] { return lookup->done; });
  if (cancel.stop_requested()) {
    throw Error(ErrorKind::kCancelled, "the request to " + url.place() + " was stopped");
  }
  if (!done) {
    throw Error(ErrorKind::kTimeout, "looking up the address of " + url.host + " took too long");
  }
  if (is_loopback(url.host)) {
    std::erase_if(lookup->found, [](const auto& each) { return !each.address().is_loopback(); });
  }
  if (lookup->found.empty()) {
    throw Error(ErrorKind::kResolve,
                "the host " + url.host + " has no address" +
                    (lookup->code != 0 ? std::string(": ") + ::gai_strerror(lookup->code) : ""));
  }
  return lookup->found;
}

}  // namespace dsv4::http
