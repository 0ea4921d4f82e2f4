#include "llm/serve/running_turn.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "llm/encoding.h"
#include "llm/error.h"
#include "llm/token_shares.h"

namespace dsv4::llm::serve {

RunningTurn::RunningTurn(const LocalModel& model, TurnRequest request,
                         std::unique_ptr<Session> session, KeptGuide guide)
    : model_(&model),
      request_(std::move(request)),
      session_(std::move(session)),
      guide_(std::move(guide)),
      sampler_(request_.sampling),
      draw_(model, guide_.guide.get()),
      decoder_(model.tokenizer),
      text_(request_.thinking, !request_.tools.empty(), request_.stop) {
  usage_.prompt = prompt_size();
  usage_.cached = std::min(session_->position(), prompt_size());
  if (guide_.choices) {
    *guide_.choices = [this](const auto& earlier, const auto& tool, const auto& parameter,
                             const auto& arguments) {
      return request_.choices->look_up({earlier, tool, parameter, arguments});
    };
  }
  draw_.begin_turn(request_.thinking);
  if (!request_.prefix.empty()) {
    take_prefix();
  } else if (!request_.beginning.empty()) {
    draw_.force(model.tokenizer.encode_markup(request_.beginning));
  }
}

void RunningTurn::take_prefix() {
  for (const int32_t id : request_.prefix) {
    if (end_) return;
    take(id);
  }
  if (end_) return;
  const int64_t known = std::max<int64_t>(0, session_->position() - prompt_size());
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(known));
}

std::span<const int32_t> RunningTurn::due() const {
  const int64_t here = session_->position();
  if (here >= prompt_size()) return pending_;
  const std::vector<int64_t>& marks = request_.prompt.marks;
  const auto mark = std::upper_bound(marks.begin(), marks.end(), here);
  const int64_t end = mark == marks.end() ? prompt_size() : *mark;
  return std::span(request_.prompt.ids)
      .subspan(static_cast<size_t>(here), static_cast<size_t>(end - here));
}

void RunningTurn::computed(int64_t count) {
  if (session_->position() > prompt_size()) {
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

bool RunningTurn::at_mark() const {
  const std::vector<int64_t>& marks = request_.prompt.marks;
  return said_.empty() && std::binary_search(marks.begin(), marks.end(), session_->position());
}

void RunningTurn::speak() {
  while (!end_) {
    const std::optional<int32_t> id = draw_.certain();
    if (asks()) return end(TurnEnd::kAsks);  // what is certain may be another once it is told
    if (!id && !pending_.empty()) return;
    if (id && request_.top_tokens) delta_.tokens.push_back(token(*id, 0.0));
    take(id ? *id : sample());
  }
}

SaidToken RunningTurn::token(int32_t id, double log_probability) const {
  return {id, std::string(model_->tokenizer.bytes(id)), log_probability, {}};
}

int32_t RunningTurn::sample() {
  std::span<const float> logits = draw_.allowed(session_->logits());
  if (request_.endless) {
    logits_.assign(logits.begin(), logits.end());
    logits_[static_cast<size_t>(model_->end_id)] = -std::numeric_limits<float>::infinity();
    logits = logits_;
  }
  const int32_t id = sampler_.sample(logits);
  if (!request_.top_tokens) return id;
  const TokenShares shares = token_shares(logits, id, *request_.top_tokens);
  SaidToken said = token(id, shares.taken);
  for (const TokenShare& share : shares.best) {
    said.best.push_back(token(share.id, share.log_probability));
  }
  delta_.tokens.push_back(std::move(said));
  return id;
}

void RunningTurn::take(int32_t id) {
  pending_.push_back(id);
  said_.push_back(id);
  ++usage_.generated;
  if (request_.thinking && text_.shown().content.empty()) ++usage_.reasoning;
  if (id == model_->end_id) return end(TurnEnd::kStop);
  draw_.accept(id);
  if (asks()) return end(TurnEnd::kAsks);
  // A guide goes by the text, so with one a marker that is spelled counts as much as a token.
  show(decoder_.push(id), draw_.guided() || model_->tokenizer.is_marker(id));
  if (end_) return;
  const int64_t context = prompt_size() + static_cast<int64_t>(said_.size());
  if (usage_.generated >= request_.max_tokens || context >= model_->window) {
    return end(TurnEnd::kLength);
  }
  if (request_.one_call && !forced_end_ && draw_.between_calls()) {
    forced_end_ = true;
    std::vector<int32_t> close = model_->tokenizer.encode_markup(call_tag::kClose);
    close.push_back(model_->end_id);
    draw_.force(std::move(close));
  }
}

void RunningTurn::show(const std::string& piece, bool markup) {
  if (!piece.empty() && text_.push(piece, markup, delta_)) end(TurnEnd::kStop);
}

void RunningTurn::end(TurnEnd how, std::string error) {
  if (end_) return;
  end_ = how;  // before the rest is shown, which may hold a text to stop at
  error_ = std::move(error);
  if (how != TurnEnd::kStop && how != TurnEnd::kLength) return;
  show(decoder_.finish(), false);
  text_.finish(how == TurnEnd::kStop, delta_);
  if (how == TurnEnd::kStop && !text_.shown().calls.empty()) end_ = TurnEnd::kCalls;
}

void RunningTurn::tell() {
  if (!told_begin_) {
    told_begin_ = true;
    request_.sink->begun(usage_);
  }
  if (told_ < usage_.generated) {
    told_ = usage_.generated;
    request_.sink->more(std::exchange(delta_, {}), usage_);
  }
  if (end_ == TurnEnd::kAsks) request_.sink->asks(request_.choices->asked());
  if (end_) request_.sink->ended(*end_, usage_, error_);
}

std::vector<int32_t> RunningTurn::ids() const {
  std::vector<int32_t> all = request_.prompt.ids;
  all.insert(all.end(), said_.begin(), said_.end());
  return all;
}

void RunningTurn::remember(SaidReplies& said) const {
  const bool spoken =
      end_ != TurnEnd::kCancelled && end_ != TurnEnd::kFailed && end_ != TurnEnd::kAsks;
  if (!request_.remember || !spoken || !text_.shown_whole()) return;
  const Delta& shown = text_.shown();
  said.add(request_.prompt.digest.value(), {shown.content, shown.reasoning, shown.calls}, said_);
}

}  // namespace dsv4::llm::serve
