#include "llm/local_conversation.h"

#include <algorithm>

#include "llm/error.h"
#include "llm/guided_draw.h"
#include "llm/next_best.h"
#include "llm/sampler.h"

namespace dsv4::llm {
namespace {

// Sampled ids beyond this many are read like a prompt.
constexpr size_t kFew = 64;

}  // namespace

LocalConversation::LocalConversation(std::shared_ptr<const LocalModel> model,
                                     std::unique_ptr<TokenSequence> sequence, PromptBuilder prompt)
    : model_(std::move(model)), sequence_(std::move(sequence)), prompt_(prompt) {}

int64_t LocalConversation::context() const {
  return sequence_->position() + static_cast<int64_t>(pending_.size());
}

void LocalConversation::add(const Addition& addition) {
  PromptBuilder prompt = prompt_;
  const std::vector<int32_t> ids = model_->tokenizer.encode(addition(prompt));
  const int64_t after = context() + static_cast<int64_t>(ids.size());
  if (after > model_->window) {
    throw WindowError("the context is full: it would hold " + std::to_string(after) +
                      " tokens, but " + model_->name + " reads " + std::to_string(model_->window) +
                      "; use a smaller repository or issue, or a model with a larger window");
  }
  pending_.insert(pending_.end(), ids.begin(), ids.end());
  prompt_ = prompt;
}

void LocalConversation::system(std::string_view text,
                               const std::vector<nlohmann::ordered_json>& tools) {
  add([&](PromptBuilder& prompt) { return prompt.system(text, tools); });
}

void LocalConversation::user(std::string_view part) {
  add([&](PromptBuilder& prompt) { return prompt.user(part); });
}

void LocalConversation::tool_results(std::span<const std::string> results) {
  add([&](PromptBuilder& prompt) { return prompt.tool_results(results); });
}

// Takes over what an earlier conversation has computed of the pending ids.
void LocalConversation::restore() {
  sequence_->restore(pending_);
  const int64_t known = sequence_->position();
  usage_.restored += known;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(known));
  pending_sampled_ -= std::min(pending_sampled_, static_cast<size_t>(known));
  computed_before_ -= std::min(computed_before_, known);
}

bool LocalConversation::prefill(const PrefillProgress& progress, std::stop_token cancel) {
  const std::shared_ptr<void> speaker = sequence_->speak();
  return compute(progress, std::move(cancel));
}

bool LocalConversation::compute(const PrefillProgress& progress, std::stop_token cancel) {
  if (sequence_->position() == 0) restore();
  if (pending_.empty()) return true;
  const int64_t before = sequence_->position();
  const bool few = pending_.size() == pending_sampled_ && pending_.size() <= kFew;
  const bool whole = few ? sequence_->append_sampled(pending_, std::move(cancel))
                         : sequence_->append(pending_, progress, std::move(cancel));
  count(sequence_->position() - before);
  return whole;
}

// So many of the pending ids have been computed.
void LocalConversation::count(int64_t computed) {
  const int64_t again = std::min(computed, computed_before_);
  const auto not_new = std::min(static_cast<int64_t>(pending_sampled_), computed);
  usage_.reprefilled += again;
  usage_.prefilled += computed - not_new;
  computed_before_ -= again;
  pending_sampled_ -= static_cast<size_t>(not_new);
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(computed));
}

// What the draws of one turn share.
struct LocalConversation::Draw {
  Sampler sampler;
  GuidedDraw guided;
  std::vector<int32_t> beginning{};  // ids the turn starts with, of next_best's making
  std::optional<NextBest> next_best{};
  int64_t tokens = 0;  // of the draw going on
};

