#pragma once

#include <string>

#include "tools/history.h"
#include "tools/schema.h"

namespace dsv4::tools {

Outcome run_edit(Workspace& workspace, const Arguments& arguments, std::stop_token cancel);

// What an edit would do.
struct EditForecast {
  bool known = false;
  std::string problem{};  // why it cannot be done, or does nothing; empty when it can
  bool breaks_syntax = false;
  std::string undefined{};  // a name it uses that is bound nowhere in the file
  Coming coming{};          // what it would write
};

// Of an edit after so many undos, which are not done yet. Changes nothing; not known when the
// arguments are not an edit's, or when what the undos bring back cannot be looked into.
EditForecast forecast_edit(Workspace& workspace, const nlohmann::ordered_json& arguments,
                           size_t undos);

}  // namespace dsv4::tools
