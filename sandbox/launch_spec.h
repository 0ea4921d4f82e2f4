#pragma once

// The words exchanged by the supervisor and the small program that starts a command (init/init.cc).
// Plain numbers only: init is built without the C++ library.
//
// On the control socket, in order:
//   init       Report{kReady}; the kernel adds init's process id as seen outside
//   supervisor SpecHeader, then `bytes` of NUL-terminated strings: cwd, argv..., environment...,
//              and the broker's grounds (see SpecHeader)
//   init       Report{kListening} with the proxy's socket, where one is wanted
//   init       Report{kDeniedCall, number} and Report{kDeniedPath, index of the protected path},
//              each once, when the command was refused that
//   init       Report{kExit, wait status}, Report{kExecFailed or kDirFailed, errno}, or
//              Report{kSetupFailed, see setup_failure}
// Either side hanging up ends the command: init kills what it started and exits.

#include <cstdint>

namespace dsv4::sandbox {

inline constexpr int kControlFd = 3;
inline constexpr uint32_t kProxyPort = 61080;  // inside, where nothing else is
inline constexpr uint32_t kMaxSpecBytes = 64u << 20;

// Where a Landlock box's init finds what it was given (besides itself, see launcher.h): a ruleset,
// a filter of calls to refuse, and one of calls to ask the broker about.
inline constexpr int kRulesetFd = 5;
inline constexpr int kFilterFd = 6;
inline constexpr int kBrokerFilterFd = 7;

// Where the init of a bubblewrap box finds its filters: the calls that are refused for their
// arguments, and those that are refused whatever these are, as one that tells init (of calls that
// make names too, where there are grounds), and one for where no process may be told.
inline constexpr int kArgumentsFilterFd = 4;
inline constexpr int kTellingFilterFd = 5;
inline constexpr int kSilentFilterFd = 6;

struct SpecHeader {
  uint32_t bytes;      // of the strings that follow
  uint32_t arguments;  // number of argv strings
  uint32_t variables;  // number of NAME=VALUE strings
  // Strings that follow: the working copy, the temporary folder, then protected paths; all
  // absolute. In a bubblewrap box protected are the names that must not be made.
  uint32_t grounds;      // 0 where there is nothing for a broker to do
  uint32_t own_network;  // 1: make a network namespace with a loopback, and one for System V IPC
  uint32_t proxy_port;   // listen there on the loopback and hand the socket out; 0: do not
  uint64_t file_bytes;   // RLIMIT_FSIZE
  uint64_t processes;    // RLIMIT_NPROC; 0 leaves it as it is
};

enum class ReportKind : int32_t {
  kReady = 1,
  kExit,
  kExecFailed,
  kDirFailed,
  kSetupFailed,
  kListening,
  kDeniedCall,
  kDeniedPath
};

// What a Landlock box's init could not do.
enum class SetupStep : int32_t {
  kNamespaces = 1,
  kCapabilities,
  kLandlock,
  kSeccomp,
  kBroker,
  kProxy
};
constexpr int32_t setup_failure(SetupStep step, int error) {
  return (static_cast<int32_t>(step) << 16) | error;
}

struct Report {
  ReportKind kind;
  int32_t value;  // wait status, errno, setup_failure(), or what was denied
};

}  // namespace dsv4::sandbox
