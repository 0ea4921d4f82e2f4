#pragma once

#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::agent::github {

// Whether a variable of this name holds a secret: one of its words, between underscores, says so,
// and the last does not say that it is a place (GPG_KEY_PATH).
bool names_a_secret(std::string_view variable);

// Values that no output may show.
class Secrets {
 public:
  // Every line of it is one, and the forms in which it is sent: in JSON, in base 64, with GitHub's
  // user name for tokens before it. Values of fewer than 8 bytes are too common to be looked for.
  void add(std::string_view value);

  std::string redact(std::string_view text) const;  // *** in place of each
  bool are_in(std::string_view text) const;

 private:
  std::vector<std::string> forms_;  // the longest first
};

// Hands whole lines on to another buffer, without secrets and without what a runner would take for
// a command of a workflow ("::set-output ...", "##[...]"): logs hold text that anybody may have
// written.
class LogBuffer : public std::streambuf {
 public:
  // Both must outlive it.
  LogBuffer(std::streambuf& out, const Secrets& secrets) : out_(out), secrets_(secrets) {}
  ~LogBuffer() override;
  LogBuffer(const LogBuffer&) = delete;
  LogBuffer& operator=(const LogBuffer&) = delete;

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  void pass_lines();

  std::streambuf& out_;
  const Secrets& secrets_;
  std::string held_;  // a line that has not ended
};

// A line that the runner takes for nothing but text.
std::string plain_log_line(std::string line);

}  // namespace dsv4::agent::github
