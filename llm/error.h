#pragma once

#include <stdexcept>
#include <string>

namespace dsv4::llm {

// What goes wrong in the engine: the message says what, where and what to do. The program
// ends with exit code 3 on one that nobody handles.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A file of the checkpoint is missing, damaged or of a kind this engine does not support.
class ModelError : public Error {
 public:
  using Error::Error;
};

// What was added does not fit the model's window; the context is as it was before.
class WindowError : public Error {
 public:
  using Error::Error;
};

// The device that was asked for cannot be used.
class DeviceUnavailable : public Error {
 public:
  using Error::Error;
};

// Text or JSON handed to the engine (messages, ids, tokenizer files) has the wrong shape.
class FormatError : public Error {
 public:
  FormatError(const std::string& where, const std::string& what);
};

}  // namespace dsv4::llm
