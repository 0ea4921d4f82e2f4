#include <iostream>
#include <nlohmann/json.hpp>

#include "agent/commands.h"
#include "agent/config_file.h"
#include "agent/error.h"
#include "agent/models.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

using nlohmann::ordered_json;

constexpr const char* kHelp =
    "usage: dsv4-agent models [--json] [DIR...]\n\n"
    "Lists the models that can be used here: the embedded one, the one that the configuration\n"
    "names, and every checkpoint DIR. Exits with 3 when one of them cannot be opened.\n";

struct Request {
  bool json = false;
  bool help = false;
  std::vector<std::string> directories;
};

Request read(const std::vector<std::string>& arguments) {
  Request request;
  for (const std::string& argument : arguments) {
    if (argument == "--json") {
      request.json = true;
    } else if (argument == "--help") {
      request.help = true;
    } else if (argument.starts_with("-") || argument.empty()) {
      throw UsageError("models does not know '" + printable_line(argument, 100) +
                       "': `dsv4-agent models --help` lists its options");
    } else {
      request.directories.push_back(argument);
    }
  }
  return request;
}

std::string megabytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MB"; }

void print(const ModelRow& row, const Memory& memory) {
  const std::string directory = printable(row.directory.string());
  if (!row.error.empty()) {
    std::cout << "BAD  " << directory << " (" << row.source << ")\n     " << printable(row.error)
              << '\n';
    return;
  }
  std::cout << (row.fits(memory) ? "ok   " : "BIG  ") << printable(row.name) << " (" << row.source
            << "): a window of " << row.window << " tokens, " << row.layers << " layers, "
            << row.experts << " experts in each, " << megabytes(row.bytes) << "\n     " << directory
            << '\n';
  if (row.fits(memory)) return;
  std::cout << "     " << megabytes(memory.available)
            << " of memory are free: it would be read from disk again and again\n";
}

ordered_json to_json(const ModelRow& row, const Memory& memory) {
  ordered_json json = {{"source", row.source}, {"directory", to_utf8(row.directory.string())}};
  if (!row.error.empty()) {
    json["error"] = to_utf8(row.error);
    return json;
  }
  json["name"] = to_utf8(row.name);
  json["window"] = row.window;
  json["layers"] = row.layers;
  json["experts"] = row.experts;
  json["bytes"] = row.bytes;
  json["fits_in_memory"] = row.fits(memory);
  json["error"] = nullptr;
  return json;
}

}  // namespace

int cmd_models(const std::vector<std::string>& arguments) {
  const Request request = read(arguments);
  if (request.help) {
    std::cout << kHelp;
    return 0;
  }
  std::vector<ModelRow> rows = {look_at_model(std::nullopt, "embedded")};
  if (const auto configured = read_user_config().model) {
    rows.push_back(look_at_model(configured, "configuration"));
  }
  for (const std::string& directory : request.directories) {
    rows.push_back(look_at_model(directory, "named"));
  }
  const Memory memory = read_memory();
  ordered_json list = ordered_json::array();
  bool opened = true;
  for (const ModelRow& row : rows) {
    opened = opened && row.error.empty();
    if (request.json) {
      list.push_back(to_json(row, memory));
    } else {
      print(row, memory);
    }
  }
  if (request.json) {
    std::cout << ordered_json{{"memory_available", memory.available}, {"models", list}}.dump()
              << '\n';
  }
  return opened ? kPassed : kEngine;
}

}  // namespace dsv4::agent
