#include <bit>
#include <cmath>
#include <cstddef>
#include <exception>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "kernels/cuda/lane.h"
#include "kernels/rounding/rounding.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#if defined(__x86_64__)
// Keeps what a call must keep, changes to the stack `to`, and leaves where `*from` can be resumed.
extern "C" void dsv4_change_stack(void** from, void* to);
asm(R"(
.text
.globl dsv4_change_stack
.type dsv4_change_stack, @function
dsv4_change_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size dsv4_change_stack, .-dsv4_change_stack
)");
#else
#include <ucontext.h>
#endif

namespace dsv4::kernels::cuda {
namespace emulated {
namespace {

constexpr size_t kStackBytes = 128 << 10;

// One flow of control that can be left in the middle and gone on with.
class Flow {
 public:
  Flow() : stack_(new std::byte[kStackBytes]) {}

  void begin(void (*entry)()) {
#if defined(__SANITIZE_ADDRESS__)
    // The flow before was left for good, and what it had on its stack is still guarded.
    __asan_unpoison_memory_region(stack_.get(), kStackBytes);
#endif
#if defined(__x86_64__)
    auto top = reinterpret_cast<uintptr_t>(stack_.get() + kStackBytes) & ~uintptr_t{15};
    auto* frame = reinterpret_cast<void**>(top);
    *--frame = nullptr;  // as if called: the stack is 8 off a multiple of 16 at the entry
    *--frame = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; ++i) *--frame = nullptr;
    inside_ = frame;
#else
    getcontext(&inside_);
    inside_.uc_stack.ss_sp = stack_.get();
    inside_.uc_stack.ss_size = kStackBytes;
    inside_.uc_link = nullptr;
    makecontext(&inside_, entry, 0);
#endif
  }

#if defined(__x86_64__)
  void enter() { dsv4_change_stack(&outside_, inside_); }
  void leave() { dsv4_change_stack(&inside_, outside_); }
#else
  void enter() { swapcontext(&outside_, &inside_); }
  void leave() { swapcontext(&inside_, &outside_); }
#endif

 private:
  std::unique_ptr<std::byte[]> stack_;
#if defined(__x86_64__)
  void* inside_ = nullptr;
  void* outside_ = nullptr;
#else
  ucontext_t inside_{}, outside_{};
#endif
};

enum class Wait { kNone, kWarp, kBlock, kEnded };

struct Copy {
  void* to;
  const void* from;
  int bytes;
  int valid;
};

struct Lane {
  int thread = 0;
  std::vector<std::vector<Copy>> copies = {{}};  // groups, the last one open for more
  Wait wait = Wait::kNone;
  int exchanges = 0;
  Flow flow;
};

class Runner {
 public:
  void run(const Block& block, const std::function<void()>& lane);

  Lane& current() { return *current_; }
  char* slots(int warp, int turn) {
    return exchange_.data() + (warp * 2 + turn % 2) * kWarp * kExchange;
  }

  void pause(Wait wait) {
    current_->wait = wait;
    current_->flow.leave();
  }
  void run_current() {
    try {
      (*lane_)();
    } catch (...) {
      if (!error_) error_ = std::current_exception();
    }
    pause(Wait::kEnded);
  }

 private:
  struct alignas(16) Aligned {
    std::byte bytes[16];
  };

  void begin(const Block& block);
  void run_warp(size_t first);
  bool all(size_t first, size_t end, Wait wait) const;
  void go_on(size_t first, size_t end);

