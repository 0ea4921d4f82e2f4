#include "llm/session_store.h"

#include <algorithm>
#include <chrono>
#include <string>
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

SessionFile block_file(const SessionState& s, const Digest& parent, const Digest& key,
                       int64_t from) {
  SessionFile file;
  file.kind = SessionFile::Kind::kBlock;
  file.parent = parent;
  file.key = key;
  file.from = from;
  file.to = from + SessionStore::kBlock;
  PayloadWriter out(file.payload);
  write_positions(s, file.from, file.to, out);
  return file;
}

SessionFile moment_file(const SessionState& s, const SessionCheckpoint& moment,
                        const Digest& parent, const Digest& key) {
  SessionFile file;
  file.kind = SessionFile::Kind::kMoment;
  file.parent = parent;
  file.key = key;
  file.from = moment.position / SessionStore::kBlock * SessionStore::kBlock;
  file.to = moment.position;
  PayloadWriter out(file.payload);
  write_positions(s, file.from, file.to, out);
  write_moment(moment, out);
  return file;
}

// At most a block of positions, which the session ends before.
bool add_positions(const SessionFile& file, PayloadReader& in, SessionState& s) {
  return file.to - file.from <= SessionStore::kBlock && read_positions(file.from, file.to, in, s);
}

bool add_moment(const SessionFile& file, SessionState& s) {
  PayloadReader in(file.payload);
  auto moment = std::make_shared<SessionCheckpoint>();
  if (!add_positions(file, in, s) || !read_moment(s, 0, in, *moment)) return false;
  s.restore(*moment);
  s.checkpoints.add(std::move(moment));
  return true;
}

void drop(const fs::path& path) {
  std::error_code ignored;  // it may be gone already
  fs::remove(path, ignored);
}

void touch(const fs::path& path) {
  std::error_code ignored;  // another process may have removed it
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
}

// Reads a file and says by its time that it is in use. One that is there but not what it should be
// goes.
std::optional<SessionFile> take(const fs::path& path, const Digest& key) {
  std::optional<SessionFile> file = read_session_file(path, key);
  if (file) {
    touch(path);
  } else {
    drop(path);
  }
  return file;
}

}  // namespace

SessionStore::SessionStore(StoreOptions options) : options_(std::move(options)) {
  std::error_code error;
  fs::create_directories(options_.directory, error);
  if (error) {
    throw Error("sessions cannot be saved in " + options_.directory.string() + ": " +
                error.message());
  }
}

fs::path SessionStore::path_of(const Digest& key) const {
  const std::string name = to_hex(key);
  return options_.directory / name.substr(0, 2) / name.substr(2);
}

void SessionStore::put(const Digest& key, const std::function<SessionFile()>& make,
                       SaveReport& report) {
  const fs::path path = path_of(key);
  std::error_code error;
  if (fs::exists(path, error)) {
    touch(path);
    ++report.shared;
    return;
  }
  fs::create_directories(path.parent_path(), error);
  const SessionFile file = make();
  write_session_file(path, file);
  ++report.written;
  report.written_bytes += static_cast<int64_t>(file.payload.size());
}

SaveReport SessionStore::save(const Session& session) {
  const SessionState& s = *session.state_;
  SaveReport report;
  if (s.position == 0) return report;
  const std::vector<int32_t> ids = s.ids_between(0, s.position);
  const std::vector<Digest> chain = block_names(session_base(*session.state_), ids);
  for (size_t k = 1; k < chain.size(); ++k) {
    const auto from = static_cast<int64_t>(k - 1) * kBlock;
    put(
        chain[k], [&] { return block_file(s, chain[k - 1], chain[k], from); }, report);
  }
  const auto put_moment = [&](const SessionCheckpoint& moment) {
    const Digest& parent = chain[static_cast<size_t>(moment.position / kBlock)];
    const auto rest = std::span(ids).subspan(static_cast<size_t>(moment.position / kBlock * kBlock),
                                             static_cast<size_t>(moment.position % kBlock));
    const Digest key = moment_name(parent, rest);
    put(
        key, [&] { return moment_file(s, moment, parent, key); }, report);
    return key;
  };
  for (const auto& checkpoint : s.checkpoints.all()) {
    if (checkpoint->position > 0 && checkpoint->position % kBlock == 0) put_moment(*checkpoint);
  }
  SessionCheckpoint here;
  here.position = s.position;
  here.logits = s.logits;
  for (size_t i = 0; i < s.layers.size(); ++i) {
    here.layers.push_back(save_moment(s.model->config().layers[i], s.layers[i], s.position));
  }
  report.key = put_moment(here);
  trim();
  return report;
}

