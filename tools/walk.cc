#include "tools/walk.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <memory>
#include <mutex>

#include "tools/error.h"
#include "tools/ignore.h"
#include "tools/parallel.h"

namespace dsv4::tools {
namespace {

// A directory of the walk and, once it was read, what is in it.
struct Directory {
  struct Item {
    Walked found;
    std::unique_ptr<Directory> below{};  // of a directory
  };
  std::string path;
  Ignore::LevelPointer above{};  // the ignore files of the directories around it
  std::vector<Item> items{};
};

// Where "a-b" and "a/b" go: a directory's name stands with its slash.
bool in_path_order(const Directory::Item& a, const Directory::Item& b) {
  const std::string& x = a.found.path;
  const std::string& y = b.found.path;
  const size_t common = std::min(x.size(), y.size());
  const int order = x.compare(0, common, y, 0, common);
  if (order != 0) return order < 0;
  const auto next = [](const std::string& path, size_t at, bool directory) {
    if (at < path.size()) return static_cast<int>(static_cast<unsigned char>(path[at]));
    return directory ? static_cast<int>('/') : -1;
  };
  return next(x, common, a.below != nullptr) < next(y, common, b.below != nullptr);
}

class Walker {
 public:
  Walker(const WorkTree& tree, const WalkOptions& options)
      : tree_(tree), options_(options), ignore_(tree) {}

  std::vector<Walked> run() {
    Directory root{.path = options_.from, .above = ignore_.around(options_.from)};
    pending_.push_back(&root);
    // A small tree is done before a thread has begun.
    constexpr size_t kAlone = 12;
    for (size_t done = 0; done < kAlone && !pending_.empty(); ++done) {
      Directory* next = pending_.front();
      pending_.pop_front();
      read(*next);
      for (Directory::Item& item : next->items) {
        if (item.below) pending_.push_back(item.below.get());
      }
    }
    if (!pending_.empty()) {
      on_threads(thread_count(), [this](size_t) { work(); });
    }
    return flat(root);
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return !pending_.empty() || busy_ == 0; });
      if (pending_.empty()) return;
      Directory* next = pending_.front();
      pending_.pop_front();
      ++busy_;
      lock.unlock();
      read(*next);
      lock.lock();
      --busy_;
      for (Directory::Item& item : next->items) {
        if (item.below) pending_.push_back(item.below.get());
      }
      if (!pending_.empty() || busy_ == 0) wake_.notify_all();
    }
  }

  std::vector<DirectoryStatus> entries_of(const Directory& directory) const {
    try {
      if (options_.status) return tree_.statuses(directory.path);
      std::vector<DirectoryStatus> found;
      for (DirectoryEntry& entry : tree_.entries(directory.path)) {
        found.push_back({.name = std::move(entry.name)});
        found.back().status.st_mode = entry.type;
      }
      return found;
    } catch (const ToolError&) {  // gone or not readable
      if (options_.unreadable) options_.unreadable(directory.path);
      return {};
    }
  }

  void read(Directory& directory) const {
    std::vector<DirectoryStatus> entries = entries_of(directory);
    const bool has_rules = std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
      return entry.name == ".gitignore" && S_ISREG(entry.status.st_mode);
    });
    const Ignore::LevelPointer rules = ignore_.entered(directory.above, directory.path, has_rules);
    for (DirectoryStatus& entry : entries) {
      const bool is_directory = S_ISDIR(entry.status.st_mode);
      if (!options_.hidden && entry.name.starts_with('.')) continue;
      if (!options_.directories && !is_directory && !S_ISREG(entry.status.st_mode)) continue;
      Directory::Item item;
      item.found.status = entry.status;
      item.found.path =
          directory.path.empty() ? std::move(entry.name) : directory.path + "/" + entry.name;
      const std::string& path = item.found.path;
      if (path.size() > WorkTree::kPathLimit) continue;
      if (Ignore::ignored(rules.get(), path, is_directory)) continue;
      if (is_directory) item.below.reset(new Directory{.path = path, .above = rules});
      directory.items.push_back(std::move(item));
    }
    std::sort(directory.items.begin(), directory.items.end(), in_path_order);
  }

  // Without recursion: a hostile tree may be as deep as a path is long. Frees what it has read.
  std::vector<Walked> flat(Directory& root) const {
    struct Place {
      std::unique_ptr<Directory> own;
      Directory* directory;
      size_t next = 0;
    };
    std::vector<Walked> result;
    std::vector<Place> stack;
    stack.push_back({nullptr, &root});
    while (!stack.empty()) {
      Place& place = stack.back();
      if (place.next == place.directory->items.size()) {
        stack.pop_back();
        continue;
      }
      Directory::Item& item = place.directory->items[place.next++];
      if (!item.below || options_.directories) result.push_back(std::move(item.found));
      if (item.below) {
        Directory* below = item.below.get();
        stack.push_back({std::move(item.below), below});
      }
    }
    return result;
  }

  const WorkTree& tree_;
  const WalkOptions& options_;
  const Ignore ignore_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Directory*> pending_;
  size_t busy_ = 0;
};

}  // namespace

std::vector<Walked> walk(const WorkTree& tree, const WalkOptions& options) {
  return Walker(tree, options).run();
}

std::vector<std::string> project_files(const WorkTree& tree, const std::string& path) {
  std::vector<std::string> result;
  for (Walked& found : walk(tree, {.from = path})) result.push_back(std::move(found.path));
  return result;
}

}  // namespace dsv4::tools
