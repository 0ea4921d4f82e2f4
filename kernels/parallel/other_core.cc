#include "kernels/parallel/other_core.h"

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>

namespace dsv4::kernels {

// Taking the core away makes the system move the thread at once.
void move_off_this_core(std::jthread& thread) {
  const int here = sched_getcpu();
  cpu_set_t before;
  if (here < 0 || here >= CPU_SETSIZE) return;
  if (pthread_getaffinity_np(thread.native_handle(), sizeof(before), &before) != 0) return;
  cpu_set_t others = before;
  CPU_CLR(static_cast<size_t>(here), &others);
  if (CPU_COUNT(&others) == 0) return;
  if (pthread_setaffinity_np(thread.native_handle(), sizeof(others), &others) != 0) return;
  pthread_setaffinity_np(thread.native_handle(), sizeof(before), &before);
}

}  // namespace dsv4::kernels
#else
namespace dsv4::kernels {

void move_off_this_core(std::jthread& /*thread*/) {}

}  // namespace dsv4::kernels
#endif
