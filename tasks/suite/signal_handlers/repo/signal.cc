#include "signal.h"

#include <algorithm>
#include <utility>

int Signal::connect(Handler handler) {
  connections_.push_back({next_id_, std::move(handler)});
  return next_id_++;
}

void Signal::disconnect(int id) {
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [id](const auto& connection) { return connection.id == id; });
  if (found != connections_.end()) connections_.erase(found);
}

void Signal::emit(int value) {
  for (size_t i = 0; i < connections_.size(); ++i) {
    const Handler handler = connections_[i].handler;
    handler(value);
  }
}
