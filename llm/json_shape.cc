#include "llm/json_shape.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace dsv4::llm {
namespace {

constexpr uint8_t kMostDigits = 17;   // before the point, and after it
constexpr uint8_t kMostExponent = 2;  // digits: far from the largest double

bool digit(char c) { return c >= '0' && c <= '9'; }
bool hex(char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

uint8_t type_named(const std::string& name) {
  if (name == "null") return JsonShape::kNull;
  if (name == "boolean") return JsonShape::kBoolean;
  if (name == "integer") return JsonShape::kInteger;
  if (name == "number") return JsonShape::kNumber | JsonShape::kInteger;
  if (name == "string") return JsonShape::kString;
  if (name == "array") return JsonShape::kArray;
  if (name == "object") return JsonShape::kObject;
  return JsonShape::kAny;
}

const JsonShape& any_shape() {
  static const JsonShape kShape;
  return kShape;
}

}  // namespace

JsonShape json_shape(const nlohmann::ordered_json& schema) {
  JsonShape shape;
  if (!schema.is_object()) return shape;
  const auto type = schema.find("type");
  if (type == schema.end()) return shape;
  int types = 0;
  for (const auto& name : type->is_array() ? *type : nlohmann::ordered_json::array({*type})) {
    types |= name.is_string() ? type_named(name.get<std::string>()) : uint8_t{JsonShape::kAny};
  }
  shape.types = static_cast<uint8_t>(types);
  const auto items = schema.find("items");
  if (items != schema.end()) shape.items = std::make_shared<const JsonShape>(json_shape(*items));
  return shape;
}

JsonValue::JsonValue(const JsonShape& shape) : shape_(&shape) {}

const JsonShape* JsonValue::wanted() const {
  if (depth_ == 0) return shape_;
  const JsonShape* items = levels_[depth_ - 1U].items;
  return items == nullptr ? &any_shape() : items;
}

bool JsonValue::open(bool object) {
  if (depth_ == kMostDepth) return false;
  const JsonShape* items = object ? nullptr : wanted()->items.get();
  levels_[depth_++] = {object, items};
  step_ = Step::kFirst;
  return true;
}

bool JsonValue::end_level() {
  --depth_;
  step_ = Step::kAfter;
  return true;
}

bool JsonValue::begin_value(char byte) {
  const uint8_t types = wanted()->types;
  const auto literal = [&](JsonShape::Type type, const char* rest) {
    literal_ = rest;
    step_ = Step::kLiteral;
    return (types & type) != 0;
  };
  switch (byte) {
    case '"':
      step_ = Step::kString;
      key_ = false;
      return (types & JsonShape::kString) != 0;
    case '[':
      return (types & JsonShape::kArray) != 0 && open(false);
    case '{':
      return (types & JsonShape::kObject) != 0 && open(true);
    case 't':
      return literal(JsonShape::kBoolean, "rue");
    case 'f':
      return literal(JsonShape::kBoolean, "alse");
    case 'n':
      return literal(JsonShape::kNull, "ull");
    default:
      break;
  }
  if ((types & (JsonShape::kInteger | JsonShape::kNumber)) == 0) return false;
  fraction_ = (types & JsonShape::kNumber) != 0;
  digits_ = 1;
  step_ = byte == '-' ? Step::kMinus : byte == '0' ? Step::kZero : Step::kInteger;
  return byte == '-' || digit(byte);
}

bool JsonValue::push_string(char byte) {
  if (step_ == Step::kEscape) {
    digits_ = 0;
    step_ = byte == 'u' ? Step::kHex : Step::kString;
    return std::string_view("\"\\/bfnrtu").find(byte) != std::string_view::npos;
  }
  if (step_ == Step::kHex) {
    if (!hex(byte) || (digits_ == 1 && surrogate_ && (byte < '0' || byte > '7'))) return false;
    if (digits_ == 0) surrogate_ = byte == 'd' || byte == 'D';
    if (++digits_ == 4) step_ = Step::kString;
    return true;
  }
  if (byte == '\\') step_ = Step::kEscape;
  if (byte == '"') step_ = key_ ? Step::kColon : Step::kAfter;
  return static_cast<unsigned char>(byte) >= 0x20;
}

bool JsonValue::number_may_end() const {
  return step_ == Step::kZero || step_ == Step::kInteger || step_ == Step::kFraction ||
         step_ == Step::kExponent;
}

bool JsonValue::push_number(char byte) {
  const auto go_on = [&](Step step, uint8_t digits) {
    step_ = step;
    digits_ = digits;
    return true;
  };
  if (digit(byte)) {
    switch (step_) {
      case Step::kMinus:
        return go_on(byte == '0' ? Step::kZero : Step::kInteger, 1);
      case Step::kInteger:
      case Step::kFraction:
        return digits_++ < kMostDigits;
      case Step::kPoint:
        return go_on(Step::kFraction, 1);
      case Step::kE:
      case Step::kSign:
        return go_on(Step::kExponent, 1);
      case Step::kExponent:
        return digits_++ < kMostExponent;
      default:
        return false;
    }
  }
  if (step_ == Step::kE && (byte == '+' || byte == '-')) return go_on(Step::kSign, 0);
  if (!number_may_end()) return false;
  const bool whole = step_ == Step::kZero || step_ == Step::kInteger;
  if (fraction_ && byte == '.' && whole) return go_on(Step::kPoint, 0);
  const bool exponent = byte == 'e' || byte == 'E';
  if (fraction_ && exponent && step_ != Step::kExponent) return go_on(Step::kE, 0);
  step_ = Step::kAfter;
  return push_after(byte);
}

bool JsonValue::push_after(char byte) {
  if (depth_ == 0) return false;
  const bool object = levels_[depth_ - 1U].object;
  if (byte == ',') {
    step_ = object ? Step::kKey : Step::kValue;
    return true;
  }
  return byte == (object ? '}' : ']') && end_level();
}

bool JsonValue::push(char byte) {
  const bool between = step_ == Step::kFirst || step_ == Step::kKey || step_ == Step::kColon ||
                       step_ == Step::kAfter || step_ == Step::kValue || number_may_end();
  if (between && blank(byte)) {
    // Nothing stands around the whole value.
    if (number_may_end()) step_ = Step::kAfter;
    return depth_ > 0 && blanks_++ < kMostBlanks;
  }
  blanks_ = 0;
  switch (step_) {
    case Step::kFirst: {
      const bool object = levels_[depth_ - 1U].object;
      if (byte == (object ? '}' : ']')) return end_level();
      if (!object) return begin_value(byte);
      [[fallthrough]];
    }
    case Step::kKey:
      key_ = true;
      step_ = Step::kString;
      return byte == '"';
    case Step::kValue:
      return begin_value(byte);
    case Step::kColon:
      step_ = Step::kValue;
      return byte == ':';
    case Step::kAfter:
      return push_after(byte);
    case Step::kString:
    case Step::kEscape:
    case Step::kHex:
      return push_string(byte);
    case Step::kLiteral:
      if (byte != *literal_++) return false;
      if (*literal_ == '\0') step_ = Step::kAfter;
      return true;
    default:
      return push_number(byte);
  }
}

bool JsonValue::complete() const {
  return depth_ == 0 && (step_ == Step::kAfter || number_may_end());
}

JsonValue::Bytes JsonValue::next() const {
  Bytes bytes;
  if (step_ == Step::kString) {
    for (size_t b = 0x20; b < bytes.size(); ++b) bytes[b] = true;
    return bytes;
  }
  // Elsewhere only these mean anything.
  for (const char byte : std::string_view("\"[]{},:-+.0123456789abcdefABCDEFlnrstu/\\ \t\n\r")) {
    JsonValue tried = *this;
    bytes[static_cast<unsigned char>(byte)] = tried.push(byte);
  }
  return bytes;
}

std::string JsonValue::key() const {
  std::string key{static_cast<char>(step_),
                  static_cast<char>(key_ + 2 * fraction_ + 4 * surrogate_),
                  static_cast<char>(digits_), static_cast<char>(blanks_)};
  if (step_ == Step::kLiteral) key += literal_;
  for (size_t i = 0; i < depth_; ++i) {
    key += levels_[i].object ? '{' : '[';
    const auto items = reinterpret_cast<std::uintptr_t>(levels_[i].items);
    key.append(reinterpret_cast<const char*>(&items), sizeof items);
  }
  return key;
}

}  // namespace dsv4::llm
