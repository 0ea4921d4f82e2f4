#pragma once

#include <string>
#include <string_view>

namespace dsv4::tools {

// `go test -json` and gotestsum's file print one event a line; what the tests printed is in those
// of them that are an output. Everything that is no event stays as it is.
std::string without_go_events(std::string_view output);

}  // namespace dsv4::tools
