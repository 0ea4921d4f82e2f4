#include "tools/test.h"

#include "tools/error.h"
#include "tools/go_events.h"
#include "tools/test_report.h"
#include "tools/test_runs.h"
#include "tools/workspace.h"

namespace dsv4::tools {

namespace {

sandbox::Result run_command(Workspace& workspace, const std::string& text, std::stop_token cancel) {
  if (!workspace.options.box) throw ToolError("test: no sandbox is set up; use the other tools.");
  sandbox::Command command;
  command.argv = {"sh", "-c", text};
  command.cancel = std::move(cancel);
  return workspace.options.box->run(command);
}

}  // namespace

TestReport run_tests(Workspace& workspace, std::stop_token cancel) {
  TestReport report;
  report.result = run_command(workspace, workspace.options.test_command, std::move(cancel));
  report.passed = report.result.ok();
  // Of a run that was cut short nothing is known about the tree.
  if (workspace.options.failed && report.result.end == sandbox::End::kExited && !report.passed) {
    workspace.options.failed->add(workspace.history.fingerprint());
  }
  if (workspace.options.spent && !report.passed && !workspace.edited_symbol.empty()) {
    workspace.options.spent->failed(workspace.edited_symbol);
  }
  workspace.edited_symbol.clear();
  workspace.history.after_tests();
  workspace.failing_command.reset();
  if (!report.passed) {
    workspace.failing_command = failing_only(
        workspace.options.test_command, read_test_run(without_go_events(report.result.output)));
  }
  report.text = report.passed ? "The tests pass." : failure_report(workspace, report.result);
  return report;
}

namespace {

// Says nothing about the others, so that it is no result of the tests.
Outcome run_failing(Workspace& workspace, std::stop_token cancel) {
  if (!workspace.failing_command) {
    throw ToolError(
        "test: which tests failed is not known, or they cannot be run alone; call it without "
        "arguments.");
  }
  const sandbox::Result result =
      run_command(workspace, *workspace.failing_command, std::move(cancel));
  workspace.history.after_tests();
  if (!result.ok()) return {.text = failure_report(workspace, result)};
  return {.text = "The tests that failed pass now. Call test to run all of them."};
}

}  // namespace

Outcome run_test(Workspace& workspace, const Arguments& arguments, std::stop_token cancel) {
  if (arguments.flag("failed")) return run_failing(workspace, std::move(cancel));
  Outcome outcome;
  outcome.test = run_tests(workspace, std::move(cancel));
  outcome.text = outcome.test->text;
  return outcome;
}

}  // namespace dsv4::tools
