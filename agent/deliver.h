#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "agent/observer.h"
#include "agent/task.h"

namespace dsv4::agent {

// The ways in which a proved patch is handed over, beside the file in the run directory.
struct Delivery {
  std::optional<std::string> patch_file;
  bool apply = false;
  std::optional<std::string> branch;
};

// Hands it over. What was done already, by a process that was killed since, is not done again.
// work: the run's, with `base` in it. Throws std::runtime_error with a sentence.
void deliver(const std::string& patch, const Task& task, const std::filesystem::path& work,
             const Delivery& ways, Observer& observer);

// A command that applies the patch in this file.
std::string apply_hint(const Repository& repository, const std::filesystem::path& patch);

// Writes a file as a whole. Throws UsageError.
void write_whole_file(const std::filesystem::path& file, const std::string& text);

}  // namespace dsv4::agent
