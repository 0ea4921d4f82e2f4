#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dsv4::agent {

// Reads a command line as it is spelled: no abbreviations, so that a script does not change its
// meaning with a new option. Throws UsageError, which names `help` as the place to look.
boost::program_options::variables_map read_options(
    const std::vector<std::string>& arguments,
    const boost::program_options::options_description& options,
    const boost::program_options::positional_options_description& positional,
    const std::string& help);

// Values of options that are read as text; UsageError when one is empty or out of range.
std::optional<std::string> text_value(const boost::program_options::variables_map& values,
                                      const char* name);
int64_t whole_number(const boost::program_options::variables_map& values, const char* name,
                     int64_t smallest, int64_t fallback, int64_t largest);

}  // namespace dsv4::agent
