#include "llm/tokenizer_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "llm/error.h"
#include "llm/utf8.h"

namespace dsv4::llm {
namespace {

using nlohmann::json;

// The largest published vocabulary has 129,280 ids; a damaged file must not ask for gigabytes.
constexpr int64_t kMaxId = 4'000'000;
constexpr int kMaxNesting = 8;

// The expression inside the pre-tokenizer ByteLevel (GPT-2's), as `tokenizers` has it.
constexpr std::string_view kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kAnything = R"([\x{0}-\x{10FFFF}]+)";

[[noreturn]] void refuse(const std::string& what) { throw ModelError("tokenizer.json: " + what); }

// Text from the file, fit for a message.
std::string shown(const std::string& text) {
  return "'" + utf8_replace_broken(text.substr(0, 60)) + "'";
}

const json* find(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_at(const json& object, const char* key, const std::string& where) {
  const json* value = object.is_object() ? find(object, key) : nullptr;
  if (!value || !value->is_string()) refuse(where + " has no text '" + key + "'");
  return value->get<std::string>();
}

bool flag_at(const json& object, const char* key, bool otherwise, const std::string& where) {
  const json* value = find(object, key);
  if (!value) return otherwise;
  if (!value->is_boolean()) refuse(where + ": '" + key + "' must be true or false");
  return value->get<bool>();
}

int32_t id_of(const json& value, const std::string& where) {
  if (!value.is_number_integer()) refuse(where + ": the id is not a whole number");
  const bool fits = value.is_number_unsigned() ? value.get<uint64_t>() <= uint64_t{kMaxId}
                                               : value.get<int64_t>() >= 0;
  if (!fits) refuse(where + ": the id " + value.dump() + " is out of range");
  return value.get<int32_t>();
}

// --- The byte alphabet ------------------------------------------------------------------------

// Byte-level vocabularies spell each byte as a visible character: the printable ones of Latin-1 as
// themselves, the others as U+0100, U+0101, ... in order (GPT-2's bytes_to_unicode).
class ByteAlphabet {
 public:
  ByteAlphabet() {
    bytes_.fill(-1);
    int next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
                             (byte >= 0xAE && byte <= 0xFF);
      const int code = printable ? byte : next++;
      spelling_[static_cast<size_t>(byte)] = spell(code);
      bytes_[static_cast<size_t>(code)] = byte;
    }
  }

  const std::string& spelling(size_t byte) const { return spelling_[byte]; }

  // The bytes that a token spells, or nothing when a character is not of the alphabet.
  std::optional<std::string> bytes(std::string_view token) const {
    std::string out;
    while (!token.empty()) {
      const size_t length = utf8_length(token);
      const auto code = length == 1 ? static_cast<size_t>(token[0])
                        : length == 2
                            ? static_cast<size_t>((token[0] & 0x1F) << 6 | (token[1] & 0x3F))
                            : bytes_.size();
      if (code >= bytes_.size() || bytes_[code] < 0) return std::nullopt;
      out += static_cast<char>(bytes_[code]);
      token.remove_prefix(length);
    }
    return out;
  }

 private:
  static std::string spell(int code) {
    if (code < 0x80) return std::string(1, static_cast<char>(code));
    return {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
  }

  std::array<std::string, 256> spelling_;
  std::array<int, 512> bytes_;  // of each code point; -1: none
};

// --- The pre-tokenizer ------------------------------------------------------------------------

SplitBehaviour behaviour_of(const std::string& name) {
  if (name == "Removed") return SplitBehaviour::kRemoved;
  if (name == "Isolated") return SplitBehaviour::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehaviour::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehaviour::kMergedWithNext;
  if (name == "Contiguous") return SplitBehaviour::kContiguous;
  refuse("the split behaviour " + shown(name) + " is not supported");
}

SplitStep split_step(const json& spec) {
  const json* pattern = find(spec, "pattern");
  if (!pattern || !pattern->is_object()) refuse("a Split pre-tokenizer has no pattern");
  const bool regex = pattern->contains("Regex");
  if (!regex && !pattern->contains("String")) {
    refuse("the pattern of a Split pre-tokenizer must be a Regex or a String");
  }
  const std::string text = text_at(*pattern, regex ? "Regex" : "String", "a Split pre-tokenizer");
  return {Pattern(regex ? Pattern::Kind::kRegex : Pattern::Kind::kLiteral, text),
          behaviour_of(text_at(spec, "behavior", "a Split pre-tokenizer")),
          flag_at(spec, "invert", false, "a Split pre-tokenizer"), false};
}

// Appends the steps of one pre-tokenizer. `bytes_seen`: ByteLevel was there, so the file is
// byte-level, and text for a later step would be spelled in its alphabet.
void read_steps(const json& spec, int depth, std::vector<SplitStep>& steps, bool& bytes_seen) {
  if (depth > kMaxNesting) refuse("the pre-tokenizer is nested too deeply");
  const std::string type = text_at(spec, "type", "a pre-tokenizer");
  if (type == "Sequence") {
    const json* inner = find(spec, "pretokenizers");
    if (!inner || !inner->is_array()) refuse("a Sequence of pre-tokenizers has no list");
    for (const json& one : *inner) read_steps(one, depth + 1, steps, bytes_seen);
    return;
  }
  if (bytes_seen) refuse("the pre-tokenizer " + shown(type) + " after ByteLevel is not supported");
  if (type == "Split") {
    steps.push_back(split_step(spec));
  } else if (type == "Digits") {
    const bool one = flag_at(spec, "individual_digits", false, "the pre-tokenizer Digits");
    steps.push_back({Pattern(Pattern::Kind::kRegex, "\\p{N}"),
                     one ? SplitBehaviour::kIsolated : SplitBehaviour::kContiguous, false, false});
  } else if (type == "ByteLevel") {
    bytes_seen = true;
    const bool regex = flag_at(spec, "use_regex", true, "the pre-tokenizer ByteLevel");
    const bool blank = flag_at(spec, "add_prefix_space", true, "the pre-tokenizer ByteLevel");
    if (regex || blank) {
      steps.push_back({Pattern(Pattern::Kind::kRegex, regex ? kByteLevelPattern : kAnything),
                       SplitBehaviour::kIsolated, false, blank});
    }
  } else {
    refuse("the pre-tokenizer " + shown(type) + " is not supported");
  }
}

void check_normalizer(const json& spec, int depth) {
  if (depth > kMaxNesting) refuse("the normalizer is nested too deeply");
  const std::string type = text_at(spec, "type", "the normalizer");
  if (type != "Sequence") refuse("the normalizer " + shown(type) + " is not supported");
  const json* inner = find(spec, "normalizers");
  if (!inner || !inner->is_array()) refuse("a Sequence of normalizers has no list");
  for (const json& one : *inner) check_normalizer(one, depth + 1);
}

// --- The model --------------------------------------------------------------------------------

void check_model(const json& model) {
  const std::string type = text_at(model, "type", "the model");
  if (type != "BPE") refuse("the model " + shown(type) + " is not supported, only BPE");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const json* value = find(model, key);
    if (value && *value != "") refuse(std::string("the model's ") + key + " is not supported");
  }
  const json* dropout = find(model, "dropout");
  if (dropout && *dropout != 0.0) refuse("BPE dropout is not supported");
}

using Vocabulary = std::unordered_map<std::string, int32_t>;

Vocabulary read_vocabulary(const json& model, TokenizerSpec& spec) {
  const json* listed = find(model, "vocab");
  if (!listed || !listed->is_object() || listed->empty()) refuse("the model has no vocabulary");
  const ByteAlphabet alphabet;
  Vocabulary vocabulary;
  vocabulary.reserve(listed->size());
  std::vector<bool> taken;
  for (const auto& [token, value] : listed->items()) {
    const int32_t id = id_of(value, "the token " + shown(token));
    const auto at = static_cast<size_t>(id);
    if (at >= spec.bytes.size()) {
      spec.bytes.resize(at + 1);
      taken.resize(at + 1);
    }
    if (token.empty()) refuse("the vocabulary has an empty token");
    if (taken[at]) refuse("two tokens have the id " + std::to_string(id));
    taken[at] = true;
    // A token outside the alphabet, such as a marker, stands for its own text.
    spec.bytes[at] = alphabet.bytes(token).value_or(token);
    vocabulary.emplace(token, id);
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    const auto found = vocabulary.find(alphabet.spelling(byte));
    if (found == vocabulary.end()) {
      refuse("the vocabulary has no token for the byte " + std::to_string(byte) +
             ": only byte-level BPE is supported");
    }
    spec.byte_ids[byte] = found->second;
  }
  return vocabulary;
}

// Both spellings: "a b" and ["a", "b"].
std::pair<std::string, std::string> merge_parts(const json& merge, size_t rank) {
  const std::string where = "merge " + std::to_string(rank);
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const size_t blank = text.find(' ');
    if (blank == std::string::npos || text.find(' ', blank + 1) != std::string::npos) {
      refuse(where + " is not two tokens: " + shown(text));
    }
    return {text.substr(0, blank), text.substr(blank + 1)};
  }
  if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) {
    refuse(where + " is not a pair of tokens");
  }
  return {merge[0].get<std::string>(), merge[1].get<std::string>()};
}

