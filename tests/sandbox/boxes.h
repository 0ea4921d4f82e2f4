#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "sandbox/machine.h"
#include "sandbox/sandbox.h"

// The kinds of box that a policy can be held in.
struct BoxKind {
  const char* name;
  dsv4::sandbox::BackendKind backend;
  dsv4::sandbox::Machine machine = {};

  dsv4::sandbox::Sandbox make(dsv4::sandbox::Policy policy) const {
    policy.backend = backend;
    return dsv4::sandbox::Sandbox(std::move(policy), machine);
  }
  bool is_bubblewrap() const { return backend == dsv4::sandbox::BackendKind::kBubblewrap; }
  friend std::ostream& operator<<(std::ostream& out, const BoxKind& kind) {
    return out << kind.name;
  }
};

inline dsv4::sandbox::Result shell(const dsv4::sandbox::Sandbox& box, const std::string& script) {
  return box.run(dsv4::sandbox::Command{{"bash", "-c", script}, ".", {}, {}});
}

// A policy under which .git stays as it is too.
inline dsv4::sandbox::Policy guarding_git(const std::filesystem::path& work) {
  dsv4::sandbox::Policy policy = dsv4::sandbox::task_policy(work);
  policy.read_only = {".git"};
  return policy;
}

// What every machine must hold. The second is where somebody is told of system calls already. The
// last is what a kernel as old as Debian 12's can do, and a user
// who may not make a network namespace.
inline std::vector<BoxKind> box_kinds() {
  using dsv4::sandbox::BackendKind;
  return {{"bubblewrap", BackendKind::kBubblewrap},
          {"bubblewrap without a broker", BackendKind::kBubblewrap, {{}, false}},
          {"landlock", BackendKind::kLandlock},
          {"landlock of Linux 6.1, no network", BackendKind::kLandlock, {{2, false}}}};
}
