#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <stop_token>
#include <vector>

#include "agent/http/url.h"

namespace dsv4::http {

// The addresses of a host, never empty; those of "localhost" are of this machine. Throws Error:
// kResolve, kTimeout, kCancelled.
std::vector<boost::asio::ip::tcp::endpoint> resolve(const Url& url,
                                                    std::chrono::steady_clock::time_point by,
                                                    std::stop_token cancel);

}  // namespace dsv4::http
