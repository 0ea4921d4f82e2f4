#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "llm/session.h"

namespace dsv4::agent {

// What `logits` and `generate` share: a model, a file of ids, and how to compute.
//   --model DIR --ids FILE [--precision f32|exact|fast] [--chunk N] [--threads N] [--device NAME]
boost::program_options::options_description engine_options();

// Parses; prints the help and returns false when it was asked for. Throws UsageError.
bool parse_engine_options(std::string_view command, const std::vector<std::string>& arguments,
                          const boost::program_options::options_description& options,
                          boost::program_options::variables_map& given);

struct EngineRequest {
  std::filesystem::path model;
  std::vector<int32_t> ids;
  llm::SessionOptions session;
  int threads = 0;
  std::string device = "cpu";  // make_backend
};

// Throws UsageError: an option missing or out of range, the ids file missing or malformed.
EngineRequest read_engine_request(std::string_view command,
                                  const boost::program_options::variables_map& given);

// Throws UsageError when an id is none of the model's.
void check_ids(std::string_view command, const std::vector<int32_t>& ids, const llm::Model& model);

}  // namespace dsv4::agent
