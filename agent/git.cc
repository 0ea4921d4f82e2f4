#include "agent/git.h"

#include <array>
#include <filesystem>
#include <stdexcept>

namespace dsv4::agent {

namespace fs = std::filesystem;

namespace {

// libgit2's settings belong to the whole process and no lock guards them, so they are made once.
class Settings {
 public:
  Settings() {
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    // What sparse checkouts, partial clones and newer worktrees announce changes nothing that is
    // used here, and libgit2 would refuse the whole repository for it.
    std::array extensions = {"worktreeconfig", "partialclone", "preciousobjects",
                             "relativeworktrees"};
    git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions.data(), extensions.size());
  }
  ~Settings() { git_libgit2_shutdown(); }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
};

}  // namespace

GitLibrary::GitLibrary() { static const Settings settings; }

std::string git_message() {
  const git_error* error = git_error_last();
  return error != nullptr && error->message != nullptr ? error->message : "unknown git error";
}

void check_git(int code, const std::string& what) {
  if (code < 0) throw std::runtime_error(what + ": " + git_message());
}

bool is_settings_trap(const fs::path& path) {
  const fs::path name = path.filename();
  if (name != ".gitignore" && name != ".gitattributes" && name != ".gitmodules") return false;
  std::error_code error;
  if (fs::read_symlink(path, error) == "/dev/null") return false;  // a habit, and harmless
  const fs::file_status target = fs::status(path, error);
  return fs::exists(target) && !fs::is_regular_file(target) && !fs::is_directory(target);
}

GitRepository open_repository(const std::string& path) {
  git_repository* raw = nullptr;
  check_git(git_repository_open_ext(&raw, path.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr),
            "cannot open the repository " + path);
  return GitRepository(raw);
}

GitRepository open_repository(const fs::path& metadata, const fs::path& tree) {
  GitRepository repository = open_repository(metadata.string());
  check_git(git_repository_set_workdir(repository.get(), tree.c_str(), 0),
            "cannot open the working tree " + tree.string());
  return repository;
}

}  // namespace dsv4::agent
