#include "llm/serve/turn_text.h"

#include <algorithm>
#include <utility>

#include "llm/call_grammar.h"
#include "llm/encoding.h"

namespace dsv4::llm::serve {
namespace {

// Bytes at the end of `text` that are the beginning of `whole`, but not all of it.
size_t begun(std::string_view text, std::string_view whole) {
  for (size_t n = std::min(text.size(), whole.size() - 1); n > 0; --n) {
    if (text.ends_with(whole.substr(0, n))) return n;
  }
  return 0;
}

}  // namespace

TurnText::TurnText(bool thinking, bool may_call, std::vector<std::string> stop)
    : thinking_(thinking),
      may_call_(may_call),
      phase_(thinking_ ? Phase::kThought : Phase::kText),
      stop_(std::move(stop)) {}

void TurnText::show(std::string_view text, std::string Delta::*where, Delta& out) {
  out.*where += text;
  shown_.*where += text;
}

void TurnText::erase(size_t count) {
  open_.erase(0, count);
  markup_.erase(markup_.begin(), markup_.begin() + static_cast<std::ptrdiff_t>(count));
}

// Where the tag stands in what is open, its marker as a token; npos when it does not.
size_t TurnText::find_tag(std::string_view tag) const {
  const size_t inside = tag.find(marker::kDsml);
  for (size_t at = open_.find(tag); at != std::string::npos; at = open_.find(tag, at + 1)) {
    if (markup_[at + (inside == std::string_view::npos ? 0 : inside)]) return at;
  }
  return std::string::npos;
}

bool TurnText::push(const std::string& piece, bool markup, Delta& out) {
  if (stopped_) return true;
  if (may_call_) turn_.push_back({piece, markup});
  open_ += piece;
  markup_.resize(open_.size(), markup);
  if (phase_ == Phase::kThought && !thought(out)) return false;
  if (phase_ == Phase::kText) text(out);
  if (phase_ == Phase::kCalls) pieces_.read(open_, out.pieces);
  return stopped_;
}

// True once the thoughts have ended.
bool TurnText::thought(Delta& out) {
  const size_t end = find_tag(marker::kEndThink);
  const bool ended = end != std::string::npos;
  const size_t count = ended ? end : open_.size() - begun(open_, marker::kEndThink);
  show(std::string_view(open_).substr(0, count), &Delta::reasoning, out);
  erase(ended ? end + marker::kEndThink.size() : count);
  if (ended) phase_ = Phase::kText;
  return ended;
}

// The bytes at the end of the open text's first `end` that have to wait.
size_t TurnText::held_back(size_t end) const {
  const std::string_view text = std::string_view(open_).substr(0, end);
  size_t held = 0;
  for (const std::string& stop : stop_) held = std::max(held, begun(text, stop));
  if (!may_call_) return held;
  // A blank line before the calls belongs to them.
  const size_t tag = std::max(begun(text, call_tag::kAny), begun(text, call_tag::kAnyEnd));
  const std::string_view before = text.substr(0, text.size() - tag);
  const size_t line = before.ends_with("\n\n") ? 2 : before.ends_with("\n") ? 1 : 0;
  return std::max(held, tag + line);
}

bool TurnText::text(Delta& out) {
  const size_t tag = may_call_ ? std::min(find_tag(call_tag::kAny), find_tag(call_tag::kAnyEnd))
                               : std::string::npos;
  const size_t end = std::min(tag, open_.size());
  size_t stop = std::string::npos;
  for (const std::string& text : stop_) stop = std::min(stop, open_.find(text));
  if (stop < end) {
    show(std::string_view(open_).substr(0, stop), &Delta::content, out);
    stopped_ = true;
    return true;
  }
  if (tag == std::string::npos) {
    const size_t count = end - held_back(end);
    show(std::string_view(open_).substr(0, count), &Delta::content, out);
    erase(count);
    return false;
  }
  std::string_view content = std::string_view(open_).substr(0, tag);
  if (content.ends_with("\n\n")) content.remove_suffix(2);
  const size_t count = content.size();
  show(content, &Delta::content, out);
  erase(count);
  phase_ = Phase::kCalls;  // open_ begins with the blank line and the block
  return false;
}

void TurnText::finish(bool ended_itself, Delta& out) {
  if (stopped_) return;
  if (phase_ == Phase::kCalls) {
    Reply reply = parse_reply(turn_, thinking_);
    if (!reply.malformed) {
      for (const ToolCall& call : reply.calls) shown_.calls.push_back(call);
      for (ToolCall& call : reply.calls) out.calls.push_back(std::move(call));
      erase(open_.size());
      return;
    }
    if (!ended_itself) return;  // cut in the middle of a call: half of one is of no use
  }
  const bool thought = phase_ == Phase::kThought;
  show(open_, thought ? &Delta::reasoning : &Delta::content, out);
  erase(open_.size());
}

}  // namespace dsv4::llm::serve