bool SessionStore::restore_from(Session& session, std::span<const Digest> chain,
                                const SessionFile& moment) {
  SessionState& s = *session.state_;
  for (size_t k = 1; k < chain.size(); ++k) {
    const std::optional<SessionFile> file = take(path_of(chain[k]), chain[k]);
    bool good = file && file->kind == SessionFile::Kind::kBlock && file->parent == chain[k - 1] &&
                file->to - file->from == kBlock;
    if (good) {
      PayloadReader in(file->payload);
      good = add_positions(*file, in, s) && in.at_end();
    }
    if (!good) {
      drop(path_of(chain[k]));
      s.reset();
      return false;
    }
  }
  if (!add_moment(moment, s)) {
    drop(path_of(moment.key));
    s.reset();
    return false;
  }
  return true;
}

int64_t SessionStore::restore(Session& session, std::span<const int32_t> ids) {
  const std::vector<Digest> chain = block_names(session_base(*session.state_), ids);
  const auto restore_at = [&](size_t blocks, std::span<const int32_t> rest) {
    const auto begin = std::span(chain).first(blocks + 1);
    const Digest key = moment_name(begin.back(), rest);
    const std::optional<SessionFile> moment = take(path_of(key), key);
    return moment && moment->kind == SessionFile::Kind::kMoment &&
           restore_from(session, begin, *moment);
  };
  const size_t blocks = chain.size() - 1;
  if (restore_at(blocks, ids.subspan(blocks * kBlock))) return session.position();
  for (size_t k = blocks; k > 0; --k) {
    if (restore_at(k, {})) return session.position();
  }
  return 0;
}

bool SessionStore::load(Session& session, const Digest& key) {
  const std::optional<SessionFile> moment = take(path_of(key), key);
  if (!moment || moment->kind != SessionFile::Kind::kMoment) return false;
  // From the last block to the first.
  std::vector<Digest> chain = {moment->parent};
  for (int64_t k = moment->from / kBlock; k > 0; --k) {
    const std::optional<Digest> parent = read_session_parent(path_of(chain.back()));
    if (!parent) return false;
    chain.push_back(*parent);
  }
  if (chain.back() != session_base(*session.state_)) return false;
  std::reverse(chain.begin(), chain.end());
  return restore_from(session, chain, *moment);
}

void SessionStore::trim() {
  struct Stored {
    fs::file_time_type used;
    fs::path path;
    int64_t bytes;
  };
  std::vector<Stored> all;
  int64_t total = 0;
  std::error_code error;
  const auto now = fs::file_time_type::clock::now();
  for (fs::recursive_directory_iterator it(options_.directory, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;  // by another process
    if (!it->is_regular_file(gone) || gone) continue;
    const auto bytes = static_cast<int64_t>(it->file_size(gone));
    const auto used = it->last_write_time(gone);
    if (gone) continue;
    // Left behind by a process that died while writing.
    if (it->path().filename().string().find(kTemporary) != std::string::npos &&
        now - used > std::chrono::hours(1)) {
      drop(it->path());
      continue;
    }
    all.push_back({used, it->path(), bytes});
    total += bytes;
  }
  std::sort(all.begin(), all.end(),
            [](const Stored& a, const Stored& b) { return a.used < b.used; });
  for (const Stored& file : all) {
    if (total <= options_.capacity) break;
    drop(file.path);
    total -= file.bytes;
  }
}

}  // namespace dsv4::llm
