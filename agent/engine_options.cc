#include "agent/engine_options.h"

#include <charconv>
#include <fstream>
#include <iostream>
#include <sstream>

#include "agent/error.h"
#include "agent/standard_input.h"
#include "llm/error.h"

namespace dsv4::agent {
namespace {

namespace po = boost::program_options;

constexpr int64_t kMaxChunk = 65536;
constexpr int kMaxThreads = 1024;

std::vector<int32_t> parse_ids(std::istream& in, const std::string& file) {
  std::vector<int32_t> ids;
  std::string word;
  while (in >> word) {
    int32_t id = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || end != word.data() + word.size() || id < 0) {
      throw UsageError(file + ": '" + word.substr(0, 40) +
                       "' is not a token id; the file holds whole numbers separated by blanks");
    }
    ids.push_back(id);
  }
  if (in.bad()) throw UsageError(file + ": cannot be read");
  return ids;
}

std::string required(std::string_view command, const po::variables_map& given, const char* name) {
  if (given.count(name) == 0) {
    throw UsageError(std::string(command) + ": --" + name + " is missing; see dsv4-agent " +
                     std::string(command) + " --help");
  }
  return given[name].as<std::string>();
}

std::vector<int32_t> read_ids(std::string_view command, const std::string& file) {
  if (file == "-") {
    std::istringstream in(read_standard_input(command));
    return parse_ids(in, "standard input");
  }
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    throw UsageError(file + ": is a directory; name a file of token ids");
  }
  std::ifstream in(file);
  if (!in) throw UsageError(file + ": cannot be read; name a file of token ids");
  return parse_ids(in, file);
}

}  // namespace

po::options_description engine_options() {
  po::options_description options("options");
  options.add_options()("help", "show this text")("model", po::value<std::string>(),
                                                  "directory of the model")(
      "ids", po::value<std::string>(), "file of token ids separated by blanks, or -")(
      "precision", po::value<std::string>(),
      "f32, exact or fast; by default exact for FP8 and FP4 checkpoints, else f32")(
      "chunk", po::value<int64_t>(), "ids computed together, 1 for token by token")(
      "threads", po::value<int>(), "threads; by default one per core")(
      "device", po::value<std::string>(),
      "what computes: cpu, the default, or cuda (cuda:N for GPU N)");
  return options;
}

bool parse_engine_options(std::string_view command, const std::vector<std::string>& arguments,
                          const po::options_description& options, po::variables_map& given) {
  try {
    po::store(po::command_line_parser(arguments).options(options).positional({}).run(), given);
  } catch (const po::error& error) {
    throw UsageError(std::string(command) + ": " + error.what());
  }
  if (given.count("help") == 0) return true;
  std::cout << "usage: dsv4-agent " << command << " --model DIR --ids FILE ...\n\n" << options;
  return false;
}

EngineRequest read_engine_request(std::string_view command, const po::variables_map& given) {
  EngineRequest request;
  request.model = required(command, given, "model");
  const std::string ids = required(command, given, "ids");
  if (given.count("precision") != 0) {
    try {
      request.session.precision = llm::parse_precision(given["precision"].as<std::string>());
    } catch (const llm::FormatError& error) {
      throw UsageError(std::string(command) + ": " + error.what());
    }
  }
  if (given.count("chunk") != 0) request.session.chunk = given["chunk"].as<int64_t>();
  if (request.session.chunk < 1 || request.session.chunk > kMaxChunk) {
    throw UsageError(std::string(command) + ": --chunk must be from 1 to " +
                     std::to_string(kMaxChunk));
  }
  if (given.count("threads") != 0) request.threads = given["threads"].as<int>();
  if (request.threads < 0 || request.threads > kMaxThreads) {
    throw UsageError(std::string(command) + ": --threads must be from 0 (one per core) to " +
                     std::to_string(kMaxThreads));
  }
  if (given.count("device") != 0) request.device = given["device"].as<std::string>();
  request.ids = read_ids(command, ids);
  return request;
}

void check_ids(std::string_view command, const std::vector<int32_t>& ids, const llm::Model& model) {
  const int64_t vocab = model.config().vocab_size;
  for (const int32_t id : ids) {
    if (id >= vocab) {
      throw UsageError(std::string(command) + ": the id " + std::to_string(id) +
                       " is outside the model's vocabulary of " + std::to_string(vocab));
    }
  }
}

}  // namespace dsv4::agent
