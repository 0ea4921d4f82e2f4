#include "llm/tokenizer_split.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "llm/error.h"
#include "llm/utf8.h"

namespace dsv4::llm {
namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

// A step of matching is some nanoseconds: enough for megabytes of one word, and an expression that
// backtracks without end stops within a second or two.
constexpr uint32_t kMatchLimit = 50'000'000;
constexpr uint32_t kHeapLimitKib = 256 * 1024;

std::string pcre_message(int code) {
  std::array<unsigned char, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct Pattern::Code {
  std::unique_ptr<pcre2_code, FreeCode> code;
  std::unique_ptr<pcre2_match_context, FreeContext> context;
  std::string expression;
  bool jit = false;
};

Pattern::Pattern(Kind kind, std::string_view expression) {
  if (expression.empty()) throw ModelError("tokenizer.json: an empty pattern in the pre-tokenizer");
  const std::string source =
      kind == Kind::kLiteral ? std::string(expression) : translate_pattern(expression);
  auto made = std::make_shared<Code>();
  made->expression = expression.substr(0, 200);
  const uint32_t options = PCRE2_UTF | (kind == Kind::kLiteral ? PCRE2_LITERAL : PCRE2_UCP);
  int error = 0;
  size_t offset = 0;
  made->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
                                 options, &error, &offset, nullptr));
  if (!made->code) {
    throw ModelError("tokenizer.json: the pattern '" + made->expression +
                     "' cannot be read: " + pcre_message(error));
  }
  made->context.reset(pcre2_match_context_create(nullptr));
  if (!made->context) throw ModelError("tokenizer.json: not enough memory for a pattern");
  pcre2_set_match_limit(made->context.get(), kMatchLimit);
  pcre2_set_heap_limit(made->context.get(), kHeapLimitKib);
  made->jit = pcre2_jit_compile(made->code.get(), PCRE2_JIT_COMPLETE) == 0;
  code_ = std::move(made);
}

bool Pattern::find(std::string_view text, size_t from, Span& match) const {
  // One per thread is enough: it holds the offsets of a single match and is read before the next.
  thread_local const std::unique_ptr<pcre2_match_data, FreeMatch> data(
      pcre2_match_data_create(1, nullptr));
  const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  while (from < text.size()) {
    int found = pcre2_match(code_->code.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK,
                            data.get(), code_->context.get());
    // The interpreter keeps its backtracking points on the heap, where there is more room.
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
      found = pcre2_match(code_->code.get(), subject, text.size(), from,
                          PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data.get(), code_->context.get());
    }
    if (found == PCRE2_ERROR_NOMATCH) return false;
    if (found < 0) {
      throw ModelError("tokenizer.json: the pattern '" + code_->expression +
                       "' gave up on a text: " + pcre_message(found));
    }
    const size_t* offsets = pcre2_get_ovector_pointer(data.get());
    if (offsets[1] > offsets[0] && offsets[0] >= from) {
      match = {offsets[0], offsets[1]};
      return true;
    }
    from = std::max(offsets[0], from);
    if (from < text.size()) from += std::max<size_t>(1, utf8_length(text.substr(from)));
  }
  return false;
}

namespace {

struct Part {
  size_t begin, end;
  bool match;
};

// Covers `text` with matches and what lies between them.
std::vector<Part> parts_of(const SplitStep& step, std::string_view text) {
  std::vector<Part> parts;
  size_t at = 0;
  Pattern::Span found;
  while (at < text.size() && step.pattern.find(text, at, found)) {
    if (found.begin > at) parts.push_back({at, found.begin, step.invert});
    parts.push_back({found.begin, found.end, !step.invert});
    at = found.end;
  }
  if (at < text.size()) parts.push_back({at, text.size(), step.invert});
  return parts;
}

// Joins neighbours where the behaviour says so; the results are the pieces.
std::vector<Part> joined(const std::vector<Part>& parts, SplitBehaviour behaviour) {
  std::vector<Part> out;
  bool previous_match = false;
  for (const Part& part : parts) {
    bool join = false;
    if (!out.empty()) {
      switch (behaviour) {
        case SplitBehaviour::kMergedWithPrevious:
          join = part.match && !previous_match;
          break;
        case SplitBehaviour::kMergedWithNext:
          join = previous_match && !part.match;
          break;
        case SplitBehaviour::kContiguous:
          join = part.match == previous_match;
          break;
        case SplitBehaviour::kRemoved:
        case SplitBehaviour::kIsolated:
          break;
      }
    }
    previous_match = part.match;
    if (behaviour == SplitBehaviour::kRemoved && part.match) continue;
    if (join) {
      out.back().end = part.end;
    } else {
      out.push_back(part);
    }
  }
  return out;
}

void split_piece(const SplitStep& step, std::string_view text,
                 std::vector<std::string_view>& pieces) {
  // The usual case needs no list of parts.
  if (step.behaviour == SplitBehaviour::kIsolated) {
    size_t at = 0;
    Pattern::Span found;
    while (at < text.size() && step.pattern.find(text, at, found)) {
      if (found.begin > at) pieces.push_back(text.substr(at, found.begin - at));
      pieces.push_back(text.substr(found.begin, found.end - found.begin));
      at = found.end;
    }
    if (at < text.size()) pieces.push_back(text.substr(at));
    return;
  }
  for (const Part& part : joined(parts_of(step, text), step.behaviour)) {
    pieces.push_back(text.substr(part.begin, part.end - part.begin));
  }
}

// Whole runs of characters and whole runs of bytes that are none.
struct Run {
  std::string_view text;
  bool valid;
};
std::vector<Run> runs_of(std::string_view text) {
  std::vector<Run> runs;
  size_t begin = 0;
  bool valid = true;
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text.substr(at));
    const bool here = length != 0;
    if (here != valid) {
      if (at > begin) runs.push_back({text.substr(begin, at - begin), valid});
      begin = at;
      valid = here;
    }
    at += here ? length : 1;
  }
  if (text.size() > begin) runs.push_back({text.substr(begin), valid});
  return runs;
}

}  // namespace

std::vector<std::string_view> split_words(const std::vector<SplitStep>& steps,
                                          std::string_view text, std::deque<std::string>& added) {
  std::vector<std::string_view> words;
  for (const Run& run : runs_of(text)) {
    if (!run.valid) {
      words.push_back(run.text);
      continue;
    }
    std::vector<std::string_view> pieces{run.text};
    std::vector<std::string_view> next;
    for (const SplitStep& step : steps) {
      next.clear();
      for (std::string_view piece : pieces) {
        if (step.prefix_space && !piece.starts_with(' ')) {
          piece = added.emplace_back(" " + std::string(piece));
        }
        split_piece(step, piece, next);
      }
      pieces.swap(next);
    }
    words.insert(words.end(), pieces.begin(), pieces.end());
  }
  return words;
}

}  // namespace dsv4::llm
