#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::tools {

enum class Language { kNone, kPython, kCpp };  // C is read with the C++ grammar

// By the file's extension.
Language language_of(std::string_view path);

// A function, method, class, struct, union or enum with its body.
struct Definition {
  std::string name;  // as shown: "clamp", "Box.area" in Python, "Box::area" in C++
  std::string full;  // the same with "." and enclosing namespaces: "shapes.Box.area"
  std::string kind;  // "function", "method", "class", "struct", "union", "enum"
  size_t begin =
      0;           // bytes [begin, end), decorators and template headers included, and the `;` that
  size_t end = 0;  // closes a C++ class
  size_t first_line = 0;  // from 1, both inclusive
  size_t last_line = 0;
};

// In source order, nested ones after what encloses them; empty for kNone, for text over 2 MiB and
// for text that takes longer than a second to parse.
std::vector<Definition> definitions(Language language, std::string_view source);

// Whether "bar", "Foo.bar" or "Foo::bar" names the definition: its full name or the end of it.
bool names(std::string_view symbol, const Definition& definition);

// The places where the text does not parse.
struct SyntaxErrors {
  size_t count = 0;
  size_t first_line = 0;  // from 1
};
SyntaxErrors syntax_errors(Language language, std::string_view source);

// Names that are called in a piece of source, "f(" or "x.f(", left to right, without repeats.
std::vector<std::string> called_names(std::string_view source);

// test_x.py, x_test.cc, test.cc, conftest.py, or anything under tests/ or test/.
bool is_test_file(std::string_view path);

}  // namespace dsv4::tools
