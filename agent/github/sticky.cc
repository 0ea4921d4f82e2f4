#include "agent/github/sticky.h"

#include "agent/github/words.h"

namespace dsv4::agent::github {
namespace {

using nlohmann::json;

constexpr Purpose kRead = {"read the comments of the issue", "issues: read"};
constexpr Purpose kWrite = {"write a comment", "issues: write"};

std::string text_at(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

// Anybody can write the mark. A token of a job may not ask who it is, so there any app will do:
// nobody can write as one who has no write access.
bool Sticky::is_own(const json& comment) {
  const auto user = comment.find("user");
  if (user == comment.end() || !user->is_object()) return false;
  if (!own_name_) {
    try {
      const json self = api_.get("/user", {"ask who the token is", "metadata: read"});
      own_name_.emplace(text_at(self, "login"));
    } catch (const ApiError& error) {
      if (!error.denied()) throw;
      own_name_.emplace();
    }
  }
  if (*own_name_) return text_at(*user, "login") == **own_name_;
  return text_at(*user, "type") == "Bot";
}

std::optional<Sticky::Comment> Sticky::find() {
  std::optional<Comment> found;
  const std::string mark = sticky_mark(issue_);
  api_.each(
      "/repos/" + repository_ + "/issues/" + std::to_string(issue_) + "/comments?per_page=100",
      kRead, [&](const json& comment) {
        const auto body = comment.find("body");
        const auto id = comment.find("id");
        if (body == comment.end() || !body->is_string() || id == comment.end() ||
            !id->is_number_integer()) {
          return true;
        }
        const auto text = body->get<std::string>();
        if (!text.starts_with(mark) || !is_own(comment)) return true;
        found = Comment{id->get<int64_t>(), text};
        return false;
      });
  return found;
}

// A reply that got lost may have been a comment that was made: it is looked for before another one
// is.
void Sticky::create(const std::string& body) {
  constexpr int kTries = 3;
  for (int i = 1;; ++i) {
    try {
      const json made =
          api_.post("/repos/" + repository_ + "/issues/" + std::to_string(issue_) + "/comments",
                    {{"body", body}}, kWrite, Api::Twice::kBad);
      const auto id = made.find("id");
      const bool known = id != made.end() && id->is_number_integer();
      if (known) known_ = Comment{id->get<int64_t>(), body};  // else it is looked for
      return;
    } catch (const ApiError& error) {
      if (error.status() < 500 || i == kTries) throw;
    } catch (const http::Error& error) {
      if (!error.sent() || i == kTries) throw;
    }
    known_ = find();
    if (known_) return;
  }
}

void Sticky::show(const std::string& text) {
  const std::string body = sticky_mark(issue_) + "\n" + text;
  if (!known_) known_ = find();
  if (!known_) return create(body);
  if (known_->body == body) return;
  try {
    api_.patch("/repos/" + repository_ + "/issues/comments/" + std::to_string(known_->id),
               {{"body", body}}, kWrite);
    known_->body = body;
  } catch (const ApiError& error) {
    if (error.status() != 404) throw;
    create(body);  // somebody has deleted it
  }
}

}  // namespace dsv4::agent::github
