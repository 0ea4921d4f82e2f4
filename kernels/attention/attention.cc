#include "kernels/attention/attention.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "kernels/attention/some_rows.h"

namespace dsv4::kernels {
namespace {

// A token's rows are its window and then its entries, in parts of so many. Each part is a softmax
// of its own; putting them together in order gives the same bits whoever computed them.
constexpr int64_t kPartEntries = 512;
// Tokens that share unpacked entries.
constexpr int64_t kTokens = 8;
// Stands for no score at all; a softmax over finite numbers needs a finite top.
constexpr float kLowest = -1e30F;

float* output_of(const AttentionParams& p, int64_t t, int64_t head) {
  const int64_t per_group = p.heads / p.groups;
  const int64_t group = head / per_group;
  const int64_t tokens = p.out_tokens == 0 ? p.tokens : p.out_tokens;
  return p.out + ((group * tokens + t) * per_group + head % per_group) * p.dim;
}

int64_t entries_of(const AttentionParams& p, int64_t t) {
  return p.count == nullptr ? 0 : p.count[t];
}

// Where token t's window begins and how many rows it has.
const float* const* window_of(const AttentionParams& p, int64_t t, int64_t* rows) {
  const int64_t end = p.earlier + t + 1;
  *rows = std::min(end, p.window_size);
  return p.window + end - *rows;
}

// Entries [first, first + n) of those that token t sees.
void find_entries(const AttentionParams& p, int64_t t, int64_t first, int64_t n,
                  const uint8_t** rows) {
  if (p.selected == nullptr) return p.entries.rows(first, n, rows);
  p.entries.rows_at(p.selected + t * p.selected_stride + first, n, rows);
}

// Every row that a token sees, in order, as the plain code wants them.
struct Seen {
  std::vector<const float*> rows;
  std::vector<float> unpacked;

  void gather(const AttentionParams& p, int64_t t) {
    int64_t n = 0;
    const float* const* window = window_of(p, t, &n);
    rows.assign(window, window + n);
    const int64_t count = entries_of(p, t);
    std::vector<const uint8_t*> entries(static_cast<size_t>(count));
    find_entries(p, t, 0, count, entries.data());
    unpacked.resize(static_cast<size_t>(count * p.dim));
    float* to = unpacked.data();
    for (const uint8_t* entry : entries) {
      unpack_row_reference(p.entries.layout, entry, to);
      rows.push_back(to);
      to += p.dim;
    }
  }
};

// `Real` also accumulates the output.
template <typename Real>
void one_head(const AttentionParams& p, int64_t t, int64_t head,
              const std::vector<const float*>& rows, std::vector<Real>& scores,
              std::vector<Real>& sums) {
  const float* q = p.q + (t * p.heads + head) * p.dim;
  Real top = p.sink[head];
  scores.clear();
  for (const float* row : rows) {
    Real dot = 0;
    for (int64_t i = 0; i < p.dim; ++i) dot += Real(q[i]) * row[i];
    scores.push_back(dot * p.scale);
    top = std::max(top, scores.back());
  }
  Real total = std::exp(Real(p.sink[head]) - top);
  sums.assign(static_cast<size_t>(p.dim), Real(0));
  for (size_t r = 0; r < rows.size(); ++r) {
    const Real e = std::exp(scores[r] - top);
    total += e;
    for (int64_t i = 0; i < p.dim; ++i) sums[static_cast<size_t>(i)] += e * rows[r][i];
  }
  float* out = output_of(p, t, head);
  for (int64_t i = 0; i < p.dim; ++i) {
    out[i] = static_cast<float>(sums[static_cast<size_t>(i)] / total);
  }
}

template <typename Real>
void plain_tokens(const AttentionParams& p, int64_t begin, int64_t end) {
  Seen seen;
  std::vector<Real> scores;
  std::vector<Real> sums;
  for (int64_t t = begin; t < end; ++t) {
    seen.gather(p, t);
    for (int64_t h = 0; h < p.heads; ++h) one_head<Real>(p, t, h, seen.rows, scores, sums);
  }
}

// Softmaxes of some heads for a group of tokens: tops and totals [tokens, heads], sums [tokens,
// heads, dim].
class Softmaxes {
 public:
  Softmaxes(float* memory, int64_t heads, int64_t dim)
      : memory_(memory), heads_(heads), dim_(dim) {}
  // Of memory that is enough for any group.
  static int64_t floats(int64_t dim) { return kTokens * kHeadsAtOnce * (2 + dim); }

  float* top(int64_t token) const { return memory_ + token * heads_; }
  float* total(int64_t token) const { return memory_ + (kTokens + token) * heads_; }
  float* sums(int64_t token) const { return memory_ + (2 * kTokens + token * dim_) * heads_; }

  void clear(int64_t tokens) const {
    std::fill_n(top(0), tokens * heads_, kLowest);
    std::fill_n(total(0), tokens * heads_, 0.0F);
    std::fill_n(sums(0), tokens * heads_ * dim_, 0.0F);
  }

