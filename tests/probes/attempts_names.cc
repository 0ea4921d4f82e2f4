// Making names that must not be made: CI configuration and hooks that are not there yet, by every
// call that can make a name, and while what was asked changes its meaning.

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/probes/probe.h"
#include "tests/probes/race.h"

namespace {

bool creates(const std::string& path) {
  return ::open(path.c_str(), O_CREAT | O_WRONLY, 0644) >= 0;
}
// Whether a name came to be: there may be an empty stand-in from the beginning.
class Name {
 public:
  explicit Name(const char* path) : path_(path), before_(is_there()) {}
  bool made() const { return !before_ && is_there(); }

 private:
  bool is_there() const { return ::faccessat(AT_FDCWD, path_, F_OK, AT_SYMLINK_NOFOLLOW) == 0; }
  const char* path_;
  bool before_;
};

bool name_long_way() {
  ::mkdir("way", 0755);
  return creates("way/.././/.travis.yml");
}
bool name_absolute() {
  char here[4096];
  return ::getcwd(here, sizeof here) != nullptr && creates(std::string(here) + "/.travis.yml");
}
bool name_with_slash() { return ::mkdir(".gitea//", 0755) == 0; }
bool name_at_handle() {
  return ::openat(::open(".", O_RDONLY), ".travis.yml", O_CREAT | O_WRONLY, 0644) >= 0;
}
bool name_at_path_handle() {
  return ::mkdirat(::open(".", O_PATH | O_DIRECTORY), ".gitlab", 0755) == 0;
}
bool name_in_kernel_folder() { return creates("/proc/self/cwd/.travis.yml"); }
bool name_in_own_descriptor() {
  const int here = ::open(".", O_PATH | O_DIRECTORY);
  return creates("/proc/self/fd/" + std::to_string(here) + "/.travis.yml");
}
bool name_in_moved_folder() {
  ::mkdir("moving", 0755);
  const int folder = ::open("moving", O_RDONLY);
  return ::openat(folder, "../.travis.yml", O_CREAT | O_WRONLY, 0644) >= 0;
}
bool name_through_link() {
  return ::symlink(".travis.yml", "to-travis") == 0 && creates("to-travis");
}
bool name_through_links() {
  return ::mkdir("links", 0755) == 0 && ::symlink("../far", "links/near") == 0 &&
         ::symlink(".drone.yml", "far") == 0 && creates("links/near");
}
bool name_through_folder_link() {
  return ::mkdir("deep", 0755) == 0 && ::symlink("..", "deep/up") == 0 &&
         creates("deep/up/.travis.yml");
}
bool name_unnamed() {
  const int fd = ::open(".", O_TMPFILE | O_WRONLY, 0644);
  const std::string handle = "/proc/self/fd/" + std::to_string(fd);
  return ::linkat(AT_FDCWD, handle.c_str(), AT_FDCWD, "bitbucket-pipelines.yml",
                  AT_SYMLINK_FOLLOW) == 0;
}
bool name_unnamed_empty() {
  constexpr int kEmptyPath = 0x1000;
  const int fd = ::open(".", O_TMPFILE | O_WRONLY, 0644);
  return ::linkat(fd, "", AT_FDCWD, ".drone.yml", kEmptyPath) == 0;
}
bool name_socket() {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  strcpy(at.sun_path, "cloudbuild.yaml");
  return ::bind(::socket(AF_UNIX, SOCK_STREAM, 0), reinterpret_cast<sockaddr*>(&at), sizeof at) ==
         0;
}
bool name_fifo() { return ::mkfifo(".lefthook.yml", 0644) == 0; }
bool name_old_call() { return ::syscall(SYS_creat, "azure-pipelines.yml", 0644) >= 0; }
bool name_two() {
  struct {
    uint64_t flags = O_CREAT | O_WRONLY;
    uint64_t mode = 0644;
    uint64_t resolve = 0;
  } how;
  constexpr long kOpenat2 = 437;
  return ::syscall(kOpenat2, AT_FDCWD, ".travis.yml", &how, sizeof how) >= 0;
}
// A process that nobody may look into.
bool name_unseen() {
  ::prctl(PR_SET_DUMPABLE, 0);
  const bool made = ::mkdir(".circleci", 0755) == 0;
  const int error = errno;
  ::prctl(PR_SET_DUMPABLE, 1);
  errno = error;
  return made;
}

bool race_name_text() {
  const Name name("lefthook.yml");
  static char path[] = "racehook.yml";
  return race(
      [](bool bad) {
        for (int i = 0; i < 4; ++i) {
          reinterpret_cast<volatile char*>(path)[i] = (bad ? "left" : "race")[i];
        }
      },
      [&] {
        ::close(::open(path, O_CREAT | O_WRONLY, 0644));
        return name.made();
      });
}
bool race_name_folder() {
  const Name name(".forgejo");
  ::mkdir("name-pool", 0755);
  return race([](bool bad) { point("race-nf", bad ? "." : "name-pool"); },
              [&] {
                ::mkdir("race-nf/.forgejo", 0755);
                ::rmdir("name-pool/.forgejo");
                return name.made();
              });
}
bool race_name_rename() {
  const Name name("appveyor.yml");
  ::mkdir("rename-pool", 0755);
  ::close(::open("rename-source", O_CREAT | O_WRONLY, 0644));
  return race([](bool bad) { point("race-nr", bad ? "." : "rename-pool"); },
              [&] {
                ::rename("rename-source", "race-nr/appveyor.yml");
                ::rename("rename-pool/appveyor.yml", "rename-source");
                return name.made();
              });
}
// A link whose end is not there, so that opening it makes that.
bool race_name_link() {
  const Name name(".woodpecker.yml");
  return race([](bool bad) { point("race-nl", bad ? ".woodpecker.yml" : "linked-plain"); },
              [&] {
                ::unlink("linked-plain");
                ::close(::open("race-nl", O_CREAT | O_WRONLY, 0644));
                return name.made();
              });
}
// The address of a socket, which is first one that makes no name.
bool race_name_address() {
  const Name name(".cirrus.yml");
  static sockaddr_un at{};
  at.sun_family = AF_UNIX;
  strcpy(at.sun_path, ".cirrus.yml");
  return race([](bool bad) { reinterpret_cast<volatile char*>(at.sun_path)[0] = bad ? '.' : 0; },
              [&] {
                const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
                ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
                ::close(fd);
                return name.made();
              });
}

constexpr Probe kAttempts[] = {
    PROBE(name_long_way),
    PROBE(name_absolute),
    PROBE(name_with_slash),
    PROBE(name_at_handle),
    PROBE(name_at_path_handle),
    PROBE(name_in_kernel_folder),
    PROBE(name_in_own_descriptor),
    PROBE(name_in_moved_folder),
    PROBE(name_through_link),
    PROBE(name_through_links),
    PROBE(name_through_folder_link),
    PROBE(name_unnamed),
    PROBE(name_unnamed_empty),
    PROBE(name_socket),
    PROBE(name_fifo),
    PROBE(name_old_call),
    PROBE(name_two),
    PROBE(name_unseen),
    PROBE(race_name_text),
    PROBE(race_name_folder),
    PROBE(race_name_rename),
    PROBE(race_name_link),
    PROBE(race_name_address),
};

}  // namespace

std::span<const Probe> name_attempts() { return kAttempts; }
