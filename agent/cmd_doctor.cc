#include <iomanip>
#include <iostream>

#include "agent/commands.h"
#include "agent/doctor.h"
#include "agent/error.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

constexpr const char* kHelp =
    "usage: dsv4-agent doctor [--json] [--model DIR]\n\n"
    "Says what works here, what does not, and what to do about it. Exits with the code that\n"
    "`dsv4-agent fix` would end with here: 0, 2, 3 (model) or 4 (sandbox).\n";

void print(const Diagnosis& diagnosis) {
  for (const Check& check : diagnosis.checks) {
    const char* mark = check.state == Check::State::kGood     ? "ok    "
                       : check.state == Check::State::kAbsent ? "absent"
                                                              : "BAD   ";
    std::cout << mark << "  " << std::left << std::setw(16) << check.name << ' '
              << printable(check.detail) << '\n';
    if (!check.advice.empty()) {
      std::cout << std::string(25, ' ') << printable(check.advice) << '\n';
    }
  }
  std::cout << (diagnosis.exit_code == kPassed ? "\nEverything that fix needs works here.\n"
                                               : "\nfix does not work here yet.\n");
}

}  // namespace

int cmd_doctor(const std::vector<std::string>& arguments) {
  bool json = false;
  std::optional<std::string> model;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--json") {
      json = true;
    } else if (arguments[i] == "--model") {
      if (i + 1 == arguments.size()) throw UsageError("doctor: --model needs a directory");
      model = arguments[++i];
    } else if (arguments[i] == "--help") {
      std::cout << kHelp;
      return 0;
    } else {
      throw UsageError("doctor does not know " + printable_line(arguments[i], 100) +
                       ": `dsv4-agent doctor --help` lists its options");
    }
  }
  const Diagnosis diagnosis = examine(model);
  if (json) {
    std::cout << diagnosis.json().dump() << '\n';
  } else {
    print(diagnosis);
  }
  return diagnosis.exit_code;
}

}  // namespace dsv4::agent
