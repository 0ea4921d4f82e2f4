#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::llm {

// A compiled regular expression of tokenizer.json. Those files are written for Oniguruma; PCRE2
// matches them here after translate_pattern. Immutable; threads may share one.
class Pattern {
 public:
  enum class Kind { kRegex, kLiteral };

  // Throws ModelError when the expression is wrong or uses what the two engines read differently.
  Pattern(Kind kind, std::string_view expression);

  // Finds the first match in text[from..], which must be valid UTF-8. Empty matches do not count.
  // Returns false when there is none. Throws ModelError when the expression takes too long.
  struct Span {
    size_t begin = 0, end = 0;
  };
  bool find(std::string_view text, size_t from, Span& match) const;

 private:
  struct Code;
  std::shared_ptr<const Code> code_;
};

// The expression in PCRE2's words: classes that the two engines fill differently are spelled out.
// Throws ModelError for constructs that mean something else in each.
std::string translate_pattern(std::string_view expression);

// What happens to a match, as `tokenizers` names it.
enum class SplitBehaviour {
  kRemoved,
  kIsolated,
  kMergedWithPrevious,
  kMergedWithNext,
  kContiguous,
};

// One step of the pre-tokenizer: cuts pieces of text into smaller ones, as the pre-tokenizers
// Split, Digits and the expression of ByteLevel do.
struct SplitStep {
  Pattern pattern;
  SplitBehaviour behaviour = SplitBehaviour::kIsolated;
  bool invert = false;        // what does not match counts as the match
  bool prefix_space = false;  // first give every piece that has none a leading blank
};

// Cuts text into the words that the byte-pair encoding sees. `text` is raw bytes: a run of bytes
// that is not UTF-8 is a piece of its own. Views point into `text` or into `added`, which receives
// pieces that had to be made.
std::vector<std::string_view> split_words(const std::vector<SplitStep>& steps,
                                          std::string_view text, std::deque<std::string>& added);

}  // namespace dsv4::llm
