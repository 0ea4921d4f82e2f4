#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

#include "llm/session.h"
#include "llm/session_file.h"
#include "llm/sha256.h"

namespace dsv4::llm {

struct StoreOptions {
  std::filesystem::path directory;      // made when it is not there
  int64_t capacity = int64_t{8} << 30;  // bytes; what was used least recently goes first
};

struct SaveReport {
  Digest key{};               // of the saved position, for load()
  int64_t written_bytes = 0;  // new on disk
  int64_t written = 0;        // files
  int64_t shared = 0;         // files that were there
};

// Sessions on disk. A sequence is stored as blocks of kBlock ids and the entries they left behind,
// each named by a digest of the model and of all ids up to its end, and as moments: what it takes
// beside the blocks to go on from one position. So sequences that begin alike share files, and
// saving again writes only what is new.
//
// Files appear whole, by renaming, and are never changed: a process may die at any moment, and
// several may use one directory. Every file carries a digest of its contents and says which model,
// ids and place it is for; one that is damaged, cut short or foreign is removed and counts as not
// there.
class SessionStore {
 public:
  static constexpr int64_t kBlock = kSessionBlock;  // ids

  // Throws Error when the directory cannot be made.
  explicit SessionStore(StoreOptions options);

  // Stores the session's position and those of its checkpoints that end a block. Throws Error when
  // the disk is full or the directory cannot be written; what was stored before stays whole.
  SaveReport save(const Session& session);

  // Brings a session at position 0 as far along `ids` as is stored, without computing anything.
  // Returns its position then: 0 when nothing is.
  int64_t restore(Session& session, std::span<const int32_t> ids);

  // Brings a session at position 0 to where save() was called. False, and the session as it was,
  // when something of it is not there any more.
  bool load(Session& session, const Digest& key);

  // Removes the files that were used least recently until they take no more than the capacity.
  void trim();

 private:
  std::filesystem::path path_of(const Digest& key) const;
  void put(const Digest& key, const std::function<SessionFile()>& make, SaveReport& report);
  // chain: the model's digest, then the blocks before the moment.
  bool restore_from(Session& session, std::span<const Digest> chain, const SessionFile& moment);

  StoreOptions options_;
};

}  // namespace dsv4::llm
