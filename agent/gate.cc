#include "agent/gate.h"

#include <algorithm>
#include <vector>

#include "agent/config_file.h"
#include "agent/error.h"
#include "agent/patch.h"
#include "agent/printable.h"
#include "agent/working_copy.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

std::string last_line(const std::string& output) {
  const size_t end = output.find_last_not_of(" \r\n\t");
  if (end == std::string::npos) return "no output";
  const size_t begin = output.rfind('\n', end);
  const size_t first = begin == std::string::npos ? 0 : begin + 1;
  return printable_line(output.substr(first, end + 1 - first), 200);
}

class Gate {
 public:
  Gate(const GateOptions& options, std::stop_token cancel)
      : options_(options), cancel_(cancel), patched_(options.scratch / "patched") {}

  GateResult check(const std::string& patch) {
    if (patch.empty()) return fail("nothing was changed");
    try {
      prepare(patch);
    } catch (const std::runtime_error& error) {
      return fail(error.what());
    }
    if (result_.patch.empty()) return fail("only what stays as it was was changed: " + put_back_);
    try {
      return decide(patch_paths(result_.patch));
    } catch (const TestsError& error) {
      return fail(error.what());
    }
  }

 private:
  GateResult decide(const std::vector<std::string>& all) {
    if (!run("passes", all).ok()) {
      return fail("the tests fail in a fresh copy: " + sandbox::describe(*result_.run));
    }
    if (options_.passed_before) return check_guard(all);
    return pass();
  }

  // The patched tree, which nothing runs in: copies of it are tested.
  void prepare(const std::string& patch) {
    copy_base(options_.base, patched_.path());
    apply_patch(patched_.path(), patch);
    std::vector<std::string> restored;
    for (const std::string& path : patch_paths(patch)) {
      if (is_fixed(path)) restored.push_back(path);
    }
    take_files(options_.base, patched_.path(), restored);
    if (!restored.empty()) put_back_ = printable_line(restored.front(), 200);
    result_.patch = make_patch(options_.base, patched_.path());
  }

  bool is_fixed(const std::string& path) const {
    if (options_.protected_names.hold(path)) return true;
    if (!options_.passed_before) return stays_as_it_was(path, options_.base, options_.fixed);
    return path == kRepositoryConfig || options_.fixed.named(path);
  }

  GateResult check_guard(const std::vector<std::string>& all) {
    std::vector<std::string> tests;
    std::vector<std::string> sources;
    for (const std::string& path : all) (is_test_file(path) ? tests : sources).push_back(path);
    if (tests.empty()) {
      return fail("the tests passed before, and the patch brings no test that fails without it");
    }
    if (sources.empty()) return fail("the patch brings a test but repairs nothing");
    const sandbox::Result guard = run("guard", tests);
    if (guard.end == sandbox::End::kCancelled || guard.ok()) {
      return fail("the test that the patch brings passes on the untouched tree too");
    }
    if (!run("kept", sources).ok()) {
      return fail("the tests as they were fail with the patch: " + sandbox::describe(*result_.run));
    }
    return pass();
  }

  // Runs the command in a fresh copy of the base that takes `paths` from the patched tree.
  const sandbox::Result& run(const std::string& name, const std::vector<std::string>& paths) {
    const OwnedDirectory copy(options_.scratch / name);
    copy_base(options_.base, copy.path());
    take_files(patched_.path(), copy.path(), paths);
    const auto box = options_.make_box(copy.path());
    result_.run = run_in(*box, options_.setup, options_.test_command, cancel_);
    return *result_.run;
  }

  GateResult pass() {
    result_.passed = true;
    result_.reason = "the tests pass in a fresh copy with the patch";
    return result_;
  }

  GateResult fail(const std::string& reason) {
    result_.passed = false;
    result_.reason = reason;
    return result_;
  }

  const GateOptions& options_;
  std::stop_token cancel_;
  OwnedDirectory patched_;
  std::string put_back_;  // a path of the patch that stays as it was
  GateResult result_;
};

sandbox::Result run_shell(const sandbox::Sandbox& box, const std::string& text,
                          std::stop_token cancel) {
  sandbox::Command command;
  command.argv = {"sh", "-c", text};
  command.cancel = cancel;
  return box.run(command);
}

}  // namespace

bool stays_as_it_was(const std::string& path, const fs::path& base, const FixedTests& fixed) {
  if (path == kRepositoryConfig) return true;  // it says which command decides
  const bool existed = fs::exists(fs::symlink_status(base / path));
  if (existed) return fixed.contains(path);
  return steers_tests(path) || fixed.named(path);
}

void run_setup(const sandbox::Sandbox& box, const std::optional<std::string>& setup,
               std::stop_token cancel) {
  if (!setup) return;
  const sandbox::Result result = run_shell(box, *setup, cancel);
  if (result.ok() || result.end == sandbox::End::kCancelled) return;
  throw TestsError("the set-up command `" + printable_line(*setup, 100) + "` failed (" +
                   sandbox::describe(result) + "): " + last_line(result.output));
}

sandbox::Result run_in(const sandbox::Sandbox& box, const std::optional<std::string>& setup,
                       const std::string& command, std::stop_token cancel) {
  run_setup(box, setup, cancel);
  return run_shell(box, command, cancel);
}

GateResult check_gate(const std::string& patch, const GateOptions& options,
                      std::stop_token cancel) {
  return Gate(options, cancel).check(patch);
}

}  // namespace dsv4::agent