 private:
  float* memory_;
  int64_t heads_;
  int64_t dim_;
};

// What a thread needs on the way.
struct Scratch {
  explicit Scratch(int64_t dim)
      : unpacked(std::make_unique_for_overwrite<float[]>(static_cast<size_t>(kRowsAtOnce * dim))) {}

  std::unique_ptr<float[]> unpacked;  // [kRowsAtOnce, dim]
  const uint8_t* entries[kRowsAtOnce] = {};
  const float* rows[kRowsAtOnce] = {};
};

// One block of heads of a group of tokens, in parts.
class Group {
 public:
  Group(const AttentionParams& p, Isa isa, const SomeRowsKernel& kernel, int64_t unit)
      : p_(p), isa_(isa), kernel_(kernel) {
    const int64_t blocks = head_blocks(p);
    first_ = unit / blocks * kTokens;
    tokens_ = std::min(kTokens, p.tokens - first_);
    head_ = unit % blocks * kHeadsAtOnce;
    heads_ = std::min(kHeadsAtOnce, p.heads - head_);
  }

  static int64_t head_blocks(const AttentionParams& p) {
    return (p.heads + kHeadsAtOnce - 1) / kHeadsAtOnce;
  }
  static int64_t count(const AttentionParams& p) {
    return (p.tokens + kTokens - 1) / kTokens * head_blocks(p);
  }

  Softmaxes softmaxes(float* memory) const { return {memory, heads_, p_.dim}; }

  // The window, and the entries of the token that sees most.
  int64_t parts() const {
    int64_t most = 0;
    for (int64_t t = 0; t < tokens_; ++t) most = std::max(most, entries_of(p_, first_ + t));
    return 1 + (most + kPartEntries - 1) / kPartEntries;
  }

  void run(int64_t part, const Softmaxes& to, Scratch& scratch) const {
    to.clear(tokens_);
    if (part == 0) return window(to);
    const int64_t begin = (part - 1) * kPartEntries;
    for (int64_t at = begin; at < begin + kPartEntries; at += kRowsAtOnce) {
      p_.selected == nullptr ? shared_entries(at, to, scratch) : own_entries(at, to, scratch);
    }
  }

  // The sink is a softmax of its own, with nothing to add.
  void begin(const Softmaxes& all) const {
    all.clear(tokens_);
    for (int64_t t = 0; t < tokens_; ++t) {
      for (int64_t h = 0; h < heads_; ++h) {
        const float sink = p_.sink[head_ + h];
        all.top(t)[h] = sink < kLowest ? kLowest : sink;
        all.total(t)[h] = 1.0F;
      }
    }
  }

  void merge(const Softmaxes& part, const Softmaxes& all) const {
    for (int64_t i = 0; i < tokens_ * heads_; ++i) {
      float& top = all.top(0)[i];
      const float other = part.top(0)[i];
      const float high = other > top ? other : top;
      const float keep = std::exp(top - high);
      const float add = std::exp(other - high);
      top = high;
      all.total(0)[i] = all.total(0)[i] * keep + part.total(0)[i] * add;
      float* sums = all.sums(0) + i * p_.dim;
      const float* from = part.sums(0) + i * p_.dim;
      for (int64_t d = 0; d < p_.dim; ++d) sums[d] = sums[d] * keep + from[d] * add;
    }
  }

  void finish(const Softmaxes& all) const {
    for (int64_t t = 0; t < tokens_; ++t) {
      for (int64_t h = 0; h < heads_; ++h) {
        float* out = output_of(p_, first_ + t, head_ + h);
        const float inverse = 1.0F / all.total(t)[h];
        const float* sums = all.sums(t) + h * p_.dim;
        for (int64_t d = 0; d < p_.dim; ++d) out[d] = sums[d] * inverse;
      }
    }
  }

 private:
  void add(int64_t t, const float* const* rows, int64_t n, const Softmaxes& to) const {
    kernel_.add({p_.q + ((first_ + t) * p_.heads + head_) * p_.dim, heads_, p_.dim, p_.scale, rows,
                 n, to.top(t), to.total(t), to.sums(t)});
  }

  void window(const Softmaxes& to) const {
    for (int64_t t = 0; t < tokens_; ++t) {
      int64_t n = 0;
      const float* const* rows = window_of(p_, first_ + t, &n);
      for (int64_t at = 0; at < n; at += kRowsAtOnce) {
        add(t, rows + at, std::min(kRowsAtOnce, n - at), to);
      }
    }
  }

  // Finds and unpacks some entries of token t.
  void fetch(int64_t t, int64_t at, int64_t n, Scratch& scratch) const {
    find_entries(p_, t, at, n, scratch.entries);
    if (p_.entries.layout.format == RowFormat::kF32) {
      for (int64_t i = 0; i < n; ++i) {
        scratch.rows[i] = reinterpret_cast<const float*>(scratch.entries[i]);
      }
      return;
    }
    unpack_rows(isa_, p_.entries.layout, scratch.entries, n, scratch.unpacked.get());
    for (int64_t i = 0; i < n; ++i) scratch.rows[i] = scratch.unpacked.get() + i * p_.dim;
  }

