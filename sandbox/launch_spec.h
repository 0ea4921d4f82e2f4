#pragma once

// The words exchanged by the supervisor and the small program that starts a command (init/init.cc).
// Plain numbers only: init is built without the C++ library.
//
// On the control socket, in order:
//   init       Report{kReady}; the kernel adds init's process id as seen outside
//   supervisor SpecHeader, then `bytes` of NUL-terminated strings: cwd, argv..., environment...
//   init       Report{kExit, wait status}, or Report{kExecFailed or kDirFailed, errno}
// Either side hanging up ends the command: init kills what it started and exits.

#include <cstdint>

namespace dsv4::sandbox {

inline constexpr int kControlFd = 3;
inline constexpr uint32_t kMaxSpecBytes = 64u << 20;

struct SpecHeader {
  uint32_t bytes;      // of the strings that follow
  uint32_t arguments;  // number of argv strings
  uint32_t variables;  // number of NAME=VALUE strings
  uint32_t reserved;
  uint64_t file_bytes;  // RLIMIT_FSIZE
  uint64_t processes;   // RLIMIT_NPROC; 0 leaves it as it is
};

enum class ReportKind : int32_t { kReady = 1, kExit, kExecFailed, kDirFailed };

struct Report {
  ReportKind kind;
  int32_t value;  // wait status or errno
};

}  // namespace dsv4::sandbox
