#include "agent/timeline.h"

#include <algorithm>
#include <utility>

namespace dsv4::agent {

void Timeline::add(Point point) {
  points_.push_back(std::move(point));
  if (points_.size() <= kMostPoints) return;
  const auto oldest = std::find_if(points_.begin(), points_.end(),
                                   [](const Point& each) { return each.name.empty(); });
  points_.erase(oldest == points_.end() ? points_.begin() : oldest);
}

const Point* Timeline::find_message(size_t back) const {
  for (auto point = points_.rbegin(); point != points_.rend(); ++point) {
    if (point->name.empty() && --back == 0) return &*point;
  }
  return nullptr;
}

const Point* Timeline::find_checkpoint(const std::string& name) const {
  const auto point = std::find_if(points_.rbegin(), points_.rend(),
                                  [&](const Point& each) { return each.name == name; });
  return point == points_.rend() || name.empty() ? nullptr : &*point;
}

void Timeline::rewind_to(const Point* point) {
  const auto index = static_cast<size_t>(point - points_.data());
  const bool message = point->name.empty();
  points_.resize(message ? index : index + 1);
}

std::vector<std::string> Timeline::left_branches() const {
  std::vector<std::string> names;
  for (const auto& [name, left] : left_) names.push_back(name);
  return names;
}

std::optional<Moment> Timeline::switch_to(const std::string& name, Moment now) {
  left_[branch_] = {points_, std::move(now)};
  branch_ = name;
  const auto known = left_.find(name);
  if (known == left_.end()) return std::nullopt;
  points_ = std::move(known->second.points);
  const Moment moment = std::move(known->second.moment);
  left_.erase(known);
  return moment;
}

}  // namespace dsv4::agent
