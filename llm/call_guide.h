#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/argument_places.h"
#include "llm/call_grammar.h"
#include "llm/call_place.h"
#include "llm/token_table.h"
#include "llm/tokenizer.h"

namespace dsv4::llm {

// Which tokens may come next: all but `ids`, or only those.
struct TokenMask {
  bool all_but = true;
  std::vector<int32_t> ids;
};

// Keeps a block of tool calls well formed while it is sampled: it follows the text of the turn, and
// says which continuations are calls that the tools' schemas allow. Outside a block of calls, and
// inside an argument whose value is free, everything is allowed but tags that do not belong there.
// Whatever is allowed, a turn that ends where may_end() says so is one that parse_reply can read.
//
// Parameters come in the schema's order, each at most once, required ones always. A value that was
// chosen from a list is followed by the end of the parameter; one that is no text is JSON of the
// type that the schema asks for.
class CallGuide {
 public:
  // tools: {"name","parameters":{"properties","required"}}. choices may be empty.
  CallGuide(const std::vector<nlohmann::ordered_json>& tools, ArgumentChoices choices);
  CallGuide(const CallGuide&) = delete;
  CallGuide& operator=(const CallGuide&) = delete;

  // The values that an argument may have, as the choices of this guide have it.
  std::optional<std::vector<std::string>> choices(const ArgumentPlace& place) const;

  // Forgets the turn that was followed: the next text begins a new one, which thinks first if
  // `thinking`.
  void begin_turn(bool thinking = false);

  // The turn goes on with these bytes. A text that was not allowed (sampled without asking) ends
  // the guidance of this turn: the parser then says what is wrong with it.
  void accept(std::string_view text);

  // False while any text may follow but misplaced tags.
  bool restricts() const;

  // Whether the turn may go on with these bytes. An empty text is never allowed while restricts().
  bool allows(std::string_view text) const;

  // The tokens of a vocabulary that allows() would let pass. The table must be the same at every
  // call.
  void mask(const TokenTable& tokens, TokenMask& out);

  // Whether the turn may end here: outside a block of calls, or right after it.
  bool may_end() const;

  // Whether one call has ended and another, or the end of the block, is to come.
  bool between_calls() const;

  // What must come next: the longest text with which every allowed continuation begins.
  struct Forced {
    std::vector<Segment> text;  // values of arguments are data, the rest is markup
    size_t written = 0;         // so many bytes at its front stand already
    bool ends_turn = false;     // after it only the end of the turn may come
  };
  Forced forced() const;

 private:
  void work_out(const TokenTable& tokens, TokenMask& out);
  void try_candidates(const TokenTable& tokens, TokenMask& out);
  void walk(const TokenTable& tokens, TokenTable::Range range, size_t depth, const CallPlace& place,
            TokenMask& out);

  CallGrammar grammar_;
  std::string value_;  // of the argument going on
  CallPlace place_;
  bool guides_ = true;                      // false after a text that was not allowed
  std::map<std::string, TokenMask> known_;  // by the place's name
  bool looked_up_ = false;                  // while the mask was worked out
};

// The logits [vocab] with everything at -inf that the mask leaves out; the end of the turn counts
// as a token that may come when `may_end`. `out` keeps the memory between calls.
void apply_mask(const TokenMask& mask, bool may_end, int32_t end_id, std::span<const float> logits,
                std::vector<float>& out);

// The ids of what must come next, as the tokenizer spells it in its context: those that stand
// whatever is said after it. With ends_turn the end marker is the last of them.
std::vector<int32_t> forced_ids(const Tokenizer& tokenizer, const CallGuide::Forced& forced);

}  // namespace dsv4::llm
