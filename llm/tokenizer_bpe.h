#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dsv4::llm {

// Byte-pair encoding of one word: starts from one token per byte and joins the neighbouring pair of
// lowest rank, the leftmost first, until no pair of the table is left. Immutable.
class BytePairs {
 public:
  struct Merge {
    int32_t left = 0, right = 0, joined = 0;
  };
  // The merges in order of rank. Of several rules for one pair the last counts, as in `tokenizers`.
  BytePairs(const std::array<int32_t, 256>& byte_ids, const std::vector<Merge>& merges);

  // Appends the word's ids. O(n log n) in its bytes.
  void encode(std::string_view word, std::vector<int32_t>& ids) const;

 private:
  struct Rule {
    int32_t rank = 0, joined = 0;
  };
  const Rule* rule(int32_t left, int32_t right) const;
  void encode_short(std::string_view word, std::vector<int32_t>& ids) const;
  void encode_long(std::string_view word, std::vector<int32_t>& ids) const;

  std::array<int32_t, 256> byte_ids_;
  std::unordered_map<uint64_t, Rule> rules_;
};

}  // namespace dsv4::llm
