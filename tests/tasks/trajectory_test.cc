#include "tasks/trajectory.h"

#include <set>

#include "tests/agent/scratch.h"
#include "tests/catch.h"

using dsv4::tasks::read_trajectories;
using nlohmann::ordered_json;

namespace {

class Events {
 public:
  Events& add(ordered_json event) {
    event["seconds"] = 0.5 * ++count_;
    text_ += event.dump() + "\n";
    return *this;
  }
  Events& reply(const std::string& text, int tokens, int context) {
    return add({{"event", "reply"}, {"text", text}, {"tokens", tokens}, {"context", context}});
  }
  Events& call(const std::string& name, const std::string& result) {
    return add({{"event", "call"}, {"name", name}, {"arguments", {{"x", 1}}}, {"result", result}});
  }
  std::vector<ordered_json> read() const {
    const Scratch scratch;
    scratch.write("events.jsonl", text_);
    return read_trajectories(scratch.path(), "nano");
  }

 private:
  int count_ = 0;
  std::string text_;
};

Events begun() {
  Events events;
  events.add({{"event", "run"}, {"id", "r1"}, {"began", 1764089000}})
      .add({{"event", "prompt"}, {"text", "# Repository"}})
      .add({{"event", "attempt"}, {"number", 1}, {"temperature", 0.0}, {"seed", 1}})
      .add({{"event", "prompt"}, {"text", "# Issue"}})
      .add({{"event", "turn_saved"}, {"attempt", 1}})
      .add({{"event", "turn"}, {"number", 1}});
  return events;
}

// The rules of Harbor's validator that a document can break.
void require_valid(const ordered_json& document) {
  static const std::set<std::string> kRoot = {"schema_version", "session_id", "trajectory_id",
                                              "agent",          "steps",      "notes",
                                              "final_metrics",  "extra"};
  static const std::set<std::string> kStep = {
      "step_id",    "timestamp",   "source",  "message",        "reasoning_content",
      "tool_calls", "observation", "metrics", "llm_call_count", "extra"};
  REQUIRE(document["schema_version"] == "ATIF-v1.7");
  for (const auto& [key, value] : document.items()) REQUIRE(kRoot.contains(key));
  REQUIRE_FALSE(document["steps"].empty());
  int64_t number = 0;
  for (const ordered_json& step : document["steps"]) {
    for (const auto& [key, value] : step.items()) REQUIRE(kStep.contains(key));
    REQUIRE(step["step_id"] == ++number);
    REQUIRE(step["message"].is_string());
    REQUIRE(step["timestamp"].get<std::string>().starts_with("2025-11-25T"));
    if (step["source"] != "agent") {
      for (const char* key : {"tool_calls", "metrics", "reasoning_content"}) {
        REQUIRE_FALSE(step.contains(key));
      }
    }
    std::set<std::string> ids;
    for (const auto& call : step.value("tool_calls", ordered_json::array())) {
      REQUIRE(call["arguments"].is_object());
      REQUIRE(ids.insert(call["tool_call_id"]).second);
    }
    if (!step.contains("observation")) continue;
    for (const auto& result : step["observation"]["results"]) {
      REQUIRE(ids.contains(result["source_call_id"]));
    }
  }
  REQUIRE(document["final_metrics"]["total_steps"] == document["steps"].size());
}

}  // namespace

