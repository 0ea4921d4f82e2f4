#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/github/api.h"

namespace dsv4::agent::github {

// The one comment that the bot has on an issue. A later run, or the same one run again, finds it by
// a mark that no page shows, and changes it.
class Sticky {
 public:
  Sticky(Api& api, std::string repository, int64_t issue)
      : api_(api), repository_(std::move(repository)), issue_(issue) {}

  // Makes the comment say this and nothing else. Throws ApiError, http::Error.
  void show(const std::string& text);

 private:
  struct Comment {
    int64_t id = 0;
    std::string body;
  };
  std::optional<Comment> find();
  void create(const std::string& body);
  bool is_own(const nlohmann::json& comment);

  Api& api_;
  std::string repository_;
  int64_t issue_;
  std::optional<Comment> known_;
  // Who the token is; nothing where it may not ask, as those of jobs may not.
  std::optional<std::optional<std::string>> own_name_;
};

}  // namespace dsv4::agent::github
