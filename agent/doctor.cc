#include "agent/doctor.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "agent/config_file.h"
#include "agent/models.h"
#include "agent/open_model.h"
#include "agent/printable.h"
#include "agent/run_directory.h"
#include "agent/working_copy.h"
#include "llm/backend.h"
#include "llm/error.h"
#include "llm/processor.h"
#include "llm/remote_conversation.h"
#include "sandbox/probe.h"
#include "sandbox/sandbox.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;
using State = Check::State;

struct Program {
  const char* name;
  const char* needed_for;
};

constexpr std::array<Program, 9> kPrograms = {{{"git", "git commands of tests and of the model"},
                                               {"python3", "tests in Python"},
                                               {"pytest", "tests that use pytest"},
                                               {"c++", "tests in C and C++"},
                                               {"cmake", "tests of CMake projects"},
                                               {"make", "tests that run with make"},
                                               {"npm", "tests of Node.js projects"},
                                               {"cargo", "tests in Rust"},
                                               {"go", "tests in Go"}}};

std::string gigabytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", static_cast<double>(bytes) / (1 << 30));
  return text;
}

Check check_model(const std::optional<std::string>& named) {
  const ModelRow row = look_at_model(named, "named");
  if (!row.error.empty()) return {"model", State::kBad, "cannot be used", row.error};
  try {
    open_model(named);
  } catch (const llm::Error& error) {
    return {"model", State::kBad, "cannot be used", error.what()};
  }
  const Memory memory = read_memory();
  Check check{"model", State::kGood, "", ""};
  check.detail = row.name + ", a window of " + std::to_string(row.window) + " tokens, " +
                 std::to_string(row.bytes >> 20) + " MB in " + row.directory.string();
  if (!row.fits(memory)) {
    check.state = State::kBad;
    check.advice = "the model needs " + gigabytes(row.bytes) + " of memory and " +
                   gigabytes(memory.available) +
                   " are free: it would be read from disk again and again; use a larger machine";
  }
  return check;
}

// One row for what holds, and one for each thing that somebody should know about.
std::vector<Check> check_sandbox() {
  const sandbox::Capabilities here = sandbox::probe();
  std::vector<Check> checks;
  std::string held;
  for (const sandbox::Capability& row : here.rows) {
    if (row.works && row.fix.empty()) {
      held += (held.empty() ? "" : ", ");
      held += row.name == "sandbox" ? row.detail : row.name;
    } else {
      const std::string name = row.name == "sandbox" ? row.name : "sandbox: " + row.name;
      checks.push_back(
          {name, row.works ? State::kGood : State::kBad,
           row.works ? row.detail : "cannot be set up",
           row.works ? row.fix : row.detail + (row.fix.empty() ? "" : "; ") + row.fix});
    }
  }
  if (here.usable) checks.insert(checks.begin(), {"sandbox", State::kGood, held, ""});
  return checks;
}

Check check_state_directory() {
  try {
    const OwnedDirectory directory(make_run_directory(""));
    return {"state directory", State::kGood, directory.path().parent_path().string(), ""};
  } catch (const std::exception& error) {
    return {"state directory", State::kBad, "cannot be written to", error.what()};
  }
}

std::string key_words(const KeySource& source, const std::string& key) {
  if (source.command) return "with the key of `" + printable_line(*source.command, 60) + "`";
  return key.empty() ? "without a key (" + source.variable + " is not set)"
                     : "with the key in " + source.variable;
}

// Asks the server once for its models, as every command does first, and is not patient with it.
Check check_endpoint(Endpoint endpoint, const KeySource& source) {
  constexpr std::chrono::seconds kPatience{10};
  endpoint.timeout = std::min<std::chrono::milliseconds>(endpoint.timeout, kPatience);
  const std::string at = printable_line(endpoint.url, 200);
  std::string trouble;
  std::string how;
  try {
    EndpointRun run;
    run.key = take_key(source, true);
    how = key_words(source, run.key);
    run.on_note = [&trouble](const std::string& sentence) {
      trouble = sentence.substr(0, sentence.rfind("; trying again"));
    };
    run.retry.sleep = [](std::chrono::milliseconds, std::stop_token) { return false; };
    const auto transport = http_transport(endpoint, std::move(run));
    const llm::ServedModel model =
        llm::find_served_model(*transport, endpoint.model, endpoint.context, {});
    Check check{"endpoint", State::kGood, at + ", " + how + ": " + printable_line(model.name, 100),
                ""};
    if (model.window) {
      check.detail += ", a window of " + std::to_string(*model.window) + " tokens";
    } else {
      check.advice =
          "it does not say how much the model reads, 65536 tokens are taken: [endpoint] "
          "context says it";
    }
    return check;
  } catch (const std::exception& error) {
    if (trouble.empty()) trouble = error.what();
    return {"endpoint", State::kBad, at + (how.empty() ? "" : ", " + how) + ": cannot be used",
            trouble};
  }
}

