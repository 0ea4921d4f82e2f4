#include "sandbox/denials.h"

#include <algorithm>
#include <filesystem>

#include "sandbox/seccomp.h"

namespace dsv4::sandbox {

void Denials::reported(const Report& report, const Launch& box) {
  const auto value = static_cast<size_t>(report.value);
  if (report.kind == ReportKind::kDeniedCall) {
    add(call_name(report.value));
  } else if (value < box.protected_paths.size()) {
    const std::filesystem::path path(box.protected_paths[value]);
    add("changing " + path.lexically_relative(box.work_dir).string());
  }
}

void Denials::logged(const std::string& line) {
  constexpr std::string_view kRefused = "refused ";
  if (line.starts_with(kRefused)) add("reaching " + line.substr(kRefused.size()));
}

std::vector<std::string> Denials::all() const {
  const std::lock_guard lock(mutex_);
  return all_;
}

void Denials::add(std::string what) {
  constexpr size_t kMost = 20;  // a command can try what it likes
  constexpr size_t kLongest = 200;
  if (what.size() > kLongest) what.resize(kLongest);
  const std::lock_guard lock(mutex_);
  if (all_.size() == kMost || std::find(all_.begin(), all_.end(), what) != all_.end()) return;
  all_.push_back(std::move(what));
}

}  // namespace dsv4::sandbox
