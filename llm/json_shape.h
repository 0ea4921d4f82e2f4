#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace dsv4::llm {

// What JSON a schema asks for, as far as it is held while a value is written: types, and those of a
// list's items. What an object holds is free.
struct JsonShape {
  enum Type : uint8_t {
    kNull = 1,
    kBoolean = 2,
    kInteger = 4,
    kNumber = 8,
    kString = 16,
    kArray = 32,
    kObject = 64,
    kAny = 127,
  };
  uint8_t types = kAny;
  std::shared_ptr<const JsonShape> items;  // null: any
};

// From a schema's "type" and "items"; what is not understood there allows anything.
JsonShape json_shape(const nlohmann::ordered_json& schema);

// Follows a JSON value byte by byte. Only what a parser reads can be written: numbers are short
// enough to be in range, strings hold no lone surrogate, and nesting is bounded. Cheap to copy. The
// shape must outlive it.
class JsonValue {
 public:
  using Bytes = std::bitset<256>;

  explicit JsonValue(const JsonShape& shape);

  // Goes on with a byte; false when that is no beginning of a value of the shape (the state is then
  // of no use).
  bool push(char byte);

  // Whether the value may end here.
  bool complete() const;

  // The bytes that push would take.
  Bytes next() const;

  // Two values of one shape with the same key go on alike.
  std::string key() const;

  // Inside a string, where all bytes from 0x20 on but '"' and '\\' go on.
  bool in_string() const { return step_ == Step::kString; }

 private:
  enum class Step : uint8_t {
    kValue,     // a value begins
    kFirst,     // right after '[' or '{': as kValue or kKey, or its end
    kKey,       // a key begins
    kColon,     // after a key
    kAfter,     // after a value
    kString,    // in a string or key
    kEscape,    // after a backslash
    kHex,       // in \uXXXX
    kLiteral,   // in true, false, null
    kMinus,     // after '-'
    kZero,      // after a leading zero
    kInteger,   // in the digits
    kPoint,     // after '.'
    kFraction,  // in its digits
    kE,         // after 'e'
    kSign,      // after its sign
    kExponent,  // in its digits
  };
  static constexpr int kMostDepth = 16;
  static constexpr uint8_t kMostBlanks = 32;  // in a row

  struct Level {
    bool object = false;
    const JsonShape* items = nullptr;
  };

  bool begin_value(char byte);
  bool push_string(char byte);
  bool push_number(char byte);
  bool push_after(char byte);
  bool open(bool object);
  bool end_level();
  const JsonShape* wanted() const;
  bool number_may_end() const;

  const JsonShape* shape_;
  std::array<Level, kMostDepth> levels_{};
  uint8_t depth_ = 0;
  Step step_ = Step::kValue;
  bool key_ = false;        // the string is a key
  bool fraction_ = false;   // the number may have a fraction
  uint8_t digits_ = 0;      // of the part of the number, or of \uXXXX
  bool surrogate_ = false;  // \uD...: the next digit must be 0 to 7
  uint8_t blanks_ = 0;
  const char* literal_ = nullptr;  // what is left of it
};

}  // namespace dsv4::llm
