// Tools that go on in another process, whatever became of the working copy in between.
#include <filesystem>
#include <random>

#include "tests/catch.h"
#include "tests/tools/fixture.h"
#include "tools/error.h"

namespace fs = std::filesystem;
using dsv4::tools::ToolError;
using dsv4::tools::testing::Bench;
using dsv4::tools::testing::change_something;
using dsv4::tools::testing::tree_state;
using Json = nlohmann::ordered_json;

namespace {

// As it comes back from disk.
std::vector<Json> from_disk(const std::vector<Json>& saved) {
  std::vector<Json> read;
  for (const Json& part : saved) read.push_back(Json::parse(part.dump()));
  return read;
}

}  // namespace

TEST_CASE("after any sequence of changes, files and undo are what they were when saved") {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    INFO(round);
    Bench bench;
    bench.put("d0/f0.txt", "a\nb\n");
    if (round % 2 == 0) bench.track(".");
    bench.toolbox();
    std::vector<Json> saved = {bench.toolbox().save()};
    for (int step = 0; step < 5; ++step) {
      change_something(bench, random);
      if (random() % 5 == 0) bench.call("undo", Json::object());
      if (random() % 5 == 0) bench.toolbox().join_steps(random() % 3);
      if (random() % 3 != 0) saved.push_back(bench.toolbox().save());
    }
    saved.push_back(bench.toolbox().save());
    const std::string state = tree_state(bench.root());
    const std::string patch = bench.toolbox().diff();
    // What was done after the save and is not known to have been.
    for (unsigned extra = random() % 4; extra > 0; --extra) change_something(bench, random);
    if (random() % 4 == 0) bench.call("undo", Json::object());
    bench.restart();
    if (random() % 4 == 0) fs::remove_all(bench.root() / "d0");
    bench.toolbox().resume(from_disk(saved));
    REQUIRE(tree_state(bench.root()) == state);
    REQUIRE(bench.toolbox().diff() == patch);
    // And once more, after another step.
    change_something(bench, random);
    saved.push_back(bench.toolbox().save());
    const std::string second = tree_state(bench.root());
    bench.restart();
    bench.toolbox().resume(from_disk(saved));
    REQUIRE(tree_state(bench.root()) == second);
    while (!bench.call("undo", Json::object()).error) continue;
    REQUIRE(bench.toolbox().diff().empty());
  }
}

TEST_CASE("steps that were joined are taken back at once, and no other") {
  Bench bench;
  bench.put("a.txt", "one\n");
  bench.toolbox();
  const auto write = [&](const char* path, const char* text) {
    bench.call("write", {{"path", path}, {"content", text}});
  };
  write("a.txt", "two\n");
  const std::string before = tree_state(bench.root());
  const size_t steps = bench.toolbox().steps();
  write("a.txt", "three\n");
  bench.toolbox().join_steps(steps);  // one alone is as it is
  write("b.txt", "new\n");
  write("a.txt", "four\n");
  bench.toolbox().join_steps(steps);
  REQUIRE(bench.toolbox().steps() == steps + 1);
  REQUIRE_FALSE(bench.call("undo", Json::object()).error);
  REQUIRE(tree_state(bench.root()) == before);
  REQUIRE_FALSE(bench.call("undo", Json::object()).error);
  REQUIRE(bench.toolbox().diff().empty());
}

TEST_CASE("tools that were resumed go back to any state that was saved, and undo goes on there") {
  std::mt19937 random(13);
  for (int round = 0; round < 40; ++round) {
    INFO(round);
    Bench bench;
    bench.put("d0/f0.txt", "a\nb\n");
    std::vector<Json> saved;
    std::vector<std::string> trees;
    const auto save = [&] {
      saved.push_back(bench.toolbox().save());
      trees.push_back(tree_state(bench.root()));
    };
    save();
    for (int step = 0; step < 5; ++step) {
      change_something(bench, random);
      if (random() % 4 == 0) bench.toolbox().begin_diff_here();
      save();
    }
    bench.restart();
    const std::vector<Json> read = from_disk(saved);
    bench.toolbox().resume(read);
    for (int jump = 0; jump < 4; ++jump) {
      const size_t to = random() % read.size();
      const auto snapshot = bench.toolbox().snapshot_at(std::span(read).first(to + 1));
      bench.toolbox().go_back(*snapshot);
      REQUIRE(tree_state(bench.root()) == trees[to]);
    }
    while (!bench.call("undo", Json::object()).error) continue;
    REQUIRE(tree_state(bench.root()) == trees.front());
  }
}

