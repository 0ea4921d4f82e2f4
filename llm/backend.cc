#include "llm/backend.h"

#include <charconv>

#include "llm/error.h"
#include "llm/host_network.h"

namespace dsv4::llm {
namespace {

class HostBackend : public Backend {
 public:
  HostBackend(const Config& config, const Weights& weights) : config_(config), weights_(weights) {}

  std::unique_ptr<Network> make_network() const override {
    return std::make_unique<HostNetwork>(config_, weights_);
  }
  std::string name() const override { return "cpu"; }

 private:
  const Config& config_;
  const Weights& weights_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(std::string_view device, const Config& config,
                                      const Weights& weights) {
  constexpr std::string_view kCuda = "cuda";
  if (device == "cpu") return std::make_unique<HostBackend>(config, weights);
  if (device == kCuda) return make_cuda_backend(0, config, weights);
  if (device.starts_with("cuda:")) {
    const std::string_view digits = device.substr(kCuda.size() + 1);
    int number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc{} && end == digits.data() + digits.size() && number >= 0) {
      return make_cuda_backend(number, config, weights);
    }
  }
  throw DeviceUnavailable("there is no device '" + std::string(device) +
                          "': say cpu, cuda, or cuda:N for card N");
}

}  // namespace dsv4::llm
