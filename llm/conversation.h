#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::llm {

class CallGuide;

// One call that the model asked for. Arguments keep the order in which they were written.
struct ToolCall {
  std::string name;
  nlohmann::ordered_json arguments;
};

// How the next token is drawn. temperature 0 is greedy. The defaults are the authors'.
struct Sampling {
  double temperature = 1.0;
  double top_p = 1.0;
  int top_k = 0;       // 0: no limit
  double min_p = 0.0;  // 0: off
  uint64_t seed = 0;   // forks that should differ get different seeds
};

enum class Finish {
  kStop,       // the model ended its turn
  kLength,     // max_tokens were generated first
  kCancelled,  // the stop token fired
};

// What the model said in one turn.
struct Reply {
  std::string reasoning;        // inside <think>...</think>, empty in direct mode
  std::string content;          // text before the calls
  std::vector<ToolCall> calls;  // in order
  // Set when a call block is there but cannot be read: a sentence for the model. `calls` is then
  // empty, and the turn stays in the context as it was sampled.
  std::optional<std::string> malformed;
  std::string raw;  // the whole turn as generated, markers included
  Finish finish = Finish::kStop;
  int64_t tokens = 0;  // generated in this turn
};

struct ReplyOptions {
  Sampling sampling;
  int64_t max_tokens = 4096;
  // Valid UTF-8 as it is generated, markers included; may be empty.
  std::function<void(std::string_view)> on_text;
  std::stop_token cancel;
  // Asked about every turn but a cancelled one: a sentence part that says why it leads nowhere, or
  // nothing when it may stand. A turn that may not is taken back as if never said, and the model's
  // next best one takes its place, until one may stand or taken_back_tokens were generated for
  // nothing: the last one then stands. May be empty. A server's model is out of its reach.
  std::function<std::optional<std::string>(const Reply&)> refuse;
  int64_t taken_back_tokens = 2048;
  // Called for every turn that is taken back; its text was streamed to on_text. May be empty.
  std::function<void(const Reply&, const std::string& reason)> on_taken_back;
  // Keeps calls well formed while they are sampled; may be null. Must outlive the call. A server's
  // model is out of its reach.
  CallGuide* guide = nullptr;
};

// Called while a prompt is read: tokens done and tokens in all of this append.
using PrefillProgress = std::function<void(int64_t done, int64_t total)>;

// Tokens counted since the conversation (or the one it was forked from) began.
struct Usage {
  int64_t context = 0;      // in the context now
  int64_t prefilled = 0;    // computed as prompt
  int64_t restored = 0;     // prompt that an earlier conversation had computed and kept
  int64_t generated = 0;    // sampled
  int64_t reprefilled = 0;  // context tokens computed more than once
  int64_t cached = 0;       // prompt that a server had kept, counted each time it was sent
  int64_t bytes = 0;        // of state that the context takes; forks share it; 0: not known
};

void to_json(nlohmann::ordered_json& json, const Usage& usage);
void from_json(const nlohmann::ordered_json& json, Usage& usage);

// A growing context and the model that answers it: in this process (open_local), or a server. Text
// handed in is data: whatever it contains, it cannot become a marker of the prompt format.
// Not thread-safe. Throws llm::Error when the engine fails.
class Conversation {
 public:
  virtual ~Conversation() = default;

  // First of all calls, once: instructions and tool schemas ({"name","description","parameters"}).
  virtual void system(std::string_view text, const std::vector<nlohmann::ordered_json>& tools) = 0;

  // Adds text to the user's turn, beginning one if none is open. Parts are joined as they are.
  virtual void user(std::string_view part) = 0;

  // The results of the last reply's calls, in call order; opens a user turn.
  virtual void tool_results(std::span<const std::string> results) = 0;

  // Computes what was added and is not in the state yet. Optional: reply() does it too.
  // Returns false when cancelled; what was computed is kept.
  virtual bool prefill(const PrefillProgress& progress, std::stop_token cancel) = 0;

  // Keeps what was computed, so that a later conversation that begins alike need not compute it
  // again; does nothing where nothing can be kept. Throws Error when the disk refuses.
  virtual void keep() {}

  // Writes what was computed to files in `directory`, which is made where it is missing, and
  // returns what else resume() needs: a JSON object. Both hold only what came since the last save()
  // of this conversation, or of the one it was forked from, and cost as much. null where nothing
  // can be saved. Throws Error when the disk refuses.
  virtual nlohmann::ordered_json save(const std::filesystem::path& /*directory*/) {
    return nullptr;
  }

  // Makes a conversation what it was at the last of several save()s in a row. It must be what it
  // was before the first of them: new, or a fork of one that was resumed itself. What cannot be
  // read from the directory is computed again by the next prefill() or reply(), and counted as
  // reprefilled. Throws Error when the conversation is another model's, FormatError when `saved` is
  // not what save() returned.
  virtual void resume(std::span<const nlohmann::ordered_json> saved,
                      const std::filesystem::path& directory);

  // Closes the user's turn and lets the model speak.
  virtual Reply reply(const ReplyOptions& options) = 0;

  // An independent continuation of the same context that shares what was computed.
  virtual std::unique_ptr<Conversation> fork() const = 0;

  virtual Usage usage() const = 0;

  // Tokens the model's window holds.
  virtual int64_t window() const = 0;

  // For reports: the model's name, such as "nano" or "DeepSeek-V4-Flash".
  virtual std::string model_name() const = 0;
};

}  // namespace dsv4::llm
