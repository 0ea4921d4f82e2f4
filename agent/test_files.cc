#include "agent/test_files.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace dsv4::agent {
namespace {

constexpr std::array<std::string_view, 6> kTestDirectories = {"test",      "tests",    "spec",
                                                              "__tests__", "testdata", "testing"};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool is_test_name(std::string_view name) {
  if (name == "conftest.py") return true;
  const std::string_view stem = name.substr(0, name.find('.'));
  if (stem == "test" || stem == "tests") return true;
  if (stem.substr(0, 5) == "test_" || ends_with(stem, "_test") || ends_with(stem, "_tests") ||
      stem.substr(0, 5) == "test-" || ends_with(stem, "-test") || ends_with(stem, "_spec")) {
    return true;
  }
  if (name.find(".test.") != std::string_view::npos ||
      name.find(".spec.") != std::string_view::npos) {
    return true;
  }
  // XTest.java, XTests.cs: a capital T after a lower-case letter or digit.
  for (const std::string_view suffix : {std::string_view("Test"), std::string_view("Tests")}) {
    if (stem.size() > suffix.size() && ends_with(stem, suffix)) {
      const auto before = static_cast<unsigned char>(stem[stem.size() - suffix.size() - 1]);
      if (std::islower(before) != 0 || std::isdigit(before) != 0) return true;
    }
  }
  return false;
}

}  // namespace

bool is_test_file(std::string_view path) {
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    const std::string_view directory = path.substr(0, slash);
    if (std::find(kTestDirectories.begin(), kTestDirectories.end(), directory) !=
        kTestDirectories.end()) {
      return true;
    }
    path.remove_prefix(slash + 1);
  }
  return is_test_name(path);
}

bool steers_tests(std::string_view path) {
  constexpr std::array<std::string_view, 8> kNames = {
      "conftest.py",      "pytest.ini",       ".pytest.ini", "tox.ini",
      "sitecustomize.py", "usercustomize.py", "pytest.py",   "unittest.py"};
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return true;
  const std::string whole = "/" + std::string(path);
  return ends_with(whole, "/pytest/__init__.py") || ends_with(whole, "/unittest/__init__.py");
}

bool FixedTests::named(std::string_view path) const {
  return std::any_of(named_.begin(), named_.end(), [&](std::string_view entry) {
    while (entry.substr(0, 2) == "./") entry.remove_prefix(2);
    while (!entry.empty() && entry.back() == '/') entry.remove_suffix(1);
    if (entry.empty() || path.substr(0, entry.size()) != entry) return false;
    return path.size() == entry.size() || path[entry.size()] == '/';
  });
}

}  // namespace dsv4::agent
