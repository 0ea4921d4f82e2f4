#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "llm/conversation.h"
#include "tools/toolbox.h"

namespace dsv4::agent {

// A moment of a session: the context and the working copy, which go back together. Both are null
// where only the mark is known at which they were saved (chat_log.h); the context is also null
// where the model reads every message anew.
struct Moment {
  size_t mark = 0;
  std::shared_ptr<const llm::Conversation> context;
  std::shared_ptr<const tools::Toolbox::Snapshot> files;
};

// A moment to go back to.
struct Point {
  Moment moment;
  std::string name;     // of a checkpoint; else empty
  std::string message;  // that was sent then; empty for a checkpoint
};

// The moments of a session: the points behind, in order, and the branches that were left.
class Timeline {
 public:
  // The points that are kept at most; the oldest that is no checkpoint goes first.
  static constexpr size_t kMostPoints = 200;

  void add(Point point);
  const std::vector<Point>& points() const { return points_; }

  // Where the `back`-th last message (1 is the last) was sent, or the checkpoint of that name;
  // nothing when there is none.
  const Point* find_message(size_t back) const;
  const Point* find_checkpoint(const std::string& name) const;

  // Forgets what lies behind the point: a message is taken back with its own point, a checkpoint
  // stays. `point` is one of points().
  void rewind_to(const Point* point);

  const std::string& branch() const { return branch_; }
  std::vector<std::string> left_branches() const;

  // Leaves this branch at `now`. A new name begins a branch here and nothing is returned; the name
  // of a branch that was left goes on with it, where it was left.
  std::optional<Moment> switch_to(const std::string& name, Moment now);

 private:
  struct Left {
    std::vector<Point> points;
    Moment moment;
  };

  std::string branch_ = "main";
  std::vector<Point> points_;
  std::map<std::string, Left> left_;
};

}  // namespace dsv4::agent
