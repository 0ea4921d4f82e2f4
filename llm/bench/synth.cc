// A checkpoint of any dimensions with random weights, to measure at full width what no disk here
// holds.

#include "llm/bench/synth.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/bench/tensor_plan.h"
#include "llm/error.h"

namespace dsv4::llm::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char kUsage[] =
    "usage: dsv4-bench synth --config CONFIG.json --out DIR [--layers N] [--from I] [--experts "
    "FMT]\n"
    "                        [--seed N]\n"
    "Writes a checkpoint with random weights in the published formats: layers I to I + N of the\n"
    "config (all of them when left out), the routed experts as fp4 (default) or fp8.\n";

constexpr int64_t kShardBytes = int64_t{4} << 30;
constexpr size_t kPiece = size_t{8} << 20;  // bytes made and written at once

struct Options {
  std::string config;
  std::string out;
  int64_t layers = -1;  // all
  int64_t from = 0;
  bool fp4 = true;
  uint64_t seed = 1;
};

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 0; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    if (name == "--config") {
      options.config = value;
    } else if (name == "--out") {
      options.out = value;
    } else if (name == "--layers") {
      options.layers = std::atoll(argv[i + 1]);
    } else if (name == "--from") {
      options.from = std::atoll(argv[i + 1]);
    } else if (name == "--experts" && (value == "fp4" || value == "fp8")) {
      options.fp4 = value == "fp4";
    } else if (name == "--seed") {
      options.seed = std::strtoull(argv[i + 1], nullptr, 10);
    } else {
      return std::nullopt;
    }
  }
  const bool sane = argc % 2 == 0 && !options.config.empty() && !options.out.empty();
  return sane ? std::optional(options) : std::nullopt;
}

// The wanted layers of the config, without its MTP layers.
Config cut_config(const Options& options) {
  std::ifstream in(options.config);
  if (!in) throw Error("cannot read " + options.config);
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (json.is_discarded()) throw Error(options.config + " is not JSON");
  Config config = parse_config(json, options.config);
  const auto all = static_cast<int64_t>(config.layers.size());
  const int64_t count = options.layers < 0 ? all - options.from : options.layers;
  if (options.from < 0 || count < 1 || options.from + count > all) {
    throw Error("the config has layers 0 to " + std::to_string(all - 1) + ", not " +
                std::to_string(options.from) + " to " + std::to_string(options.from + count - 1));
  }
  const auto first = config.layers.begin() + options.from;
  config.layers = std::vector<LayerConfig>(first, first + count);
  config.mtp.clear();
  return config;
}

// xorshift64*: fast, and good enough for weights.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u) {}
  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1du;
  }
  // Uniform in [-1, 1).
  float symmetric() { return static_cast<float>(static_cast<int32_t>(next() >> 32)) * 0x1p-31f; }

 private:
  uint64_t state_;
};

// Eight random bytes at a time, each led through `shape`.
template <class Shape>
void fill_bytes(std::span<uint8_t> out, Random& random, const Shape& shape) {
  for (size_t i = 0; i < out.size(); i += 8) {
    const uint64_t bits = shape(random.next());
    std::memcpy(&out[i], &bits, std::min<size_t>(8, out.size() - i));
  }
}

// `out` is a piece of the tensor's bytes.
class Filler {
 public:
  Filler(const PlannedTensor& tensor, const Config& config, bool fp4, Random& random)
      : t_(tensor), c_(config), fp4_(fp4), random_(random) {}

  void operator()(std::span<uint8_t> out) {
    switch (t_.filling) {
      case Filling::kMatrix:
        return matrix(out);
      case Filling::kScales:
        return std::fill(out.begin(), out.end(), scale());
      case Filling::kOnes:
        return floats(out, [] { return 1.0f; });
      case Filling::kSmall:
        return floats(out, [this] { return 0.05f * random_.symmetric(); });
      case Filling::kExperts:
        return experts(out);
    }
  }

 private:
  // A uniform number in [-1, 1) has this root mean square times its bound.
  static constexpr double kUniform = 0.577;
  static constexpr double kE4m3 = 1.2;  // of the codes in matrix(): 0.25 to 1.875, either sign
  static constexpr double kE2m1 = 2.9;  // of all sixteen codes

  double bound() const { return 1.0 / (kUniform * std::sqrt(static_cast<double>(t_.inputs))); }

  void matrix(std::span<uint8_t> out) {
    const auto wide = static_cast<float>(bound());
    if (t_.dtype == DType::kF8E4M3) {
      // Exponents 5 and 7, any sign and mantissa.
      fill_bytes(out, random_, [](uint64_t bits) {
        constexpr uint64_t kKeep = 0x9797979797979797u;      // sign, an exponent bit, mantissa
        constexpr uint64_t kExponent = 0x2828282828282828u;  // 5 of 15
        return (bits & kKeep) | kExponent;
      });
    } else if (t_.dtype == DType::kI8) {
      fill_bytes(out, random_, [](uint64_t bits) { return bits; });
    } else {
      floats(out, [this, wide] { return wide * random_.symmetric(); });
    }
  }

