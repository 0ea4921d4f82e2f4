#include "llm/backend.h"

#include "llm/cuda/device_network.h"
#include "llm/error.h"

namespace dsv4::llm {
namespace {

class CudaBackend : public Backend {
 public:
  CudaBackend(int number, const Config& config, const Weights& weights)
      : number_(number), model_(std::make_shared<DeviceModel>(config, weights, number)) {}

  std::unique_ptr<Network> make_network() const override {
    return std::make_unique<DeviceNetwork>(model_);
  }
  std::string name() const override { return "cuda:" + std::to_string(number_); }

 private:
  int number_;
  std::shared_ptr<DeviceModel> model_;
};

}  // namespace

std::optional<std::vector<std::string>> describe_cards() {
  std::vector<std::string> lines;
  for (const kernels::cuda::DeviceInfo& card : kernels::cuda::devices()) {
    lines.push_back(card.name + ", " + std::to_string(card.free_bytes >> 30) + " of " +
                    std::to_string(card.memory_bytes >> 30) + " GiB free");
  }
  return lines;
}

std::unique_ptr<Backend> make_cuda_backend(int number, const Config& config,
                                           const Weights& weights) {
  try {
    return std::make_unique<CudaBackend>(number, config, weights);
  } catch (const kernels::cuda::DeviceError& error) {
    const int64_t bytes = device_weight_bytes(config, weights);
    throw DeviceUnavailable("the model's weights, " + std::to_string(bytes >> 20) +
                            " MiB, could not be brought to GPU " + std::to_string(number) + ": " +
                            error.what());
  }
}

}  // namespace dsv4::llm
