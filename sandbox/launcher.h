#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sandbox/cgroup.h"
#include "sandbox/descriptor.h"
#include "sandbox/temporary_folder.h"

namespace dsv4::sandbox {

// A program to start for one command. It gets /dev/null, the output pipe twice and the control
// socket as descriptors 0 to 3, `inherited[i]` as kFirstInherited + i, and nothing else.
struct Launch {
  std::string program;  // absolute path
  std::vector<std::string> argv;
  std::vector<Descriptor> inherited;

  // What init is told of the box, and what its supervisor must know.
  std::filesystem::path work_dir;              // as the command sees it
  bool own_processes = false;                  // the kernel kills everything inside when init dies
  bool own_network = false;                    // init makes a network namespace
  bool limits_user = false;                    // RLIMIT_NPROC counts the box's processes only
  std::unique_ptr<TemporaryFolder> temporary;  // stands for /tmp; null where the box has its own
  std::vector<std::string> protected_paths;    // absolute; for the broker
  std::unique_ptr<Cgroup> cgroup;              // to put init into; null where there is none
};
inline constexpr int kFirstInherited = 4;

// A started program. Whoever holds it must reap `pid`.
struct Launched {
  pid_t pid = -1;
  Descriptor output;   // read end of its stdout and stderr, not blocking
  Descriptor control;  // our end of the control socket (launch_spec.h), not blocking
};

// Throws SetupError.
Launched launch(Launch& what);

}  // namespace dsv4::sandbox
