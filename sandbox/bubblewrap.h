#pragma once

#include <filesystem>
#include <string>

#include "sandbox/launcher.h"
#include "sandbox/sandbox.h"

namespace dsv4::sandbox {

// The bubblewrap backend: what a policy means in namespaces and mounts.
class Bubblewrap {
 public:
  // Finds bwrap and prepares what every command shares. Protected names that are not there are kept
  // from being made by the broker (init/broker.h) or, without one, by empty stand-ins, which are
  // put into the working copy and stay. Throws SetupError.
  explicit Bubblewrap(bool broker);

  // The init program of a command under `policy`, boxed. Throws SetupError, for example when a
  // read-only path of the policy is a link.
  Launch launch_for(const Policy& policy) const;

 private:
  bool stand_ins_;
  std::filesystem::path program_;
  Descriptor filter_;
  Descriptor broker_filter_;
  Descriptor telling_filter_;
  Descriptor silent_filter_;
  Descriptor init_;
  Descriptor passwd_;
  Descriptor group_;
  Descriptor hosts_;
  Descriptor nsswitch_;
};

// The init program without a box (--no-sandbox).
Launch bare_launch(const Policy& policy);

// What stands between this machine and a working box, and what to do about it, judged from
// bubblewrap's own complaint.
std::string setup_advice(const std::string& complaint);

}  // namespace dsv4::sandbox
