#include "tests/llm/fixture.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

using namespace dsv4::llm;

Fixture::Fixture(const std::string& name)
    : directory(std::filesystem::path(DSV4_SOURCE_DIR) / "tests/llm/fixtures" / name),
      file_(directory / "logits.safetensors"),
      header_(parse_header(file_.bytes(), file_.bytes().size())) {
  std::ifstream in(directory / "ids.txt");
  for (int32_t id = 0; in >> id;) ids.push_back(id);
}

std::vector<float> Fixture::floats(const std::string& tensor) const {
  const TensorInfo& info = header_.tensors.at(tensor);
  std::vector<float> out((info.end - info.begin) / sizeof(float));
  std::memcpy(out.data(), file_.bytes().data() + info.begin, info.end - info.begin);
  return out;
}

std::vector<int64_t> Fixture::integers(const std::string& tensor) const {
  const TensorInfo& info = header_.tensors.at(tensor);
  std::vector<int64_t> out((info.end - info.begin) / sizeof(int64_t));
  std::memcpy(out.data(), file_.bytes().data() + info.begin, info.end - info.begin);
  return out;
}

double distance(const float* a, const float* b, size_t n, double scale) {
  double worst = 0.0;
  for (size_t i = 0; i < n; ++i) {
    const double d = std::fabs(double{a[i]} - double{b[i]}) / scale;
    if (std::isnan(d)) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, d);
  }
  return worst;
}

double largest(const std::vector<float>& values) {
  double top = 0.0;
  for (const float v : values) top = std::max(top, std::fabs(double{v}));
  return top;
}
