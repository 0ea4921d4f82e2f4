#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sandbox/launcher.h"
#include "sandbox/sandbox.h"

namespace dsv4::sandbox {

// The Landlock version of this kernel: 0 without Landlock.
int landlock_version();

// Whether this program may make a network namespace without a user namespace (CAP_SYS_ADMIN).
bool may_make_network();

// What this machine lets a Landlock box have.
struct LandlockOptions {
  int version = landlock_version();
  bool own_network = true;  // without one a box has no network at all, not even a loopback
};

// The Landlock backend: what a policy means in a ruleset, two system-call filters and a broker
// (init/broker.h), for machines whose users may not make user namespaces.
class Landlock {
 public:
  // Prepares what every command shares. Throws SetupError where this kernel cannot hold a policy.
  explicit Landlock(LandlockOptions options);

  // The init program of a command under `policy`, which closes the box around it. Throws
  // SetupError, for example when a read-only path of the policy is a link.
  Launch launch_for(const Policy& policy) const;

  const LandlockOptions& options() const { return options_; }

 private:
  LandlockOptions options_;
  Descriptor filter_;
  Descriptor broker_filter_;
  Descriptor init_;
};

// What init could not do (setup_failure()), as a sentence that says what to do about it.
std::string landlock_advice(int32_t failure);

}  // namespace dsv4::sandbox
