#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/agent/scratch.h"

// A Python program of the tests that serves until it is no longer wanted. Its first line of output
// is a JSON object of port numbers.
class TestServer {
 public:
  TestServer(const std::string& script, std::vector<std::string> arguments) {
    int out[2];
    int in[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(in, O_CLOEXEC) != 0)
      throw std::runtime_error("pipe2 failed");
    arguments.insert(arguments.begin(),
                     {DSV4_PYTHON, std::string(DSV4_SOURCE_DIR) + "/tests/agent/" + script});
    std::vector<char*> argv;
    for (std::string& each : arguments) argv.push_back(each.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    std::string line;
    char byte = 0;
    while (::read(out[0], &byte, 1) == 1 && byte != '\n') line += byte;
    ::close(out[0]);
    ports_ = nlohmann::json::parse(line).get<std::map<std::string, int>>();
  }
  ~TestServer() {
    ::close(input_);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string port(const std::string& name) const { return std::to_string(ports_.at(name)); }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  std::map<std::string, int> ports_;
};
