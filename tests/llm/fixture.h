#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "llm/safetensors.h"

// What tests/llm/fixtures/make_fixtures.py and make_rounding_fixtures.py wrote.
struct Fixture {
  explicit Fixture(const std::string& name);

  std::vector<float> floats(const std::string& tensor) const;  // of logits.safetensors
  std::vector<int64_t> integers(const std::string& tensor) const;

  std::filesystem::path directory;
  std::vector<int32_t> ids;

 private:
  dsv4::llm::MappedFile file_;
  dsv4::llm::SafetensorsHeader header_;
};

// max |a - b| / scale over two rows of the same length; NaN counts as infinitely far.
double distance(const float* a, const float* b, size_t n, double scale);

double largest(const std::vector<float>& values);  // max |v|
