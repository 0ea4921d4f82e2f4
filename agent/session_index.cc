#include "agent/session_index.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "agent/error.h"
#include "agent/printable.h"
#include "agent/run_directory.h"
#include "agent/sqlite.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "sessions.db";
constexpr int kVersion = 1;      // of the table below
constexpr int kPatience = 5000;  // ms, while another process writes
constexpr int kPause = 5;        // ms, between two tries
constexpr const char* kTable =
    "CREATE TABLE runs (directory TEXT PRIMARY KEY, id TEXT NOT NULL, kind TEXT, "
    "began INTEGER, repository TEXT, title TEXT, state TEXT, context INTEGER, prefilled INTEGER, "
    "generated INTEGER, reprefilled INTEGER) WITHOUT ROWID";
constexpr const char* kColumns =
    "directory, id, kind, began, repository, title, state, context, prefilled, generated, "
    "reprefilled";

// Runs of this kind change until they have ended.
bool is_final(const SessionRow& row) {
  return row.state != "running" && row.state != "interrupted";
}

// The run in this directory, if it is one.
std::vector<SessionRow> run_in(const std::string& path) {
  std::error_code error;
  const fs::path directory = fs::weakly_canonical(path, error);
  const auto row = error ? std::nullopt : describe_run(directory);
  return row ? std::vector{*row} : std::vector<SessionRow>();
}

}  // namespace

