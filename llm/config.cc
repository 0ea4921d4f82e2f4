#include "llm/config.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "llm/config_reader.h"
#include "llm/error.h"

namespace dsv4::llm {
namespace {

// Far above every published model and low enough that products of two stay inside int64_t.
constexpr int64_t kMaxDim = 1 << 24;
constexpr int64_t kMaxProduct = int64_t{1} << 31;
constexpr int64_t kMaxLayers = 1024;
constexpr std::uintmax_t kMaxFileBytes = 16 << 20;

constexpr std::string_view kSliding = "sliding_attention";
constexpr std::string_view kSparse = "compressed_sparse_attention";
constexpr std::string_view kHeavy = "heavily_compressed_attention";

void check_architecture(const ConfigReader& r) {
  const std::string type = r.text_or("model_type", "");
  std::vector<std::string> names;
  if (r.has("architectures")) names = r.texts("architectures");
  for (const std::string& name : names) {
    if (name == "DeepseekV4ForCausalLM") continue;
    if (name == "DeepseekV41ForCausalLM") {
      r.fail(
          "DeepSeek-V4.1 (DeepseekV41ForCausalLM) is a different network that this engine does "
          "not support; use a DeepSeek-V4 checkpoint such as V4-Flash or V4-Pro");
    }
    r.fail("architectures",
           "names \"" + name.substr(0, 60) + "\"; this engine runs DeepseekV4ForCausalLM only");
  }
  if (type.rfind("deepseek_v41", 0) == 0 || type.rfind("deepseek_v4_1", 0) == 0) {
    r.fail("DeepSeek-V4.1 (model_type " + type.substr(0, 60) +
           ") is a different network that this engine does not support; use a DeepSeek-V4 "
           "checkpoint such as V4-Flash or V4-Pro");
  }
  if (names.empty() && type.empty()) r.fail("neither 'architectures' nor 'model_type' is there");
  r.expect_text("model_type", "deepseek_v4");
}

// Settings of the family that this engine computes in one way only.
void check_fixed_settings(const ConfigReader& r) {
  r.expect_text("hidden_act", "silu");
  r.expect_text("topk_method", "noaux_tc");
  r.expect_integer("n_shared_experts", 1);
  r.expect_integer("num_key_value_heads", 1);
  r.expect_boolean("attention_bias", false);
  r.expect_boolean("mlp_bias", false);
  r.expect_boolean("norm_topk_prob", true);
  const std::string experts = r.text_or("expert_dtype", "fp8");
  if (experts != "fp4" && experts != "fp8") {
    r.fail("expert_dtype", "is \"" + experts.substr(0, 60) + "\"; fp4 and fp8 are supported");
  }
  if (!r.has("quantization_config")) return;
  const ConfigReader q = r.object("quantization_config");
  q.expect_text("quant_method", "fp8");
  q.expect_text("fmt", "e4m3");
  q.expect_text("scale_fmt", "ue8m0");
  q.expect_text("activation_scheme", "dynamic");
  if (q.has("weight_block_size") &&
      q.integers("weight_block_size", 1, kMaxDim) != std::vector<int64_t>{128, 128}) {
    q.fail("weight_block_size", "must be [128, 128]");
  }
}

// The ratio alone says what a layer is in the authors' code: 4 overlaps and has an indexer.
LayerConfig layer_of_ratio(int64_t ratio) {
  LayerConfig layer;
  layer.compress_ratio = ratio;
  if (ratio == 4) layer.attention = AttentionKind::kCompressedSparse;
  if (ratio != 0 && ratio != 4) layer.attention = AttentionKind::kHeavilyCompressed;
  return layer;
}

void read_layer_types(const ConfigReader& r, size_t count, std::vector<LayerConfig>& layers) {
  int64_t sparse = 4;
  int64_t heavy = 128;
  if (r.has("compress_rates")) {
    const ConfigReader rates = r.object("compress_rates");
    sparse = rates.integer_or(kSparse, sparse, 1, kMaxDim);
    heavy = rates.integer_or(kHeavy, heavy, 1, kMaxDim);
  }
  sparse = r.integer_or("compress_rate_csa", sparse, 1, kMaxDim);
  heavy = r.integer_or("compress_rate_hca", heavy, 1, kMaxDim);
  const std::vector<std::string> types = r.texts("layer_types");
  if (types.size() < count || types.size() > count + kMaxLayers) {
    r.fail("layer_types", "has " + std::to_string(types.size()) + " entries for " +
                              std::to_string(count) + " layers");
  }
  for (const std::string& type : types) {
    LayerConfig layer;
    if (type == kSparse) {
      layer = {AttentionKind::kCompressedSparse, sparse, Routing::kScored};
    } else if (type == kHeavy) {
      layer = {AttentionKind::kHeavilyCompressed, heavy, Routing::kScored};
    } else if (type != kSliding) {
      r.fail("layer_types", "has an unknown entry \"" + type.substr(0, 60) + "\"");
    }
    layers.push_back(layer);
  }
}

void check_rates_agree(const ConfigReader& r, const std::vector<LayerConfig>& layers) {
  if (!r.has("compress_rates")) return;
  const ConfigReader rates = r.object("compress_rates");
  for (const LayerConfig& layer : layers) {
    if (!layer.compresses()) continue;
    const std::string_view type = layer.overlaps() ? kSparse : kHeavy;
    if (rates.integer_or(type, layer.compress_ratio, 1, kMaxDim) != layer.compress_ratio) {
      r.fail("compress_rates", "contradicts 'compress_ratios'");
    }
  }
}

// Both spellings may be there when they agree. Entries after the last layer belong to MTP layers,
// or to the drafter.
void read_attention(const ConfigReader& r, size_t count, size_t mtp, Config& c) {
  std::vector<LayerConfig> spelled;
  if (r.has("layer_types")) read_layer_types(r, count, spelled);
  if (!r.has("compress_ratios")) {
    if (spelled.empty()) r.fail("'compress_ratios' (or 'layer_types') is missing");
    const auto end = spelled.begin() + static_cast<std::ptrdiff_t>(count);
    c.layers.assign(spelled.begin(), end);
    c.mtp.assign(end, spelled.end());
    c.mtp.resize(mtp);
    return;
  }
  const std::vector<int64_t> ratios = r.integers("compress_ratios", 0, kMaxDim);
  if (ratios.size() < count || ratios.size() > count + kMaxLayers) {
    r.fail("compress_ratios", "has " + std::to_string(ratios.size()) + " entries for " +
                                  std::to_string(count) + " layers");
  }
  for (size_t i = 0; i < count; ++i) c.layers.push_back(layer_of_ratio(ratios[i]));
  check_rates_agree(r, c.layers);
  if (!spelled.empty() && !std::equal(c.layers.begin(), c.layers.end(), spelled.begin())) {
    r.fail("layer_types", "contradicts 'compress_ratios'");
  }
  for (size_t i = 0; i < mtp; ++i) {
    c.mtp.push_back(layer_of_ratio(count + i < ratios.size() ? ratios[count + i] : 0));
  }
}

void read_routing(const ConfigReader& r, Config& c) {
  const auto count = static_cast<int64_t>(c.layers.size());
  if (r.has("mlp_layer_types")) {
    const std::vector<std::string> types = r.texts("mlp_layer_types");
    if (types.size() < c.layers.size() || types.size() > c.layers.size() + kMaxLayers) {
      r.fail("mlp_layer_types", "has " + std::to_string(types.size()) + " entries for " +
                                    std::to_string(count) + " layers");
    }
    for (size_t i = 0; i < types.size(); ++i) {
      if (types[i] != "hash_moe" && types[i] != "moe") {
        r.fail("mlp_layer_types", "has an unknown entry \"" + types[i].substr(0, 60) + "\"");
      }
      if (i >= c.layers.size()) continue;
      c.layers[i].routing = types[i] == "hash_moe" ? Routing::kHash : Routing::kScored;
    }
    return;
  }
  const int64_t hashed = std::min(r.integer("num_hash_layers", 0, kMaxLayers), count);
  for (int64_t i = 0; i < hashed; ++i) {
    c.layers[static_cast<size_t>(i)].routing = Routing::kHash;
  }
}

YarnConfig read_yarn(const ConfigReader& r) {
  const std::string type = r.text_or("rope_type", r.text_or("type", "default"));
  if (type == "default") return {};
  if (type != "yarn") {
    r.fail("the rotary scaling \"" + type.substr(0, 60) + "\" is not supported; yarn is");
  }
  YarnConfig yarn;
  yarn.factor = r.number("factor", 1.0, 1e6);
  yarn.original_length = r.number("original_max_position_embeddings", 1.0, 1e9);
  yarn.beta_fast = r.number_or("beta_fast", yarn.beta_fast, 1e-6, 1e6);
  yarn.beta_slow = r.number_or("beta_slow", yarn.beta_slow, 1e-6, 1e6);
  if (r.number_or("attention_factor", 1.0, 0.0, 1e6) != 1.0) {
    r.fail("attention_factor", "must be 1: this network has no attention temperature");
  }
  r.expect_boolean("truncate", true);
  return yarn;
}

void read_rope(const ConfigReader& r, Config& c) {
  constexpr double kMin = 1.0 + 1e-9;
  constexpr double kMax = 1e15;
  double theta = r.number_or("rope_theta", 0.0, kMin, kMax);
  double compressed = r.number_or("compress_rope_theta", 0.0, kMin, kMax);
  if (r.has("rope_scaling")) c.yarn = read_yarn(r.object("rope_scaling"));
  if (r.has("rope_parameters")) {
    const ConfigReader p = r.object("rope_parameters");
    if (p.has("main") && p.has("compress")) {
      const ConfigReader main = p.object("main");
      main.expect_text("rope_type", "default");
      theta = main.number_or("rope_theta", theta, kMin, kMax);
      const ConfigReader compress = p.object("compress");
      compressed = compress.number_or("rope_theta", compressed, kMin, kMax);
      c.yarn = read_yarn(compress);
    } else {
      c.yarn = read_yarn(p);
    }
  }
  if (theta == 0.0) r.fail("rope_theta", "is missing");
  if (compressed == 0.0) r.fail("compress_rope_theta", "is missing");
  c.rope_theta = theta;
  c.compress_rope_theta = compressed;
}

int64_t read_rope_dim(const ConfigReader& r, int64_t head_dim) {
  if (r.has("qk_rope_head_dim")) return r.integer("qk_rope_head_dim", 2, head_dim);
  const double factor = r.number("partial_rotary_factor", 0.0, 1.0);
  return static_cast<int64_t>(static_cast<double>(head_dim) * factor);
}

ScoringFunction read_scoring(const ConfigReader& r) {
  const std::string name = r.text_or("scoring_func", "sqrtsoftplus");
  if (name == "sqrtsoftplus") return ScoringFunction::kSqrtSoftplus;
  if (name == "softmax") return ScoringFunction::kSoftmax;
  if (name == "sigmoid") return ScoringFunction::kSigmoid;
  r.fail("scoring_func",
         "is \"" + name.substr(0, 60) + "\"; sqrtsoftplus, softmax and sigmoid are supported");
}

void read_dimensions(const ConfigReader& r, Config& c) {
  c.vocab_size = r.integer("vocab_size", 1, kMaxDim);
  c.hidden_size = r.integer("hidden_size", 1, kMaxDim);
  c.num_attention_heads = r.integer("num_attention_heads", 1, kMaxDim);
  c.head_dim = r.integer("head_dim", 2, kMaxDim);
  c.rope_dim = read_rope_dim(r, c.head_dim);
  c.q_lora_rank = r.integer("q_lora_rank", 1, kMaxDim);
  c.o_groups = r.integer("o_groups", 1, kMaxDim);
  c.o_lora_rank = r.integer("o_lora_rank", 1, kMaxDim);
  c.n_routed_experts = r.integer("n_routed_experts", 1, 1 << 16);
  c.num_experts_per_tok = r.integer("num_experts_per_tok", 1, 1 << 10);
  c.moe_intermediate_size = r.integer("moe_intermediate_size", 1, kMaxDim);
  c.sliding_window = r.integer("sliding_window", 1, kMaxDim);
  c.hc_mult = r.integer("hc_mult", 1, 64);
  c.hc_sinkhorn_iters = r.integer("hc_sinkhorn_iters", 1, 1000);
  c.max_position_embeddings =
      r.integer_or("max_position_embeddings", int64_t{1} << 20, 1, int64_t{1} << 40);
  c.hc_eps = r.number("hc_eps", 0.0, 1.0);
  c.rms_norm_eps = r.number("rms_norm_eps", 0.0, 1.0);
  c.swiglu_limit = r.number_or("swiglu_limit", 0.0, 0.0, 1e30);
  c.routed_scaling_factor = r.number("routed_scaling_factor", -1e6, 1e6);
  c.scoring = read_scoring(r);
  c.tie_word_embeddings = r.boolean_or("tie_word_embeddings", false);
  c.bos_token_id = r.integer_or("bos_token_id", 0, 0, kMaxDim);
  if (r.has("eos_token_id") && r.value("eos_token_id").is_array()) {
    c.eos_token_ids = r.integers("eos_token_id", 0, kMaxDim);
  } else {
    c.eos_token_ids = {r.integer_or("eos_token_id", 1, 0, kMaxDim)};
  }
}

bool any_sparse(const Config& c) {
  const auto sparse = [](const LayerConfig& layer) { return layer.overlaps(); };
  return std::any_of(c.layers.begin(), c.layers.end(), sparse) ||
         std::any_of(c.mtp.begin(), c.mtp.end(), sparse);
}

void read_indexer(const ConfigReader& r, Config& c) {
  const bool needed = any_sparse(c);
  if (!needed && !r.has("index_head_dim")) return;
  c.index_n_heads = r.integer("index_n_heads", 1, kMaxDim);
  c.index_head_dim = r.integer("index_head_dim", 2, kMaxDim);
  c.index_topk = r.integer("index_topk", 1, kMaxDim);
  if (needed && c.rope_dim > c.index_head_dim) {
    r.fail("index_head_dim",
           "is smaller than the rotated part of a head (" + std::to_string(c.rope_dim) + ")");
  }
}

void check_product(const ConfigReader& r, std::string_view what, int64_t a, int64_t b) {
  if (a * b > kMaxProduct) {
    r.fail(std::string(what) + " is " + std::to_string(a * b) + ", more than this engine holds (" +
           std::to_string(kMaxProduct) + ")");
  }
}

void check_consistency(const ConfigReader& r, const Config& c) {
  if (c.rope_dim < 2 || c.rope_dim % 2 != 0) {
    r.fail("qk_rope_head_dim", "must be even and at least 2: channels are rotated in pairs");
  }
  if (c.num_attention_heads % c.o_groups != 0) {
    r.fail("o_groups", "must divide num_attention_heads");
  }
  if (c.num_experts_per_tok > c.n_routed_experts) {
    r.fail("num_experts_per_tok", "is more than n_routed_experts");
  }
  check_product(r, "num_attention_heads * head_dim", c.num_attention_heads, c.head_dim);
  check_product(r, "o_groups * o_lora_rank", c.o_groups, c.o_lora_rank);
  check_product(r, "hc_mult * hidden_size", c.hc_mult, c.hidden_size);
  check_product(r, "index_n_heads * index_head_dim", c.index_n_heads, c.index_head_dim);
  check_product(r, "vocab_size * num_experts_per_tok", c.vocab_size, c.num_experts_per_tok);
}

}  // namespace

Config parse_config(const nlohmann::json& json, std::string_view where) {
  const ConfigReader r(json, std::string(where));
  check_architecture(r);
  check_fixed_settings(r);
  Config c;
  read_dimensions(r, c);
  read_rope(r, c);
  c.has_drafter = r.has_prefix("dspark_");
  const int64_t layers = r.integer("num_hidden_layers", 1, kMaxLayers);
  const int64_t mtp = c.has_drafter ? 0 : r.integer_or("num_nextn_predict_layers", 0, 0, 16);
  read_attention(r, static_cast<size_t>(layers), static_cast<size_t>(mtp), c);
  read_routing(r, c);
  read_indexer(r, c);
  check_consistency(r, c);
  return c;
}

Config load_config(const std::filesystem::path& dir) {
  const std::filesystem::path path = dir / "config.json";
  std::error_code error;
  if (!std::filesystem::is_directory(dir, error)) {
    throw ModelError(dir.string() + ": no such model directory");
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw ModelError(path.string() + ": cannot be read; a model directory holds one");
  if (size > kMaxFileBytes) throw ModelError(path.string() + ": too large for a config.json");
  std::ifstream in(path, std::ios::binary);
  const nlohmann::json json = nlohmann::json::parse(in, nullptr, false);
  if (json.is_discarded()) throw ModelError(path.string() + ": is not valid JSON");
  return parse_config(json, path.string());
}

}  // namespace dsv4::llm
