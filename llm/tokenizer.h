#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/utf8.h"

namespace dsv4::llm {

// A stretch of a prompt. Markup is written by the program: markers such as <｜User｜> in it become
// their tokens. Everything else is data: whatever it spells, it cannot become a marker.
struct Segment {
  std::string text;
  bool markup = false;
};

// Byte-level BPE as a checkpoint's tokenizer.json describes it (Hugging Face `tokenizers`), with
// the same ids as that package for text that is UTF-8. Immutable; threads may share one.
//
// Added tokens come in two kinds. Markers are those flagged special and those that contain '<', '>'
// or U+FF5C: they are found in markup only. Any other added token is an ordinary word of the
// vocabulary and is found in data too.
class Tokenizer {
 public:
  // Reads DIR/tokenizer.json. Throws ModelError: missing, damaged, or with a part (named in the
  // message) that this engine does not support.
  static Tokenizer load(const std::filesystem::path& directory);
  // The same from the text of a tokenizer.json.
  static Tokenizer parse(std::string_view json);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // The ids of the segments' joined text. Words may run across a boundary between segments; a
  // marker lies within one stretch of markup. Bytes that are not UTF-8 keep their value. No
  // begin-of-text token is added. Throws ModelError when the file's own patterns take too long on
  // this text.
  std::vector<int32_t> encode(std::span<const Segment> segments) const;
  std::vector<int32_t> encode_data(std::string_view text) const;
  std::vector<int32_t> encode_markup(std::string_view text) const;

  // The first of those ids: the ones that stand whatever text the segments are followed by. What
  // could still become part of a longer word or added token is left out.
  std::vector<int32_t> encode_settled(std::span<const Segment> segments) const;

  // The bytes that a token stands for; empty for an id that the vocabulary leaves out.
  std::string_view bytes(int32_t id) const;
  // The bytes of all of them: encode_data's inverse for any input.
  std::string decode(std::span<const int32_t> ids) const;

  // The id of the added token with this text.
  std::optional<int32_t> added_token(std::string_view text) const;

  // True for a marker's id.
  bool is_marker(int32_t id) const;

  // One more than the largest id.
  int32_t size() const;

 private:
  struct Parts;
  struct Text;
  explicit Tokenizer(std::unique_ptr<const Parts> parts);
  std::unique_ptr<const Parts> parts_;
};

// Text of ids that arrive one at a time: valid UTF-8 at every moment.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}

  // The text that is certain after this token; an unfinished character is held back.
  std::string push(int32_t id) { return stream_.push(tokenizer_->bytes(id)); }
  // What was held back, as U+FFFD.
  std::string finish() { return stream_.finish(); }

 private:
  const Tokenizer* tokenizer_;
  Utf8Stream stream_;
};

}  // namespace dsv4::llm
