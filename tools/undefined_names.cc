#include "tools/undefined_names.h"

#include <algorithm>
#include <array>

#include "tools/syntax_tree.h"

namespace dsv4::tools {
namespace {

// Python 3.8 to 3.14, sorted.
constexpr auto kBuiltIn = std::to_array<std::string_view>({
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BaseExceptionGroup",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "BytesWarning",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "DeprecationWarning",
    "EOFError",
    "Ellipsis",
    "EncodingWarning",
    "EnvironmentError",
    "Exception",
    "ExceptionGroup",
    "False",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "None",
    "NotADirectoryError",
    "NotImplemented",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "PermissionError",
    "ProcessLookupError",
    "PythonFinalizationError",
    "RecursionError",
    "ReferenceError",
    "ResourceWarning",
    "RuntimeError",
    "RuntimeWarning",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "TimeoutError",
    "True",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "UnicodeWarning",
    "UserWarning",
    "ValueError",
    "Warning",
    "WindowsError",
    "ZeroDivisionError",
    "_",
    "__builtins__",
    "__class__",
    "__debug__",
    "__doc__",
    "__file__",
    "__import__",
    "__loader__",
    "__name__",
    "__package__",
    "__path__",
    "__spec__",
    "abs",
    "aiter",
    "all",
    "anext",
    "any",
    "ascii",
    "bin",
    "bool",
    "breakpoint",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "compile",
    "complex",
    "copyright",
    "credits",
    "delattr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "eval",
    "exec",
    "exit",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "license",
    "list",
    "locals",
    "map",
    "max",
    "memoryview",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "quit",
    "range",
    "repr",
    "reveal_type",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
});
static_assert(std::is_sorted(kBuiltIn.begin(), kBuiltIn.end()));

// An identifier that is a name of something else: an attribute's or a keyword's.
bool is_label(TSNode node, TSNode parent) {
  if (type(parent) == "attribute") return ts_node_eq(field(parent, "attribute"), node);
  return type(parent) == "keyword_argument" && ts_node_eq(field(parent, "name"), node);
}

// Whether the identifier binds what it names. In doubt it does.
bool binds(TSNode node, TSNode parent) {
  const std::string_view kind = type(parent);
  if (one_of(kind, {"parameters", "lambda_parameters", "typed_parameter", "list_splat_pattern",
                    "dictionary_splat_pattern", "pattern_list", "tuple_pattern", "list_pattern",
                    "dotted_name", "aliased_import", "global_statement", "nonlocal_statement",
                    "as_pattern_target", "except_clause", "except_group_clause", "case_pattern",
                    "type_parameter"})) {
    return true;
  }
  for (const std::string_view name : {"name", "left", "alias"}) {
    const TSNode part = field(parent, name);
    if (!ts_node_is_null(part) && ts_node_eq(part, node)) return true;
  }
  return false;
}

// Patterns bind however deep they are nested; what they only mention counts as bound, too.
bool in_pattern(const Walk& walk) {
  for (size_t up = 1; up < walk.depth(); ++up) {
    if (one_of(type(walk.above(up)), {"as_pattern_target", "case_pattern"})) return true;
    if (one_of(type(walk.above(up)), {"block", "module"})) return false;
  }
  return false;
}

bool built_in(std::string_view name) {
  return std::binary_search(kBuiltIn.begin(), kBuiltIn.end(), name);
}

}  // namespace

std::set<std::string> undefined_names(Language language, std::string_view source) {
  std::set<std::string> used;
  std::set<std::string> bound;
  if (language != Language::kPython) return used;
  const Tree tree = parse(language, source);
  if (!tree) return used;
  Walk walk(tree.get());
  do {
    const TSNode node = walk.node();
    const TSNode parent = walk.above(1);
    if (type(node) == "wildcard_import") return {};
    if (type(node) != "identifier" || is_label(node, parent)) continue;
    const std::string name(text(node, source));
    if (binds(node, parent) || in_pattern(walk)) {
      bound.insert(name);
    } else if (!built_in(name)) {
      used.insert(name);
    }
  } while (walk.next());
  std::erase_if(used, [&](const std::string& name) { return bound.contains(name); });
  return used;
}

}  // namespace dsv4::tools
