#include "agent/option_values.h"

#include <stdexcept>

#include "agent/error.h"
#include "agent/printable.h"

namespace dsv4::agent {

namespace po = boost::program_options;

po::variables_map read_options(const std::vector<std::string>& arguments,
                               const po::options_description& options,
                               const po::positional_options_description& positional,
                               const std::string& help) {
  po::variables_map values;
  try {
    constexpr int kStyle =
        po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments)
                  .options(options)
                  .positional(positional)
                  .style(kStyle)
                  .run(),
              values);
  } catch (const po::error& error) {
    throw UsageError(printable_line(error.what(), 300) + "; `" + help + "` lists the options");
  }
  return values;
}

int64_t whole_number(const po::variables_map& values, const char* name, int64_t smallest,
                     int64_t fallback, int64_t largest) {
  if (values.count(name) == 0) return fallback;
  const std::string& text = values[name].as<std::string>();
  size_t used = 0;
  int64_t number = 0;
  try {
    number = std::stoll(text, &used);
  } catch (const std::logic_error&) {
    used = 0;
  }
  if (used == 0 || used != text.size() || number < smallest || number > largest) {
    throw UsageError("--" + std::string(name) + " " + printable_line(text, 60) +
                     ": give a whole number from " + std::to_string(smallest) + " to " +
                     std::to_string(largest));
  }
  return number;
}

std::optional<std::string> text_value(const po::variables_map& values, const char* name) {
  if (values.count(name) == 0) return std::nullopt;
  const std::string text = values[name].as<std::string>();
  if (text.empty()) throw UsageError("--" + std::string(name) + " needs a value");
  return text;
}

}  // namespace dsv4::agent
