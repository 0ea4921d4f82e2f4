#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "llm/session.h"
#include "llm/sha256.h"

namespace dsv4::llm {

// A session on disk as it grows: each save() writes one file, with what came since another save()
// of the same sequence and nothing else, so that its cost is that of the new ids. Files are named
// by the model and all ids up to their end, so forks may save into one directory, and nothing but
// the ids is needed to find them. They appear whole and are never changed, and each carries a
// digest of its contents.
//
// For the life of one run; what is to be shared between runs is SessionStore's.
class SessionTrail {
 public:
  // A place in a sequence, where a save() begins. The default is the sequence's beginning.
  struct Mark {
    int64_t position = 0;
    Digest block{};  // names the whole blocks before; nothing at position 0
  };

  // Throws Error when the directory cannot be made.
  explicit SessionTrail(std::filesystem::path directory);

  // The place where the session is.
  static Mark mark(const Session& session);

  // Stores what the session has computed since `last`. Returns the place where it is now. Throws
  // Error when the disk refuses.
  Mark save(const Session& session, const Mark& last);

  // Takes the session, which holds the first of `ids`, as far along the others as saves that lead
  // to the end of `ids` can be read, without computing anything. Returns its position then.
  int64_t load(Session& session, std::span<const int32_t> ids) const;

 private:
  std::filesystem::path path_of(const Digest& key) const;

  std::filesystem::path directory_;
};

}  // namespace dsv4::llm
