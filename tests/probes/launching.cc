// A program that is running a boxed command when it is killed: `launching DIR KIND COMMAND`. The
// test ends it with SIGKILL and looks whether anything lives on.

#include <cstdio>
#include <string>

#include "sandbox/sandbox.h"

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  dsv4::sandbox::Policy policy = dsv4::sandbox::task_policy(argv[1]);
  const std::string kind = argv[2];
  policy.enforce = kind != "open";
  if (policy.enforce) policy.backend = dsv4::sandbox::backend_kind(kind);
  const dsv4::sandbox::Sandbox box(policy);
  const auto tell = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  box.run({{"bash", "-c", argv[3]}, ".", tell, {}});
}
