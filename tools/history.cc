#include "tools/history.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "tools/error.h"
#include "tools/ignore.h"
#include "tools/walk.h"

namespace dsv4::tools {
namespace {

// Larger files are known by their times and size only, and undo cannot bring them back.
constexpr uint64_t kContentLimit = 64ull << 20;

// Two changes closer than the file system's clock can have the same time stamps.
constexpr int64_t kClockGrain = 50'000'000;  // ns

int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return nanoseconds(time);
}

// Large on paper, and next to nothing on disk: a command makes thousands of such files for free,
// and reading one takes as long as its size says.
bool mostly_holes(const struct stat& info) {
  constexpr int64_t kBlock = 512;  // of st_blocks, whatever the file system's own
  constexpr int64_t kWorthALook = 1 << 20;
  return S_ISREG(info.st_mode) && info.st_size > kWorthALook &&
         info.st_blocks * kBlock < info.st_size / 16;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::filesystem::path inside(const std::filesystem::path& metadata, const char* name) {
  return metadata.empty() ? metadata : metadata / name;
}

bool is_built(std::string_view bytes) {
  return bytes.starts_with(
             "\x7f"
             "ELF") ||
         bytes.starts_with("!<arch>\n");
}

}  // namespace

History::History(const WorkTree& tree, const std::filesystem::path& metadata,
                 const std::filesystem::path& state_dir)
    : tree_(tree), store_(state_dir, inside(metadata, "objects")), state_dir_(state_dir) {
  for (std::string& path : tracked_paths(inside(metadata, "index"))) {
    tracked_.insert(std::move(path));
  }
  current_ = scan();
  base_ = std::make_shared<const Entries>(current_);
}

// What lies at the path now.
std::optional<History::Entry> History::look(const std::string& path, const Entry* known) {
  const struct stat info = tree_.status(path);
  if (info.st_mode == 0) return std::nullopt;
  return look(path, info, known);
}

// The same when its status is known. Content is read only when `known` cannot vouch for it.
History::Entry History::look(const std::string& path, const struct stat& info, const Entry* known) {
  Entry entry;
  entry.mode = info.st_mode;
  if (!S_ISREG(entry.mode) && !S_ISLNK(entry.mode)) return entry;
  entry.size = info.st_size;
  entry.modified = nanoseconds(info.st_mtim);
  entry.changed = nanoseconds(info.st_ctim);
  entry.inode = info.st_ino;
  entry.settled = std::max(entry.modified, entry.changed) < now() - kClockGrain;
  if (known && known->settled && known->mode == entry.mode && known->size == entry.size &&
      known->modified == entry.modified && known->changed == entry.changed &&
      known->inode == entry.inode) {
    entry.id = known->id;
    return entry;
  }
  if (mostly_holes(info)) return entry;
  try {
    entry.id = store_.put(S_ISLNK(entry.mode) ? tree_.read_link(path)
                                              : tree_.read(path, kContentLimit).bytes);
  } catch (const ToolError&) {
    if (known) entry.id = known->id;  // not readable now: what it held when it was
  }
  return entry;
}

History::Entries History::scan() {
  std::mutex mutex;
  std::vector<std::string> unreadable;
  const std::vector<Walked> there =
      walk(tree_, {.directories = true, .status = true, .unreadable = [&](const std::string& path) {
                     const std::lock_guard lock(mutex);
                     unreadable.push_back(path);
                   }});
  Entries found;
  for (const Walked& one : there) {
    if (products_.contains(one.path)) continue;
    const auto known = current_.find(one.path);
    found.emplace_hint(
        found.end(), one.path,
        look(one.path, one.status, known == current_.end() ? nullptr : &known->second));
  }
  for (const std::string& path : unreadable) {  // what was in it still counts as there
    const std::string below = path + "/";
    for (auto at = current_.lower_bound(below); at != current_.end(); ++at) {
      if (!at->first.starts_with(below)) break;
      found.insert(*at);
    }
  }
  for (const auto* paths : {&tracked_, &written_}) {
    for (const std::string& path : *paths) {
      if (found.contains(path)) continue;
      const auto known = current_.find(path);
      const auto entry = look(path, known == current_.end() ? nullptr : &known->second);
      if (entry) found.emplace(path, *entry);
    }
  }
  return found;
}

History::Change History::difference(const Entries& before, const Entries& after) {
  Change change;
  const auto same = [](const Entry& a, const Entry& b) {
    return a.mode == b.mode && git_oid_equal(&a.id, &b.id) &&
           (!git_oid_is_zero(&a.id) || !S_ISREG(a.mode) ||
            (a.size == b.size && a.modified == b.modified));
  };
  auto old_at = before.begin();
  auto new_at = after.begin();
  while (old_at != before.end() || new_at != after.end()) {
    const bool only_old =
        new_at == after.end() || (old_at != before.end() && old_at->first < new_at->first);
    const bool only_new =
        old_at == before.end() || (new_at != after.end() && new_at->first < old_at->first);
    if (only_old) {
      change.push_back({old_at->first, old_at->second, std::nullopt});
    } else if (only_new) {
      change.push_back({new_at->first, std::nullopt, new_at->second});
    } else if (!same(old_at->second, new_at->second)) {
      change.push_back({old_at->first, old_at->second, new_at->second});
    }
    if (!only_new) ++old_at;
    if (!only_old) ++new_at;
  }
  return change;
}

void History::keep(Change change) {
  if (!change.empty()) steps_.push_back(std::make_shared<const Change>(std::move(change)));
}

void History::before(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    written_.insert(path);
    products_.erase(path);
    // The directories above as well: the tool makes those that are missing.
    for (std::string at = path; !at.empty(); at = parent_of(at)) {
      const auto known = current_.find(at);
      const auto entry = look(at, known == current_.end() ? nullptr : &known->second);
      if (entry) {
        current_[at] = *entry;
      } else {
        current_.erase(at);
      }
    }
  }
}

