#pragma once

#include <cstddef>
#include <functional>
#include <vector>

// Calls those who asked for it, in the order in which they asked.
class Signal {
 public:
  using Handler = std::function<void(int)>;

  // Returns what `disconnect` wants to know. Both may be called by handlers.
  int connect(Handler handler);
  void disconnect(int id);
  size_t size() const { return connections_.size(); }

  void emit(int value);

 private:
  struct Connection {
    int id;
    Handler handler;
  };

  std::vector<Connection> connections_;
  int next_id_ = 1;
};
