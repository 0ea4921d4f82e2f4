#include "agent/side_by_side.h"

#include <mutex>
#include <thread>

namespace dsv4::agent {
namespace {

using Clock = std::chrono::steady_clock;

// One observer that several threads tell.
class Told {
 public:
  explicit Told(Observer& observer) : observer_(observer) {}

  template <class Say>
  void say(int number, const Say& say) {
    const std::lock_guard lock(mutex_);
    if (number != last_) observer_.on_beside(last_ = number);
    say(observer_);
  }

 private:
  std::mutex mutex_;
  Observer& observer_;
  int last_ = 0;
};

// What one attempt tells. Turns are told whole, when the model has spoken them: words of several
// would be mixed.
class Teller : public Observer {
 public:
  Teller(Told& told, int number) : told_(told), number_(number) {}

  void on_note(const std::string& sentence) override {
    say([&](Observer& o) { o.on_note(sentence); });
  }
  void on_turn(int turn) override { turn_ = turn; }
  void on_taken_back(const llm::Reply& reply, const std::string& reason) override {
    say([&](Observer& o) { o.on_taken_back(reply, reason); });
  }
  void on_reply(const llm::Reply& reply, const llm::Usage& usage, int64_t window) override {
    say([&](Observer& o) {
      o.on_turn(turn_);
      o.on_text(reply.raw);
      o.on_reply(reply, usage, window);
    });
  }
  void on_call(const llm::ToolCall& call) override {
    say([&](Observer& o) { o.on_call(call); });
  }
  void on_outcome(const llm::ToolCall& call, const tools::Outcome& outcome) override {
    say([&](Observer& o) { o.on_outcome(call, outcome); });
  }
  void on_plan(const std::vector<std::string>& items) override {
    say([&](Observer& o) { o.on_plan(items); });
  }
  void on_correction(const std::string& text) override {
    say([&](Observer& o) { o.on_correction(text); });
  }
  void on_attempt_end(const AttemptResult& result) override {
    say([&](Observer& o) { o.on_attempt_end(result); });
  }
  void on_gate(const GateResult& result) override {
    say([&](Observer& o) { o.on_gate(result); });
  }

 private:
  template <class Say>
  void say(const Say& what) {
    told_.say(number_, what);
  }

  Told& told_;
  int number_;
  int turn_ = 0;
};

void run_one(Attempt& attempt, const SideSteps& steps, Observer& observer,
             const std::stop_token& cancel, SideResult& out) {
  try {
    out.result = steps.run(attempt, observer, cancel);
    observer.on_attempt_end(out.result);
  } catch (...) {
    out.error = std::current_exception();
  }
  try {
    out.patch = steps.patch(attempt, observer);
    if (out.error || !out.result.for_the_gate || cancel.stop_requested()) return;
    const Clock::time_point begin = Clock::now();
    const GateResult gate = steps.gate(attempt.number, out.patch, cancel);
    out.gate_time = Clock::now() - begin;
    if (cancel.stop_requested()) return;
    observer.on_gate(gate);
    out.gate = gate;
  } catch (...) {
    if (!out.error) out.error = std::current_exception();
  }
}

}  // namespace

std::vector<SideResult> run_side_by_side(std::vector<Attempt>& attempts, const SideSteps& steps,
                                         Observer& observer, std::stop_token cancel) {
  std::vector<SideResult> results(attempts.size());
  std::vector<std::stop_source> stops(attempts.size());
  const auto stop_from = [&stops](size_t first) {
    for (size_t i = first; i < stops.size(); ++i) stops[i].request_stop();
  };
  const std::stop_callback on_cancel(cancel, [&] { stop_from(0); });
  Told told(observer);
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < attempts.size(); ++i) {
    results[i].number = attempts[i].number;
    threads.emplace_back([&, i] {
      Teller teller(told, attempts[i].number);
      run_one(attempts[i], steps, teller, stops[i].get_token(), results[i]);
      if (results[i].gate && results[i].gate->passed) stop_from(i + 1);
    });
  }
  threads.clear();  // waits for them
  return results;
}

}  // namespace dsv4::agent