Reply LocalConversation::reply(const ReplyOptions& options) {
  add([](PromptBuilder& prompt) { return prompt.begin_reply(); });
  Draw state{Sampler(options.sampling), GuidedDraw(*model_, options.guide)};
  std::shared_ptr<void> speaker = sequence_->speak();
  if (!compute({}, options.cancel)) {
    prompt_.end_reply(false);
    Reply reply;
    reply.finish = Finish::kCancelled;
    return reply;
  }
  if (!options.refuse) return draw(options, state);
  state.next_best.emplace();
  const PromptBuilder prompt = prompt_;
  const std::unique_ptr<TokenSequence> before = sequence_->fork();
  int64_t taken_back = 0;
  for (;;) {
    Reply reply = draw(options, state);
    if (reply.finish == Finish::kCancelled) return reply;
    speaker.reset();  // the question may take as long as tests do
    const auto reason = options.refuse(reply);
    if (!reason) return reply;
    taken_back += reply.tokens;
    auto other = state.next_best->next();
    if (!other || taken_back >= options.taken_back_tokens) return reply;
    if (options.on_taken_back) options.on_taken_back(reply, *reason);
    state.beginning = *std::move(other);
    sequence_ = before->fork();
    speaker = sequence_->speak();
    pending_.clear();
    pending_sampled_ = 0;
    prompt_ = prompt;
  }
}

// One whole turn from here on.
Reply LocalConversation::draw(const ReplyOptions& options, Draw& state) {
  std::vector<Segment> turn;
  const Finish finish = generate(options, state, turn);
  prompt_.end_reply(finish == Finish::kStop);
  Reply reply = parse_reply(turn, prompt_.thinking());
  reply.finish = finish;
  reply.tokens = state.tokens;
  return reply;
}

// The next id when there is no choice: it is said without computing what the model thinks of it.
std::optional<int32_t> LocalConversation::certain_id(Draw& state) {
  const auto at = static_cast<size_t>(state.tokens);
  if (at < state.beginning.size()) return state.beginning[at];
  const std::optional<int32_t> id = state.guided.certain();
  if (id && state.next_best) state.next_best->certain(*id);
  return id;
}

// Nothing when the draw was cancelled. A sampled id is computed only when the next one is wanted.
std::optional<int32_t> LocalConversation::next_id(const ReplyOptions& options, Draw& state) {
  if (options.cancel.stop_requested()) return std::nullopt;
  if (const auto id = certain_id(state)) return id;
  if (!compute({}, options.cancel)) return std::nullopt;
  const auto logits = state.guided.allowed(sequence_->logits());
  const int32_t id = state.sampler.sample(logits);
  const bool branch = !options.guide || !options.guide->between_calls();
  if (state.next_best) state.next_best->step(logits, id, branch);
  return id;
}

// Says ids until the turn ends. The last of a turn goes into the next prefill.
Finish LocalConversation::generate(const ReplyOptions& options, Draw& state,
                                   std::vector<Segment>& turn) {
  state.guided.begin_turn(prompt_.thinking());
  if (state.next_best) state.next_best->begin_draw(state.beginning);
  StreamDecoder decoder(model_->tokenizer);
  const auto say = [&](const std::string& piece, bool markup) {
    if (piece.empty()) return;
    turn.push_back({piece, markup});
    if (options.on_text) options.on_text(piece);
  };
  Finish finish = Finish::kLength;
  state.tokens = 0;
  while (state.tokens < options.max_tokens && context() < model_->window) {
    const std::optional<int32_t> id = next_id(options, state);
    if (!id) {
      finish = Finish::kCancelled;
      break;
    }
    pending_.push_back(*id);
    pending_sampled_ = pending_.size();
    ++state.tokens;
    ++usage_.generated;
    if (*id == model_->end_id) {
      finish = Finish::kStop;
      break;
    }
    state.guided.accept(*id);
    // A guide goes by the text, so with one a marker that is spelled counts as much as a token.
    say(decoder.push(*id), options.guide || model_->tokenizer.is_marker(*id));
  }
  say(decoder.finish(), false);
  if (finish == Finish::kStop) turn.push_back({std::string(marker::kEnd), true});
  return finish;
}

std::unique_ptr<Conversation> LocalConversation::fork() const {
  auto copy = std::make_unique<LocalConversation>(model_, sequence_->fork(), prompt_);
  copy->pending_ = pending_;
  copy->pending_sampled_ = pending_sampled_;
  copy->saved_ = saved_;
  copy->computed_before_ = computed_before_;
  copy->usage_ = usage_;
  return copy;
}

Usage LocalConversation::usage() const {
  Usage usage = usage_;
  usage.context = context();
  usage.bytes = sequence_->bytes();
  return usage;
}

}  // namespace dsv4::llm