TEST_CASE("the first save names what is there and later ones only what changed") {
  Bench bench;
  for (int k = 0; k < 200; ++k) bench.put("many/f" + std::to_string(k), "x");
  const Json first = bench.toolbox().save();
  bench.done("write", {{"path", "a.txt"}, {"content", "one\n"}});
  const Json second = bench.toolbox().save();
  REQUIRE(second.dump().size() < 1000);
  REQUIRE(second["history"].contains("steps"));
  const Json nothing = bench.toolbox().save();
  REQUIRE(nothing == Json({{"history", Json::object()}}));
}

TEST_CASE("plan, shell and outputs that were cut go on") {
  Bench bench;
  bench.output_limit = 400;
  fs::create_directories(bench.root() / "sub");
  bench.done("plan", {{"items", {"look", "mend"}}});
  bench.done("bash", {{"command", "cd sub; export WORD=kept"}});
  const std::string cut = bench.done("bash", {{"command", "seq 1000"}});
  REQUIRE(cut.find(".dsv4/outputs/1.txt") != std::string::npos);
  const std::vector<Json> saved = {bench.toolbox().save()};
  bench.restart();
  REQUIRE(bench.toolbox().resume(from_disk(saved)).empty());
  REQUIRE(bench.toolbox().plan() == std::vector<std::string>{"look", "mend"});
  REQUIRE(
      bench.done("bash", {{"command", "basename $PWD; echo $WORD"}}).starts_with("sub\nkept\n"));
  REQUIRE(bench.done("read", {{"path", ".dsv4/outputs/1.txt"}, {"first", 500}, {"last", 500}})
              .find("500") != std::string::npos);
  REQUIRE(bench.done("bash", {{"command", "seq 1000"}}).find(".dsv4/outputs/2.txt") !=
          std::string::npos);
}

TEST_CASE("background jobs are gone, and said to be") {
  Bench bench;
  bench.done("bash", {{"command", "true"}, {"background", true}});
  bench.done("bash", {{"command", "sleep 1000"}, {"background", true}});
  bench.done("bash", {{"status", 1}});
  const std::vector<Json> saved = {bench.toolbox().save()};
  bench.restart();
  REQUIRE(bench.toolbox().resume(from_disk(saved)) == std::vector<int64_t>{2});
  for (const int number : {1, 2}) {
    REQUIRE(bench.refused("bash", {{"status", number}}).find("is gone") != std::string::npos);
    REQUIRE(bench.refused("bash", {{"stop", number}}).find("is gone") != std::string::npos);
  }
  REQUIRE(bench.done("bash", {{"command", "true"}, {"background", true}})
              .starts_with("Started job 3."));
}

TEST_CASE("names and texts that are no UTF-8 are saved exactly") {
  Bench bench;
  bench.done("bash", {{"command", "printf x > $'a\\xff\\nb'; mkdir $'d\\xfe'; cd $'d\\xfe'"}});
  const std::vector<Json> saved = {bench.toolbox().save()};
  const std::string state = tree_state(bench.root());
  bench.restart();
  fs::remove(bench.root() / "a\xff\nb");
  bench.toolbox().resume(from_disk(saved));
  REQUIRE(tree_state(bench.root()) == state);
}

TEST_CASE("a saved state that is damaged or not whole is refused with a sentence") {
  Bench bench;
  bench.done("write", {{"path", "a.txt"}, {"content", "one\n"}});
  const std::vector<Json> saved = {bench.toolbox().save()};
  const auto refused = [&](const std::vector<Json>& parts) {
    bench.restart();
    REQUIRE_THROWS_AS(bench.toolbox().resume(parts), ToolError);
  };
  refused({});
  refused({Json::object()});
  refused({nullptr});
  Json other = saved[0];
  other["history"]["steps"] = {5, Json::array()};
  refused({other});
  other = saved[0];
  other["history"]["changes"][0][2][1] = "no id";
  refused({other});
  const fs::path state = bench.outside() / "state";
  fs::resize_file(state / "base-1", fs::file_size(state / "base-1") - 20);
  refused(saved);
  fs::remove(state / "base-1");
  refused(saved);
}

TEST_CASE("contents that were lost on disk are missed, not made up") {
  Bench bench;
  bench.done("write", {{"path", "a.txt"}, {"content", "one\n"}});
  const std::vector<Json> saved = {bench.toolbox().save()};
  bench.restart();
  fs::remove_all(bench.outside() / "state/objects");
  fs::remove(bench.root() / "a.txt");
  REQUIRE_THROWS_AS(bench.toolbox().resume(saved), ToolError);
}