  const std::function<void()>* lane_ = nullptr;
  std::vector<std::unique_ptr<Lane>> lanes_;
  size_t count_ = 0;  // of them that the block has
  std::vector<Aligned> shared_;
  std::vector<char> exchange_;
  Lane* current_ = nullptr;
  std::exception_ptr error_;
  std::minstd_rand random_;
};

Runner& runner() {
  thread_local Runner mine;
  return mine;
}

void enter_lane() {
  runner().run_current();
  std::terminate();  // a lane that has ended is not gone on with
}

void Runner::begin(const Block& block) {
  count_ = static_cast<size_t>(block.threads);
  while (lanes_.size() < count_) lanes_.push_back(std::make_unique<Lane>());
  for (size_t i = 0; i < count_; ++i) {
    lanes_[i]->thread = static_cast<int>(i);
    lanes_[i]->wait = Wait::kNone;
    lanes_[i]->exchanges = 0;
    lanes_[i]->copies.assign(1, {});
    lanes_[i]->flow.begin(enter_lane);
  }
  const auto shared = static_cast<size_t>((block.shared_bytes + 15) / 16);
  shared_.resize(shared);
  if (shared > 0) {
    std::memset(static_cast<void*>(shared_.data()), 0xff, shared * sizeof(Aligned));
  }
  exchange_.resize(count_ * 2 * kExchange);
  running = {block, 0, shared_.empty() ? nullptr : reinterpret_cast<char*>(shared_.data())};
  error_ = nullptr;
}

bool Runner::all(size_t first, size_t end, Wait wait) const {
  for (size_t i = first; i < end; ++i) {
    if (lanes_[i]->wait != wait || lanes_[i]->exchanges != lanes_[first]->exchanges) return false;
  }
  return true;
}

void Runner::go_on(size_t first, size_t end) {
  for (size_t i = first; i < end; ++i) lanes_[i]->wait = Wait::kNone;
}

// Until its lanes wait for other warps or have ended.
void Runner::run_warp(size_t first) {
  do {
    go_on(first, all(first, first + kWarp, Wait::kWarp) ? first + kWarp : first);
    const size_t start = random_() % kWarp;
    const size_t step = random_() % kWarp | 1;  // odd: it comes past every lane
    for (size_t i = 0; i < kWarp; ++i) {
      current_ = lanes_[first + (start + i * step) % kWarp].get();
      running.thread = current_->thread;
      if (current_->wait == Wait::kNone) current_->flow.enter();
    }
  } while (all(first, first + kWarp, Wait::kWarp));
}

void Runner::run(const Block& block, const std::function<void()>& lane) {
  if (block.threads <= 0 || block.threads % kWarp != 0) {
    throw std::logic_error("a block has whole warps of lanes");
  }
  lane_ = &lane;
  begin(block);
  const size_t warps = count_ / kWarp;
  for (;;) {
    const size_t start = random_() % warps;
    for (size_t i = 0; i < warps; ++i) run_warp((start + i) % warps * kWarp);
    if (error_) std::rethrow_exception(error_);
    bool ended = true;
    bool waits = true;
    for (size_t i = 0; i < count_; ++i) {
      ended = ended && lanes_[i]->wait == Wait::kEnded;
      waits = waits && lanes_[i]->wait == Wait::kBlock;
    }
    if (ended) return;
    if (!waits) {
      throw std::logic_error(
          "lanes wait for each other: not all of a warp or block meet at one barrier");
    }
    go_on(0, count_);
  }
}

}  // namespace

void run_block(const Block& block, const std::function<void()>& lane) { runner().run(block, lane); }

void sync_block() { runner().pause(Wait::kBlock); }

const char* exchange(const void* value, int bytes) {
  Lane& lane = runner().current();
  // Two places in turn: nobody writes to one before all have read it.
  char* all = runner().slots(lane.thread / kWarp, ++lane.exchanges);
  if (bytes > 0) {
    std::memcpy(all + lane.thread % kWarp * kExchange, value, static_cast<size_t>(bytes));
  }
  runner().pause(Wait::kWarp);
  return all;
}

void begin_copy(void* to, const void* from, int bytes, int valid) {
  if (reinterpret_cast<uintptr_t>(to) % static_cast<uintptr_t>(bytes) != 0 ||
      reinterpret_cast<uintptr_t>(from) % static_cast<uintptr_t>(bytes) != 0) {
    throw std::logic_error("a copy to shared memory is not aligned");
  }
  std::memset(to, 0xff, static_cast<size_t>(bytes));
  runner().current().copies.back().push_back({to, from, bytes, valid});
}

void end_of_copies() { runner().current().copies.emplace_back(); }

void wait_for_copies(int open) {
  auto& groups = runner().current().copies;
  while (static_cast<int>(groups.size()) - 1 > open) {
    for (const Copy& copy : groups.front()) {
      std::memset(copy.to, 0, static_cast<size_t>(copy.bytes));
      if (copy.valid > 0) std::memcpy(copy.to, copy.from, static_cast<size_t>(copy.valid));
    }
    groups.erase(groups.begin());
  }
}

}  // namespace emulated

uint32_t ballot(bool value) {
  const char* all = emulated::exchange(&value, sizeof value);
  uint32_t bits = 0;
  for (int i = 0; i < kWarp; ++i) bits |= (all[i * emulated::kExchange] != 0 ? 1U : 0U) << i;
  return bits;
}

float half_to_float(uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f;
  const int fraction = bits & 0x3ff;
  float value = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                 : std::ldexp(static_cast<float>(fraction | 0x400), exponent - 25);
  return (bits & 0x8000) != 0 ? -value : value;
}

uint16_t float_to_half(float value) {
  const auto sign = static_cast<uint16_t>(std::signbit(value) ? 0x8000 : 0);
  if (std::isnan(value)) return static_cast<uint16_t>(sign | 0x7e00);
  const float size = std::fabs(value);
  if (size == 0.0F) return sign;
  if (size >= 65520.0F) return static_cast<uint16_t>(sign | 0x7c00);
  int exponent = 0;
  std::frexp(size, &exponent);
  const int step = std::max(exponent - 11, -24);  // of the last place; rounding is to even
  const float steps = std::nearbyint(std::ldexp(size, -step));
  // A subnormal's bits are its steps; carries run into the exponent by themselves.
  const int base = step == -24 ? 0 : (step + 24) * 1024;
  return static_cast<uint16_t>(sign | static_cast<uint16_t>(base + static_cast<int>(steps)));
}

