// Damaged and hostile checkpoints, and the two ways of naming tensors.
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "llm/error.h"
#include "llm/model.h"
#include "llm/tensor_names.h"
#include "tests/catch.h"
#include "tests/llm/fixture.h"

using namespace dsv4::llm;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

std::string file_with(const std::string& header, size_t data, uint64_t claimed = 0) {
  const uint64_t length = claimed != 0 ? claimed : header.size();
  std::string out(8, '\0');
  for (size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(length >> (8 * i) & 0xff);
  return out + header + std::string(data, '\0');
}

SafetensorsHeader parse(const std::string& file) {
  return parse_header(std::as_bytes(std::span(file)), file.size());
}

std::string header_error(const std::string& file) {
  try {
    parse(file);
  } catch (const ModelError& e) {
    return e.what();
  }
  return "";
}

// A copy of a fixture in a directory of its own, to be damaged.
struct Copy {
  explicit Copy(const std::string& name)
      : directory(fs::temp_directory_path() / ("dsv4-checkpoint-" + std::to_string(::getpid()))) {
    fs::remove_all(directory);
    fs::copy(Fixture(name).directory, directory);
  }
  ~Copy() { fs::remove_all(directory); }

  std::string error() const {
    try {
      Model::open(directory);
    } catch (const ModelError& e) {
      return e.what();
    }
    return "";
  }

  // Rewrites the header of model.safetensors; its length must not grow.
  template <typename Edit>
  void edit_header(const Edit& edit) const {
    const fs::path path = directory / "model.safetensors";
    std::string bytes;
    {
      std::ifstream in(path, std::ios::binary);
      bytes.assign(std::istreambuf_iterator<char>(in), {});
    }
    uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    json header = json::parse(bytes.substr(8, length));
    edit(header);
    std::string text = header.dump();
    REQUIRE(text.size() <= length + 64);
    const std::string data = bytes.substr(8 + length);
    std::ofstream(path, std::ios::binary) << file_with(text, 0) + data;
  }

  fs::path directory;
};

bool mentions(const std::string& text, const std::string& word) {
  INFO("the message is: " << text);
  return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("a sound header is read") {
  const SafetensorsHeader h = parse(file_with(
      R"({"__metadata__":{"a":"b"},"x":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},)"
      R"("e":{"dtype":"F32","shape":[0],"data_offsets":[12,12]}})",
      12));
  REQUIRE(h.tensors.size() == 2);
  REQUIRE(h.tensors.at("x").shape == std::vector<int64_t>{2, 3});
  REQUIRE(h.tensors.at("x").end - h.tensors.at("x").begin == 12);
}

TEST_CASE("every lie in a header is caught") {
  const auto one = [](const std::string& fields) { return "{\"x\":{" + fields + "}}"; };
  const std::string f32 = R"("dtype":"F32","shape":[2],)";
  REQUIRE(mentions(header_error(""), "too short"));
  REQUIRE(mentions(header_error(file_with("{}", 0, 1 << 20)), "claims"));
  REQUIRE(mentions(header_error(file_with("{}", 0, ~uint64_t{0})), "claims"));
  REQUIRE(mentions(header_error(file_with("{\"x\":", 0)), "JSON"));
  REQUIRE(mentions(header_error(file_with("[1]", 0)), "JSON"));
  REQUIRE(mentions(header_error(file_with(std::string(100000, '['), 0)), "JSON"));
  REQUIRE(mentions(header_error(file_with(one(f32 + R"("data_offsets":[0,4])"), 8)), "bytes"));
  REQUIRE(mentions(header_error(file_with(one(f32 + R"("data_offsets":[4,12])"), 8)), "outside"));
  REQUIRE(mentions(header_error(file_with(one(f32 + R"("data_offsets":[8,0])"), 8)), "outside"));
  REQUIRE(mentions(header_error(file_with(one(f32 + R"("data_offsets":[-8,0])"), 8)), "whole"));
  REQUIRE(mentions(header_error(file_with(one(f32 + R"("data_offsets":[0,8])"), 12)), "after"));
  REQUIRE(
      mentions(header_error(file_with(one(f32 + R"("data_offsets":[4,12])"), 12)), "no tensor"));
  REQUIRE(mentions(header_error(file_with(one(R"("dtype":"F4","shape":[2])"), 8)), "F4"));
  REQUIRE(mentions(
      header_error(file_with(one(R"("dtype":"F32","shape":[4294967296,4294967296,4294967296],)"
                                 R"("data_offsets":[0,8])"),
                             8)),
      "impossible"));
  REQUIRE(
      mentions(header_error(file_with(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                      R"("y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                                      12)),
               "overlap"));
}

TEST_CASE("tensors are found under either spelling") {
  const std::vector<std::pair<std::string, std::string>> names = {
      {"model.embed_tokens.weight", "embed.weight"},
      {"lm_head.weight", "head.weight"},
      {"model.norm.weight", "norm.weight"},
      {"model.hc_head.hc_fn", "hc_head_fn"},
      {"model.layers.12.self_attn.q_a_proj.weight", "layers.12.attn.wq_a.weight"},
      {"model.layers.0.attn.norm.weight", "layers.0.attn.kv_norm.weight"},
      {"model.layers.3.self_attn.compressor.indexer.kv_norm.weight",
       "layers.3.attn.indexer.compressor.norm.weight"},
      {"model.layers.3.self_attn.compressor.indexer.scorer.weights_proj.weight",
       "layers.3.attn.indexer.weights_proj.weight"},
      {"model.layers.3.mlp.gate.e_score_correction_bias", "layers.3.ffn.gate.bias"},
      {"model.layers.3.mlp.experts.7.up_proj.weight", "layers.3.ffn.experts.7.w3.weight"},
      {"model.layers.3.mlp.experts.gate_up_proj", "layers.3.ffn.experts.gate_up"},
      {"layers.3.attn.wq_b.scale", "layers.3.attn.wq_b.scale"},
      {"mtp.0.ffn.experts.1.w2.weight", "mtp.0.ffn.experts.1.w2.weight"},
      {"something.else", "something.else"},
  };
  for (const auto& [theirs, ours] : names) REQUIRE(authors_name(theirs) == ours);
}

TEST_CASE("missing, misshapen and unexpected tensors are named") {
  const std::string sinks = "model.layers.1.self_attn.sinks";
  {
    const Copy copy("all_kinds");
    copy.edit_header([&](json& h) {
      h["model.layers.1.self_attn.oops"] = h[sinks];
      h.erase(sinks);
    });
    REQUIRE(mentions(copy.error(), "'layers.1.attn.attn_sink' is missing"));
    REQUIRE(mentions(copy.error(), "'model.layers.1.self_attn.oops' is unexpected"));
  }
  const Copy copy("all_kinds");
  copy.edit_header([&](json& h) { h[sinks]["shape"] = {2, 2}; });
  REQUIRE(mentions(copy.error(), "[2, 2]"));
  REQUIRE(mentions(copy.error(), sinks));
}

TEST_CASE("a hash table cannot name an expert that is not there") {
  const Copy copy("all_kinds");
  MappedFile file(copy.directory / "model.safetensors");
  const SafetensorsHeader h = parse_header(file.bytes(), file.bytes().size());
  const TensorInfo& table = h.tensors.at("model.layers.0.mlp.gate.tid2eid");
  std::fstream out(copy.directory / "model.safetensors",
                   std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(static_cast<std::streamoff>(table.begin));
  const int64_t far = int64_t{1} << 40;
  out.write(reinterpret_cast<const char*>(&far), sizeof(far));
  out.close();
  REQUIRE(mentions(copy.error(), "names expert"));
}

TEST_CASE("a damaged directory says what is wrong with it") {
  REQUIRE_THROWS_AS(Model::open("/nonexistent/model"), ModelError);
  const Copy copy("published");
  const fs::path shard = copy.directory / "model-00002-of-00002.safetensors";
  const auto size = fs::file_size(shard);
  fs::resize_file(shard, size - 1);
  REQUIRE(mentions(copy.error(), "outside the file"));
  fs::resize_file(shard, 0);
  REQUIRE(mentions(copy.error(), "too short"));
  fs::remove(shard);
  REQUIRE(mentions(copy.error(), "cannot be opened"));

  const fs::path index = copy.directory / "model.safetensors.index.json";
  std::ofstream(index) << R"({"weight_map": {"a": "../../etc/passwd"}})";
  REQUIRE(mentions(copy.error(), "../../etc/passwd"));
  std::ofstream(index) << "{";
  REQUIRE(mentions(copy.error(), "JSON"));
  fs::remove(index);
  REQUIRE(mentions(copy.error(), "neither"));
  fs::remove(copy.directory / "config.json");
  REQUIRE(mentions(copy.error(), "config.json"));
}

TEST_CASE("numbers that do not fit the file end early, however large they are") {
  const Copy copy("all_kinds");
  const fs::path path = copy.directory / "config.json";
  json config;
  std::ifstream(path) >> config;
  config["n_routed_experts"] = 65536;
  config["num_hidden_layers"] = 1024;
  config["layer_types"] = std::vector<std::string>(1024, "compressed_sparse_attention");
  config["mlp_layer_types"] = std::vector<std::string>(1024, "moe");
  std::ofstream(path) << config;
  REQUIRE(mentions(copy.error(), "do not fit config.json"));
}