void read_merges(const json& model, const Vocabulary& vocabulary, TokenizerSpec& spec) {
  const json* listed = find(model, "merges");
  if (!listed || !listed->is_array()) refuse("the model has no list of merges");
  spec.merges.reserve(listed->size());
  for (size_t rank = 0; rank < listed->size(); ++rank) {
    const auto [left, right] = merge_parts((*listed)[rank], rank);
    const auto id = [&](const std::string& token) {
      const auto found = vocabulary.find(token);
      if (found == vocabulary.end()) {
        refuse("merge " + std::to_string(rank) + " needs the token " + shown(token) +
               ", which the vocabulary does not have");
      }
      return found->second;
    };
    spec.merges.push_back({id(left), id(right), id(left + right)});
  }
}

// --- Added tokens -----------------------------------------------------------------------------

bool looks_like_marker(const std::string& text) {
  return text.find_first_of("<>") != std::string::npos ||
         text.find("\xEF\xBD\x9C") != std::string::npos;  // U+FF5C
}

void read_added(const json& file, const Vocabulary& vocabulary, TokenizerSpec& spec) {
  const json* listed = find(file, "added_tokens");
  if (!listed) return;
  if (!listed->is_array()) refuse("added_tokens is not a list");
  std::unordered_map<std::string, int32_t> seen;
  for (const json& token : *listed) {
    const std::string text = text_at(token, "content", "an added token");
    const std::string where = "the added token " + shown(text);
    if (text.empty()) refuse("an added token is empty");
    for (const char* key : {"single_word", "lstrip", "rstrip"}) {
      if (flag_at(token, key, false, where)) refuse(where + " uses " + key + ", not supported");
    }
    if (!token.contains("id")) refuse(where + " has no id");
    const int32_t id = id_of(token["id"], where);
    if (!seen.emplace(text, id).second) refuse(where + " is listed twice");
    const auto at = static_cast<size_t>(id);
    if (at >= spec.bytes.size()) spec.bytes.resize(at + 1);
    const auto known = vocabulary.find(text);
    const bool same = known != vocabulary.end() && known->second == id;
    if (!same && !spec.bytes[at].empty()) refuse(where + " has the id of another token");
    spec.bytes[at] = text;
    const bool special = flag_at(token, "special", false, where);
    spec.added.push_back({id, text, special || looks_like_marker(text),
                          flag_at(token, "normalized", !special, where)});
  }
}

}  // namespace

TokenizerSpec read_tokenizer_json(std::string_view text) {
  json file;
  try {
    file = json::parse(text);
  } catch (const json::exception&) {
    refuse("not readable as JSON: the file is damaged; fetch the model again");
  }
  if (!file.is_object()) refuse("not a JSON object");
  if (const json* normalizer = find(file, "normalizer")) check_normalizer(*normalizer, 0);
  const json* model = find(file, "model");
  if (!model || !model->is_object()) refuse("there is no model in it");
  check_model(*model);

  TokenizerSpec spec;
  bool byte_level = false;
  if (const json* pre = find(file, "pre_tokenizer")) read_steps(*pre, 0, spec.steps, byte_level);
  if (!byte_level) refuse("its pre-tokenizer has no ByteLevel: only byte-level BPE is supported");
  const Vocabulary vocabulary = read_vocabulary(*model, spec);
  read_merges(*model, vocabulary, spec);
  read_added(file, vocabulary, spec);
  if (flag_at(*model, "ignore_merges", false, "the model")) {
    for (const auto& [token, id] : vocabulary) {
      spec.whole_words.emplace(spec.bytes[static_cast<size_t>(id)], id);
    }
  }
  return spec;
}

}  // namespace dsv4::llm
