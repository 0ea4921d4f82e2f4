#include "llm/session_trail.h"

#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "llm/error.h"
#include "llm/session_file.h"
#include "llm/session_payload.h"
#include "llm/session_state.h"

namespace dsv4::llm {
namespace {

namespace fs = std::filesystem;

// The mark at the end of `ids`, which follow those before `from`.
SessionTrail::Mark advance(const SessionState& s, const SessionTrail::Mark& from, int64_t to) {
  SessionTrail::Mark mark = from;
  if (mark.position == 0) mark.block = session_base(s);
  int64_t whole = mark.position / kSessionBlock * kSessionBlock;
  for (; whole + kSessionBlock <= to; whole += kSessionBlock) {
    mark.block = block_after(mark.block, s.ids_between(whole, whole + kSessionBlock));
  }
  mark.position = to;
  return mark;
}

Digest name_of(const SessionTrail::Mark& mark, std::span<const int32_t> ids) {
  const auto whole = static_cast<size_t>(mark.position / kSessionBlock * kSessionBlock);
  return moment_name(mark.block, ids.subspan(whole, static_cast<size_t>(mark.position) - whole));
}

// The rows and entries of [from, to), which bring a session at `from` to where it was at `to`.
void write_step(const SessionState& s, int64_t from, SessionFile& file) {
  file.kind = SessionFile::Kind::kStep;
  file.from = from;
  file.to = s.position;
  PayloadWriter out(file.payload);
  write_positions(s, from, s.position, out);
  SessionCheckpoint here;
  here.logits = s.logits;
  for (size_t i = 0; i < s.layers.size(); ++i) {
    here.layers.push_back(save_moment(s.model->config().layers[i], s.layers[i], s.position, from));
  }
  write_moment(here, out);
}

bool read_step(const SessionFile& file, SessionState& s) {
  PayloadReader in(file.payload);
  s.forget_guess();
  if (!read_positions(file.from, file.to, in, s)) return false;
  SessionCheckpoint moment;
  if (!read_moment(s, file.from, in, moment)) return false;
  for (size_t i = 0; i < s.layers.size(); ++i) {
    restore_moment(s.model->config().layers[i], moment.layers[i], s.position, s.layers[i],
                   file.from);
  }
  s.logits = std::move(moment.logits);
  return true;
}

}  // namespace

SessionTrail::SessionTrail(fs::path directory) : directory_(std::move(directory)) {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) {
    throw Error("the session cannot be saved in " + directory_.string() + ": " + error.message());
  }
}

fs::path SessionTrail::path_of(const Digest& key) const { return directory_ / to_hex(key); }

SessionTrail::Mark SessionTrail::mark(const Session& session) {
  return advance(*session.state_, {}, session.position());
}

SessionTrail::Mark SessionTrail::save(const Session& session, const Mark& last) {
  const SessionState& s = *session.state_;
  if (last.position >= s.position) return last;
  const Mark now = advance(s, last, s.position);
  const int64_t whole = s.position / kSessionBlock * kSessionBlock;
  SessionFile file;
  file.key = moment_name(now.block, s.ids_between(whole, s.position));
  std::error_code error;
  if (fs::exists(path_of(file.key), error)) return now;
  write_step(s, last.position, file);
  write_session_file(path_of(file.key), file);
  return now;
}

int64_t SessionTrail::load(Session& session, std::span<const int32_t> ids) const {
  const auto end = static_cast<int64_t>(ids.size());
  const std::vector<Digest> blocks = block_names(session_base(*session.state_), ids);
  std::vector<SessionFile> steps;  // the last first
  for (int64_t to = end; to > session.position();) {
    const Mark mark{to, blocks[static_cast<size_t>(to / kSessionBlock)]};
    const Digest key = name_of(mark, ids);
    auto file = read_session_file(path_of(key), key);
    if (!file || file->kind != SessionFile::Kind::kStep || file->to != to || file->from < 0 ||
        file->from >= to) {
      std::error_code absent;
      fs::remove(path_of(key), absent);  // else save() would take it for written
      steps.clear();                     // what comes after a gap is of no use
      break;
    }
    to = file->from;
    steps.push_back(*std::move(file));
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    auto next = std::make_unique<SessionState>(*session.state_);
    if (!read_step(*step, *next)) break;
    session.state_ = std::move(next);
  }
  if (!steps.empty()) session.checkpoint();
  return session.position();
}

}  // namespace dsv4::llm
