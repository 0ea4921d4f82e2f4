#include "names.h"

#include <cctype>
#include <utility>

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool has_suffix(const std::string& name, const std::string& suffix) {
  const std::string text = lower_case(name);
  const std::string end = lower_case(suffix);
  return text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string without_suffix(const std::string& name, const std::string& suffix) {
  if (!has_suffix(name, suffix)) return name;
  return name.substr(0, name.size() - suffix.size());
}

Kind kind_of(const std::string& name) {
  static const std::pair<const char*, Kind> kSuffixes[] = {
      {".jpeg", Kind::kImage},     {".jpg", Kind::kImage},   {".png", Kind::kImage},
      {".tar.gz", Kind::kArchive}, {".zip", Kind::kArchive}, {".txt", Kind::kText},
      {".md", Kind::kText},
  };
  for (const auto& [suffix, kind] : kSuffixes) {
    if (has_suffix(name, suffix)) return kind;
  }
  return Kind::kOther;
}
