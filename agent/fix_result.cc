#include "agent/fix_result.h"

#include <iostream>

#include "agent/printable.h"

namespace dsv4::agent {
namespace {

// stdout has nothing but the result.
void print_result(const FixReport& report) {
  if (report.status == FixStatus::kPassed) {
    std::cout << "passed: the tests pass in a fresh copy with the patch\n";
  } else if (report.status == FixStatus::kGaveUp) {
    std::cout << "gave up: " << printable(report.error) << '\n';
  }
  if (!report.patch.empty()) std::cout << "patch: " << report.patch.string() << '\n';
  if (!report.apply_hint.empty()) std::cout << "apply it: " << report.apply_hint << '\n';
  if (!report.run_dir.empty()) std::cout << "record: " << report.run_dir.string() << '\n';
}

}  // namespace

int show_result(const FixReport& report, bool json) {
  if (json) {
    std::cout << report.json().dump(-1, ' ', false,
                                    nlohmann::ordered_json::error_handler_t::replace)
              << std::endl;
  } else {
    print_result(report);
  }
  std::cout.flush();  // while a reader that has left is no reason to die
  const bool said = !json && report.status == FixStatus::kGaveUp;
  if (!report.error.empty() && !said) {
    std::cerr << "dsv4-agent: " << printable(report.error) << '\n';
  }
  if (can_go_on(report.status) && !report.run_id.empty()) {
    std::cerr << "dsv4-agent: `dsv4-agent resume " << printable_line(report.run_id, 200)
              << "` goes on from here\n";
  }
  return report.exit_code();
}

int show_failure(const std::string& sentence, bool json) {
  FixReport report;
  report.status = FixStatus::kUsage;
  report.error = sentence;
  if (json) std::cout << report.json().dump() << '\n';
  std::cerr << "dsv4-agent: " << printable(sentence) << '\n';
  return report.exit_code();
}

}  // namespace dsv4::agent
