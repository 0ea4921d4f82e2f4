#include "llm/encoding_json.h"

#include <array>
#include <charconv>
#include <cmath>

#include "llm/error.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

// Checked before parsing, so that nothing recursive ever meets a hostile depth.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

void write_text(std::string_view text, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\b':
        out += "\\b";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHex[static_cast<unsigned char>(c) >> 4];
          out += kHex[static_cast<unsigned char>(c) & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// Python's repr of a float: the shortest digits that read back the same, positional when the
// decimal exponent is in [-4, 16).
void write_float(double value, std::string& out) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    return;
  }
  std::array<char, 64> buffer{};
  char* const end = buffer.data() + buffer.size();
  const auto text = [&](std::chars_format format) {
    const auto done = std::to_chars(buffer.data(), end, value, format);
    return std::string(buffer.data(), done.ptr);
  };
  const std::string scientific = text(std::chars_format::scientific);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (exponent < -4 || exponent >= 16) {
    out += scientific;
    return;
  }
  const std::string fixed = text(std::chars_format::fixed);
  out += fixed;
  if (fixed.find('.') == std::string::npos) out += ".0";
}

void write(const ordered_json& value, std::string& out) {
  switch (value.type()) {
    case ordered_json::value_t::object: {
      out += '{';
      bool first = true;
      for (const auto& [key, member] : value.items()) {
        if (!first) out += ", ";
        first = false;
        write_text(key, out);
        out += ": ";
        write(member, out);
      }
      out += '}';
      return;
    }
    case ordered_json::value_t::array: {
      out += '[';
      bool first = true;
      for (const ordered_json& member : value) {
        if (!first) out += ", ";
        first = false;
        write(member, out);
      }
      out += ']';
      return;
    }
    case ordered_json::value_t::string:
      write_text(value.get_ref<const std::string&>(), out);
      return;
    case ordered_json::value_t::number_float:
      write_float(value.get<double>(), out);
      return;
    default:
      out += value.dump();
  }
}

}  // namespace

ordered_json parse_foreign_json(std::string_view text, const std::string& where) {
  if (too_deep(text)) {
    throw FormatError(where, "nested more than " + std::to_string(kMaxJsonDepth) + " deep");
  }
  try {
    return ordered_json::parse(text);
  } catch (const ordered_json::parse_error& error) {
    throw FormatError(where, "not JSON: an error at byte " + std::to_string(error.byte));
  } catch (const ordered_json::exception&) {
    throw FormatError(where, "not JSON: a number is out of range");
  }
}

std::string python_json(const ordered_json& value) {
  std::string out;
  write(value, out);
  return out;
}

}  // namespace dsv4::llm
