#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "agent/http/client.h"
#include "agent/http/wire.h"

namespace dsv4::http {

struct ReplyLimits {
  bool head = false;  // the reply to a HEAD request has no body
  size_t most_bytes = 0;
};

struct ReadReply {
  Response response;
  bool whole = false;       // the body was read to its end
  bool keep_alive = false;  // nothing else came, and the server goes on listening
};

// Reads one reply from the wire, 1xx replies before it aside. The body goes to `on_bytes` where
// there is one and the status is 2xx, else into the response. Throws Error: kProtocol, kTooLarge,
// kBroken, and what Wire throws.
ReadReply read_reply(Wire& wire, const ReplyLimits& limits, const Client::OnBytes& on_bytes);

}  // namespace dsv4::http
