#pragma once

#include <cstddef>
#include <functional>

namespace dsv4::tools {

// Processors worth a thread each.
size_t thread_count();

// Calls work(thread) on so many threads at once, this one included (as thread 0); returns when all
// have returned. The first exception of any of them is thrown then.
void on_threads(size_t threads, const std::function<void(size_t thread)>& work);

}  // namespace dsv4::tools
