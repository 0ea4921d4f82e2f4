#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::tools {

enum class Language {
  kNone,
  kPython,
  kCpp,  // and C, which is read with the same grammar
  kJavaScript,
  kTypeScript,
  kTsx,
  kGo,
  kRust,
  kJava,
  kBash,
  kJson,
  kYaml,
  kCMake
};

// By the file's extension.
Language language_of(std::string_view path);

// Keys and values, no program: what it names is not what a program's symbols mean.
bool is_data(Language language);

// A function, method, class, struct, union, enum, interface, trait, type, macro, target or key,
// with its body.
struct Definition {
  std::string name;  // as shown: "clamp", "Box.area", in C++ and Rust "Box::area"
  std::string full;  // the same with "." and enclosing namespaces: "shapes.Box.area"
  std::string kind;  // "function", "method", "class", "struct", ...
  size_t begin =
      0;           // bytes [begin, end), decorators and template headers included, and the `;` that
  size_t end = 0;  // closes a C++ class
  size_t first_line = 0;  // from 1, both inclusive
  size_t last_line = 0;
};

// The places where the text does not parse.
struct SyntaxErrors {
  size_t count = 0;
  size_t first_line = 0;  // from 1
};

// A text and what its grammar makes of it; of a text that changes only the parts that did are read
// again. Nothing is known of kNone, of text over 2 MiB and of text that takes longer than a second.
class Syntax {
 public:
  Syntax(Language language, std::string source);
  ~Syntax();
  Syntax(Syntax&&) noexcept;
  Syntax& operator=(Syntax&&) noexcept;

  void update(std::string source);
  const std::string& source() const;

  // In source order, nested ones after what encloses them.
  std::vector<Definition> definitions() const;
  SyntaxErrors errors() const;
  // The lines (from 1, ascending) where the name stands outside comments and strings.
  std::vector<size_t> uses(std::string_view name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// In source order, nested ones after what encloses them; empty for kNone, for text over 2 MiB and
// for text that takes longer than a second to parse.
std::vector<Definition> definitions(Language language, std::string_view source);

// Whether "bar", "Foo.bar" or "Foo::bar" names the definition: its full name or the end of it.
bool names(std::string_view symbol, const Definition& definition);

SyntaxErrors syntax_errors(Language language, std::string_view source);

// Names that are called in a piece of source, "f(" or "x.f(", left to right, without repeats.
std::vector<std::string> called_names(std::string_view source);

// test_x.py, x_test.cc, test.cc, conftest.py, or anything under tests/ or test/.
bool is_test_file(std::string_view path);

}  // namespace dsv4::tools