void History::after(const std::vector<std::string>& paths) {
  Entries before;
  Entries after;
  for (const std::string& path : paths) {
    for (std::string at = path; !at.empty(); at = parent_of(at)) {
      const auto known = current_.find(at);
      if (known != current_.end()) before.insert(*known);
      if (const auto entry = look(at, nullptr)) after.emplace(at, *entry);
    }
  }
  for (const auto& [path, entry] : before) {
    if (!after.contains(path)) current_.erase(path);
  }
  for (const auto& [path, entry] : after) current_[path] = entry;
  keep(difference(before, after));
  for (const std::string& path : paths) drop_bytecode(path);
}

void History::after_command() {
  Entries found = scan();
  keep(difference(current_, found));
  current_ = std::move(found);
}

void History::after_tests() {
  Entries found = scan();
  std::erase_if(found, [&](const auto& item) {
    const bool made = !S_ISDIR(item.second.mode) && !current_.contains(item.first);
    if (made) products_.insert(item.first);
    return made;
  });
  current_ = std::move(found);
}

void History::put_back(const std::string& path, const Entry& entry) {
  if (S_ISDIR(entry.mode)) {
    tree_.make_directory(path, 0755);
    tree_.set_mode(path, entry.mode);
  } else if (S_ISLNK(entry.mode) && !git_oid_is_zero(&entry.id)) {
    tree_.remove(path);
    tree_.make_link(path, store_.get(entry.id));
  } else if (S_ISREG(entry.mode) && git_oid_is_zero(&entry.id)) {
    tree_.set_mode(path, entry.mode);
  } else if (S_ISREG(entry.mode)) {
    tree_.write(path, {store_.get(entry.id), entry.mode & 07777});
  }
}

void History::restore(const Change& change) {
  // What was not there or was of another kind goes first, children before their directories.
  for (auto item = change.rbegin(); item != change.rend(); ++item) {
    if (!item->after) continue;
    if (!item->before || (item->before->mode & S_IFMT) != (item->after->mode & S_IFMT)) {
      tree_.remove(item->path);
    }
  }
  for (const PathChange& item : change) {
    if (item.before) put_back(item.path, *item.before);
  }
}

std::vector<std::string> History::undo() {
  if (steps_.empty()) throw ToolError("There is nothing to undo.");
  const std::shared_ptr<const Change> change = std::move(steps_.back());
  steps_.pop_back();
  restore(*change);
  std::vector<std::string> paths = look_again(*change);
  if (paths.empty()) paths.push_back(change->front().path);
  return paths;
}

// After a restore. The paths of what is no directory.
std::vector<std::string> History::look_again(const Change& change) {
  std::vector<std::string> paths;
  for (const PathChange& item : change) {
    if (const auto entry = look(item.path, nullptr)) {
      current_[item.path] = *entry;
    } else {
      current_.erase(item.path);
    }
    drop_bytecode(item.path);
    const mode_t mode = (item.before ? item.before : item.after)->mode;
    if (!S_ISDIR(mode)) paths.push_back(item.path);
  }
  return paths;
}

std::shared_ptr<const History::Mark> History::mark() {
  current_ = scan();
  return std::make_shared<const Mark>(Mark{base_, difference(*base_, current_), steps_});
}

std::vector<std::string> History::go_back(const Mark& mark) {
  current_ = scan();
  Entries target = *mark.base;
  for (const PathChange& item : mark.since_base) {
    if (item.after) {
      target[item.path] = *item.after;
    } else {
      target.erase(item.path);
    }
  }
  const Change change = difference(target, current_);
  restore(change);
  steps_ = mark.steps;
  return look_again(change);
}

