#include "tools/foresight.h"

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

}  // namespace

std::optional<std::string> foresee(Workspace& workspace, const Calls& calls) {
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
