#include "llm/call_guide.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "llm/encoding.h"

namespace dsv4::llm {
namespace {

constexpr size_t kMostKnown = 256;       // masks kept
constexpr size_t kLongestForced = 4096;  // bytes in one go

void append(std::vector<Segment>& segments, char byte, bool markup) {
  if (segments.empty() || segments.back().markup != markup) segments.push_back({{}, markup});
  segments.back().text += byte;
}

std::optional<char> the_only(const CallPlace::Bytes& bytes) {
  if (bytes.count() != 1) return std::nullopt;
  size_t byte = 0;
  while (!bytes[byte]) ++byte;
  return static_cast<char>(byte);
}

std::vector<Segment> without_front(std::vector<Segment> segments, size_t bytes) {
  for (Segment& segment : segments) {
    const size_t cut = std::min(bytes, segment.text.size());
    segment.text.erase(0, cut);
    bytes -= cut;
  }
  return segments;
}

std::vector<int32_t> encode(const Tokenizer& tokenizer, std::vector<Segment> text, bool ends_turn) {
  if (!ends_turn) return tokenizer.encode_settled(text);
  text.push_back({std::string(marker::kEnd), true});
  return tokenizer.encode(text);
}

}  // namespace

CallGuide::CallGuide(const std::vector<nlohmann::ordered_json>& tools, ArgumentChoices choices)
    : grammar_(tools, std::move(choices)), place_(grammar_, false, value_) {}

std::optional<std::vector<std::string>> CallGuide::choices(const ArgumentPlace& place) const {
  if (!grammar_.choices) return std::nullopt;
  return grammar_.choices(place.earlier, place.tool, place.parameter, place.arguments);
}

void CallGuide::begin_turn(bool thinking) {
  place_ = CallPlace(grammar_, thinking, value_);
  guides_ = true;
}

void CallGuide::accept(std::string_view text) {
  if (!guides_) return;
  guides_ = place_.advance(text);
  if (guides_) place_.look_up();
  place_.has_looked_up();
}

bool CallGuide::restricts() const { return guides_ && !place_.is_free(); }

bool CallGuide::allows(std::string_view text) const {
  if (!guides_) return true;
  if (restricts() && text.empty()) return false;
  CallPlace tried = place_.trial();
  return tried.advance(text);
}

bool CallGuide::may_end() const { return !guides_ || place_.may_end(); }

bool CallGuide::between_calls() const { return guides_ && place_.between_calls(); }

void CallGuide::mask(const TokenTable& tokens, TokenMask& out) {
  const std::string name = guides_ ? place_.name() : std::string();
  const auto known = name.empty() ? known_.end() : known_.find(name);
  if (known != known_.end()) {
    out = known->second;
    return;
  }
  looked_up_ = false;
  work_out(tokens, out);
  if (name.empty() || looked_up_) return;
  if (known_.size() == kMostKnown) known_.clear();
  known_.emplace(name, out);
}

void CallGuide::work_out(const TokenTable& tokens, TokenMask& out) {
  out.ids.clear();
  out.all_but = !restricts() || place_.in_json_string();
  if (!guides_) return;
  if (out.all_but) return try_candidates(tokens, out);
  walk(tokens, tokens.all(), 0, place_.trial(), out);
}

// Where all but a few tokens may come: only those are tried in which a tag could end.
void CallGuide::try_candidates(const TokenTable& tokens, TokenMask& out) {
  const auto try_out = [&](const TokenTable::Entry& token) {
    CallPlace tried = place_.trial();
    if (!tried.advance(token.bytes)) out.ids.push_back(token.id);
    looked_up_ |= tried.has_looked_up();
  };
  const bool json = place_.in_json_string();
  for (const auto& token : json ? tokens.not_plain() : tokens.with_marker()) try_out(token);
  for (const std::string_view rest : place_.begun().rests) {
    if (rest.empty()) continue;
    const TokenTable::Range range = tokens.beginning_with(rest);
    for (size_t i = range.begin; i < range.end; ++i) try_out(tokens[i]);
  }
}

// Tokens of the range, which agree in `depth` bytes, up to which `place` has come.
void CallGuide::walk(const TokenTable& tokens, TokenTable::Range range, size_t depth,
                     const CallPlace& place, TokenMask& out) {
  for (; !range.empty() && tokens[range.begin].bytes.size() == depth; ++range.begin) {
    out.ids.push_back(tokens[range.begin].id);
  }
  if (range.empty()) return;
  CallPlace here = place;
  if (!here.look_up()) return;
  looked_up_ |= here.has_looked_up();
  if (here.is_free()) {
    for (size_t i = range.begin; i < range.end; ++i) {
      CallPlace tried = here;
      if (tried.advance(tokens[i].bytes.substr(depth))) out.ids.push_back(tokens[i].id);
      looked_up_ |= tried.has_looked_up();
    }
    return;
  }
  const CallPlace::Bytes next = here.next();
  for (size_t byte = 0; byte < next.size(); ++byte) {
    if (!next[byte]) continue;
    const auto narrowed = tokens.narrow(range, depth, static_cast<char>(byte));
    if (narrowed.empty()) continue;
    CallPlace there = here;
    const char text = static_cast<char>(byte);
    if (there.advance({&text, 1})) walk(tokens, narrowed, depth + 1, there, out);
  }
}

CallGuide::Forced CallGuide::forced() const {
  Forced forced;
  if (!restricts()) return forced;
  CallPlace place = place_.trial();
  const CallPlace::Written written = place.written();
  for (size_t i = 0; i < written.text.size(); ++i) {
    append(forced.text, written.text[i], i >= written.data);
  }
  forced.written = written.text.size();
  for (size_t bytes = 0; bytes < kLongestForced && !place.is_free(); ++bytes) {
    if (place.is_done()) {
      forced.ends_turn = true;
      break;
    }
    const std::optional<char> byte = the_only(place.next());
    const std::optional<bool> data = byte ? place.in_value(*byte) : std::nullopt;
    if (!data || !place.advance({&*byte, 1})) break;
    append(forced.text, *byte, !*data);
    if (!place.look_up()) break;
  }
  return forced;
}

void apply_mask(const TokenMask& mask, bool may_end, int32_t end_id, std::span<const float> logits,
                std::vector<float>& out) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  const auto end = static_cast<size_t>(end_id);
  if (mask.all_but) {
    out.assign(logits.begin(), logits.end());
    for (const int32_t id : mask.ids) out[static_cast<size_t>(id)] = kNever;
  } else {
    out.assign(logits.size(), kNever);
    for (const int32_t id : mask.ids)
      out[static_cast<size_t>(id)] = logits[static_cast<size_t>(id)];
  }
  out[end] = may_end ? logits[end] : kNever;
}

std::vector<int32_t> forced_ids(const Tokenizer& tokenizer, const CallGuide::Forced& forced) {
  std::vector<int32_t> ids = encode(tokenizer, forced.text, forced.ends_turn);
  size_t bytes = 0;
  auto at = ids.begin();
  while (at != ids.end() && bytes < forced.written) bytes += tokenizer.bytes(*at++).size();
  if (bytes == forced.written) return {at, ids.end()};
  // What stands was spelled otherwise than the tokenizer would have.
  return encode(tokenizer, without_front(forced.text, forced.written), forced.ends_turn);
}

}  // namespace dsv4::llm