class SessionIndex::Database {
 public:
  explicit Database(const fs::path& file) {
    const int code = sqlite3_open_v2(file.c_str(), &database_,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    try {
      check_sqlite(database_, code);
      prepare();
    } catch (...) {
      sqlite3_close(database_);
      throw;
    }
  }
  ~Database() { sqlite3_close(database_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void put(const SessionRow& row) {
    SqliteStatement(database_, std::string("INSERT OR REPLACE INTO runs (") + kColumns +
                                   ") VALUES (?,?,?,?,?,?,?,?,?,?,?)")
        .bind(row.directory.string())
        .bind(row.id)
        .bind(row.kind)
        .bind(row.began)
        .bind(row.repository)
        .bind(row.title)
        .bind(row.state)
        .bind(row.tokens.context)
        .bind(row.tokens.prefilled)
        .bind(row.tokens.generated)
        .bind(row.tokens.reprefilled)
        .step();
  }

  std::vector<SessionRow> rows() const {
    std::vector<SessionRow> all;
    SqliteStatement query(database_, std::string("SELECT ") + kColumns + " FROM runs");
    while (query.step()) {
      SessionRow& row = all.emplace_back();
      row.directory = query.text(0);
      row.id = query.text(1);
      row.kind = query.text(2);
      row.began = query.number(3);
      row.repository = query.text(4);
      row.title = query.text(5);
      row.state = query.text(6);
      row.tokens.context = query.number(7);
      row.tokens.prefilled = query.number(8);
      row.tokens.generated = query.number(9);
      row.tokens.reprefilled = query.number(10);
    }
    return all;
  }

  void forget(const fs::path& directory) {
    SqliteStatement(database_, "DELETE FROM runs WHERE directory = ?")
        .bind(directory.string())
        .step();
  }

 private:
  void run(const std::string& text) { SqliteStatement(database_, text).step(); }

  // To change to it, SQLite does not wait for other processes as it does for all else.
  void use_write_ahead_log() {
    for (int waited = 0;; waited += kPause) {
      try {
        return run("PRAGMA journal_mode=WAL");
      } catch (const SqliteError& error) {
        if ((error.code & 0xff) != SQLITE_BUSY || waited >= kPatience) throw;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(kPause));
    }
  }

  void prepare() {
    check_sqlite(database_, sqlite3_busy_timeout(database_, kPatience));
    use_write_ahead_log();
    // A list that can be made anew need not survive a power cut.
    run("PRAGMA synchronous=OFF");
    if (version() == kVersion) return;
    run("BEGIN IMMEDIATE");
    if (version() != kVersion) {  // still, now that nobody else writes
      run("DROP TABLE IF EXISTS runs");
      run(kTable);
      run("PRAGMA user_version=" + std::to_string(kVersion));
    }
    run("COMMIT");
  }

  int64_t version() {
    SqliteStatement query(database_, "PRAGMA user_version");
    return query.step() ? query.number(0) : 0;
  }

  sqlite3* database_ = nullptr;
};

SessionIndex::SessionIndex(fs::path directory) : directory_(std::move(directory)) {
  std::error_code error;  // a place that cannot be written to shows when the file is opened
  fs::create_directories(directory_, error);
}

SessionIndex::~SessionIndex() = default;

void SessionIndex::use(const std::function<void(Database&)>& work) {
  for (const bool again : {false, true}) {
    try {
      if (!database_) database_ = std::make_unique<Database>(directory_ / kFile);
      work(*database_);
      return;
    } catch (const SqliteError& error) {
      const int code = error.code & 0xff;
      const bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
      if (!busy) database_.reset();
      if (busy || again) return;
      make_anew();
    }
  }
}

// One process at a time, and only if nobody has done it meanwhile.
void SessionIndex::make_anew() {
  const fs::path guard = directory_ / "sessions.lock";
  const int fd = ::open(guard.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  if (::flock(fd, LOCK_EX) == 0) {
    try {
      Database(directory_ / kFile).rows();
    } catch (const SqliteError&) {
      std::error_code ignored;
      for (const char* end : {"-wal", "-shm", ""}) {
        fs::remove(directory_ / (std::string(kFile) + end), ignored);
      }
    }
  }
  ::close(fd);
}

void SessionIndex::put(const SessionRow& row) {
  use([&](Database& database) { database.put(row); });
}

void SessionIndex::forget(const fs::path& directory) {
  use([&](Database& database) { database.forget(directory); });
}

std::vector<SessionRow> SessionIndex::list() {
  std::map<fs::path, SessionRow> known;
  use([&](Database& database) {
    known.clear();
    for (SessionRow& row : database.rows()) known.emplace(row.directory, std::move(row));
  });
  std::error_code error;
  for (fs::directory_iterator it(directory_ / "runs", error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_directory(error)) known.emplace(it->path(), SessionRow{});
  }
  std::vector<SessionRow> all;
  for (auto& [directory, row] : known) {
    const bool listed = !row.id.empty();
    if (listed && is_final(row) && fs::exists(directory / "events.jsonl", error)) {
      all.push_back(std::move(row));
      continue;
    }
    const auto now = describe_run(directory);
    if (now) {
      const bool changed = !listed || now->state != row.state;
      if (changed) put(*now);
      all.push_back(*now);
    } else if (listed) {
      forget(directory);
    }
  }
  std::sort(all.begin(), all.end(), [](const SessionRow& a, const SessionRow& b) {
    return std::pair(a.began, a.id) > std::pair(b.began, b.id);
  });
  return all;
}

std::vector<SessionRow> SessionIndex::find(const std::string& id_or_directory) {
  std::vector<SessionRow> found;
  for (SessionRow& row : list()) {
    if (row.id == id_or_directory) found.push_back(std::move(row));
  }
  return found.empty() ? run_in(id_or_directory) : found;
}

std::unique_ptr<SessionIndex> open_session_index() {
  try {
    return std::make_unique<SessionIndex>(state_directory());
  } catch (const UsageError&) {
    return nullptr;
  }
}

SessionRow find_one(SessionIndex* index, const std::string& id_or_directory) {
  const std::vector<SessionRow> found =
      index != nullptr ? index->find(id_or_directory) : run_in(id_or_directory);
  const std::string shown = printable_line(id_or_directory, 200);
  if (found.empty()) {
    throw UsageError("there is no run '" + shown + "': `dsv4-agent sessions` lists them");
  }
  if (found.size() > 1) {
    std::string where;
    for (const SessionRow& row : found)
      where += "\n  " + printable_line(row.directory.string(), 300);
    throw UsageError("several runs are called '" + shown + "': name one of the directories" +
                     where);
  }
  return found.front();
}

}  // namespace dsv4::agent
