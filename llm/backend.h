#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/config.h"
#include "llm/weights.h"

namespace dsv4::llm {

class Network;

// What a model computes with: this processor, or a card that has been given its weights. Makes the
// networks of its sessions, which share it. Thread-safe.
class Backend {
 public:
  Backend() = default;
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  virtual std::unique_ptr<Network> make_network() const = 0;
  virtual std::string name() const = 0;  // "cpu", "cuda:0"
};

// device: "cpu", or "cuda" and "cuda:N" for an NVIDIA card. config and weights must outlive it.
// Throws DeviceUnavailable, which says why: no such device, too little memory, or a program that
// was built without.
std::unique_ptr<Backend> make_backend(std::string_view device, const Config& config,
                                      const Weights& weights);

// Of each NVIDIA card of this machine, in the order of their numbers, a line for people: name and
// memory. Nothing in a program without CUDA.
std::optional<std::vector<std::string>> describe_cards();

// make_backend for card `number`; cuda/backend.cc, or cuda/no_backend.cc in a program without CUDA.
std::unique_ptr<Backend> make_cuda_backend(int number, const Config& config,
                                           const Weights& weights);

}  // namespace dsv4::llm
