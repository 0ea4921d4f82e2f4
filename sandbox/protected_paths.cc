#include "sandbox/protected_paths.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "sandbox/sandbox.h"

namespace fs = std::filesystem;

namespace dsv4::sandbox {
namespace {

constexpr const char* kFiles[] = {
    "debian_version", "ethertypes",  "gai.conf", "host.conf",  "ld.so.cache",
    "locale.alias",   "lsb-release", "magic",    "magic.mime", "mime.types",
    "os-release",     "protocols",   "rpc",      "services",   "shells",
    "ssl/openssl.cnf"};
constexpr const char* kFolders[] = {"alternatives",    "fonts",           "java-11-openjdk",
                                    "java-17-openjdk", "java-21-openjdk", "maven",
                                    "pki/tls/certs",   "ssl/certs"};
constexpr const char* kPrograms[] = {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"};

template <size_t n>
std::vector<fs::path> readable(const char* folder, const char* const (&names)[n]) {
  std::vector<fs::path> found;
  for (const char* name : names) {
    const fs::path path = fs::path(folder) / name;
    if (::access(path.c_str(), R_OK) == 0) found.push_back(path);
  }
  return found;
}

}  // namespace

std::vector<fs::path> system_programs() { return readable("/", kPrograms); }
std::vector<fs::path> system_files() { return readable("/etc", kFiles); }
std::vector<fs::path> system_folders() { return readable("/etc", kFolders); }

Descriptor open_working_copy(const fs::path& folder) {
  return owned(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC),
               "cannot open the working copy " + folder.string());
}

Descriptor open_beneath(const Descriptor& root, const fs::path& relative) {
  if (relative.empty() || relative.is_absolute()) {
    throw SetupError("A read-only path of the sandbox must be relative to the working copy: '" +
                     relative.string() + "'.");
  }
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const auto open = [&] {
    return static_cast<int>(::syscall(SYS_openat2, root.get(), relative.c_str(), &how, sizeof how));
  };
  int fd = open();
  if (fd < 0 && errno == ENOENT) {
    constexpr mode_t kMode = 0755;
    if (relative.has_parent_path()) {
      ::mkdirat(open_beneath(root, relative.parent_path()).get(), relative.filename().c_str(),
                kMode);
    } else {
      ::mkdirat(root.get(), relative.c_str(), kMode);
    }
    fd = open();
  }
  if (fd >= 0) return Descriptor(fd);
  throw SetupError("The sandbox cannot protect '" + relative.string() + "' in the working copy: " +
                   (errno == ELOOP ? std::string("it is a symbolic link, or lies behind one")
                                   : std::generic_category().message(errno)) +
                   ".");
}

}  // namespace dsv4::sandbox
