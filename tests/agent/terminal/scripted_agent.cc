#include <chrono>
#include <exception>
#include <iostream>
#include <sstream>
#include <thread>

#include "agent/error.h"
#include "agent/terminal/interactive.h"
#include "llm/error.h"
#include "llm/scripted_conversation.h"

// A session whose model does what the person says, so that tests of the terminal know what it will
// do. It takes the program's own options. What a message may say:
//   say TEXT           answers with the text, \n in it being a new line
//   run COMMAND        calls bash, and then says "done"
//   write PATH TEXT    calls write and test, and then says "done"
//   end TEXT           calls finish
//   think              goes on for ever, until it is stopped
//   messages           says every message that its context holds
//   break              fails as an engine does

using namespace dsv4;

namespace {

using Context = std::span<const llm::RecordedSegment>;

llm::Reply say(const std::string& text) {
  llm::Reply reply;
  reply.content = text;
  return reply;
}

llm::Reply call(std::vector<llm::ToolCall> calls) {
  llm::Reply reply;
  reply.calls = std::move(calls);
  return reply;
}

std::vector<std::string> messages_in(Context context) {
  std::vector<std::string> messages;
  bool begun = false;  // the repository stands before the conversation
  for (const llm::RecordedSegment& segment : context) {
    if (segment.role != "user" || segment.markup) continue;
    if (begun) messages.push_back(segment.text);
    begun = begun || segment.text == "\n# Conversation\n\n";
  }
  return messages;
}

// A line after another for ever, hardly faster than a model would.
llm::Reply think(const llm::ReplyOptions& options) {
  llm::Reply reply;
  reply.finish = llm::Finish::kCancelled;
  for (int line = 1; !options.cancel.stop_requested(); ++line) {
    if (options.on_text) options.on_text("thought " + std::to_string(line) + "\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return reply;
}

std::string with_newlines(std::string text) {
  for (size_t at = text.find("\\n"); at != std::string::npos; at = text.find("\\n", at)) {
    text.replace(at, 2, "\n");
  }
  return text;
}

llm::Reply answer(Context context, const llm::ReplyOptions& options) {
  // Results behind the last message: its calls were made.
  for (auto segment = context.rbegin(); segment != context.rend(); ++segment) {
    if (segment->role == "tool" && !segment->markup) return say("done");
    if (segment->role == "user" && !segment->markup) break;
  }
  const std::vector<std::string> messages = messages_in(context);
  std::string message = messages.empty() ? "" : messages.back();
  // What the person did before stands in parentheses.
  while (message.starts_with("(")) message.erase(0, message.find(")\n\n") + 3);
  std::istringstream words(message);
  std::string verb;
  std::string rest;
  words >> verb >> std::ws;
  std::getline(words, rest, '\0');
  if (verb == "say") return say(with_newlines(rest));
  if (verb == "run") return call({{"bash", {{"command", rest}}}});
  if (verb == "end") return call({{"finish", {{"summary", rest}}}});
  if (verb == "think") return think(options);
  if (verb == "break") throw llm::Error("the engine broke, as it was told to");
  if (verb == "write") {
    const size_t blank = rest.find(' ');
    return call({{"write",
                  {{"path", rest.substr(0, blank)},
                   {"content", with_newlines(rest.substr(blank + 1)) + "\n"}}},
                 {"test", nlohmann::ordered_json::object()}});
  }
  if (verb == "messages") {
    std::string text = std::to_string(messages.size()) + " messages:\n";
    for (const std::string& each : messages) text += "- " + each + "\n";
    return say(text);
  }
  return say("I do not understand: " + verb);
}

agent::ChatModel open_scripted(const agent::ModelChoice& choice, agent::Observer&,
                               std::stop_token cancel) {
  // One that is not open before it is stopped.
  while (choice.directory == "slow" && !cancel.stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  agent::ChatModel model;
  llm::ScriptedConversation::Options options;
  options.model_name = choice.directory ? "other" : "scripted";
  model.conversation = std::make_unique<llm::ScriptedConversation>(answer, options);
  model.name = options.model_name;
  return model;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto options = agent::terminal::parse_interactive_arguments(
        std::vector<std::string>(argv + 1, argv + argc));
    return agent::terminal::run_interactive(options, open_scripted);
  } catch (const std::exception& error) {
    std::cerr << "dsv4-agent-scripted: " << error.what() << '\n';
    return agent::kUsage;
  }
}