  // e8m0: 2^(byte - 127).
  uint8_t scale() const {
    const bool packed = fp4_ && t_.name.find(".experts.") != std::string::npos;
    const double size = (packed ? kE2m1 : kE4m3) * std::sqrt(static_cast<double>(t_.inputs));
    return static_cast<uint8_t>(127 - std::lround(std::log2(size)));
  }

  template <class Next>
  void floats(std::span<uint8_t> out, const Next& next) {
    const auto size = static_cast<size_t>(dtype_bytes(t_.dtype));
    for (size_t i = 0; i < out.size(); i += size) {
      const auto bits = std::bit_cast<uint32_t>(next());
      const auto upper = static_cast<uint16_t>(bits >> 16);
      if (size == 2) {
        std::memcpy(&out[i], &upper, 2);
      } else {
        std::memcpy(&out[i], &bits, 4);
      }
    }
  }

  void experts(std::span<uint8_t> out) {
    for (size_t i = 0; i < out.size(); i += sizeof(int64_t)) {
      const auto column = static_cast<int64_t>(i / sizeof(int64_t)) % c_.num_experts_per_tok;
      if (column == 0) first_ = static_cast<int64_t>(random_.next() >> 33);
      const int64_t expert = (first_ + column) % c_.n_routed_experts;
      std::memcpy(&out[i], &expert, sizeof(expert));
    }
  }

  const PlannedTensor& t_;
  const Config& c_;
  bool fp4_;
  Random& random_;
  int64_t first_ = 0;
};

std::string header_of(std::span<const PlannedTensor> tensors) {
  nlohmann::json json = nlohmann::json::object();
  int64_t at = 0;
  for (const PlannedTensor& t : tensors) {
    json[t.name] = {
        {"dtype", dtype_name(t.dtype)}, {"shape", t.shape}, {"data_offsets", {at, at + t.bytes()}}};
    at += t.bytes();
  }
  std::string text = json.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

void write_shard(const fs::path& path, std::span<const PlannedTensor> tensors, const Config& config,
                 bool fp4, Random& random) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  const std::string header = header_of(tensors);
  const uint64_t length = header.size();
  out.write(reinterpret_cast<const char*>(&length), sizeof(length));
  out << header;
  std::vector<uint8_t> piece;
  for (const PlannedTensor& t : tensors) {
    Filler fill(t, config, fp4, random);
    // Whole rows of whatever the tensor has.
    const auto row = static_cast<size_t>(t.bytes() / t.shape.front());
    const size_t most = std::max(row, kPiece / row * row);
    for (auto left = static_cast<size_t>(t.bytes()); left > 0 && out; left -= piece.size()) {
      piece.resize(std::min(left, most));
      fill(piece);
      out.write(reinterpret_cast<const char*>(piece.data()),
                static_cast<std::streamsize>(piece.size()));
    }
  }
  out.flush();
  if (!out) throw Error("cannot write " + path.string() + "; is the disk full?");
}

// Where each shard begins.
std::vector<size_t> shards_of(const std::vector<PlannedTensor>& tensors) {
  std::vector<size_t> begins = {0};
  int64_t bytes = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (bytes > 0 && bytes + tensors[i].bytes() > kShardBytes) {
      begins.push_back(i);
      bytes = 0;
    }
    bytes += tensors[i].bytes();
  }
  return begins;
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc);
  out << text << '\n';
  out.flush();
  if (!out) throw Error("cannot write " + path.string());
}

std::string shard_name(size_t number, size_t count) {
  char name[64];
  std::snprintf(name, sizeof(name), "model-%05zu-of-%05zu.safetensors", number + 1, count);
  return name;
}

}  // namespace

int run_synth(int argc, char** argv) {
  const std::optional<Options> options = parse(argc, argv);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const Config config = cut_config(*options);
  const fs::path directory = options->out;
  fs::create_directories(directory);
  const std::vector<PlannedTensor> tensors = plan_tensors(config, options->fp4);
  const std::vector<size_t> begins = shards_of(tensors);
  Random random(options->seed);
  nlohmann::json map = nlohmann::json::object();
  int64_t total = 0;
  for (size_t s = 0; s < begins.size(); ++s) {
    const size_t end = s + 1 < begins.size() ? begins[s + 1] : tensors.size();
    const auto part = std::span(tensors).subspan(begins[s], end - begins[s]);
    const std::string name = shard_name(s, begins.size());
    write_shard(directory / name, part, config, options->fp4, random);
    for (const PlannedTensor& t : part) {
      map[t.name] = name;
      total += t.bytes();
    }
  }
  const nlohmann::json index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
  write_text(directory / "model.safetensors.index.json", index.dump(1));
  nlohmann::json described = to_json(config);
  if (options->fp4) described["expert_dtype"] = "fp4";
  write_text(directory / "config.json", described.dump(1));
  std::printf("{\"bench\": \"synth\", \"tensors\": %zu, \"bytes\": %lld, \"shards\": %zu}\n",
              tensors.size(), static_cast<long long>(total), begins.size());
  return 0;
}

}  // namespace dsv4::llm::bench
