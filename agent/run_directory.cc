#include "agent/run_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <system_error>

#include "agent/error.h"
#include "agent/printable.h"
#include "agent/working_copy.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLock = "lock";
constexpr std::array kContents = {
    "work",       "kv",          "repairs",  "events.jsonl", "transcript.md",
    "patch.diff", "report.json", "issue.md", kLock};

// The whole file. Belongs to the open file, so it goes when its process does, and asking for it
// takes nothing from anybody.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string new_run_id() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &utc);
  std::snprintf(text + size, sizeof text - size, "-%04x", std::random_device()() & 0xffff);
  return text;
}

}  // namespace

fs::path state_directory() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return fs::path(state) / "dsv4-agent";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return fs::path(home) / ".local/state/dsv4-agent";
  throw UsageError("neither XDG_STATE_HOME nor HOME is set: name a directory with --run-dir");
}

fs::path make_run_directory(const std::string& named) {
  const fs::path directory =
      named.empty() ? state_directory() / "runs" / new_run_id() : fs::absolute(named);
  const std::string shown = printable_line(directory.string(), 300);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    throw UsageError("the run directory " + shown + " cannot be made: " + error.message() +
                     "; name another with --run-dir");
  }
  if (!fs::is_empty(directory, error) || error) {
    throw UsageError("the run directory " + shown +
                     " is not empty: name a new one, nothing is overwritten");
  }
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    throw UsageError("the run directory " + shown +
                     " cannot be written to: name another with --run-dir");
  }
  return fs::canonical(directory);
}

RunLock::RunLock(const fs::path& directory)
    : fd_(::open((directory / kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  const std::string shown = printable_line(directory.string(), 300);
  if (fd_ < 0) {
    throw UsageError("cannot write in the run directory " + shown + ": " + std::strerror(errno));
  }
  struct flock lock = whole_file();
  if (::fcntl(fd_, F_OFD_SETLK, &lock) != 0) {
    ::close(fd_);
    throw UsageError("another process works in " + shown + ": wait until it has ended");
  }
}

RunLock::~RunLock() { ::close(fd_); }

bool is_in_use(const fs::path& directory) {
  const int fd =
      ::open((directory / kLock).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  struct flock lock = whole_file();
  const bool held = ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(fd);
  return held;
}

void remove_unfinished(const fs::path& directory) {
  if (is_in_use(directory)) return;
  for (const char* name : {"work", "kv"}) remove_tree(directory / name);
}

void remove_run(const fs::path& directory) {
  {
    const RunLock lock(directory);
    for (const char* name : kContents) remove_tree(directory / name);
  }
  std::error_code not_empty;  // something of the user's is in it
  fs::remove(directory, not_empty);
}

}  // namespace dsv4::agent
