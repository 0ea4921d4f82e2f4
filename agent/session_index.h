#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/session_row.h"

namespace dsv4::agent {

// The list of sessions: a SQLite file beside the run directories, which any number of processes use
// at once. The run directories are the truth: what the list lacks is read from them, what they lack
// is dropped from the list, and a file that is damaged is made anew. So nothing here fails for the
// list's own sake, and the file may be deleted at any time; only runs in directories of the user's
// choice (--run-dir) are then forgotten.
class SessionIndex {
 public:
  // directory: state_directory(); made when it is not there.
  explicit SessionIndex(std::filesystem::path directory);
  ~SessionIndex();
  SessionIndex(const SessionIndex&) = delete;
  SessionIndex& operator=(const SessionIndex&) = delete;

  // Adds the run or replaces what was known about it.
  void put(const SessionRow& row);

  // All of them, the newest first.
  std::vector<SessionRow> list();

  // Those with this id; or, when it is the path of a run directory, the run there.
  std::vector<SessionRow> find(const std::string& id_or_directory);

  // Forgets the run; its directory is the caller's to remove.
  void forget(const std::filesystem::path& directory);

 private:
  class Database;
  // Works on the file, and once more on a new one when it turns out to be damaged. Does nothing
  // where no file can be had: then everything comes from the directories.
  void use(const std::function<void(Database&)>& work);
  void make_anew();

  std::filesystem::path directory_;
  std::unique_ptr<Database> database_;
};

// That of this user; null where there is no place for one (state_directory()).
std::unique_ptr<SessionIndex> open_session_index();

// The one run with this id, or in this directory; where there is no list (null), the one in this
// directory. Throws UsageError when there is none, or several with the id.
SessionRow find_one(SessionIndex* index, const std::string& id_or_directory);

}  // namespace dsv4::agent