void History::begin_patch_here() {
  current_ = scan();
  base_ = std::make_shared<const Entries>(current_);
}

// Python takes compiled bytecode for current when its source has the size and the second it had:
// two edits within a second could leave a test running the older one.
void History::drop_bytecode(const std::string& path) {
  if (!path.ends_with(".py")) return;
  const std::string parent = parent_of(path);
  const std::string cache = parent.empty() ? "__pycache__" : parent + "/__pycache__";
  const size_t name_at = parent.empty() ? 0 : parent.size() + 1;
  const std::string stem = path.substr(name_at, path.size() - name_at - 2);  // with the dot
  if (!S_ISDIR(tree_.status(cache).st_mode)) return;
  try {
    for (const DirectoryEntry& entry : tree_.entries(cache)) {
      const std::string file = cache + "/" + entry.name;
      if (entry.name.starts_with(stem) && entry.name.ends_with(".pyc") && S_ISREG(entry.type) &&
          !tracked_.contains(file)) {
        tree_.remove(file);
      }
    }
  } catch (const ToolError&) {  // a cache that cannot be changed is the owner's
  }
}

void History::join_steps(size_t from) {
  if (steps_.size() < from + 2) return;
  std::map<std::string, PathChange> joined;
  for (size_t step = from; step < steps_.size(); ++step) {
    for (const PathChange& change : *steps_[step]) {
      const auto [place, is_new] = joined.emplace(change.path, change);
      if (!is_new) place->second.after = change.after;
    }
  }
  Change whole;
  for (auto& [path, change] : joined) whole.push_back(std::move(change));
  steps_.resize(from);
  keep(std::move(whole));
}

std::optional<std::string> History::before_steps(const std::string& path, size_t steps) const {
  const size_t end = steps_.size() - std::min(steps, steps_.size());
  for (size_t step = end; step < steps_.size(); ++step) {
    for (const PathChange& change : *steps_[step]) {
      if (change.path != path) continue;
      if (!change.before || git_oid_is_zero(&change.before->id)) return std::nullopt;
      return store_.get(change.before->id);
    }
  }
  return std::nullopt;
}

std::string History::fingerprint_after(size_t undos, const std::optional<Coming>& coming) const {
  Entries entries = current_;
  for (size_t k = 0; k < std::min(undos, steps_.size()); ++k) {
    for (const PathChange& change : *steps_[steps_.size() - 1 - k]) {
      if (change.before) {
        entries[change.path] = *change.before;
      } else {
        entries.erase(change.path);
      }
    }
  }
  if (coming) {
    Entry& entry = entries[coming->path];
    if (entry.mode == 0) entry.mode = S_IFREG | 0644;
    entry.id = ObjectStore::id_of(coming->bytes);
  }
  std::string text;
  for (const PathChange& change : difference(*base_, entries)) {
    text += change.path + '\0';
    if (change.after) {
      text += std::to_string(change.after->mode) + ' ';
      text.append(reinterpret_cast<const char*>(change.after->id.id), sizeof change.after->id.id);
    }
    text += '\0';
  }
  return text;
}

std::string History::patch(const sandbox::ProtectedNames& without,
                           std::vector<std::string>* left_out) {
  Entries found = scan();
  const Ignore ignore(tree_);
  std::vector<PatchFile> from;
  std::vector<PatchFile> to;
  const auto add = [](std::vector<PatchFile>& files, const std::string& path,
                      const std::optional<Entry>& entry) {
    if (!entry || git_oid_is_zero(&entry->id)) return;
    if (S_ISLNK(entry->mode)) files.push_back({path, 0120000, entry->id});
    if (S_ISREG(entry->mode)) {
      files.push_back({path, entry->mode & 0100 ? 0100755u : 0100644u, entry->id});
    }
  };
  for (const PathChange& item : difference(*base_, found)) {
    if (without.hold(item.path)) {
      const bool folder = item.after ? S_ISDIR(item.after->mode) : S_ISDIR(item.before->mode);
      if (left_out && !folder) left_out->push_back(item.path);
      continue;
    }
    if (!item.before && !tracked_.contains(item.path)) {
      if (ignore.inside_ignored(item.path)) continue;
      const bool command_made = !written_.contains(item.path);
      if (command_made && item.after && S_ISREG(item.after->mode) &&
          !git_oid_is_zero(&item.after->id) && is_built(store_.get(item.after->id))) {
        continue;
      }
    }
    add(from, item.path, item.before);
    add(to, item.path, item.after);
  }
  return from.empty() && to.empty() ? std::string() : store_.patch(from, to);
}

}  // namespace dsv4::tools
