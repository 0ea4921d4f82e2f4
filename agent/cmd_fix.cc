#include "agent/commands.h"
#include "agent/error.h"

namespace dsv4::agent {

int cmd_fix(const std::vector<std::string>&) {
  throw UsageError("'fix' is not part of this version");
}

}  // namespace dsv4::agent
