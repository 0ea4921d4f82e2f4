// A conversation that goes on in another process: nothing that was saved is computed again, and
// what is said is what would have been said.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "llm/error.h"
#include "llm/local_conversation.h"
#include "llm/scripted_conversation.h"
#include "llm/session_trail.h"
#include "tests/catch.h"

namespace dsv4::llm {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "dsv4-resume-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }
  // The files, in the order in which they were written.
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(path_)) found.push_back(entry.path());
    std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
      return fs::last_write_time(a) < fs::last_write_time(b);
    });
    return found;
  }

 private:
  fs::path path_;
};

ReplyOptions turn_options(int turn) {
  ReplyOptions options;
  options.sampling.seed = static_cast<uint64_t>(turn);
  options.max_tokens = 40;
  return options;
}

std::unique_ptr<Conversation> open_nano() {
  LocalOptions options;
  options.threads = 2;
  return open_local(DSV4_SOURCE_DIR "/llm/nano/model", options);
}

// One turn of a conversation: the model speaks, and hears something.
std::string turn(Conversation& conversation, int number) {
  const Reply reply = conversation.reply(turn_options(number));
  std::string heard;
  for (int i = 0; i < 30; ++i) heard += "line " + std::to_string(number * 100 + i) + " failed\n";
  conversation.user(heard);
  return reply.raw;
}

std::unique_ptr<Conversation> begin(const std::string& repository) {
  auto root = open_nano();
  root->system("You repair programs.", {});
  root->user(repository);
  REQUIRE(root->prefill({}, {}));
  return root;
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "def f" + std::to_string(i) + "(x): return x\n";
  return text;
}

}  // namespace

TEST_CASE("a conversation is resumed at any turn, computes nothing twice and says the same") {
  const Folder folder;
  const auto root = begin(long_text());
  const ordered_json root_saved = root->save(folder.path());
  const auto attempt = root->fork();
  attempt->user("The issue.");
  std::vector<ordered_json> saved;
  std::vector<std::string> said;
  std::vector<Usage> usages;
  for (int t = 0; t < 4; ++t) {
    said.push_back(turn(*attempt, t));
    saved.push_back(attempt->save(folder.path()));
    REQUIRE(attempt->prefill({}, {}));
    saved.push_back(attempt->save(folder.path()));
    usages.push_back(attempt->usage());
  }
  for (size_t kept = 1; kept <= saved.size(); ++kept) {
    INFO(kept);
    const auto again = open_nano();
    again->resume({&root_saved, 1}, folder.path());
    REQUIRE(again->usage().context == root->usage().context);
    const auto fork = again->fork();
    // As it lies on disk.
    std::vector<ordered_json> read;
    for (size_t k = 0; k < kept; ++k) read.push_back(ordered_json::parse(saved[k].dump()));
    fork->resume(read, folder.path());
    for (size_t t = (kept + 1) / 2; t < 4; ++t) {
      REQUIRE(turn(*fork, static_cast<int>(t)) == said[t]);
      REQUIRE(fork->prefill({}, {}));
      const Usage& before = usages[t];
      const Usage now = fork->usage();
      REQUIRE(now.context == before.context);
      REQUIRE(now.prefilled == before.prefilled);
      REQUIRE(now.generated == before.generated);
      REQUIRE(now.reprefilled == 0);
    }
  }
}

