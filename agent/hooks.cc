#include "agent/hooks.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "agent/printable.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestWord = 100'000;  // one argument of a program may be 128 KiB

const char* name_of(Hook::On on) {
  switch (on) {
    case Hook::On::kBeforeTool:
      return "before-tool";
    case Hook::On::kAfterTool:
      return "after-tool";
    case Hook::On::kFinish:
      return "finish";
  }
  return "";
}

std::string arguments_of(const llm::ToolCall& call) {
  std::string text =
      call.arguments.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return text.size() > kLongestWord ? std::string() : text;  // half of it would be no JSON
}

// The last line that says something.
std::string last_line(const std::string& output) {
  const size_t end = output.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return "";
  const size_t begin = output.rfind('\n', end);
  const size_t from = begin == std::string::npos ? 0 : begin + 1;
  return printable_line(output.substr(from, end + 1 - from), 200);
}

// Without a sandbox a hook is the user's own command, with the user's own environment. But git runs
// what the .git of a working copy says, which is for the model to write.
std::vector<std::pair<std::string, std::string>> own_environment(const fs::path& tree,
                                                                 const fs::path& metadata) {
  std::vector<std::pair<std::string, std::string>> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const size_t equals = text.find('=');
    if (equals != std::string::npos)
      all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (metadata.empty()) return all;
  const std::map<std::string, std::string> own = {{"GIT_DIR", metadata.string()},
                                                  {"GIT_WORK_TREE", tree.string()}};
  std::erase_if(all, [&](const auto& variable) { return own.contains(variable.first); });
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

sandbox::Sandbox make_box(const Hook& hook, sandbox::Policy policy, const fs::path& metadata) {
  policy.limits.wall_time = hook.timeout;
  if (!hook.sandboxed) {
    policy.enforce = false;
    policy.network.clear();  // all of it is open
    policy.environment = own_environment(policy.work_dir, metadata);
  }
  return sandbox::Sandbox(std::move(policy));
}

// What is to be told of it when it did not end well: how it ended, and what it said last.
std::optional<std::string> run_hook(const Hook& hook, const sandbox::Sandbox& box,
                                    const std::vector<std::string>& words, std::stop_token cancel) {
  sandbox::Command command;
  command.argv = {"sh", "-c", hook.command, "hook", name_of(hook.on)};
  for (const std::string& each : words) {
    std::string& word = command.argv.emplace_back(each.substr(0, kLongestWord));
    std::erase(word, '\0');
  }
  command.cancel = std::move(cancel);
  const sandbox::Result result = box.run(command);
  if (result.ok()) return std::nullopt;
  const std::string said = last_line(result.output);
  return sandbox::describe(result) + (said.empty() ? "" : ": " + said);
}

std::string failure(const Hook& hook, const std::string& trouble) {
  return std::string("the ") + name_of(hook.on) + " hook `" + printable_line(hook.command, 100) +
         "` failed: " + trouble;
}

}  // namespace

struct Hooks::Ready {
  Hook hook;
  sandbox::Sandbox box;
};

Hooks::Hooks(const std::vector<Hook>& hooks, Place place, Observer& told, std::stop_token cancel)
    : place_(std::move(place)), told_(told), cancel_(std::move(cancel)) {
  for (const Hook& hook : hooks) {
    if (hook.on == Hook::On::kFinish) continue;
    ready_.push_back({hook, make_box(hook, place_.policy, place_.metadata)});
  }
}

Hooks::~Hooks() = default;

std::optional<std::string> Hooks::before(const llm::ToolCall& call) {
  if (ready_.empty()) return std::nullopt;
  steps_ = place_.toolbox.steps();
  const auto trouble = run(Hook::On::kBeforeTool, {call.name, arguments_of(call)});
  in_call_ = !trouble;
  if (!trouble) return std::nullopt;
  place_.toolbox.join_steps(steps_);
  return "a hook of the user does not allow this call (" + *trouble + ")";
}

void Hooks::on_outcome(const llm::ToolCall& call, const tools::Outcome& outcome) {
  if (!std::exchange(in_call_, false)) return;
  run(Hook::On::kAfterTool, {call.name, arguments_of(call), outcome.error ? "error" : "done"});
  place_.toolbox.join_steps(steps_);
}

// All that are meant; before a call up to the first that fails, whose trouble it returns.
std::optional<std::string> Hooks::run(Hook::On on, const std::vector<std::string>& words) {
  std::optional<std::string> trouble;
  bool ran = false;
  for (const Ready& ready : ready_) {
    const std::vector<std::string>& tools = ready.hook.tools;
    const bool meant =
        tools.empty() || std::find(tools.begin(), tools.end(), words.front()) != tools.end();
    if (ready.hook.on != on || !meant) continue;
    ran = true;
    trouble = run_hook(ready.hook, ready.box, words, cancel_);
    if (trouble && !cancel_.stop_requested()) told_.on_note(failure(ready.hook, *trouble));
    if (trouble && on == Hook::On::kBeforeTool) break;
  }
  if (ran) place_.toolbox.changed_from_outside();
  return trouble;
}

bool any_on_finish(const std::vector<Hook>& hooks) {
  return std::any_of(hooks.begin(), hooks.end(),
                     [](const Hook& hook) { return hook.on == Hook::On::kFinish; });
}

void run_finish_hooks(const std::vector<Hook>& hooks, sandbox::Policy policy,
                      const std::string& status, Observer& told) {
  policy.read_only.clear();
  policy.protected_names.clear();
  for (const Hook& hook : hooks) {
    if (hook.on != Hook::On::kFinish) continue;
    const auto trouble = run_hook(hook, make_box(hook, policy, {}), {status}, {});
    if (trouble) told.on_note(failure(hook, *trouble));
  }
}

}  // namespace dsv4::agent
