// Taking more than there is. Each runs alone, under limits of its own.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/probes/probe.h"

namespace {

// Denied when the kernel refuses to make more; otherwise they stay until all is ended.
constexpr int kMany = 100'000;
bool fork_bomb() {
  for (int i = 0; i < kMany; ++i) {
    const pid_t child = ::fork();
    if (child < 0) return false;
    if (child == 0) {
      ::pause();
      ::_exit(0);
    }
  }
  return true;
}
bool thread_bomb() {
  try {
    for (int i = 0; i < kMany; ++i) std::thread([] { ::pause(); }).detach();
  } catch (const std::exception&) {
    ::_exit(0);
  }
  return true;
}

bool balloon() {
  for (int i = 0; i < 4096; ++i) {
    char* some = static_cast<char*>(::malloc(1 << 20));
    if (some == nullptr) return false;
    memset(some, i | 1, 1 << 20);
  }
  return true;
}
// Eight processes, none of them large.
bool shared_balloon() {
  for (int i = 0; i < 8; ++i) {
    if (::fork() != 0) continue;
    char* some = static_cast<char*>(::malloc(96 << 20));
    memset(some, i | 1, 96 << 20);
    ::pause();
  }
  ::pause();
  return true;
}
bool fill_disk() {
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 2000; ++i) {
    FILE* file = ::fopen(("filler" + std::to_string(i)).c_str(), "w");
    if (file == nullptr || ::fwrite(block.data(), 1, block.size(), file) != block.size()) {
      return false;
    }
    ::fclose(file);
  }
  return true;
}
bool big_file() {
  const std::string block(1 << 20, 'x');
  const int fd = ::open("big", O_CREAT | O_WRONLY, 0644);
  for (int i = 0; i < 64; ++i) {
    if (::write(fd, block.data(), block.size()) < 0) return false;
  }
  return true;
}

// Leaves a process behind that nothing but the kernel ties to us, holding a lock on ARG.
bool daemon_left() {
  int ends[2];
  if (::pipe(ends) != 0 || ::fork() != 0) {
    char byte = 0;
    return ::close(ends[1]) == 0 && ::read(ends[0], &byte, 1) < 0;
  }
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  const int fd = ::open(told("ARGUMENT").c_str(), O_CREAT | O_RDWR, 0644);
  if (::lockf(fd, F_LOCK, 0) != 0) ::_exit(1);
  for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_IGN);
  ::write(ends[1], "x", 1);
  ::close(ends[1]);
  for (;;) ::pause();
}

// A million empty files cost no space, but the disk its inodes.
bool fill_inodes() {
  for (int i = 0; i < 3'000'000; ++i) {
    const std::string name = "node" + std::to_string(i % 64) + "-" + std::to_string(i);
    const int fd = ::open(name.c_str(), O_CREAT | O_WRONLY, 0644);
    if (fd < 0) return false;
    ::close(fd);
  }
  return true;
}
// Memory that no process maps: only a count of the whole machine or of a cgroup shows it.
bool file_in_memory() {
  const std::string block(1 << 20, 'x');
  const int fd = ::memfd_create("balloon", 0);
  for (int i = 0; i < 4096; ++i) {
    if (::write(fd, block.data(), block.size()) < 0) return false;
  }
  return true;
}
bool burn() {
  for (std::atomic<unsigned long> i = 0;; ++i) {
  }
}
// Children that each use little, one after the other.
bool burn_in_turn() {
  for (;;) {
    if (::fork() == 0) {
      for (std::atomic<unsigned long> i = 0; i < 5'000'000; ++i) {
      }
      ::_exit(0);
    }
    ::wait(nullptr);
  }
}

constexpr Probe kAttempts[] = {
    PROBE(fork_bomb),      PROBE(thread_bomb), PROBE(balloon),      PROBE(shared_balloon),
    PROBE(fill_disk),      PROBE(big_file),    PROBE(daemon_left),  PROBE(fill_inodes),
    PROBE(file_in_memory), PROBE(burn),        PROBE(burn_in_turn),
};

}  // namespace

std::span<const Probe> limit_attempts() { return kAttempts; }
