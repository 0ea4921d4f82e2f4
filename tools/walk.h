#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <vector>

#include "tools/worktree.h"

namespace dsv4::tools {

// What a walk came by, of the link itself for links.
struct Walked {
  std::string path;
  struct stat status {};  // only its type when the walk was not asked for more
};

struct WalkOptions {
  std::string from{};        // the directory to begin in, cleaned
  bool hidden = true;        // what begins with a dot, too
  bool directories = false;  // give them, too, and links and whatever else there is
  bool status = false;       // in full
  // Called, by any thread, for a directory that cannot be read; may be empty.
  std::function<void(const std::string& path)> unreadable{};
};

// What is beneath a directory and not ignored (ignore.h), in the order of the paths' bytes. Links
// are not followed, ignored directories and those deeper than a path can say not entered. Large
// trees are walked by several threads.
std::vector<Walked> walk(const WorkTree& tree, const WalkOptions& options);

// The regular files beneath `path` that are not ignored, sorted; links are left out.
std::vector<std::string> project_files(const WorkTree& tree, const std::string& path = "");

}  // namespace dsv4::tools
