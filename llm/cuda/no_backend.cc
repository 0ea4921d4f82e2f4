#include "llm/backend.h"
#include "llm/error.h"

namespace dsv4::llm {

std::optional<std::vector<std::string>> describe_cards() { return std::nullopt; }

std::unique_ptr<Backend> make_cuda_backend(int, const Config&, const Weights&) {
  throw DeviceUnavailable(
      "this program was built without CUDA: build it where the CUDA toolkit is installed, or use "
      "--device cpu");
}

}  // namespace dsv4::llm
