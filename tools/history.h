#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "sandbox/protected_names.h"
#include "tools/object_store.h"
#include "tools/worktree.h"

namespace dsv4::tools {

// A file that is about to be written.
struct Coming {
  std::string path;
  std::string bytes;
};

// What happened to the working copy since the toolbox was made, kept outside of it: no git
// directory is written, and of one that commands cannot write only the list of tracked files is
// read.
//
// Covered are the tracked files and everything that is not ignored: content, permission bits, links
// and directories. Ignored files are covered once a tool writes them.
class History {
 public:
  // Takes the state to compare with. metadata: see WorkspaceOptions. Throws ToolError when
  // state_dir cannot be used.
  History(const WorkTree& tree, const std::filesystem::path& metadata,
          const std::filesystem::path& state_dir);

  // Around a change of files by a tool, one step of undo: before() first, then the change, then
  // after().
  void before(const std::vector<std::string>& paths);
  void after(const std::vector<std::string>& paths);

  // After a command of the model: what it changed is one step of undo.
  void after_command();

  // After the tests: what they changed is no step of undo, and files they made are not the model's.
  void after_tests();

  // The state now, to go back to: files and steps. Costs what patch() would show.
  struct Mark;
  std::shared_ptr<const Mark> mark();

  // The mark that mark() would have given at the last of several save()s in a row, of this history
  // or of the one that it resumed. Throws ToolError when something needed is not there.
  std::shared_ptr<const Mark> mark_at(std::span<const nlohmann::ordered_json> saved) const;

  // Makes everything covered what it was at the mark, whatever happened since. The paths that
  // changed with it. A mark is of use to the history that made it only.
  std::vector<std::string> go_back(const Mark& mark);

  // From now on patch() shows what differs from here.
  void begin_patch_here();

  // Takes back the last step. The paths it restored; throws ToolError when there is none.
  std::vector<std::string> undo();

  // What the file held before the last `steps` steps, when they touched it.
  std::optional<std::string> before_steps(const std::string& path, size_t steps) const;

  // Steps that undo can take back.
  size_t steps() const { return steps_.size(); }

  // Makes one step of those after the first `from`.
  void join_steps(size_t from);

  // What differs from the first state as far as tools know: equal texts, equal working copies.
  // Products of tests do not count.
  std::string fingerprint() const { return fingerprint_after(0, std::nullopt); }

  // The same after so many undos and then one write.
  std::string fingerprint_after(size_t undos, const std::optional<Coming>& coming) const;

  // What another History on the same working copy and state_dir needs to go on from here, beside
  // the results of earlier calls: a JSON object. The contents that it names outlive this process.
  nlohmann::ordered_json save();

  // Makes a new History, and the working copy, what they were at the last of several save()s in a
  // row, whatever was done to the files since. Throws ToolError when something needed is not there.
  void resume(std::span<const nlohmann::ordered_json> saved);

  // A git patch from the first state (or where begin_patch_here was called) to now, binary safe;
  // files that commands built are left out, and those with names that stay as they are: the paths
  // of these are put in `left_out` where one is given.
  std::string patch(const sandbox::ProtectedNames& without,
                    std::vector<std::string>* left_out = nullptr);

 private:
  struct Entry {
    mode_t mode = 0;  // type and permissions
    ObjectId id{};    // content, or the link's target; zero where that could not be read
    // To see without reading that nothing changed.
    int64_t size = 0;
    int64_t modified = 0;  // ns
    int64_t changed = 0;   // ns
    uint64_t inode = 0;
    bool settled = false;  // its times are old enough to show a later change
  };
  using Entries = std::map<std::string, Entry>;
  struct PathChange {
    std::string path;
    std::optional<Entry> before;
    std::optional<Entry> after;
  };
  using Change = std::vector<PathChange>;

  struct Saved;
  static Saved read(std::span<const nlohmann::ordered_json> saved);

  std::optional<Entry> look(const std::string& path, const Entry* known);
  Entry look(const std::string& path, const struct stat& status, const Entry* known);
  Entries scan();
  static Change difference(const Entries& before, const Entries& after);
  void keep(Change change);
  void restore(const Change& change);
  std::vector<std::string> look_again(const Change& change);
  void save_base();
  Entries load_base(const std::string& name, size_t count) const;
  void put_back(const std::string& path, const Entry& entry);
  void drop_bytecode(const std::string& path);

  const WorkTree& tree_;
  ObjectStore store_;
  std::set<std::string> tracked_;        // by the repository's index
  std::set<std::string> written_;        // by tools: covered even when ignored
  std::set<std::string> products_;       // made by tests
  std::shared_ptr<const Entries> base_;  // what patch() compares with
  Entries current_;
  std::vector<std::shared_ptr<const Change>> steps_;
  std::filesystem::path state_dir_;
  // As of the last save().
  std::shared_ptr<const Entries> saved_base_;
  size_t saved_bases_ = 0;  // files written
  std::vector<std::shared_ptr<const Change>> saved_steps_;
  nlohmann::ordered_json saved_ = nlohmann::ordered_json::object();
};

struct History::Mark {
  std::shared_ptr<const Entries> base;
  Change since_base;
  std::vector<std::shared_ptr<const Change>> steps;
};

}  // namespace dsv4::tools
