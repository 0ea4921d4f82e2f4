#include "sandbox/temporary_folder.h"

#include <stdlib.h>

#include <string>
#include <system_error>

#include "sandbox/sandbox.h"

namespace fs = std::filesystem;

namespace dsv4::sandbox {

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  fs::path above = fs::temp_directory_path(error);  // TMPDIR may name nothing
  if (error) above = "/tmp";
  above = fs::canonical(above, error);
  std::string name = (above / "dsv4-box-XXXXXX").string();
  if (error || ::mkdtemp(name.data()) == nullptr) {
    throw SetupError("cannot make a temporary folder at " + name);
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
  if (!error) return;
  constexpr auto kSkip = fs::directory_options::skip_permission_denied;
  const auto open_up = [](const fs::path& folder) {
    std::error_code ignored;
    fs::permissions(folder, fs::perms::owner_all, ignored);
  };
  open_up(path_);
  for (auto at = fs::recursive_directory_iterator(path_, kSkip, error);
       !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code ignored;
    if (at->symlink_status(ignored).type() == fs::file_type::directory) open_up(at->path());
  }
  fs::remove_all(path_, error);
}

}  // namespace dsv4::sandbox
