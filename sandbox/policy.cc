#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "sandbox/sandbox.h"

namespace fs = std::filesystem;

namespace dsv4::sandbox {
namespace {

bool lies_in(const fs::path& path, const fs::path& folder) {
  const auto [end, at] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  static_cast<void>(at);
  return end == folder.end();
}

// Where people and services keep what is theirs.
std::vector<fs::path> private_roots() {
  std::vector<fs::path> roots = {"/home", "/root", "/tmp", "/var", "/run",  "/etc",
                                 "/proc", "/sys",  "/dev", "/mnt", "/media"};
  if (const char* home = ::getenv("HOME"); home != nullptr && *home == '/') {
    std::error_code ignored;
    const fs::path real = fs::weakly_canonical(home, ignored);
    if (real.has_relative_path()) roots.push_back(real);
  }
  return roots;
}

// Whether showing this folder would show something private: it lies there, or holds such a place.
bool is_private(const fs::path& path) {
  const std::vector<fs::path> roots = private_roots();
  return std::any_of(roots.begin(), roots.end(), [&](const fs::path& root) {
    return lies_in(path, root) || lies_in(root, path);
  });
}

struct SearchPath {
  std::vector<fs::path> visible;  // in their order
  std::vector<fs::path> hidden;   // in somebody's home or another private place
};

// This program's PATH, as far as its folders exist.
SearchPath search_path() {
  const char* all = ::getenv("PATH");
  std::string rest = all == nullptr ? "" : all;
  rest += ":/usr/local/bin:/usr/bin:/bin";
  SearchPath found;
  for (size_t at = 0; at < rest.size();) {
    const size_t end = std::min(rest.find(':', at), rest.size());
    const fs::path folder = fs::path(rest.substr(at, end - at)).lexically_normal();
    at = end + 1;
    std::error_code error;
    if (!folder.is_absolute() || !fs::is_directory(folder, error)) continue;
    const fs::path real = fs::canonical(folder, error);
    const bool open = !error && !is_private(folder) && !is_private(real);
    std::vector<fs::path>& folders = open ? found.visible : found.hidden;
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      folders.push_back(folder);
    }
  }
  return found;
}

// What must be readable for the programs in `folder` to run: /opt/x for /opt/x/bin. Nothing for
// what the system directories cover, nothing as wide as a folder of the root.
fs::path tool_chain_of(const fs::path& folder) {
  for (const char* system : {"/usr", "/bin", "/sbin", "/lib", "/lib64"}) {
    if (lies_in(folder, system)) return {};
  }
  const fs::path whole = folder.filename() == "bin" ? folder.parent_path() : folder;
  const bool narrow = whole.has_relative_path() && whole.parent_path().has_relative_path();
  std::error_code ignored;
  return narrow && !is_private(fs::weakly_canonical(whole, ignored)) ? whole : folder;
}

}  // namespace

Policy task_policy(const fs::path& work_dir, const ProtectedNames& names) {
  Policy policy;
  policy.work_dir = work_dir;
  policy.protected_names = names.in(work_dir);
  std::string path;
  const SearchPath found = search_path();
  for (const fs::path& folder : found.visible) {
    if (!path.empty()) path += ':';
    path += folder.string();
    fs::path chain = tool_chain_of(folder);
    if (!chain.empty()) policy.tool_chains.push_back(std::move(chain));
  }
  policy.environment = {
      {"PATH", path},
      {"HOME", "/tmp"},
      {"TMPDIR", "/tmp"},
      {"USER", "agent"},
      {"LOGNAME", "agent"},
      {"SHELL", "/bin/bash"},
      {"LANG", "C.UTF-8"},
      {"TERM", "dumb"},
      {"GIT_CONFIG_NOSYSTEM", "1"},  // it is not among the files that commands may read
      {"EMAIL", "agent@sandbox"},    // git's last resort, where nobody told it an address
      // A .pyc written in the same second as a later edit of the same length would hide the edit.
      {"PYTHONDONTWRITEBYTECODE", "1"},
      // The leak checker stops threads with ptrace, which the box refuses; the rest of the address
      // sanitizer works.
      {"ASAN_OPTIONS", "detect_leaks=0"},
  };
  return policy;
}

std::vector<fs::path> visible_on_path() { return search_path().visible; }

std::vector<fs::path> hidden_from_path() { return search_path().hidden; }

}  // namespace dsv4::sandbox
