#include "tools/test.h"

#include "tools/error.h"
#include "tools/test_report.h"
#include "tools/workspace.h"

namespace dsv4::tools {

TestReport run_tests(Workspace& workspace, std::stop_token cancel) {
  if (!workspace.options.box) throw ToolError("test: no sandbox is set up; use the other tools.");
  sandbox::Command command;
  command.argv = {"sh", "-c", workspace.options.test_command};
  command.cancel = std::move(cancel);
  TestReport report;
  report.result = workspace.options.box->run(command);
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
  report.text = report.passed ? "The tests pass." : failure_report(workspace, report.result);
  return report;
}

Outcome run_test(Workspace& workspace, const Arguments&, std::stop_token cancel) {
  Outcome outcome;
  outcome.test = run_tests(workspace, std::move(cancel));
  outcome.text = outcome.test->text;
  return outcome;
}

}  // namespace dsv4::tools
