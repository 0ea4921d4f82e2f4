#include <algorithm>
#include <boost/program_options.hpp>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "agent/commands.h"
#include "agent/error.h"
#include "agent/printable.h"
#include "agent/run_directory.h"
#include "agent/session_index.h"

namespace dsv4::agent {
namespace {

namespace po = boost::program_options;
using nlohmann::ordered_json;

constexpr int64_t kDay = 24 * 3600;

po::options_description described() {
  po::options_description all("options", 100);
  auto add = all.add_options();
  add("json", "print one JSON object");
  add("delete", po::value<std::vector<std::string>>()->value_name("ID")->composing(),
      "remove this run and everything it kept; may be given again");
  add("keep", po::value<int64_t>()->value_name("N"), "remove all but the newest N");
  add("older-than", po::value<int64_t>()->value_name("DAYS"), "remove what began longer ago");
  add("help", "this text");
  return all;
}

po::variables_map read(const std::vector<std::string>& arguments) {
  po::variables_map values;
  try {
    constexpr int kStyle =
        po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(
        po::command_line_parser(arguments).options(described()).positional({}).style(kStyle).run(),
        values);
  } catch (const po::error& error) {
    throw UsageError("sessions: " + printable_line(error.what(), 300));
  }
  for (const char* name : {"keep", "older-than"}) {
    if (values.count(name) != 0 && values[name].as<int64_t>() < 0) {
      throw UsageError("sessions: --" + std::string(name) + " needs a number from 0 on");
    }
  }
  return values;
}

std::string when(int64_t began) {
  const std::time_t time = began;
  std::tm local{};
  char text[64] = "?";
  if (::localtime_r(&time, &local) != nullptr) {
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
  }
  return text;
}

ordered_json json_of(const SessionRow& row) {
  return {{"id", to_utf8(row.id)},
          {"kind", to_utf8(row.kind)},
          {"began", row.began},
          {"repository", to_utf8(row.repository)},
          {"title", to_utf8(row.title)},
          {"state", to_utf8(row.state)},
          {"tokens",
           {{"context", row.tokens.context},
            {"prefilled", row.tokens.prefilled},
            {"generated", row.tokens.generated},
            {"reprefilled", row.tokens.reprefilled}}},
          {"run_dir", to_utf8(row.directory.string())}};
}

void print(const std::vector<SessionRow>& rows) {
  size_t widest = 2;
  for (const SessionRow& row : rows) widest = std::max(widest, std::min<size_t>(row.id.size(), 32));
  const auto id = static_cast<int>(widest);
  std::cout << std::left << std::setw(id) << "ID"
            << "  " << std::setw(16) << "WHEN"
            << "  " << std::setw(12) << "STATE" << std::right << std::setw(9) << "TOKENS"
            << "  REPOSITORY: TITLE\n";
  for (const SessionRow& row : rows) {
    std::string state = row.state;
    std::replace(state.begin(), state.end(), '_', ' ');
    const std::string repository = std::filesystem::path(row.repository).filename().string();
    std::cout << std::left << std::setw(id) << printable_line(row.id, 32) << "  " << std::setw(16)
              << when(row.began) << "  " << std::setw(12) << printable_line(state, 16) << std::right
              << std::setw(9) << row.tokens.context << "  " << printable_line(repository, 30)
              << ": " << printable_line(row.title, 80) << '\n';
  }
}

void remove(SessionIndex& index, const SessionRow& row) {
  remove_run(row.directory);
  index.forget(row.directory);
}

void remove_named(SessionIndex& index, const std::vector<std::string>& names) {
  for (const std::string& name : names) remove(index, find_one(&index, name));
}

// What a person prunes by age or number; what is running stays.
void prune(SessionIndex& index, const po::variables_map& values) {
  const int64_t keep = values.count("keep") != 0 ? values["keep"].as<int64_t>()
                                                 : std::numeric_limits<int64_t>::max();
  const int64_t days = values.count("older-than") != 0 ? values["older-than"].as<int64_t>()
                                                       : std::numeric_limits<int64_t>::max() / kDay;
  const int64_t now = std::time(nullptr);
  int64_t seen = 0;
  for (const SessionRow& row : index.list()) {
    const bool old = now - row.began > days * kDay || ++seen > keep;
    if (old && row.state != "running") remove(index, row);
  }
}

}  // namespace

int cmd_sessions(const std::vector<std::string>& arguments) {
  const po::variables_map values = read(arguments);
  if (values.count("help") != 0) {
    std::cout << "usage: dsv4-agent sessions [options]\n\nLists what was run here, the newest "
                 "first.\n\n"
              << described();
    return kPassed;
  }
  SessionIndex index(state_directory());
  const bool removes =
      values.count("delete") != 0 || values.count("keep") != 0 || values.count("older-than") != 0;
  if (values.count("delete") != 0) {
    remove_named(index, values["delete"].as<std::vector<std::string>>());
  }
  if (values.count("keep") != 0 || values.count("older-than") != 0) prune(index, values);
  if (removes && values.count("json") == 0) return kPassed;
  const std::vector<SessionRow> rows = index.list();
  if (values.count("json") != 0) {
    ordered_json all = ordered_json::array();
    for (const SessionRow& row : rows) all.push_back(json_of(row));
    std::cout << ordered_json{{"sessions", all}}.dump() << '\n';
  } else if (rows.empty()) {
    std::cout << "nothing was run yet\n";
  } else {
    print(rows);
  }
  return kPassed;
}

}  // namespace dsv4::agent
