#include "agent/commands.h"
#include "agent/error.h"

namespace dsv4::agent {

int cmd_doctor(const std::vector<std::string>&) {
  throw UsageError("'doctor' is not part of this version");
}

}  // namespace dsv4::agent
