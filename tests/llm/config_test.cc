#include "llm/config.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "llm/error.h"
#include "tests/catch.h"

using namespace dsv4::llm;
using nlohmann::json;

namespace {

// The shape of the published V4-Flash configuration, smaller.
json authors() {
  return json::parse(R"({
    "architectures": ["DeepseekV4ForCausalLM"], "model_type": "deepseek_v4",
    "attention_bias": false, "bos_token_id": 0, "eos_token_id": 1, "hc_eps": 1e-06, "hc_mult": 4,
    "hc_sinkhorn_iters": 20, "head_dim": 512, "hidden_act": "silu", "hidden_size": 4096,
    "index_head_dim": 128, "index_n_heads": 64, "index_topk": 512,
    "max_position_embeddings": 1048576, "moe_intermediate_size": 2048, "n_routed_experts": 256,
    "n_shared_experts": 1, "norm_topk_prob": true, "num_attention_heads": 64,
    "num_experts_per_tok": 6, "num_hidden_layers": 4, "num_hash_layers": 3,
    "num_key_value_heads": 1, "num_nextn_predict_layers": 1, "o_groups": 8, "o_lora_rank": 1024,
    "q_lora_rank": 1024, "qk_rope_head_dim": 64,
    "quantization_config": {"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
                            "scale_fmt": "ue8m0", "weight_block_size": [128, 128]},
    "rms_norm_eps": 1e-06,
    "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 16,
                     "original_max_position_embeddings": 65536, "type": "yarn"},
    "rope_theta": 10000, "routed_scaling_factor": 1.5, "scoring_func": "sqrtsoftplus",
    "sliding_window": 128, "swiglu_limit": 10.0, "tie_word_embeddings": false,
    "topk_method": "noaux_tc", "use_cache": true, "vocab_size": 129280,
    "compress_rope_theta": 160000, "compress_ratios": [0, 4, 128, 4, 0]})");
}

// The same network as `transformers` writes it.
json transformers() {
  json j = authors();
  for (const char* key : {"compress_ratios", "num_hash_layers", "rope_scaling", "rope_theta",
                          "compress_rope_theta"}) {
    j.erase(key);
  }
  j["layer_types"] = {"sliding_attention", "compressed_sparse_attention",
                      "heavily_compressed_attention", "compressed_sparse_attention"};
  j["compress_rates"] = {{"compressed_sparse_attention", 4}, {"heavily_compressed_attention", 128}};
  j["mlp_layer_types"] = {"hash_moe", "hash_moe", "hash_moe", "moe"};
  j["partial_rotary_factor"] = 0.125;
  j["rope_parameters"] = {{"main", {{"rope_theta", 10000.0}, {"rope_type", "default"}}},
                          {"compress",
                           {{"attention_factor", 1.0},
                            {"beta_fast", 32},
                            {"beta_slow", 1},
                            {"factor", 16},
                            {"original_max_position_embeddings", 65536},
                            {"rope_theta", 160000.0},
                            {"rope_type", "yarn"}}}};
  return j;
}

std::string error_of(const json& j) {
  try {
    parse_config(j, "config.json");
  } catch (const ModelError& e) {
    return e.what();
  }
  return "";
}

std::string error_with(const std::string& key, const json& value, json j = authors()) {
  j[key] = value;
  return error_of(j);
}

