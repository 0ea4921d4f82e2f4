#include "agent/attempts.h"

#include <utility>

#include "agent/prompt.h"

namespace dsv4::agent {
namespace {

using nlohmann::ordered_json;

// The first attempt is the model's best guess; later ones have to differ from it.
constexpr double kLaterTemperature = 0.8;
// Tokens rarer than this, relative to the likeliest, are noise more often than ideas.
constexpr double kLaterMinP = 0.05;
constexpr int kFirstTrials = 10;  // of the first attempt, which goes on without them
constexpr int kTrials = 40;       // of every other attempt after it

}  // namespace

AttemptOptions Attempts::options(int number) const {
  AttemptOptions options;
  options.limits = run_.options.limits;
  const bool greedy = number == 1 && run_.options.greedy_first;
  options.sampling.temperature = greedy ? 0.0 : kLaterTemperature;
  options.sampling.min_p = greedy ? 0.0 : kLaterMinP;
  options.sampling.seed = run_.options.seed * 1'000'003u + static_cast<uint64_t>(number);
  // Of two searches each finds what the other misses: attempts that see what they did before take
  // turns with attempts that try changes out from one context.
  options.trials = number == 1 ? kFirstTrials : number % 2 == 0 ? kTrials : 0;
  return options;
}

Attempt Attempts::open(int number, const Workplaces& places) const {
  std::optional<Attempt> going_on = go_on(number, places);
  return going_on ? *std::move(going_on) : begin(number, places);
}

Attempt Attempts::begin(int number, const Workplaces& places) const {
  Attempt attempt{number, places.make(root_.window(), number), root_.fork(), root_.usage(), {}};
  const std::string task = task_text(run_.task.issue.text, run_.task.test.command,
                                     run_.passed_before, run_.first_report);
  attempt.conversation->user(task);
  observer_.on_attempt(number, options(number).sampling);
  if (number == 1) observer_.on_prompt(task);
  return attempt;
}

// After as many of its turns as can be read; nothing where that is none.
std::optional<Attempt> Attempts::go_on(int number, const Workplaces& places) const {
  if (!run_.saved || !run_.saved->attempts.contains(number)) return std::nullopt;
  const std::vector<SavedTurn>& turns = run_.saved->attempts.at(number);
  for (size_t count = turns.size(); count > 0; --count) {
    try {
      Attempt attempt{number, places.make(root_.window(), number, OwnedDirectory::Old::kUse),
                      root_.fork(), turns[count - 1].shared,
                      loop_state_from(turns[count - 1].loop)};
      attempt.place->keep();  // for the turn before, where this one cannot be read
      take_up({turns.begin(), turns.begin() + static_cast<std::ptrdiff_t>(count)}, attempt);
      attempt.place->keep(false);
      saver_.resumed(number, count, 0);
      observer_.on_note("attempt " + std::to_string(number) + " goes on after " +
                        std::to_string(attempt.from->result.turns) + " turns");
      return attempt;
    } catch (const std::exception& error) {
      observer_.on_note("the end of attempt " + std::to_string(number) +
                        " cannot be read: " + error.what());
    }
  }
  return std::nullopt;
}

void Attempts::take_up(const std::vector<SavedTurn>& turns, Attempt& attempt) const {
  std::vector<ordered_json> conversation;
  std::vector<ordered_json> tools;
  for (const SavedTurn& turn : turns) {
    conversation.insert(conversation.end(), turn.conversation.begin(), turn.conversation.end());
    tools.push_back(turn.tools);
  }
  attempt.conversation->resume(conversation,
                               RunSaver::computed_directory(run_.directory, attempt.number));
  for (const int64_t job : attempt.place->toolbox->resume(tools)) {
    attempt.conversation->user("Note: background job " + std::to_string(job) +
                               " has ended: the program was stopped and has gone on since.\n");
  }
}

}  // namespace dsv4::agent