TEST_CASE("what is missing of a saved conversation is computed again, once, and counted") {
  const Folder folder;
  const auto root = begin(long_text());
  const ordered_json root_saved = root->save(folder.path());
  const auto attempt = root->fork();
  attempt->user("The issue.");
  std::vector<ordered_json> saved;
  std::vector<std::string> said;
  std::vector<int64_t> computed = {root->usage().context};
  for (int t = 0; t < 3; ++t) {
    said.push_back(turn(*attempt, t));
    REQUIRE(attempt->prefill({}, {}));
    saved.push_back(attempt->save(folder.path()));
    computed.push_back(attempt->usage().context);
  }
  const std::string last = turn(*attempt, 3);
  const Usage end = attempt->usage();
  const auto files = folder.files();
  REQUIRE(files.size() == 4);
  const auto resumed = [&] {
    const auto again = open_nano();
    again->resume({&root_saved, 1}, folder.path());
    auto fork = again->fork();
    fork->resume(saved, folder.path());
    REQUIRE(turn(*fork, 3) == last);
    REQUIRE(fork->usage().context == end.context);
    REQUIRE(fork->usage().prefilled == end.prefilled);
    REQUIRE(fork->usage().generated == end.generated);
    return fork->usage().reprefilled;
  };
  SECTION("nothing is missing") { REQUIRE(resumed() == 0); }
  SECTION("the last file is cut short") {
    fs::resize_file(files[3], fs::file_size(files[3]) - 1);
    REQUIRE(resumed() == computed[3] - computed[2]);
  }
  SECTION("one in the middle has a wrong byte") {
    std::fstream file(files[2], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5000);
    file.put('\xa5');
    file.close();
    REQUIRE(resumed() == computed[3] - computed[1]);
  }
  SECTION("the beginning is gone, and what follows is of use all the same") {
    fs::remove(files[0]);
    const auto again = open_nano();
    again->resume({&root_saved, 1}, folder.path());
    REQUIRE(again->prefill({}, {}));
    REQUIRE(again->usage().reprefilled == computed[0]);
    const auto fork = again->fork();
    fork->resume(saved, folder.path());
    REQUIRE(turn(*fork, 3) == last);
    REQUIRE(fork->usage().reprefilled == 0);  // of its own
  }
  SECTION("everything is gone") {
    for (const fs::path& file : files) fs::remove(file);
    REQUIRE(resumed() == computed[3]);
  }
  SECTION("it is interrupted again before anything is computed") {
    for (const fs::path& file : files) fs::remove(file);
    const auto again = open_nano();
    again->resume({&root_saved, 1}, folder.path());
    const auto fork = again->fork();
    fork->resume(saved, folder.path());
    std::vector<ordered_json> more = saved;
    more.push_back(fork->save(folder.path()));
    const auto third = open_nano();
    third->resume({&root_saved, 1}, folder.path());
    const auto last_fork = third->fork();
    last_fork->resume(more, folder.path());
    REQUIRE(last_fork->prefill({}, {}));
    REQUIRE(last_fork->usage().reprefilled == computed[3]);
  }
}

TEST_CASE("a conversation is not resumed with another model, or from what is no saved one") {
  const Folder folder;
  const auto root = begin("A repository.");
  const ordered_json saved = root->save(folder.path());
  const auto refused = [&](const char* key, const ordered_json& value) {
    ordered_json other = saved;
    other[key] = value;
    REQUIRE_THROWS_AS(open_nano()->resume({&other, 1}, folder.path()), Error);
  };
  refused("model", "another");
  refused("from", 3);
  refused("ids", {1, 2, -7});
  refused("ids", {1, 1 << 30});
  refused("ids", "x");
  refused("computed", saved["ids"].size() + 1);
  refused("computed", -1);
  refused("sampled", 9);
  refused("place", {77, false});
  refused("usage", nullptr);
  const ordered_json nothing = nullptr;
  REQUIRE_THROWS_AS(open_nano()->resume({&nothing, 1}, folder.path()), Error);
}

TEST_CASE("a scripted conversation is resumed as well") {
  ScriptedConversation first({Reply{}, Reply{}, Reply{}});
  first.user("one");
  (void)first.reply({});
  std::vector<ordered_json> saved = {first.save({})};
  first.user("two");
  (void)first.reply({});
  saved.push_back(first.save({}));
  ScriptedConversation second({Reply{}, Reply{}, Reply{}});
  second.resume(saved, {});
  REQUIRE(second.segments().size() == first.segments().size());
  for (ScriptedConversation* each : {&first, &second}) {
    each->user("three");
    (void)each->reply({});
    REQUIRE_THROWS_AS((each->user("four"), each->reply({})), Error);
  }
  REQUIRE(second.usage().context == first.usage().context);
  REQUIRE(second.usage().prefilled == first.usage().prefilled);
}

}  // namespace dsv4::llm
