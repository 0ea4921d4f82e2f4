// A program that is running a boxed command when it is killed: `launching DIR COMMAND`. The test
// ends it with SIGKILL and looks whether anything lives on.

#include <cstdio>

#include "sandbox/sandbox.h"

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  dsv4::sandbox::Policy policy = dsv4::sandbox::task_policy(argv[1]);
  policy.enforce = argv[2][0] == 'b';
  const dsv4::sandbox::Sandbox box(policy);
  const auto tell = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  box.run({{"bash", "-c", argv[3]}, ".", tell, {}});
}
