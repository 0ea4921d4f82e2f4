#include <boost/program_options.hpp>
#include <iostream>

#include "agent/commands.h"
#include "agent/error.h"
#include "agent/standard_input.h"
#include "llm/tokenizer.h"

namespace dsv4::agent {
namespace po = boost::program_options;

int cmd_tokenize(const std::vector<std::string>& arguments) {
  po::options_description options("dsv4-agent tokenize --model DIR [--special] [--bytes] < text");
  options.add_options()("help", "show this text")(
      "model", po::value<std::string>(), "directory that holds the model's tokenizer.json")(
      "special", "read markers such as <｜User｜> in the text as their tokens")(
      "bytes", "keep bytes that are not UTF-8 as they are; by default U+FFFD stands for them");
  po::variables_map given;
  try {
    po::store(po::command_line_parser(arguments).options(options).positional({}).run(), given);
  } catch (const po::error& error) {
    throw UsageError(std::string("tokenize: ") + error.what());
  }
  if (given.count("help")) {
    std::cout << options;
    return 0;
  }
  if (!given.count("model")) throw UsageError("tokenize: name the model with --model DIR");
  const llm::Tokenizer tokenizer = llm::Tokenizer::load(given["model"].as<std::string>());
  std::string text = read_standard_input("tokenize");
  if (!given.count("bytes")) text = llm::utf8_replace_broken(text);
  const llm::Segment segment{std::move(text), given.count("special") > 0};
  std::string line;
  for (const int32_t id : tokenizer.encode({&segment, 1})) {
    if (!line.empty()) line += ' ';
    line += std::to_string(id);
  }
  std::cout << line << '\n';
  return 0;
}

}  // namespace dsv4::agent
