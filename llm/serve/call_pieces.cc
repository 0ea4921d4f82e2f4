#include "llm/serve/call_pieces.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "llm/call_grammar.h"
#include "llm/encoding_json.h"
#include "llm/error.h"

namespace dsv4::llm::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kInvoke = "<｜DSML｜invoke name=\"";
constexpr std::string_view kParameter = "<｜DSML｜parameter name=\"";
constexpr std::string_view kEndInvoke = "</｜DSML｜invoke>";

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What stands between the opening tag at the front of `text` and `end`, and the bytes of all three;
// nothing while they are not there.
std::optional<std::pair<std::string_view, size_t>> between(std::string_view text,
                                                           std::string_view opening,
                                                           std::string_view end) {
  if (!text.starts_with(opening)) return std::nullopt;
  const size_t at = text.find(end, opening.size());
  if (at == std::string_view::npos) return std::nullopt;
  return std::pair(text.substr(opening.size(), at - opening.size()), at + end.size());
}

}  // namespace

void add_piece(CallPiece piece, std::vector<CallPiece>& pieces) {
  if (!pieces.empty() && pieces.back().call == piece.call) {
    pieces.back().name += piece.name;
    pieces.back().arguments += piece.arguments;
  } else {
    pieces.push_back(std::move(piece));
  }
}

void CallPieces::read(std::string_view block, std::vector<CallPiece>& out) {
  while (step(block.substr(at_), out)) {
  }
}

// False when there is no more to tell.
bool CallPieces::step(std::string_view rest, std::vector<CallPiece>& out) {
  switch (part_) {
    case Part::kCall:
      return call(rest, out);
    case Part::kArgument:
      return argument(rest, out);
    case Part::kText:
      return text(rest, out);
    case Part::kJson:
      return json(rest, out);
    case Part::kNothing:
      break;
  }
  return false;
}

void CallPieces::tell(std::string arguments, std::vector<CallPiece>& out) const {
  if (!arguments.empty()) add_piece({calls_, "", std::move(arguments)}, out);
}

bool CallPieces::call(std::string_view rest, std::vector<CallPiece>& out) {
  const size_t begin = rest.find(kInvoke);
  if (begin == std::string_view::npos) return false;
  const auto name = between(rest.substr(begin), kInvoke, "\">");
  if (!name) return false;
  at_ += begin + name->second;
  add_piece({calls_, std::string(name->first), "{"}, out);
  part_ = Part::kArgument;
  first_ = true;
  return true;
}

bool CallPieces::argument(std::string_view rest, std::vector<CallPiece>& out) {
  const size_t blanks = std::min(rest.find_first_not_of(" \t\r\n"), rest.size());
  rest.remove_prefix(blanks);
  if (rest.starts_with(kEndInvoke)) {
    at_ += blanks + kEndInvoke.size();
    tell("}", out);
    ++calls_;
    part_ = Part::kCall;
    return true;
  }
  const auto name = between(rest, kParameter, "\" string=\"");
  if (!name) return false;
  const bool is_text = rest.substr(name->second).starts_with("true\">");
  const bool is_json = rest.substr(name->second).starts_with("false\">");
  if (!is_text && !is_json) return false;
  at_ += blanks + name->second + std::string_view(is_text ? "true\">" : "false\">").size();
  tell((first_ ? "" : ",") + dump(std::string(name->first)) + (is_text ? ":\"" : ":"), out);
  first_ = false;
  part_ = is_text ? Part::kText : Part::kJson;
  return true;
}

bool CallPieces::text(std::string_view rest, std::vector<CallPiece>& out) {
  const std::string_view tag = call_tag::kEndValue;
  const size_t end = rest.find(tag);
  size_t count = end;
  if (end == std::string_view::npos) {
    count = rest.size();
    for (size_t n = std::min(rest.size(), tag.size() - 1); n > 0 && count == rest.size(); --n) {
      if (rest.ends_with(tag.substr(0, n))) count -= n;
    }
  }
  const std::string escaped = dump(std::string(rest.substr(0, count)));
  tell(escaped.substr(1, escaped.size() - 2), out);
  at_ += count;
  if (end == std::string_view::npos) return false;
  at_ += tag.size();
  tell("\"", out);
  part_ = Part::kArgument;
  return true;
}

bool CallPieces::json(std::string_view rest, std::vector<CallPiece>& out) {
  const size_t end = rest.find(call_tag::kEndValue);
  if (end == std::string_view::npos) return false;
  try {
    tell(dump(parse_foreign_json(rest.substr(0, end), "an argument")), out);
  } catch (const FormatError&) {
    part_ = Part::kNothing;
    return false;
  }
  at_ += end + call_tag::kEndValue.size();
  part_ = Part::kArgument;
  return true;
}

}  // namespace dsv4::llm::serve
