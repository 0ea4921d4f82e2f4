#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/chat_transport.h"
#include "llm/chat_wire.h"
#include "llm/conversation.h"

namespace dsv4::llm {

class ChatStream;

struct RemoteOptions {
  std::string model;       // as the server knows it
  int64_t window = 65536;  // tokens
  int most_broken = 4;     // streams of one turn that may break before it is an error
  bool steered = false;    // the server has dsv4-agent's own fields (serve/chat_request.h)
};

// A conversation with the model of a server that speaks OpenAI's chat completions. The whole of it
// is sent every turn; what is computed again is the server's to say and to save.
//
// A stream that breaks, or ends in an error that may pass, is thrown away with all that came of it
// and the turn is asked for again: no call is ever made of half a turn, or twice. Reasoning is kept
// and sent back with every turn. Calls are read from tool_calls; those that a server without tool
// parsing leaves in the text are read if they are DeepSeek's own (DSML), and else are answered by a
// correction that says so (Reply::malformed). A server that cannot stream a turn with tools is
// asked for whole ones from then on.
//
// Tokens are the server's count up to its last reply. What was added since, and everything before
// the first reply, is estimated from its bytes: three to a token at first, then as many as that
// server's counts come to.
//   context      the last prompt and reply, and the estimate of what was added since
//   prefilled    prompt tokens that the server did not have cached; all, where it does not say
//   restored     cached ones that no turn of this conversation had made it compute
//   cached       cached ones, each time they were sent
//   generated    reply tokens, reasoning included, thrown away turns too (these by estimate)
//   reprefilled  prefilled ones that were in the context already: what the server's cache missed
//
// Whether text handed in could spell a marker of the prompt format is decided by the server, which
// makes the prompt of the messages.
class RemoteConversation : public Conversation {
 public:
  RemoteConversation(std::shared_ptr<ChatTransport> transport, RemoteOptions options);

  void system(std::string_view text, const std::vector<nlohmann::ordered_json>& tools) override;
  void user(std::string_view part) override;
  void tool_results(std::span<const std::string> results) override;
  // Nothing is sent before the model is to speak.
  bool prefill(const PrefillProgress& progress, std::stop_token cancel) override;
  // The object holds everything: nothing is written to a directory.
  nlohmann::ordered_json save(const std::filesystem::path& directory) override;
  void resume(std::span<const nlohmann::ordered_json> saved,
              const std::filesystem::path& directory) override;
  // Throws Error when the server cannot be reached, refuses the request, or breaks off again and
  // again. When it finds the context too long, the turn ends as kLength with no room left.
  Reply reply(const ReplyOptions& options) override;
  std::unique_ptr<Conversation> fork() const override;
  Usage usage() const override;
  int64_t window() const override { return options_.window; }
  std::string model_name() const override { return options_.model; }

  // What is sent, for tests: the messages so far.
  std::vector<WireMessage> messages() const;

 private:
  void add(std::vector<WireMessage> added);
  void answer_open_calls(std::vector<WireMessage>* added, const std::string& with) const;
  int64_t estimate(size_t bytes) const;
  int64_t context() const;
  struct Asked;
  struct Steering;
  std::string request(const ReplyOptions& options, int64_t max_tokens, bool stream,
                      const nlohmann::ordered_json& more) const;
  int64_t turn_tokens(const ReplyOptions& options) const;
  void ask(const ReplyOptions& options, const nlohmann::ordered_json& more, Asked& asked);
  void take_back(const ReplyOptions& options, Asked& asked, const std::string& why, int broken);
  Reply steered_reply(const ReplyOptions& options);
  void draw(const ReplyOptions& options, Steering& steering, Asked& asked);
  Reply read(const Asked& asked, WireMessage& message) const;
  void accept(const Asked& asked, const Reply& reply, WireMessage message);
  Reply stopped(const Asked& asked);
  Reply too_long();
  WireUsage counted(const ChatStream& stream, int64_t said) const;
  void count(const WireUsage& counted);
  [[noreturn]] void refuse(const ChatTransport::Answer& answer) const;

  std::shared_ptr<ChatTransport> transport_;
  RemoteOptions options_;
  std::vector<nlohmann::ordered_json> tools_;
  std::vector<WireMessage> parts_;       // those of one user's turn are joined when they are sent
  std::vector<std::string> open_calls_;  // ids that the next tool_results() answer
  Usage usage_;                          // but for the context
  int64_t known_ = 0;                    // tokens of the context as the server last counted
  size_t unknown_bytes_ = 0;             // of what was added since
  size_t bytes_ = 0;                     // of everything
  double tokens_per_byte_ = 1.0 / 3;
  uint64_t calls_ = 0;   // that got an id of ours
  bool full_ = false;    // the server says so
  bool streams_ = true;  // replies are asked for as a stream, which not every server has with tools
  size_t saved_ = 0;     // parts that save() has handed out
};

// What a server says about a model of its.
struct ServedModel {
  std::string name;
  std::optional<int64_t> window;  // tokens
  bool may_be_steered = false;    // RemoteOptions::steered
};

// Asks the server which model it has and how much that reads. `named` and `window` come before what
// the server says. Throws Error with a sentence when it cannot be reached, or has several models
// and none was named.
ServedModel find_served_model(ChatTransport& transport, const std::optional<std::string>& named,
                              const std::optional<int64_t>& window, std::stop_token cancel);

}  // namespace dsv4::llm