  void shared_entries(int64_t at, const Softmaxes& to, Scratch& scratch) const {
    int64_t fetched = 0;
    for (int64_t t = tokens_ - 1; t >= 0; --t) {  // the last one sees most, mostly
      const int64_t n = std::min(kRowsAtOnce, entries_of(p_, first_ + t) - at);
      if (n <= 0) continue;
      if (n > fetched) fetch(first_ + t, at, n, scratch);
      fetched = std::max(fetched, n);
      add(t, scratch.rows, n, to);
    }
  }

  void own_entries(int64_t at, const Softmaxes& to, Scratch& scratch) const {
    for (int64_t t = 0; t < tokens_; ++t) {
      const int64_t n = std::min(kRowsAtOnce, entries_of(p_, first_ + t) - at);
      if (n <= 0) continue;
      fetch(first_ + t, at, n, scratch);
      add(t, scratch.rows, n, to);
    }
  }

  const AttentionParams& p_;
  Isa isa_;
  const SomeRowsKernel& kernel_;
  int64_t first_;  // token
  int64_t tokens_;
  int64_t head_;
  int64_t heads_;
};

using Floats = std::unique_ptr<float[]>;
Floats floats(int64_t n) { return std::make_unique_for_overwrite<float[]>(static_cast<size_t>(n)); }

// Enough groups: each is one thread's.
void run_groups(ThreadPool& pool, Isa isa, const AttentionParams& p, const SomeRowsKernel& kernel) {
  pool.parallel_for(Group::count(p), 1, [&](int64_t begin, int64_t end) {
    const int64_t size = Softmaxes::floats(p.dim);
    const Floats memory = floats(2 * size);
    Scratch scratch(p.dim);
    for (int64_t unit = begin; unit < end; ++unit) {
      const Group group(p, isa, kernel, unit);
      const Softmaxes all = group.softmaxes(memory.get());
      const Softmaxes part = group.softmaxes(memory.get() + size);
      group.begin(all);
      for (int64_t i = 0; i < group.parts(); ++i) {
        group.run(i, part, scratch);
        group.merge(part, all);
      }
      group.finish(all);
    }
  });
}

// Few tokens: parts are computed side by side and then put together.
void run_parts(ThreadPool& pool, Isa isa, const AttentionParams& p, const SomeRowsKernel& kernel) {
  struct Unit {
    Group group;
    int64_t part;
  };
  std::vector<Unit> units;
  std::vector<int64_t> begins;  // of each group's units
  for (int64_t i = 0; i < Group::count(p); ++i) {
    const Group group(p, isa, kernel, i);
    begins.push_back(static_cast<int64_t>(units.size()));
    for (int64_t part = 0; part < group.parts(); ++part) units.push_back({group, part});
  }
  const auto n = static_cast<int64_t>(units.size());
  begins.push_back(n);
  const int64_t size = Softmaxes::floats(p.dim);
  const Floats memory = floats((n + 1) * size);
  pool.parallel_for(n, 1, [&](int64_t begin, int64_t end) {
    Scratch scratch(p.dim);
    for (int64_t i = begin; i < end; ++i) {
      const Unit& unit = units[static_cast<size_t>(i)];
      unit.group.run(unit.part, unit.group.softmaxes(memory.get() + i * size), scratch);
    }
  });
  for (size_t g = 0; g + 1 < begins.size(); ++g) {
    const Group& group = units[static_cast<size_t>(begins[g])].group;
    const Softmaxes all = group.softmaxes(memory.get() + n * size);
    group.begin(all);
    for (int64_t i = begins[g]; i < begins[g + 1]; ++i) {
      group.merge(group.softmaxes(memory.get() + i * size), all);
    }
    group.finish(all);
  }
}

// Null when there is none for this width.
const SomeRowsKernel* kernel_for(Isa isa, int64_t dim) {
  const auto fits = [dim](const SomeRowsKernel* k) { return k != nullptr && dim % k->width == 0; };
  if (isa >= Isa::kAvx512 && fits(some_rows_avx512())) return some_rows_avx512();
  if (isa >= Isa::kAvx2 && fits(some_rows_avx2())) return some_rows_avx2();
  return nullptr;
}

}  // namespace

void attention_reference(const AttentionParams& p) { plain_tokens<double>(p, 0, p.tokens); }

void attention(ThreadPool& pool, Isa isa, const AttentionParams& p) {
  const SomeRowsKernel* kernel = kernel_for(isa, p.dim);
  if (kernel == nullptr) {
    pool.parallel_for(p.tokens, 1,
                      [&](int64_t begin, int64_t end) { plain_tokens<float>(p, begin, end); });
  } else if (Group::count(p) >= 2 * pool.size()) {
    run_groups(pool, isa, p, *kernel);
  } else {
    run_parts(pool, isa, p, *kernel);
  }
}

}  // namespace dsv4::kernels
