// Changing what a name means between the moment it is judged and the moment it is used: one thread
// keeps changing it, the other keeps using it.

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/probes/probe.h"
#include "tests/probes/race.h"

namespace {

constexpr const char* kConfig = ".git/config";

bool is_config(int fd) {
  struct stat one {};
  struct stat other {};
  return fd >= 0 && ::fstat(fd, &one) == 0 && ::stat(kConfig, &other) == 0 &&
         one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}
bool opened_config(const char* path, int flags) {
  const int fd = ::open(path, flags, 0644);
  const bool worked = is_config(fd);
  if (fd >= 0) ::close(fd);
  return worked;
}

void make_plain() {
  ::mkdir("pool", 0755);
  ::close(::open("pool/config", O_CREAT | O_WRONLY, 0644));
}

bool race_link() {
  make_plain();
  return race([](bool bad) { point("race-l", bad ? kConfig : "pool/config"); },
              [] { return opened_config("race-l", O_WRONLY); });
}
bool race_folder() {
  make_plain();
  return race([](bool bad) { point("race-f", bad ? ".git" : "pool"); },
              [] { return opened_config("race-f/config", O_WRONLY | O_CREAT); });
}
bool race_new_file() {
  make_plain();
  return race([](bool bad) { point("race-n", bad ? ".git" : "pool"); },
              [] {
                ::close(::open("race-n/planted", O_WRONLY | O_CREAT, 0644));
                ::unlink("pool/planted");
                return ::access(".git/planted", F_OK) == 0;
              });
}
bool race_remove() {
  make_plain();
  return race([](bool bad) { point("race-r", bad ? ".git" : "pool"); },
              [] {
                ::unlink("race-r/config");
                ::close(::open("pool/config", O_CREAT | O_WRONLY, 0644));
                return ::access(kConfig, F_OK) != 0;
              });
}
// The text of a path while the call reads it.
bool race_path_text() {
  make_plain();
  static char path[] = "pool/config";
  return race(
      [](bool bad) {
        for (int i = 0; i < 4; ++i) {
          reinterpret_cast<volatile char*>(path)[i] = (bad ? ".git" : "pool")[i];
        }
      },
      [] { return opened_config(path, O_WRONLY); });
}
// Which file a descriptor's number stands for.
bool race_descriptor() {
  make_plain();
  const int plain = ::open("pool/config", O_RDONLY);
  const int bad_one = ::open(kConfig, O_RDONLY);
  const int moving = ::dup(plain);
  return race([=](bool bad) { ::dup2(bad ? bad_one : plain, moving); },
              [=] {
                struct stat file {};
                ::fchmod(moving, 0705);
                return ::stat(kConfig, &file) == 0 && (file.st_mode & 0777) == 0705;
              });
}
bool race_rename() {
  make_plain();
  ::close(::open("race-source", O_CREAT | O_WRONLY, 0644));
  return race([](bool bad) { point("race-m", bad ? ".git" : "pool"); },
              [] {
                ::rename("race-source", "race-m/planted-too");
                ::rename("pool/planted-too", "race-source");
                return ::access(".git/planted-too", F_OK) == 0;
              });
}
bool race_host_read() {
  make_plain();
  const std::string host = told("HOST_FILE");
  return race([&](bool bad) { point("race-h", bad ? host.c_str() : "pool/config"); },
              [] {
                char byte = 0;
                const int fd = ::open("race-h", O_RDONLY);
                const bool worked = fd >= 0 && ::read(fd, &byte, 1) == 1;  // ours is empty
                if (fd >= 0) ::close(fd);
                return worked;
              });
}
// The address while connect() reads it: a socket of our own, or somebody's outside.
bool race_address() {
  static sockaddr_un to{};
  static const std::string host = told("HOST_SOCKET");
  static const std::string ours = "race.sock";
  to.sun_family = AF_UNIX;
  const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
  memcpy(to.sun_path, ours.c_str(), ours.size() + 1);
  ::bind(server, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return race(
      [](bool bad) {
        const std::string& path = bad ? host : ours;
        memcpy(to.sun_path, path.c_str(), path.size() + 1);
      },
      [&] {  // nobody listens on ours
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        const bool worked = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
        ::close(fd);
        return worked;
      });
}

// The one that removes what the others race for comes last.
constexpr Probe kAttempts[] = {
    PROBE(race_link),      PROBE(race_folder),     PROBE(race_new_file),
    PROBE(race_path_text), PROBE(race_descriptor), PROBE(race_rename),
    PROBE(race_host_read), PROBE(race_address),    PROBE(race_remove),
};

}  // namespace

std::span<const Probe> race_attempts() { return kAttempts; }