TEST_CASE("a run's turns become the steps of a trajectory") {
  const auto all = begun()
                       .reply("<think>hm</think>I look.\n\n<｜DSML｜tool_calls>\nx", 20, 120)
                       .call("read", "text")
                       .call("test", "The tests fail.")
                       .add({{"event", "turn"}, {"number", 2}})
                       .add({{"event", "correction"}, {"text", "say that again"}})
                       .reply("Done.", 5, 150)
                       .add({{"event", "gate"}, {"passed", true}, {"reason", "they pass"}})
                       .read();
  REQUIRE(all.size() == 1);
  require_valid(all[0]);
  const ordered_json& steps = all[0]["steps"];
  REQUIRE(steps.size() == 6);
  REQUIRE(steps[0]["message"] == "# Repository");
  REQUIRE(steps[1]["message"] == "# Issue");
  REQUIRE(steps[2]["source"] == "agent");
  REQUIRE(steps[2]["message"] == "I look.");
  REQUIRE(steps[2]["reasoning_content"] == "hm");
  REQUIRE(steps[2]["tool_calls"][1]["function_name"] == "test");
  REQUIRE(steps[2]["observation"]["results"][0]["content"] == "text");
  REQUIRE(steps[2]["metrics"]["prompt_tokens"] == 100);
  REQUIRE(steps[3]["source"] == "user");
  REQUIRE(steps[5]["source"] == "system");
  REQUIRE(all[0]["session_id"] == "r1");
  REQUIRE(all[0]["agent"]["model_name"] == "nano");
  REQUIRE(all[0]["final_metrics"]["total_completion_tokens"] == 25);
  REQUIRE(all[0]["final_metrics"]["total_prompt_tokens"] == 245);
}

TEST_CASE("a turn that was tried out and taken back keeps its calls and says why") {
  const auto all =
      begun()
          .call("edit", "Edited a.")
          .call("test", "The tests fail.")
          .add({{"event", "taken_back"}, {"text", "x"}, {"tokens", 7}, {"reason", "tests fail"}})
          .reply("", 5, 90)
          .call("finish", "Finished.")
          .read();
  require_valid(all.at(0));
  const ordered_json& steps = all[0]["steps"];
  REQUIRE(steps.size() == 4);
  REQUIRE(steps[2]["extra"]["taken_back"] == "tests fail");
  REQUIRE(steps[2]["tool_calls"].size() == 2);
  REQUIRE(steps[3]["tool_calls"].size() == 1);
  REQUIRE(all[0]["final_metrics"]["total_completion_tokens"] == 12);
}

TEST_CASE("attempts are trajectories of their own, also beside each other") {
  const auto all =
      begun()
          .reply("one", 1, 50)
          .add({{"event", "attempt"}, {"number", 2}, {"temperature", 0.8}, {"seed", 2}})
          .reply("two", 1, 50)
          .add({{"event", "beside"}, {"attempt", 1}})
          .reply("one again", 1, 51)
          .read();
  REQUIRE(all.size() == 2);
  for (const ordered_json& each : all) require_valid(each);
  REQUIRE(all[0]["trajectory_id"] != all[1]["trajectory_id"]);
  REQUIRE(all[0]["steps"].back()["message"] == "one again");
  REQUIRE(all[1]["steps"].size() == 3);
  REQUIRE(all[1]["agent"]["extra"]["temperature"] == 0.8);
}

TEST_CASE("of a run that was gone on with, what was void is left out") {
  const auto all = begun()
                       .reply("kept", 1, 50)
                       .add({{"event", "turn_saved"}, {"attempt", 1}})
                       .reply("void", 1, 51)
                       .call("read", "void")
                       .add({{"event", "resumed"}, {"attempt", nullptr}, {"turns", nullptr}})
                       .add({{"event", "resumed"}, {"attempt", 1}, {"turns", 2}})
                       .reply("instead", 1, 51)
                       .read();
  require_valid(all.at(0));
  REQUIRE(all[0]["steps"].size() == 4);
  REQUIRE(all[0]["steps"][2]["message"] == "kept");
  REQUIRE(all[0]["steps"][3]["message"] == "instead");
}

TEST_CASE("a record that is not there or ends in the middle of a line is no error") {
  const Scratch scratch;
  scratch.write("events.jsonl", "{\"event\": \"attempt\", \"number\": 1}\n{\"event\": \"re");
  REQUIRE(read_trajectories(scratch.path(), "").empty());
  REQUIRE(read_trajectories(scratch / "absent", "").empty());
}
