#pragma once

#include <string>

#include "tests/agent/scratch.h"

// A task folder of this project's own: value.txt says "wrong" and has to say "right".
inline void write_own_task(const Scratch& scratch, const std::string& folder,
                           const std::string& about = "") {
  scratch.write(folder + "/issue.md",
                "---\nrepo: repo\ntest: sh test_value.sh\n---\n# The value is wrong\n\nMend it.\n");
  scratch.write(folder + "/repo/value.txt", "wrong\n");
  scratch.write(folder + "/repo/test_value.sh", "grep -q right value.txt\n");
  scratch.write(folder + "/gold.patch",
                "diff --git a/value.txt b/value.txt\n--- a/value.txt\n+++ b/value.txt\n"
                "@@ -1 +1 @@\n-wrong\n+right\n");
  if (!about.empty()) scratch.write(folder + "/about.toml", about);
}
