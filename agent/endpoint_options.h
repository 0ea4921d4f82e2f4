#pragma once

#include <boost/program_options.hpp>
#include <optional>

#include "agent/config_file.h"
#include "agent/endpoint.h"

namespace dsv4::agent {

// --endpoint, --endpoint-model and --context, for commands that open a model.
void add_endpoint_options(boost::program_options::options_description* options);
// --key-env and --key-command, for these and for those that go on with one that was opened.
void add_key_options(boost::program_options::options_description* options);

// The endpoint that the command line names, else the configuration's unless --model is given. What
// else the configuration says is for its own URL only. Throws UsageError, also when both --model
// and --endpoint are given.
std::optional<Endpoint> endpoint_value(const boost::program_options::variables_map& values,
                                       const UserConfig& config);

// Where the key for that endpoint comes from. The configuration's is for its own URL only.
KeySource key_value(const boost::program_options::variables_map& values, const UserConfig& config,
                    const std::optional<Endpoint>& endpoint);

}  // namespace dsv4::agent
