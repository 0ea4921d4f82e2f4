#include <boost/program_options.hpp>
#include <fstream>
#include <iostream>
#include <sstream>

#include "agent/commands.h"
#include "agent/error.h"
#include "agent/standard_input.h"
#include "llm/encoding.h"
#include "llm/encoding_json.h"
#include "llm/error.h"

namespace dsv4::agent {
namespace {

namespace po = boost::program_options;

std::string read_file(const std::string& path) {
  if (path == "-") return read_standard_input("render");
  std::ostringstream text;
  std::ifstream in(path, std::ios::binary);
  if (!in || !(text << in.rdbuf())) {
    throw UsageError("render: " + path + " cannot be read; --messages names a JSON file");
  }
  return text.str();
}

llm::EncodeOptions encode_options(const po::variables_map& given) {
  llm::EncodeOptions options;
  options.thinking = given.count("thinking") > 0;
  const auto effort = given["effort"].as<std::string>();
  if (effort != "normal" && effort != "high" && effort != "max") {
    throw UsageError("render: --effort is normal, high or max, not '" + effort + "'");
  }
  options.effort = effort == "max" ? llm::Effort::kMax : llm::Effort::kNormal;
  return options;
}

}  // namespace

int cmd_render(const std::vector<std::string>& arguments) {
  po::options_description options(
      "dsv4-agent render --messages FILE.json [--thinking] [--effort max]");
  options.add_options()("help", "show this text")(
      "messages", po::value<std::string>(),
      "a list of messages, or {\"tools\": [...], \"messages\": [...]}; - is stdin")(
      "thinking", "thinking mode; without it the model answers directly")(
      "effort", po::value<std::string>()->default_value("normal"),
      "normal, high (the same prompt) or max; only thinking mode looks at it");
  po::variables_map given;
  try {
    po::store(po::command_line_parser(arguments).options(options).positional({}).run(), given);
  } catch (const po::error& error) {
    throw UsageError(std::string("render: ") + error.what());
  }
  if (given.count("help")) {
    std::cout << options;
    return 0;
  }
  if (!given.count("messages")) throw UsageError("render: name the file with --messages FILE.json");
  const auto path = given["messages"].as<std::string>();
  const llm::EncodeOptions encode = encode_options(given);
  try {
    const auto messages = llm::parse_foreign_json(read_file(path), path);
    std::cout << llm::join_text(llm::encode_messages(messages, encode)) << std::flush;
  } catch (const llm::FormatError& error) {
    throw UsageError(std::string("render: ") + error.what());
  }
  return 0;
}

}  // namespace dsv4::agent
