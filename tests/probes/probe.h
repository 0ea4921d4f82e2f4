#pragma once

// Programs run inside a box by tests/sandbox/probes_test.cc. An attempt is a small abuse that no
// box may let pass; its twin in ordinary.cc is what honest programs do that looks most like it.
// Built plain, without sanitizers.

#include <cerrno>
#include <cstdlib>
#include <span>
#include <string>

struct Probe {
  const char* name;
  bool (*run)();  // true: it worked. Otherwise errno says why not.
};

#define PROBE(name) \
  { #name, name }

// By subject, in attempts_*.cc.
std::span<const Probe> network_attempts();
std::span<const Probe> process_attempts();
std::span<const Probe> kernel_attempts();
std::span<const Probe> file_attempts();
std::span<const Probe> ci_attempts();
std::span<const Probe> name_attempts();
std::span<const Probe> race_attempts();
std::span<const Probe> limit_attempts();  // these run alone, each under limits of its own
std::span<const Probe> ordinary_work();

// What the test tells about the world outside, in variables: HOST_PID, HOST_FILE, ...
inline std::string told(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? "" : value;
}
inline int told_number(const char* name) { return ::atoi(told(name).c_str()); }

// The process above the probe program.
int init_pid();
