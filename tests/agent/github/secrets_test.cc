#include "agent/github/secrets.h"

#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>

#include "agent/github/base64.h"
#include "agent/github/environment.h"
#include "tests/catch.h"

using namespace dsv4::agent::github;

namespace {

const std::string kToken = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";

}  // namespace

TEST_CASE("variables that hold secrets are known by their names") {
  for (const char* name : {"GITHUB_TOKEN", "GH_TOKEN", "INPUT_TOKEN", "ACTIONS_RUNTIME_TOKEN",
                           "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL",
                           "SECRET_X", "DEEPSEEK_API_KEY", "npm_config_password", "GITHUB_PAT"}) {
    CHECK(names_a_secret(name));
  }
  for (const char* name : {"PATH", "HOME", "INPUT_MAX_TOKENS", "GITHUB_REPOSITORY", "KEYBOARD",
                           "GPG_KEY_PATH", "PWD", "COMPASS"}) {
    CHECK_FALSE(names_a_secret(name));
  }
}

TEST_CASE("base 64 is that of RFC 4648") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64(std::string("\0\xff\xfe", 3)) == "AP/+");
}

TEST_CASE("secrets are blotted out in every form in which they are sent") {
  Secrets secrets;
  secrets.add(kToken);
  secrets.add("two lines\nof \"one\" key\nok");
  for (const std::string& text :
       {kToken, "x" + kToken + kToken, base64(kToken), base64("x-access-token:" + kToken),
        std::string("of \"one\" key"), std::string(R"(of \"one\" key)")}) {
    INFO(text);
    CHECK(secrets.are_in(text));
    CHECK_FALSE(secrets.are_in(secrets.redact(text)));
    CHECK(secrets.redact(text).find("***") != std::string::npos);
  }
  CHECK(secrets.redact("ok, nothing else") == "ok, nothing else");
}

TEST_CASE("a log shows no secret and gives the runner no commands, however it is written") {
  Secrets secrets;
  secrets.add(kToken);
  const std::string text =
      "a " + kToken + " b\n  ::add-mask::x\nend ##[error] y\n\n::warning::" + kToken;
  for (size_t piece = 1; piece < text.size(); ++piece) {
    std::ostringstream out;
    {
      LogBuffer buffer(*out.rdbuf(), secrets);
      std::ostream log(&buffer);
      for (size_t i = 0; i < text.size(); i += piece) log << text.substr(i, piece) << std::flush;
    }
    CHECK(out.str() == "a *** b\n  \\::add-mask::x\nend ## [error] y\n\n\\::warning::***\n");
  }
}

TEST_CASE("the process keeps no secret of its environment") {
  ::setenv("GITHUB_TOKEN", kToken.c_str(), 1);
  ::setenv("GIT_CONFIG_VALUE_0", ("basic " + base64("x-access-token:" + kToken)).c_str(), 1);
  ::setenv("DSV4_TEST_PLAIN", "plain", 1);
  const Surroundings taken = take_environment();
  CHECK(taken.environment.value("GITHUB_TOKEN") == kToken);
  CHECK(::getenv("GITHUB_TOKEN") == nullptr);
  CHECK(::getenv("GIT_CONFIG_VALUE_0") == nullptr);
  CHECK(std::string(::getenv("DSV4_TEST_PLAIN")) == "plain");
  CHECK(taken.secrets.are_in(kToken));
  ::unsetenv("DSV4_TEST_PLAIN");
}
