#include "options.h"

Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (const std::string& argument : arguments) {
    if (argument.size() < 2 || argument[0] != '-') throw UsageError("usage: count [-clw]");
    for (const char letter : argument.substr(1)) {
      switch (letter) {
        case 'l':
          options.lines = true;
          break;
        case 'w':
          options.words = true;
          break;
        case 'c':
          options.bytes = true;
          break;
        default:
          throw UsageError("usage: count [-clw]");
      }
    }
  }
  if (!options.lines && !options.words && !options.bytes) {
    options.lines = options.words = options.bytes = true;
  }
  return options;
}
