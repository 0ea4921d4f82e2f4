#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "llm/tokenizer_bpe.h"
#include "llm/tokenizer_split.h"

namespace dsv4::llm {

// What a tokenizer.json says, checked: ids are in range and unique, every byte has a token, every
// merge joins tokens that exist.
struct TokenizerSpec {
  struct Added {
    int32_t id = 0;
    std::string text;
    bool marker = false;      // found in markup only (see Tokenizer)
    bool normalized = false;  // looked for after the others, in what they left
  };

  std::vector<std::string> bytes;  // of each id; empty where the vocabulary has none
  std::array<int32_t, 256> byte_ids{};
  std::vector<BytePairs::Merge> merges;
  std::vector<Added> added;
  std::vector<SplitStep> steps;
  // Whole words that skip the merges; filled only when the model says ignore_merges.
  std::unordered_map<std::string, int32_t> whole_words;
};

// Throws ModelError naming the part that is wrong or not supported.
TokenizerSpec read_tokenizer_json(std::string_view json);

}  // namespace dsv4::llm
