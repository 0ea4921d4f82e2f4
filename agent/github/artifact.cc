#include "agent/github/artifact.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "agent/github/patch_check.h"
#include "agent/printable.h"
#include "llm/sha256.h"
#include "sandbox/descriptor.h"

namespace dsv4::agent::github {
namespace {

using nlohmann::json;

constexpr size_t kLargestReport = 1u << 20;   // bytes
constexpr size_t kLargestLog = 256u << 10;    // bytes that are read of it
constexpr int64_t kMost = 1'000'000'000'000;  // any number of a report

// A regular file, no link; nothing where there is none.
std::optional<std::string> read_plain(const std::filesystem::path& file, size_t most) {
  const sandbox::Descriptor fd(
      ::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  const std::string name = file.filename().string();
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    throw UsageError("the results' " + name + " is no plain file");
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw UsageError("the results' " + name + " is no plain file");
  }
  std::string text(most + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + size, text.size() - size);
    if (got < 0) throw UsageError("the results' " + name + " cannot be read");
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > most) throw UsageError("the results' " + name + " is too large");
  text.resize(size);
  return text;
}

json read_object(const std::filesystem::path& file) {
  const auto text = read_plain(file, kLargestReport);
  const std::string name = file.filename().string();
  if (!text) throw UsageError("the results have no " + name);
  json value = json::parse(*text, nullptr, false);
  if (!value.is_object()) throw UsageError("the results' " + name + " is no JSON object");
  return value;
}

const json& at(const json& object, const char* name) {
  static const json kNothing;
  const auto found = object.find(name);
  return object.is_object() && found != object.end() ? *found : kNothing;
}

std::string words(const json& value, size_t most) {
  return value.is_string() ? printable_line(value.get<std::string>(), most) : "";
}

int64_t number(const json& value) {
  if (!value.is_number_integer()) return 0;
  return std::clamp<int64_t>(value.get<int64_t>(), 0, kMost);
}

template <size_t N>
std::string one_of(const json& value, const std::array<std::string_view, N>& known) {
  const std::string text = words(value, 40);
  return std::find(known.begin(), known.end(), text) != known.end() ? text : "";
}

void expect(const json& meta, const char* name, const std::string& expected) {
  const json& value = at(meta, name);
  if (value.is_string() && value.get<std::string>() == expected) return;
  throw UsageError(std::string("the results are not of this run: their '") + name + "' is not " +
                   (expected.empty() ? "empty" : expected));
}

}  // namespace

nlohmann::ordered_json meta_json(const Meta& meta) {
  return {{"version", 1},          {"repository", meta.repository},
          {"issue", meta.issue},   {"sha", meta.sha},
          {"branch", meta.branch}, {"directory", meta.directory},
          {"run_id", meta.run_id}, {"patch_sha256", meta.patch_sha256}};
}

Outcome read_outcome(const json& report) {
  constexpr std::array<std::string_view, 8> kStatus = {
      "passed",        "gave_up",          "bad_input",   "engine_error",
      "sandbox_error", "tests_cannot_run", "interrupted", "not_applied"};
  constexpr std::array<std::string_view, 2> kVerdict = {"passed", "failed"};
  Outcome out;
  out.status = one_of(at(report, "status"), kStatus);
  if (out.status.empty()) throw UsageError("the results' report.json has no known status");
  out.exit_code = static_cast<int>(std::min<int64_t>(number(at(report, "exit_code")), 255));
  if ((out.exit_code == 0) != out.passed()) {
    throw UsageError("the results' report.json contradicts itself");
  }
  out.attempts = number(at(report, "attempts"));
  out.turns = number(at(report, "turns"));
  out.tool_calls = number(at(report, "tool_calls"));
  out.context = number(at(at(report, "tokens"), "context"));
  out.generated = number(at(at(report, "tokens"), "generated"));
  const json& seconds = at(at(report, "seconds"), "total");
  if (seconds.is_number()) out.seconds = std::clamp(seconds.get<double>(), 0.0, 1e9);
  out.test_command = words(at(at(report, "tests"), "command"), 200);
  out.before = one_of(at(at(report, "tests"), "before"), kVerdict);
  out.after = one_of(at(at(report, "tests"), "after"), kVerdict);
  out.model = words(at(report, "model"), 100);
  out.error = words(at(report, "error"), 500);
  return out;
}

Artifact read_artifact(const std::filesystem::path& directory, const Event& event,
                       const std::string& repo_directory) {
  Artifact out;
  const json meta = read_object(directory / kMetaFile);
  if (number(at(meta, "version")) != 1) {
    throw UsageError("the results are of another version of the program");
  }
  expect(meta, "repository", event.repository);
  if (number(at(meta, "issue")) != event.issue) {
    throw UsageError("the results are not of this run: they are about another issue");
  }
  expect(meta, "branch", event.branch);
  expect(meta, "directory", repo_directory);
  expect(meta, "run_id", event.run_id);
  const json& sha = at(meta, "sha");
  if (!sha.is_string() || !is_sha(sha.get<std::string>())) {
    throw UsageError("the results name no commit");
  }
  out.meta = {event.repository, event.issue, sha.get<std::string>(), event.branch, repo_directory,
              event.run_id,     ""};
  out.outcome = read_outcome(read_object(directory / kReportFile));
  out.patch = read_plain(directory / kPatchFile, kLargestPatchText).value_or("");
  if (!out.patch.empty()) out.meta.patch_sha256 = sha256_of(out.patch);
  expect(meta, "patch_sha256", out.meta.patch_sha256);
  out.test_log = printable(read_plain(directory / kTestLog, kLargestLog).value_or(""));
  return out;
}

std::string sha256_of(std::string_view bytes) {
  const std::span data(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  return llm::to_hex(llm::Sha256().add(data).finish());
}

}  // namespace dsv4::agent::github
