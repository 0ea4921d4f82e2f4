#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "llm/page_list.h"

namespace dsv4::llm {

// What a context says about what comes next: text that is edited, quoted or repeated was there
// before. Finds the last place where the context's final 4, 3 or 2 ids stood before, the longest
// that did, and proposes what followed there.
//
// An id costs constant time, amortised. Memory: 4 bytes an id, and a table of at least 16 and at
// most 32 bytes an id, which stops growing at 16 MiB: beyond 1,048,576 ids, where the window of the
// published models ends, the newest places displace others. Copies share all of it until one of
// them grows. Not thread-safe, nor are copies.
class PromptLookup {
 public:
  PromptLookup();

  // The context goes on with these ids.
  void append(std::span<const int32_t> ids);

  int64_t size() const { return ids_.size(); }

  struct Proposal {
    std::vector<int32_t> ids;  // none: nothing like the end of the context was seen before
    // How many of the final ids stood before what is proposed, 2 to kLongest; more count as that.
    int64_t matched = 0;
  };
  static constexpr int64_t kLongest = 16;

  // At most `most` ids.
  Proposal propose(int64_t most);

 private:
  int32_t id(int64_t i) const;
  size_t slot(int64_t end, int64_t length) const;
  void remember(int64_t end);
  void grow();
  int64_t matched_before(int64_t place) const;

  PageList ids_;
  // Places where an n-gram ended before, by its hash; 0: none. What hashes alike is told apart by
  // looking at the ids.
  std::shared_ptr<std::vector<int32_t>> places_;
  int64_t source_ = 0;  // the place whose continuation the context has been repeating; 0: none
};

}  // namespace dsv4::llm