bool mentions(const std::string& text, const std::string& word) {
  INFO("the message is: " << text);
  CHECK(text.rfind("config.json: ", 0) == 0);
  return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("both spellings of a network read the same") {
  const Config a = parse_config(authors(), "a");
  REQUIRE(a.layers.size() == 4);
  REQUIRE(a.layers[1].attention == AttentionKind::kCompressedSparse);
  REQUIRE(a.layers[2].compress_ratio == 128);
  REQUIRE(a.layers[2].routing == Routing::kHash);
  REQUIRE(a.layers[3].routing == Routing::kScored);
  REQUIRE(a.mtp.size() == 1);
  REQUIRE(a.yarn.factor == 16.0);
  REQUIRE(a.compress_rope_theta == 160000.0);
  REQUIRE(parse_config(transformers(), "b") == a);
}

TEST_CASE("a config survives the trip through JSON") {
  json rates = transformers();
  rates["compress_rates"] = {{"compressed_sparse_attention", 8},
                             {"heavily_compressed_attention", 32}};
  json drafter = authors();
  drafter["dspark_stages"] = 3;
  json eos = authors();
  eos["eos_token_id"] = {1, 7};
  for (const json& j : {authors(), transformers(), rates, drafter, eos}) {
    const Config c = parse_config(j, "x");
    REQUIRE(parse_config(to_json(c), "again") == c);
  }
}

TEST_CASE("other checkpoints of the family are told apart by name") {
  json v41 = authors();
  v41["architectures"] = {"DeepseekV41ForCausalLM"};
  REQUIRE(mentions(error_of(v41), "DeepSeek-V4.1"));
  REQUIRE(mentions(error_with("architectures", {"LlamaForCausalLM"}), "LlamaForCausalLM"));
  REQUIRE(mentions(error_with("model_type", "llama"), "llama"));

  json dspark = authors();
  dspark["dspark_stages"] = 3;
  dspark["compress_ratios"] = {0, 4, 128, 4, 0, 0, 0};
  const Config c = parse_config(dspark, "x");
  REQUIRE(c.has_drafter);
  REQUIRE(c.layers.size() == 4);
  REQUIRE(c.mtp.empty());
}

TEST_CASE("what is unknown is refused by name") {
  REQUIRE(mentions(error_with("scoring_func", "relu"), "relu"));
  REQUIRE(mentions(error_with("hidden_act", "gelu"), "gelu"));
  REQUIRE(mentions(error_with("topk_method", "group"), "topk_method"));
  REQUIRE(mentions(error_with("expert_dtype", "int3"), "int3"));
  REQUIRE(mentions(error_with("rope_scaling", {{"type", "ntk"}}), "ntk"));
  REQUIRE(mentions(error_with("norm_topk_prob", false), "norm_topk_prob"));
  REQUIRE(mentions(error_with("quantization_config", {{"quant_method", "awq"}}), "awq"));
  json types = transformers();
  types["layer_types"][0] = "full_attention";
  REQUIRE(mentions(error_of(types), "full_attention"));
  json temperature = transformers();
  temperature["rope_parameters"]["compress"]["attention_factor"] = 1.27;
  REQUIRE(mentions(error_of(temperature), "attention_factor"));
}

TEST_CASE("entries after the last layer describe the layers that predict further tokens") {
  json longer = transformers();
  longer["layer_types"].push_back("compressed_sparse_attention");
  longer["mlp_layer_types"].push_back("moe");
  const Config c = parse_config(longer, "config.json");
  REQUIRE(c.layers == parse_config(transformers(), "config.json").layers);
  REQUIRE(c.mtp.size() == 1);
  REQUIRE(c.mtp[0].attention == AttentionKind::kCompressedSparse);
  longer["compress_ratios"] = {0, 4, 128, 4, 4};
  REQUIRE(parse_config(longer, "config.json") == c);
  longer["layer_types"].push_back("full_attention");
  REQUIRE(mentions(error_of(longer), "full_attention"));
}

TEST_CASE("impossible values are refused by key, whatever they are") {
  const std::vector<json> bad = {
      -1, 0, 1e300, uint64_t{1} << 63, "7", true, json::array({1}), json::object(), nullptr, 3.5};
  for (const char* key :
       {"vocab_size", "hidden_size", "num_attention_heads", "head_dim", "q_lora_rank", "o_groups",
        "o_lora_rank", "n_routed_experts", "num_experts_per_tok", "moe_intermediate_size",
        "sliding_window", "index_n_heads", "index_head_dim", "index_topk", "hc_mult",
        "hc_sinkhorn_iters", "num_hidden_layers"}) {
    for (const json& value : bad) {
      INFO(key << " = " << value);
      REQUIRE(mentions(error_with(key, value), key));
    }
  }
  REQUIRE(mentions(error_with("compress_ratios", {0, 4}), "compress_ratios"));
  REQUIRE(mentions(error_with("compress_ratios", {0, 4, -4, 0}), "compress_ratios"));
  REQUIRE(mentions(error_with("qk_rope_head_dim", 63), "qk_rope_head_dim"));
  REQUIRE(mentions(error_with("qk_rope_head_dim", 1024), "qk_rope_head_dim"));
  REQUIRE(mentions(error_with("o_groups", 7), "o_groups"));
  REQUIRE(mentions(error_with("num_experts_per_tok", 300), "num_experts_per_tok"));
  REQUIRE(mentions(error_with("rope_theta", 0.5), "rope_theta"));
  json both = transformers();
  both["compress_ratios"] = {0, 0, 128, 4};
  REQUIRE(mentions(error_of(both), "layer_types"));
  REQUIRE(mentions(error_of(json::array()), "object"));
}
