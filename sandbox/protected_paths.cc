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

int open_inside(const Descriptor& root, const fs::path& relative, uint64_t links) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | links;
  return static_cast<int>(::syscall(SYS_openat2, root.get(), relative.c_str(), &how, sizeof how));
}

// Both as the kernel names them.
fs::path relative_path(const Descriptor& root, const Descriptor& object) {
  std::error_code error;
  const auto name = [&](const Descriptor& fd) {
    return fs::read_symlink("/proc/self/fd/" + std::to_string(fd.get()), error);
  };
  const fs::path relative = name(object).lexically_relative(name(root));
  return error || relative.empty() || *relative.begin() == ".." ? fs::path() : relative;
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
  const auto open = [&] { return open_inside(root, relative, RESOLVE_NO_SYMLINKS); };
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

std::optional<FoundName> open_name(const Descriptor& root, const ProtectedName& name,
                                   bool stand_in) {
  Descriptor object(open_inside(root, name.path, 0));
  if (!object && errno == ENOENT && stand_in) {
    const fs::path path(name.path);
    try {
      const Descriptor above =
          open_beneath(root, path.has_parent_path() ? path.parent_path() : ".");
      if (name.folder) {
        ::mkdirat(above.get(), path.filename().c_str(), 0755);
      } else {
        Descriptor(::openat(above.get(), path.filename().c_str(),
                            O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
      }
    } catch (const SetupError&) {
      return std::nullopt;  // a link or a file where its folder would be
    }
    object = Descriptor(open_inside(root, name.path, 0));
  }
  if (!object) return std::nullopt;
  fs::path path = relative_path(root, object);
  if (path.empty() || path == ".") return std::nullopt;
  return FoundName{std::move(path), std::move(object)};
}

}  // namespace dsv4::sandbox