// Names the model that it sets, unless one is named already.
Check check_configuration(std::optional<std::string>* model, UserConfig* out) {
  const auto file = user_config_file();
  if (!file)
    return {"configuration", State::kGood, "none, and no place for one: HOME is not set", ""};
  try {
    const UserConfig config = *out = read_user_config();
    if (!*model) *model = config.model;
    const bool there = fs::exists(*file);
    return {"configuration", State::kGood, (there ? "" : "none in ") + file->string(), ""};
  } catch (const std::exception& error) {
    return {"configuration", State::kBad, "cannot be used", error.what()};
  }
}

// The first of the folders that holds the program; empty when none does.
fs::path folder_with(const std::string& name, const std::vector<fs::path>& folders) {
  const auto found = std::find_if(folders.begin(), folders.end(), [&](const fs::path& folder) {
    return ::access((folder / name).c_str(), X_OK) == 0;
  });
  return found == folders.end() ? fs::path() : *found;
}

Check check_program(const Program& program) {
  if (!folder_with(program.name, sandbox::visible_on_path()).empty()) {
    return {program.name, State::kGood, "found", ""};
  }
  const std::string needed = std::string("for ") + program.needed_for;
  const fs::path hidden = folder_with(program.name, sandbox::hidden_from_path());
  if (hidden.empty()) return {program.name, State::kAbsent, "not found", "install it " + needed};
  return {program.name, State::kAbsent,
          "only in " + hidden.string() + ", which commands cannot see",
          "install it for everyone, in /usr/local or /opt, " + needed};
}

std::string cards() {
  const auto found = llm::describe_cards();
  if (!found) return "none: this program was built without CUDA";
  std::string text;
  for (const std::string& card : *found) text += (text.empty() ? "" : "; ") + card;
  return text.empty() ? "no NVIDIA GPU, or no driver for one" : text;
}

}  // namespace

nlohmann::ordered_json Diagnosis::json() const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    const char* state = check.state == State::kGood     ? "ok"
                        : check.state == State::kAbsent ? "absent"
                                                        : "bad";
    list.push_back({{"name", check.name}, {"state", state}, {"detail", to_utf8(check.detail)}});
    list.back()["advice"] = nullptr;
    if (!check.advice.empty()) list.back()["advice"] = to_utf8(check.advice);
  }
  return {
      {"ok", exit_code == kPassed}, {"exit_code", static_cast<int>(exit_code)}, {"checks", list}};
}

Diagnosis examine(const std::optional<std::string>& model) {
  Diagnosis diagnosis;
  const auto add = [&](Check check, ExitCode code) {
    if (check.state == State::kBad && diagnosis.exit_code == kPassed) diagnosis.exit_code = code;
    diagnosis.checks.push_back(std::move(check));
  };
  const char* isa = llm::processor_name();
  const Memory memory = read_memory();
  add({"processor", State::kGood,
       std::to_string(std::thread::hardware_concurrency()) + " cores, " + isa, ""},
      kPassed);
  add({"memory", State::kGood, gigabytes(memory.available) + " free of " + gigabytes(memory.total),
       ""},
      kPassed);
  add({"devices", State::kGood, cards(), ""}, kPassed);
  std::optional<std::string> named = model;
  UserConfig config;
  add(check_configuration(&named, &config), kUsage);
  add(check_model(named), kEngine);
  if (config.endpoint) {
    add(check_endpoint(*config.endpoint, config.endpoint_key), model ? kPassed : kEngine);
  }
  for (Check& check : check_sandbox()) add(std::move(check), kSandbox);
  add(check_state_directory(), kUsage);
  for (const Program& program : kPrograms) add(check_program(program), kPassed);
  return diagnosis;
}

}  // namespace dsv4::agent
