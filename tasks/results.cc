#include "tasks/results.h"

#include <mutex>

#include "agent/error.h"
#include "agent/printable.h"
#include "agent/sqlite.h"

namespace dsv4::tasks {
namespace {

using agent::check_sqlite;
using agent::SqliteStatement;

constexpr int64_t kVersion = 2;  // of the tables below; 1 had no cost
constexpr int kPatience = 5000;  // ms, while another program reads
constexpr const char* kAbout = "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)";
constexpr const char* kSamples =
    "CREATE TABLE samples (task TEXT, sample INTEGER, seed INTEGER, status TEXT, resolved INTEGER, "
    "reason TEXT, model TEXT, attempts INTEGER, turns INTEGER, tool_calls INTEGER, "
    "context INTEGER, prefilled INTEGER, generated INTEGER, reprefilled INTEGER, seconds REAL, "
    "model_seconds REAL, tool_seconds REAL, test_seconds REAL, patch TEXT, directory TEXT, "
    "cost REAL, PRIMARY KEY (task, sample))";

void run(sqlite3* database, const std::string& text) { SqliteStatement(database, text).step(); }

int64_t version(sqlite3* database) {
  SqliteStatement query(database, "PRAGMA user_version");
  return query.step() ? query.number(0) : 0;
}

void prepare(sqlite3* database) {
  check_sqlite(database, sqlite3_busy_timeout(database, kPatience));
  run(database, "PRAGMA journal_mode=WAL");
  run(database, "PRAGMA synchronous=NORMAL");
  if (version(database) == kVersion) return;
  run(database, "BEGIN IMMEDIATE");
  const int64_t now = version(database);  // another program may have been faster
  if (now == 0) {
    run(database, kAbout);
    run(database, kSamples);
  } else if (now == 1) {
    run(database, "ALTER TABLE samples ADD COLUMN cost REAL");
  }
  run(database, "PRAGMA user_version=" + std::to_string(kVersion));
  run(database, "COMMIT");
}

[[noreturn]] void cannot_be_used(const std::filesystem::path& file, const std::string& why) {
  throw agent::UsageError(agent::printable_line(file.string(), 300) + " cannot be used: " + why +
                          "; name another folder");
}

// A transaction that does not end well is as if it had not been.
template <class Work>
auto with_file(sqlite3* database, const std::filesystem::path& file, const Work& work) {
  try {
    return work();
  } catch (const agent::SqliteError& error) {
    const std::string why = error.what();
    if (sqlite3_get_autocommit(database) == 0) {
      sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
    }
    cannot_be_used(file, why);
  }
}

std::vector<SampleResult> rows(sqlite3* database) {
  std::vector<SampleResult> out;
  SqliteStatement query(database,
                        "SELECT task, sample, seed, status, resolved, reason, model, attempts, "
                        "turns, tool_calls, context, prefilled, generated, reprefilled, seconds, "
                        "model_seconds, tool_seconds, test_seconds, patch, directory, cost "
                        "FROM samples ORDER BY task, sample");
  while (query.step()) {
    SampleResult& r = out.emplace_back();
    r.task = query.text(0);
    r.sample = static_cast<int>(query.number(1));
    r.seed = static_cast<uint64_t>(query.number(2));
    r.status = query.text(3);
    r.resolved = query.number(4) != 0;
    r.reason = query.text(5);
    r.model = query.text(6);
    r.attempts = static_cast<int>(query.number(7));
    r.turns = static_cast<int>(query.number(8));
    r.tool_calls = static_cast<int>(query.number(9));
    r.context = query.number(10);
    r.prefilled = query.number(11);
    r.generated = query.number(12);
    r.reprefilled = query.number(13);
    r.seconds = query.real(14);
    r.model_seconds = query.real(15);
    r.tool_seconds = query.real(16);
    r.test_seconds = query.real(17);
    r.patch = query.text(18);
    r.directory = query.text(19);
    if (!query.null(20)) r.cost = query.real(20);
  }
  return out;
}

}  // namespace

struct Results::Mutex {
  std::mutex mutex;
};

Results::Results(const std::filesystem::path& folder, Open open)
    : mutex_(std::make_unique<Mutex>()), file_(folder / Results::kFile) {
  if (open == Open::kRead && !std::filesystem::exists(file_)) {
    throw agent::UsageError("there are no results in " +
                            agent::printable_line(folder.string(), 300) +
                            ": name the --out folder of another run");
  }
  const int code = sqlite3_open_v2(file_.c_str(), &database_,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  try {
    check_sqlite(database_, code);
    prepare(database_);
  } catch (const agent::SqliteError& error) {
    const std::string why = error.what();
    sqlite3_close(database_);
    cannot_be_used(file_, why);
  }
}

Results::~Results() { sqlite3_close(database_); }

std::map<std::string, std::string> Results::about() const {
  const std::lock_guard lock(mutex_->mutex);
  return with_file(database_, file_, [&] {
    std::map<std::string, std::string> out;
    SqliteStatement query(database_, "SELECT name, value FROM about");
    while (query.step()) out[query.text(0)] = query.text(1);
    return out;
  });
}

void Results::set_about(const std::map<std::string, std::string>& about) {
  const std::lock_guard lock(mutex_->mutex);
  with_file(database_, file_, [&] {
    run(database_, "BEGIN IMMEDIATE");
    for (const auto& [name, value] : about) {
      SqliteStatement(database_, "INSERT OR REPLACE INTO about VALUES (?, ?)")
          .bind(name)
          .bind(value)
          .step();
    }
    run(database_, "COMMIT");
  });
}

void Results::put(const SampleResult& r) {
  const std::lock_guard lock(mutex_->mutex);
  with_file(database_, file_, [&] {
    SqliteStatement row(
        database_,
        "INSERT OR REPLACE INTO samples VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    row.bind(r.task).bind(int64_t{r.sample}).bind(static_cast<int64_t>(r.seed)).bind(r.status);
    row.bind(int64_t{r.resolved}).bind(r.reason).bind(r.model).bind(int64_t{r.attempts});
    row.bind(int64_t{r.turns}).bind(int64_t{r.tool_calls}).bind(r.context).bind(r.prefilled);
    row.bind(r.generated).bind(r.reprefilled).bind(r.seconds).bind(r.model_seconds);
    row.bind(r.tool_seconds).bind(r.test_seconds).bind(r.patch).bind(r.directory);
    if (r.cost) row.bind(*r.cost);
    row.step();
  });
}

std::vector<SampleResult> Results::all() const {
  const std::lock_guard lock(mutex_->mutex);
  return with_file(database_, file_, [&] { return rows(database_); });
}

}  // namespace dsv4::tasks
