#pragma once

#include <string>
#include <vector>

namespace dsv4::tasks {

// `dsv4-agent eval`: a row that the program adds to the agent's commands.
int cmd_eval(const std::vector<std::string>& arguments);

}  // namespace dsv4::tasks
