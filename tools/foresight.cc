#include "tools/foresight.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "tools/edit.h"
#include "tools/error.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

// What a turn does to the working copy, when that is simple enough to be known beforehand.
struct Course {
  size_t undos = 0;
  const nlohmann::ordered_json* edit = nullptr;
  bool tests = false;  // at the end
};

std::optional<Course> course_of(const Calls& calls) {
  Course course;
  for (const auto& [name, arguments] : calls) {
    if (name == "write" || name == "bash" || course.tests) return std::nullopt;
    if (name == "undo") {
      if (course.edit) return std::nullopt;
      ++course.undos;
    } else if (name == "edit") {
      if (course.edit) return std::nullopt;
      course.edit = &arguments;
    } else if (name == "test") {
      course.tests = true;
    }
  }
  return course;
}

// The calls whose result depends on nothing but files, and changes none.
bool only_looks(std::string_view tool) {
  constexpr std::array kLooking{"read", "list", "search", "symbols", "diff"};
  return std::find(kLooking.begin(), kLooking.end(), tool) != kLooking.end();
}

std::string call_text(const std::string& name, const nlohmann::ordered_json& arguments) {
  return name + arguments.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

bool all_shown(const Workspace& workspace, const Calls& calls) {
  return !calls.empty() && std::all_of(calls.begin(), calls.end(), [&](const auto& call) {
    return workspace.shown.contains(call_text(call.first, call.second));
  });
}

}  // namespace

void remember_call(Workspace& workspace, const std::string& name,
                   const nlohmann::ordered_json& arguments) {
  if (only_looks(name)) {
    workspace.shown.insert(call_text(name, arguments));
  } else if (name != "plan") {
    workspace.shown.clear();
  }
}

std::optional<std::string> foresee(Workspace& workspace, const Calls& calls) {
  if (all_shown(workspace, calls)) return "it was shown already and has not changed since";
  const std::optional<Course> course = course_of(calls);
  if (!course) return std::nullopt;
  const History& history = workspace.history;
  if (course->undos > history.steps()) return "there is nothing to undo";
  std::optional<Coming> coming;
  if (course->edit) {
    const EditForecast forecast = forecast_edit(workspace, *course->edit, course->undos);
    if (!forecast.problem.empty()) return forecast.problem;
    if (!forecast.known) return std::nullopt;
    if (course->tests && forecast.breaks_syntax) return "the file would no longer parse";
    if (course->tests && !forecast.undefined.empty()) {
      return "the name " + forecast.undefined + " would not be defined";
    }
    coming = forecast.coming;
  }
  if (!course->tests || !workspace.options.failed) return std::nullopt;
  if (workspace.options.failed->has(history.fingerprint_after(course->undos, coming))) {
    return "the tests failed on the same files before";
  }
  return std::nullopt;
}

}  // namespace dsv4::tools
