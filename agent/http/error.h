#pragma once

#include <stdexcept>
#include <string>

namespace dsv4::http {

enum class ErrorKind {
  kRequest,    // the request cannot be sent as it is: bad URL, a key in the clear, proxy unknown
  kResolve,    // the host has no address
  kConnect,    // nobody answers there, or a proxy on the way refuses
  kTls,        // the certificate is not trusted or not the host's, or no TLS is spoken there
  kTimeout,    // a time limit is over
  kCancelled,  // the stop token fired
  kBroken,     // the connection ended before the reply did
  kProtocol,   // what came back is not HTTP
  kTooLarge,   // the reply is over the size limit
};

// Why there is no reply. The message is a sentence that names host and port, and never a header,
// a body or a query: it may be shown and logged.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& sentence, bool sent = false)
      : std::runtime_error(sentence), kind_(kind), sent_(sent) {}

  ErrorKind kind() const { return kind_; }
  // The server may have seen the request, and have done what it asks for.
  bool sent() const { return sent_; }

 private:
  ErrorKind kind_;
  bool sent_;
};

}  // namespace dsv4::http