namespace {

// What a lane brings to a product.
struct Fragments {
  uint32_t a[4];
  uint32_t b[2];
};
static_assert(sizeof(Fragments) <= emulated::kExchange);

// Two numbers of a register.
struct Two {
  float low, high;
};
inline Two two_halves(uint32_t word) {
  return {half_to_float(static_cast<uint16_t>(word)),
          half_to_float(static_cast<uint16_t>(word >> 16))};
}
inline Two two_bf16(uint32_t word) { return {float_of(word << 16), float_of(word & 0xffff0000U)}; }

template <Two (*Decode)(uint32_t)>
void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  Fragments mine;
  std::memcpy(mine.a, a, sizeof a);
  std::memcpy(mine.b, b, sizeof b);
  const char* all = emulated::exchange(&mine, sizeof mine);
  const auto word = [all](int lane, size_t at) {
    uint32_t bits = 0;
    std::memcpy(&bits, all + lane * emulated::kExchange + at, sizeof bits);
    return Decode(bits);
  };
  const int group = lane() / 4;
  const int column = lane() % 4 * 2;
  for (int part = 0; part < 4; ++part) {  // the four lanes of a row have its columns
    for (size_t k = 0; k < 2; ++k) {
      const Two upper = word(group * 4 + part, 8 * k);
      const Two lower = word(group * 4 + part, 8 * k + 4);
      for (int j = 0; j < 2; ++j) {
        const Two right = word((column + j) * 4 + part, offsetof(Fragments, b) + 4 * k);
        d[j] += upper.low * right.low + upper.high * right.high;
        d[2 + j] += lower.low * right.low + lower.high * right.high;
      }
    }
  }
}

}  // namespace

void multiply_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  multiply<two_halves>(d, a, b);
}
void multiply_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  multiply<two_bf16>(d, a, b);
}

uint32_t multiply_pairs(uint32_t a, uint32_t b) {
  const auto product = [&](int shift) -> uint32_t {
    const auto of = [shift](uint32_t v) { return decode_bf16(static_cast<uint16_t>(v >> shift)); };
    return encode_bf16(of(a) * of(b));
  };
  return product(0) | product(16) << 16;
}

void multiply_bytes(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  Fragments mine;
  std::memcpy(mine.a, a, sizeof a);
  std::memcpy(mine.b, b, sizeof b);
  const char* all = emulated::exchange(&mine, sizeof mine);
  const auto of = [&](int lane) {
    Fragments f;
    std::memcpy(&f, all + lane * emulated::kExchange, sizeof f);
    return f;
  };
  const auto dot = [](uint32_t x, uint32_t y) {
    int32_t sum = 0;
    for (int i = 0; i < 4; ++i) {
      sum += static_cast<int8_t>(x >> 8 * i) * static_cast<int8_t>(y >> 8 * i);
    }
    return sum;
  };
  const int group = lane() / 4;
  const int column = lane() % 4 * 2;
  for (int part = 0; part < 4; ++part) {
    const Fragments row = of(group * 4 + part);
    for (int j = 0; j < 2; ++j) {
      const Fragments col = of((column + j) * 4 + part);
      for (int k = 0; k < 2; ++k) {
        d[j] += dot(row.a[2 * k], col.b[k]);
        d[2 + j] += dot(row.a[2 * k + 1], col.b[k]);
      }
    }
  }
}

namespace {

// Number i of a row that a lane has named.
uint32_t matrix_number(const char* all, int lane, int i) {
  const uint16_t* row = nullptr;
  std::memcpy(&row, all + lane * emulated::kExchange, sizeof row);
  return row[i];
}

}  // namespace

void load_matrices(uint32_t (&d)[4], const void* row) {
  const char* all = emulated::exchange(&row, sizeof row);
  for (int m = 0; m < 4; ++m) {
    const int from = m * 8 + lane() / 4;
    const int i = lane() % 4 * 2;
    d[m] = matrix_number(all, from, i) | matrix_number(all, from, i + 1) << 16;
  }
}

void load_matrices_transposed(uint32_t (&d)[4], const void* row) {
  const char* all = emulated::exchange(&row, sizeof row);
  for (int m = 0; m < 4; ++m) {
    const int from = m * 8 + lane() % 4 * 2;
    const int i = lane() / 4;
    d[m] = matrix_number(all, from, i) | matrix_number(all, from + 1, i) << 16;
  }
}

uint32_t multiply_halves(uint32_t a, uint32_t b) {
  const auto of = [](uint32_t v, int i) { return half_to_float(static_cast<uint16_t>(v >> i)); };
  return to_halves(of(a, 0) * of(b, 0), of(a, 16) * of(b, 16));
}

}  // namespace dsv4::kernels::cuda
