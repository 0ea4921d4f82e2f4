#include "agent/terminal/slash.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "agent/error.h"
#include "agent/patch.h"
#include "agent/printable.h"
#include "agent/terminal/code.h"
#include "agent/terminal/transcript.h"
#include "agent/view_words.h"

namespace dsv4::agent::terminal {
namespace {

void say(Desk& desk, const std::string& sentence, Style style = Style::kPlain) {
  desk.show({Line(sentence, style).fold(Line::Fold::kWords, 2)});
}

std::optional<size_t> number_of(const std::string& text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A checkpoint's or branch's name: one word, so that it can be typed again.
std::string name_of(const std::string& text, const std::string& command) {
  if (text.empty() || text.size() > 40 || text.find_first_of(" \t\n") != std::string::npos ||
      number_of(text)) {
    throw UsageError(command + " NAME: a name is one word and no number");
  }
  return text;
}

void help(Desk& desk, const std::string&) {
  constexpr size_t kColumn = 19;
  Lines lines;
  for (const SlashCommand& command : slash_commands()) {
    std::string left = slash_usage(command);
    left.resize(std::max(left.size(), kColumn), ' ');
    Line line(left, Style::kStrong);
    lines.push_back(
        line.add(" " + std::string(command.summary)).fold(Line::Fold::kWords, kColumn + 1));
  }
  for (const char* text :
       {"Enter sends; Alt-Enter or Ctrl-J: a new line; Tab completes /commands, @paths",
        "Esc or Ctrl-C stops the work; what you send meanwhile waits; Up takes it back",
        "Ctrl-O: the last tool call whole; Ctrl-R: search what you sent; Ctrl-D: end"}) {
    lines.push_back(Line(text, Style::kDim).fold(Line::Fold::kWords));
  }
  desk.show(std::move(lines));
}

void expand(Desk& desk, const std::string& arguments) {
  const auto number = arguments.empty() ? std::optional<size_t>(0) : number_of(arguments);
  if (!number) throw UsageError("/expand N: N is the number before a tool call");
  desk.show(desk.expand(*number));
}

// Whether the tests pass with the changes, said in a line.
bool prove(Chat& chat, Desk& desk, const std::string& patch) {
  const auto result = chat.prove(patch, desk.cancel);
  if (!result) {
    say(desk, "no test command is known: the changes are not proved", Style::kBad);
    return false;
  }
  const std::string how = result->ok() ? "they pass" : "they fail, " + sandbox::describe(*result);
  say(desk, "tests on a fresh copy of your tree with the changes: " + how,
      result->ok() ? Style::kGood : Style::kBad);
  return result->ok();
}

// What may reach the user's tree; of what may not, the person is told.
std::string offered_patch(Chat& chat, Desk& desk) {
  std::vector<std::string> left_out;
  std::string patch = chat.patch(&left_out);
  if (!left_out.empty()) say(desk, left_out_note(kProtectedChange, left_out), Style::kBad);
  return patch;
}

void diff(Chat& chat, Desk& desk, const std::string&) {
  const std::string patch = offered_patch(chat, desk);
  if (patch.empty()) return say(desk, "no changes");
  desk.show(patch_lines(patch));
}

void apply(Chat& chat, Desk& desk, const std::string&) {
  const std::string patch = offered_patch(chat, desk);
  if (patch.empty()) return say(desk, "no changes");
  const auto key =
      offer_changes(chat, desk, patch, "Make these changes in your tree? y: yes, n: no", "yn");
  if (key == 'n') say(desk, "your tree is as it was");
}

void undo(Chat& chat, Desk& desk, const std::string&) { say(desk, chat.undo()); }

void list_branches(Chat& chat, Desk& desk) {
  say(desk, "on the branch " + chat.timeline().branch());
  for (const std::string& name : chat.timeline().left_branches()) say(desk, "  /fork " + name);
}

void fork(Chat& chat, Desk& desk, const std::string& arguments) {
  if (arguments.empty()) return list_branches(chat, desk);
  say(desk, chat.fork(name_of(arguments, "/fork")));
}

void list_points(Chat& chat, Desk& desk) {
  const std::vector<Point>& points = chat.timeline().points();
  if (points.empty()) return say(desk, "there is nothing to go back to yet");
  size_t back = 0;
  Lines lines;
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    const bool message = point->name.empty();
    const std::string how = message ? std::to_string(++back) : point->name;
    lines.push_back(
        Line("/rewind " + how, Style::kStrong)
            .add(message ? "  before: " + printable_line(point->message, 60) : "  checkpoint")
            .fold(Line::Fold::kClip));
  }
  std::reverse(lines.begin(), lines.end());
  desk.show(std::move(lines));
}

void rewind(Chat& chat, Desk& desk, const std::string& arguments) {
  if (arguments == "?") return list_points(chat, desk);
  const auto back = arguments.empty() ? std::optional<size_t>(1) : number_of(arguments);
  say(desk, back ? chat.rewind(*back) : chat.rewind(name_of(arguments, "/rewind")));
}

void checkpoint(Chat& chat, Desk& desk, const std::string& arguments) {
  if (arguments.empty()) return list_points(chat, desk);
  say(desk, chat.checkpoint(name_of(arguments, "/checkpoint")));
}

void test(Chat& chat, Desk& desk, const std::string& arguments) {
  if (!arguments.empty() && !desk.typed && !chat.place().sandboxed() &&
      chat.approval() != Approval::kAuto) {
    throw UsageError(
        "/test COMMAND: outside the sandbox only a person at a terminal names it, or "
        "--test on the command line");
  }
  if (!arguments.empty()) chat.set_test(arguments);
  if (!chat.place().test()) throw UsageError("no test command is known: /test COMMAND names it");
  const tools::TestReport report = chat.test(desk.cancel);
  desk.show(Transcript::tests(chat.place().test()->command, report));
}

void plan(Chat& chat, Desk& desk, const std::string& arguments) {
  if (!arguments.empty()) {
    chat.plan(arguments, desk.typed, desk.cancel);
    return;
  }
  if (chat.checklist().empty()) return say(desk, "the model has made no plan");
  for (const std::string& item : chat.checklist()) say(desk, "- " + item);
}

void approve(Chat& chat, Desk& desk, const std::string& arguments) {
  if (!arguments.empty()) {
    const auto approval = parse_approval(arguments);
    if (!approval) throw UsageError("/approve read-only, ask or auto");
    if (*approval > chat.approval() && !desk.typed) {
      throw UsageError("/approve " + arguments +
                       ": more is allowed by a person at a terminal, or by "
                       "--approve on the command line");
    }
    chat.set_approval(*approval);
  }
  say(desk, "approval: " + std::string(approval_name(chat.approval())));
}

void context(Chat& chat, Desk& desk, const std::string&) {
  const llm::Usage usage = chat.usage();
  const RepositoryContext& shown = chat.context();
  const auto count = [](size_t number) { return grouped(static_cast<int64_t>(number)); };
  const auto outlines =
      static_cast<size_t>(std::count_if(shown.files.begin(), shown.files.end(),
                                        [](const ContextFile& file) { return file.outline; }));
  std::string held =
      grouped(usage.context) + " of " + grouped(chat.model().conversation->window()) + " tokens";
  if (usage.bytes > 0) held += ", " + byte_count(static_cast<uint64_t>(usage.bytes)) + " of state";
  say(desk, "context: " + held);
  say(desk, "tokens: " + grouped(usage.prefilled) + " read, " + grouped(usage.restored) +
                " taken over from earlier runs, " + grouped(usage.generated) + " generated, " +
                grouped(usage.reprefilled) + " computed twice");
  say(desk, "repository: " + count(shown.files.size() - outlines) + " files whole, " +
                count(outlines) + " as outlines, " + count(shown.left_out.size()) + " left out");
  for (const ContextFile& file : shown.instructions) say(desk, "instructions: " + file.path);
}

// A server's by its URL and perhaps a name, the embedded one by its name, or a directory.
ModelChoice choice_of(const std::string& arguments) {
  ModelChoice choice;
  if (arguments.starts_with("http://") || arguments.starts_with("https://")) {
    const size_t blank = std::min(arguments.find_first_of(" \t\n"), arguments.size());
    choice.endpoint.emplace().url = arguments.substr(0, blank);
    const size_t name = arguments.find_first_not_of(" \t\n", blank);
    if (name != std::string::npos) choice.endpoint->model = arguments.substr(name);
  } else if (arguments != "nano" || std::filesystem::is_directory(arguments)) {
    choice.directory = arguments;
  }
  return choice;
}

void model(Chat& chat, Desk& desk, const std::string& arguments) {
  if (!arguments.empty()) {
    ModelChoice choice = choice_of(arguments);
    // Lines of a pipe may be somebody else's words, such as an issue's, and a server is told all.
    if (choice.endpoint && !desk.typed) {
      throw UsageError("/model URL is for a person at a terminal; in a pipe it is --endpoint URL");
    }
    chat.change_model(std::move(choice), desk.cancel);
  }
  const std::optional<std::string> server = chat.server();
  say(desk, "model: " + chat.model().name + (server ? " at " + printable_line(*server, 200) : "") +
                ", a window of " + grouped(chat.model().conversation->window()) + " tokens" +
                (chat.model().repairs_only ? "; it repairs, it does not converse" : ""));
}

void save(Chat& chat, Desk& desk, const std::string& arguments) {
  chat.keep(arguments.empty() ? "saved" : name_of(arguments, "/save"));
  say(desk, "saved, files and context, as it is and as it goes on: dsv4-agent resume " + chat.id());
}

void sessions(Chat& chat, Desk& desk, const std::string&) {
  if (desk.sessions == nullptr) throw UsageError("there is no place where sessions are listed");
  constexpr size_t kMost = 20;
  Lines lines;
  for (const SessionRow& row : desk.sessions->list()) {
    if (row.kind != "session" || lines.size() == kMost) continue;
    const std::string state = row.id == chat.id() ? "this one" : row.state;
    const std::string name = std::filesystem::path(row.repository).filename().string();
    lines.push_back(Line(row.id, Style::kStrong)
                        .add("  " + state + "  ")
                        .add(name + ": " + row.title, Style::kDim)
                        .fold(Line::Fold::kClip));
  }
  desk.show(std::move(lines));
}

// Whether the session may end: its changes were dealt with, or are kept with it.
bool may_end(Chat& chat, Desk& desk) {
  if (chat.is_kept()) return true;
  const std::string patch = offered_patch(chat, desk);
  if (patch.empty()) return true;
  const auto key = offer_changes(
      chat, desk, patch,
      "Make these changes in your tree? y: yes, n: no, a patch keeps them, c: stay", "ync");
  return key != 'c';
}

void resume(Chat& chat, Desk& desk, const std::string& arguments) {
  if (arguments.empty()) {
    sessions(chat, desk, arguments);
    return say(desk, "/resume ID goes on with one of them", Style::kDim);
  }
  SavedChat saved = open_saved_chat(desk.sessions, arguments);
  if (may_end(chat, desk)) desk.next = std::move(saved);
}

void quit(Chat& chat, Desk& desk, const std::string&) {
  if (!may_end(chat, desk)) return;
  if (chat.is_kept()) say(desk, "resume it with dsv4-agent resume " + chat.id());
  desk.quit = true;
}

constexpr std::array kCommands = {
    SlashCommand{"help", "", "this list", nullptr, help},
    SlashCommand{"diff", "", "what the session has changed and your tree has not got", diff,
                 nullptr},
    SlashCommand{"apply", "", "make the changes in your tree: tested and asked first", apply,
                 nullptr},
    SlashCommand{"undo", "", "take back the last change of a file", undo, nullptr},
    SlashCommand{"fork", "[NAME]", "go on in a new branch, or in one that was left", fork, nullptr},
    SlashCommand{"rewind", "[N|NAME|?]", "back before the N-th last message, or to a checkpoint",
                 rewind, nullptr},
    SlashCommand{"checkpoint", "[NAME]", "name this moment, or list what /rewind goes back to",
                 checkpoint, nullptr},
    SlashCommand{"test", "[COMMAND]", "run the tests; with COMMAND, from now on by it", test,
                 nullptr},
    SlashCommand{"plan", "[MESSAGE]", "ask for a plan, nothing is changed; or show the plan", plan,
                 nullptr},
    SlashCommand{"approve", "[MODE]", "read-only, ask or auto: what the model may do", approve,
                 nullptr},
    SlashCommand{"context", "", "what the model's context holds", context, nullptr},
    SlashCommand{"expand", "[N]", "a tool call whole, the last one without N", nullptr, expand},
    SlashCommand{"save", "[NAME]", "keep the session, files and context, after its end", save,
                 nullptr},
    SlashCommand{"resume", "[ID]", "go on with another session, or list them", resume, nullptr},
    SlashCommand{"sessions", "", "the last ones; what was saved or cut short can go on", sessions,
                 nullptr},
    SlashCommand{"model", "[DIR|URL]", "which model this is; go on with another, or a server's",
                 model, nullptr},
    SlashCommand{"quit", "", "end; changes are shown and asked about first", quit, nullptr},
};

}  // namespace

std::span<const SlashCommand> slash_commands() { return kCommands; }

std::string slash_usage(const SlashCommand& command) {
  const std::string name = "/" + std::string(command.name);
  return command.arguments.empty() ? name : name + " " + std::string(command.arguments);
}

std::optional<Slash> parse_slash(const std::string& line) {
  if (line.size() < 2 || line[0] != '/') return std::nullopt;
  const size_t end = std::min(line.find_first_of(" \t\n"), line.size());
  Slash slash;
  slash.word = line.substr(1, end - 1);
  const bool a_word = std::all_of(slash.word.begin(), slash.word.end(), [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) || c == '-';
  });
  if (!a_word || slash.word.empty()) return std::nullopt;  // a path, say
  const size_t begin = line.find_first_not_of(" \t\n", end);
  if (begin != std::string::npos) {
    slash.arguments = line.substr(begin, line.find_last_not_of(" \t\n") + 1 - begin);
  }
  const auto known =
      std::find_if(kCommands.begin(), kCommands.end(),
                   [&](const SlashCommand& command) { return command.name == slash.word; });
  if (known != kCommands.end()) slash.command = &*known;
  return slash;
}

std::optional<char> offer_changes(Chat& chat, Desk& desk, const std::string& patch,
                                  const std::string& question, const std::string& keys) {
  desk.show(patch_lines(patch));
  say(desk, changed_files(patch), Style::kStrong);
  std::optional<char> key;
  try {
    const bool proved = prove(chat, desk, patch);
    if (chat.approval() != Approval::kAuto) {
      key = desk.choose(question, keys);
    } else if (proved) {
      key = keys.front();
    }
    if (key == keys.front()) {
      chat.apply(patch);
      say(desk, "the changes are in your tree: " + chat.repository().root.string(), Style::kGood);
      return key;
    }
  } catch (const UsageError& error) {
    say(desk, error.what(), Style::kBad);
    key.reset();
  }
  if (key != 'c') say(desk, "the changes are kept in " + chat.save_patch(patch).string());
  return key;
}

}  // namespace dsv4::agent::terminal
