#include "tasks/test_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace dsv4::tasks {
namespace {

using Found = std::optional<std::pair<std::string, bool>>;

constexpr const char* kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

struct Word {
  std::string_view text;
  bool passed;
};

const Word* find_word(std::string_view word, const Word* begin, const Word* end) {
  const Word* found = std::find_if(begin, end, [&](const Word& each) { return each.text == word; });
  return found == end ? nullptr : found;
}

// "PASSED a.py::test_b", "FAILED a.py::test_b - message", and with -v "a.py::test_b PASSED [ 5%]".
Found read_pytest(std::string_view line) {
  static constexpr std::array kWords = {Word{"PASSED", true}, Word{"XFAIL", true},
                                        Word{"FAILED", false}, Word{"ERROR", false},
                                        Word{"XPASS", false}};
  const auto known = [](std::string_view word) {
    return find_word(word, kWords.data(), kWords.data() + kWords.size());
  };
  const size_t blank = line.find(' ');
  if (blank == line.npos) return std::nullopt;
  if (const Word* word = known(line.substr(0, blank))) {
    std::string_view name = trimmed(line.substr(blank));
    if (!word->passed || word->text == "XFAIL") name = name.substr(0, name.find(" - "));
    if (name.empty()) return std::nullopt;
    return {{std::string(name), word->passed}};
  }
  const size_t colons = line.find("::");
  if (colons == line.npos) return std::nullopt;
  std::string_view rest = line;
  const size_t percent = rest.rfind('[');
  if (percent != rest.npos && rest.ends_with("%]")) rest = trimmed(rest.substr(0, percent));
  const size_t last = rest.rfind(' ');
  if (last == rest.npos || last < colons) return std::nullopt;
  const Word* word = known(rest.substr(last + 1));
  if (word == nullptr) return std::nullopt;
  return {{std::string(trimmed(rest.substr(0, last))), word->passed}};
}

// "test_a (module.Case) ... ok"; where a test has a description, the name stands on the line
// before.
Found read_unittest(std::string_view line, std::string_view before) {
  static constexpr std::array kWords = {Word{"ok", true}, Word{"expected failure", true},
                                        Word{"FAIL", false}, Word{"ERROR", false},
                                        Word{"unexpected success", false}};
  const size_t dots = line.rfind(" ... ");
  if (dots == line.npos) return std::nullopt;
  const Word* word =
      find_word(trimmed(line.substr(dots + 5)), kWords.data(), kWords.data() + kWords.size());
  if (word == nullptr) return std::nullopt;
  std::string_view name = trimmed(line.substr(0, dots));
  const bool described =
      !name.ends_with(')') && before.starts_with("test") && before.ends_with(')');
  return {{std::string(described ? before : name), word->passed}};
}

// "ok 3 - adds two", "not ok 4 - subtracts # TODO".
Found read_tap(std::string_view line) {
  const bool passed = line.starts_with("ok ");
  if (!passed && !line.starts_with("not ok ")) return std::nullopt;
  std::string_view rest = line.substr(passed ? 3 : 7);
  const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  if (digits == 0) return std::nullopt;
  rest = trimmed(rest.substr(digits));
  if (rest.starts_with("- ")) rest = trimmed(rest.substr(2));
  const size_t directive = rest.find(" # ");
  if (directive != rest.npos) {
    const std::string_view what = rest.substr(directive + 3);
    if (what.starts_with("SKIP") || what.starts_with("skip")) return std::nullopt;
    rest = trimmed(rest.substr(0, directive));
  }
  if (rest.empty()) return std::nullopt;
  return {{std::string(rest), passed}};
}

// " 2/10 Test #2: name ........   Passed    0.01 sec"
Found read_ctest(std::string_view line) {
  const size_t number = line.find("Test #");
  const size_t colon = number == line.npos ? line.npos : line.find(": ", number);
  if (colon == line.npos) return std::nullopt;
  const std::string_view rest = line.substr(colon + 2);
  const size_t dots = rest.find(" .");
  if (dots == rest.npos) return std::nullopt;
  const bool passed = rest.find(" Passed ") != rest.npos;
  const bool ran = passed || rest.find("***") != rest.npos;
  if (!ran || rest.find("***Skipped") != rest.npos) return std::nullopt;
  return {{std::string(trimmed(rest.substr(0, dots))), passed}};
}

// "--- PASS: TestAdd (0.00s)" of Go, "test tests::adds ... ok" of Cargo.
Found read_go_or_cargo(std::string_view line) {
  for (const auto& [begin, passed] :
       {std::pair<std::string_view, bool>{"--- PASS: ", true}, {"--- FAIL: ", false}}) {
    if (!line.starts_with(begin)) continue;
    const std::string_view rest = line.substr(begin.size());
    return {{std::string(rest.substr(0, rest.find(" ("))), passed}};
  }
  const size_t dots = line.rfind(" ... ");
  if (!line.starts_with("test ") || dots == line.npos || dots < 5) return std::nullopt;
  const std::string_view word = line.substr(dots + 5);
  if (word != "ok" && word != "FAILED") return std::nullopt;
  return {{std::string(line.substr(5, dots - 5)), word == "ok"}};
}

// "test_expand ok", "test_factor F" of SymPy's runner.
Found read_sympy(std::string_view line) {
  const size_t blank = line.find(' ');
  if (!line.starts_with("test_") || blank == line.npos) return std::nullopt;
  const std::string_view word = trimmed(line.substr(blank));
  if (word != "ok" && word != "F" && word != "E" && word != "f") return std::nullopt;
  return {{std::string(line.substr(0, blank)), word == "ok" || word == "f"}};
}

}  // namespace

std::map<std::string, bool, std::less<>> read_test_names(std::string_view output) {
  std::map<std::string, bool, std::less<>> all;
  std::string_view before;
  while (!output.empty()) {
    const size_t end = std::min(output.find('\n'), output.size());
    const std::string_view line = trimmed(output.substr(0, end));
    output.remove_prefix(std::min(end + 1, output.size()));
    Found found = read_go_or_cargo(line);
    if (!found) found = read_pytest(line);
    if (!found) found = read_unittest(line, before);
    if (!found) found = read_tap(line);
    if (!found) found = read_ctest(line);
    if (!found) found = read_sympy(line);
    if (found) {
      // Said to have failed once, it has failed: a later line takes nothing back.
      const auto [entry, fresh] = all.try_emplace(found->first, found->second);
      if (!fresh) entry->second = entry->second && found->second;
    }
    before = line;
  }
  return all;
}

}  // namespace dsv4::tasks
