// Taking more than there is: every resource ends at its limit.

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "sandbox/cgroup.h"
#include "sandbox/sandbox.h"
#include "tests/catch.h"
#include "tests/sandbox/boxes.h"
#include "tests/sandbox/outside.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("balloons and floods of files end within their limits") {
  struct Abuse {
    const char* script;
    const char* in_bubblewrap;
    const char* in_landlock;
  };
  constexpr const char* kMemory = "killed: it used more memory than it may";
  constexpr const char* kDisk = "killed: it wrote more to disk than it may";
  constexpr const char* kRefused = "exit status 1";
  const Abuse abuse = GENERATE_REF(values<Abuse>({
      {"./probe balloon", kMemory, kMemory},
      {"./probe shared_balloon", kMemory, kMemory},
      {"./probe fill_disk", kDisk, kDisk},
      {"./probe big_file", "killed by signal SIGXFSZ", "killed by signal SIGXFSZ"},
      {"python3 -c 'import os; open(\"l\", \"w\"); os.truncate(\"l\", 100 << 20)'", kRefused,
       kRefused},
      {"head -c 200M /dev/zero > $TMPDIR/full", kRefused, kDisk},
      {"head -c 400M /dev/zero > /dev/shm/full", kRefused, kRefused},
  }));
  CAPTURE(abuse.script);
  const WorkDir work;
  fs::copy_file(DSV4_PROBE_PROGRAM, work.path() / "probe");
  Policy policy = task_policy(work.path());
  policy.limits.memory_bytes = 512 << 20;
  policy.limits.disk_bytes = 128 << 20;
  policy.limits.temporary_bytes = 64 << 20;
  policy.limits.file_bytes = 48 << 20;
  policy.limits.wall_time = 60s;
  if (abuse.script[0] == 'h') policy.limits.file_bytes = 1ull << 30;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Result result = shell(kind.make(policy), std::string("exec ") + abuse.script);
  CAPTURE(result.output);
  const char* ends = kind.is_bubblewrap() ? abuse.in_bubblewrap : abuse.in_landlock;
  CHECK(describe(result) == ends);
}

TEST_CASE("processor time is counted over all processes, one after the other too") {
  const WorkDir work;
  fs::copy_file(DSV4_PROBE_PROGRAM, work.path() / "probe");
  Policy policy = task_policy(work.path());
  policy.limits.processor_time = 300ms;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  const char* burning = GENERATE("burn", "burn_in_turn");
  CAPTURE(kind, burning);
  const Result result = shell(kind.make(policy), std::string("exec ./probe ") + burning);
  CHECK(describe(result) == "killed: it used more processor time than it may");
}

TEST_CASE("a fork or thread bomb ends") {
  const WorkDir work;
  fs::copy_file(DSV4_PROBE_PROGRAM, work.path() / "probe");
  Policy policy = task_policy(work.path());
  policy.limits.processes = 100;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  const char* bomb = GENERATE("fork_bomb", "thread_bomb");
  CAPTURE(kind, bomb);
  const Result result = shell(kind.make(policy), std::string("exec ./probe ") + bomb);
  CAPTURE(describe(result), result.output);
  // Where the kernel counts the box's processes alone it refuses more of them; elsewhere they are
  // counted now and then, and ended.
  const auto place = find_cgroup_place();
  const bool refused = (kind.is_bubblewrap() && ::geteuid() != 0) || (place && place->processes);
  CHECK((result.end == End::kTooManyProcesses || (refused && result.ok())));
}

TEST_CASE("a flood of output neither stalls nor fills memory") {
  const WorkDir work;
  Policy policy = task_policy(work.path());
  policy.limits.kept_output_bytes = 4096;
  uint64_t seen = 0;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Result result =
      kind.make(policy).run({{"bash", "-c", "echo first; head -c 256M /dev/zero; echo last"},
                             ".",
                             [&](std::string_view bytes) { seen += bytes.size(); },
                             {}});
  CHECK(result.ok());
  CHECK(result.output_cut);
  CHECK(result.output_bytes == (256ull << 20) + 11);
  CHECK(seen == result.output_bytes);
  CHECK(result.output.size() < 4200);
  CHECK(result.output.substr(0, 6) == "first\n");
  CHECK(result.output.substr(result.output.size() - 5) == "last\n");
  CHECK(result.output.find(" bytes cut ...]") != std::string::npos);
}
