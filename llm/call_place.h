#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "llm/call_grammar.h"
#include "llm/json_shape.h"

namespace dsv4::llm {

// Where a turn stands in the grammar of calls. Cheap to copy, so that continuations can be tried.
// The grammar must outlive it.
class CallPlace {
 public:
  using Bytes = std::bitset<256>;

  // At the beginning of a turn. Its thoughts, if it has any, end with </think>. What is written of
  // an argument is kept in `value`, for the choices of later ones.
  CallPlace(const CallGrammar& grammar, bool thinking, std::string& value);

  // A copy to try continuations with, which forgets what is written of an argument. Where the
  // choices of a later one could depend on that, it allows nothing.
  CallPlace trial() const;

  // Goes on with the bytes; false when the grammar does not allow them (the place is then of no
  // use).
  bool advance(std::string_view text);

  // Finds out what kind of value begins here, if one does, by asking for its choices. False in a
  // trial that cannot.
  bool look_up();
  // Whether that was done since the last call of this, for this place or the one it is a copy of.
  bool has_looked_up() { return std::exchange(looked_up_, false); }

  // Any text may follow, tags that the grammar does not have here excepted.
  bool is_free() const;
  // A string of a JSON value: as free, but for its quotes, its backslashes and control characters.
  bool in_json_string() const;
  // What a free text must not go on with as it likes: what is left of each tag that has begun.
  // Empty views at the end.
  struct Begun {
    std::string_view rests[2];
  };
  Begun begun() const;

  // The bytes that may come next; all of them where the place is free.
  Bytes next() const;
  // Whether the turn may end here.
  bool may_end() const;
  // Whether nothing but the end of the turn may come.
  bool is_done() const { return state_ == State::kDone; }
  bool between_calls() const;
  // Whether `byte`, one of next(), would belong to the value of an argument. Nothing: to one in
  // some continuations and not in others.
  std::optional<bool> in_value(char byte) const;
  // The part of the continuation going on that stands already; `data` bytes at its front are the
  // value of an argument.
  struct Written {
    std::string_view text;
    size_t data = 0;
  };
  Written written() const;

  // Two places with the same name go on alike, as far as no choices are looked up. Empty: this
  // place has none.
  std::string name() const;

 private:
  enum class State : uint8_t {
    kThought,    // before </think>
    kText,       // outside the calls
    kOpening,    // in the tag that opens a block
    kCall,       // a call begins, or (after the first) the block ends
    kParameter,  // a parameter begins, or the call ends
    kValue,      // a value begins: which kind was not looked up yet
    kChosen,     // in a value from a list
    kFree,       // in a value of any text
    kEndLine,    // after the tag that ends it
    kJson,       // in a JSON value, or the tag that ends it
    kDone,       // after the block
  };
  // What the turn's calls were given so far, the newest first.
  struct Said {
    std::shared_ptr<const Said> before;
    bool call = false;  // else an argument
    size_t tool = 0;
    size_t parameter = 0;
    std::string value;
    bool known = true;  // the value, and those before it
  };
  using Looked = std::map<std::string, std::shared_ptr<const Continuations>>;

  bool push(char byte);
  bool push_text(char byte);
  bool push_free(char byte);
  bool push_json(char byte);
  bool push_continuation(char byte);
  void begin(State state, std::shared_ptr<const Continuations> continuations);
  void take(const Continuations::One& whole);
  void end_value(std::string value, bool known);
  void end_written_value();
  std::shared_ptr<const Continuations> values_here() const;
  const CallGrammar::Tool& tool() const { return grammar_->tools[tool_]; }

  const CallGrammar* grammar_;
  State state_ = State::kText;
  uint8_t matched_[2] = {};  // bytes of the tags that a free text could be beginning
  size_t tool_ = 0;
  size_t next_parameter_ = 0;  // the first that may still come, or the one whose value this is
  std::shared_ptr<const Continuations> continuations_;
  Continuations::Range range_;  // those that are still possible
  size_t offset_ = 0;           // bytes of them that are written
  std::optional<JsonValue> json_;
  bool looked_up_ = false;
  std::string* value_;  // of a free or JSON argument, so far; null in a trial
  std::shared_ptr<const Said> said_;
  std::shared_ptr<Looked> looked_ = std::make_shared<Looked>();  // values of this turn's arguments
};

}  // namespace dsv4::llm
