#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::llm {

// What a layer attends to (deepseek-v4.md section 1).
enum class AttentionKind {
  kSlidingWindow,      // the last sliding_window positions only
  kCompressedSparse,   // CSA: and the best compressed entries, chosen by the lightning indexer
  kHeavilyCompressed,  // HCA: and all compressed entries
};

// How a layer's feed-forward site chooses experts.
enum class Routing {
  kHash,    // by the table tid2eid[token id]
  kScored,  // the best scores, with a bias for balance
};

struct LayerConfig {
  AttentionKind attention = AttentionKind::kSlidingWindow;
  int64_t compress_ratio = 0;  // positions in one compressed entry; 0 without a compressor
  Routing routing = Routing::kScored;

  // CSA blocks overlap: an entry mixes its own block and the one before.
  bool overlaps() const { return attention == AttentionKind::kCompressedSparse; }
  bool compresses() const { return attention != AttentionKind::kSlidingWindow; }
  bool operator==(const LayerConfig&) const = default;
};

enum class ScoringFunction { kSqrtSoftplus, kSoftmax, kSigmoid };

// YaRN, as the layers with a compressor use it; factor 1 means none. No attention-temperature
// factor.
struct YarnConfig {
  double factor = 1.0;
  double original_length = 0.0;
  double beta_fast = 32.0;
  double beta_slow = 1.0;
  bool operator==(const YarnConfig&) const = default;
};

// Every number of a DeepSeek-V4 network, read from config.json in the authors' spelling
// (compress_ratios, num_hash_layers, rope_scaling) or the `transformers` one (layer_types,
// compress_rates, mlp_layer_types, rope_parameters). Dimensions are checked to be positive and to
// fit together.
struct Config {
  int64_t vocab_size = 0;           // V
  int64_t hidden_size = 0;          // D
  int64_t num_attention_heads = 0;  // H, over one shared K=V head
  int64_t head_dim = 0;             // C
  int64_t rope_dim = 0;             // R: the last R of C (and of index_head_dim) are rotated
  int64_t q_lora_rank = 0;
  int64_t o_groups = 0;  // G
  int64_t o_lora_rank = 0;
  int64_t n_routed_experts = 0;       // E
  int64_t num_experts_per_tok = 0;    // K
  int64_t moe_intermediate_size = 0;  // F
  int64_t sliding_window = 0;         // W
  int64_t index_n_heads = 0;          // nI
  int64_t index_head_dim = 0;         // cI
  int64_t index_topk = 0;
  int64_t hc_mult = 0;  // hc: streams of the hyper-connections
  int64_t hc_sinkhorn_iters = 0;
  int64_t max_position_embeddings = 0;
  double hc_eps = 0.0;
  double rms_norm_eps = 0.0;
  double swiglu_limit = 0.0;  // 0: none
  double routed_scaling_factor = 0.0;
  double rope_theta = 0.0;           // layers without a compressor
  double compress_rope_theta = 0.0;  // layers with one, together with yarn
  YarnConfig yarn;
  ScoringFunction scoring = ScoringFunction::kSqrtSoftplus;
  bool tie_word_embeddings = false;
  int64_t bos_token_id = 0;
  std::vector<int64_t> eos_token_ids;
  std::vector<LayerConfig> layers;  // num_hidden_layers of them
  std::vector<LayerConfig> mtp;     // multi-token prediction layers the config announces
  bool has_drafter = false;         // dspark_* keys: the drafter's tensors are left unread

  bool operator==(const Config&) const = default;
};

// Reads a parsed config.json. `where` names the file in errors. Throws ModelError: a key that is
// missing, has the wrong type or an impossible value, or a network this engine does not support,
// each by name.
Config parse_config(const nlohmann::json& json, std::string_view where);

// Reads DIR/config.json. Throws ModelError.
Config load_config(const std::filesystem::path& dir);

// The authors' spelling, where it can say the same: parse_config(to_json(c)) == c. Layers that only
// the `transformers` spelling can describe (other compression rates) are written in that one.
nlohmann::json to_json(const Config& config);

}  // namespace dsv4::llm
