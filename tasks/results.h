#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

struct sqlite3;

namespace dsv4::tasks {

// How one run of one task ended: a row of the results.
struct SampleResult {
  std::string task;
  int sample = 1;  // from 1
  uint64_t seed = 0;
  std::string status;  // as `fix` says it; or "out_of_memory", "killed", "crashed"
  bool resolved = false;
  std::string reason;  // the grader's sentence, or why there is no verdict
  std::string model;
  int attempts = 0;
  int turns = 0;
  int tool_calls = 0;
  int64_t context = 0;      // tokens
  int64_t prefilled = 0;    // tokens
  int64_t generated = 0;    // tokens
  int64_t reprefilled = 0;  // tokens
  double seconds = 0;       // in all, and of that:
  double model_seconds = 0;
  double tool_seconds = 0;
  double test_seconds = 0;
  std::optional<double> cost;  // where the model has a price
  std::string patch;
  std::string directory;  // of the run, relative to the folder of results

  // Whether it says something about the engine: the run was not cut short by what is wrong around
  // it. Those that were are run again by the next call.
  bool ran() const {
    return status == "passed" || status == "gave_up" || status == "out_of_memory" ||
           status == "killed";
  }
};

// The results of one evaluation: a SQLite file in its folder, written in WAL mode, a row in one
// transaction as each run ends, so that no moment to be killed at is a bad one. Threads may use it
// at the same time. Throws agent::UsageError, which names the file, when it cannot be used.
class Results {
 public:
  enum class Open { kMake, kRead };
  static constexpr const char* kFile = "results.db";  // in the folder of a run

  // kRead: throws UsageError where there are none.
  explicit Results(const std::filesystem::path& folder, Open open = Open::kMake);
  ~Results();
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;

  // What the whole run was asked for, by name; and what is written down of its tasks.
  std::map<std::string, std::string> about() const;
  void set_about(const std::map<std::string, std::string>& about);

  void put(const SampleResult& result);
  std::vector<SampleResult> all() const;  // by task, then sample

 private:
  sqlite3* database_ = nullptr;
  struct Mutex;
  std::unique_ptr<Mutex> mutex_;
  std::filesystem::path file_;
};

}  // namespace dsv4::tasks
