// How fast the kernels are on this machine, beside what the machine can do.

#include "kernels/bench/kernels_command.h"

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/bench/rows.h"

namespace dsv4::kernels::bench {
namespace {

constexpr void (*kAllRows[])(Bench&) = {
    add_parallel_rows, add_rounding_rows, add_matmul_rows, add_attention_rows, add_stream_rows,
};

constexpr const char kUsage[] =
    "usage: dsv4-bench kernels [--threads N] [--isa scalar|avx2|avx512|avx512bf16] [FILTER]\n"
    "Prints one JSON line per kernel and shape, after a line with the machine's own ceilings.\n"
    "FILTER keeps the kernels whose name contains it.\n";

std::optional<Isa> parse_isa(std::string_view name) {
  if (name == "scalar") return Isa::kScalar;
  if (name == "avx2") return Isa::kAvx2;
  if (name == "avx512") return Isa::kAvx512;
  if (name == "avx512bf16") return Isa::kAvx512Bf16;
  return std::nullopt;
}

struct Options {
  int threads = 0;
  Isa isa = detect_isa();
  std::string filter;
};

// Nothing when the arguments make no sense.
std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 0; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--threads" && i + 1 < argc) {
      options.threads = std::atoi(argv[++i]);
      if (options.threads < 1) return std::nullopt;
    } else if (arg == "--isa" && i + 1 < argc) {
      const std::optional<Isa> isa = parse_isa(argv[++i]);
      if (!isa) return std::nullopt;
      options.isa = *isa;
    } else if (arg.starts_with("-") || !options.filter.empty()) {
      return std::nullopt;
    } else {
      options.filter = arg;
    }
  }
  return options;
}

}  // namespace

int run_kernels(int argc, char** argv) {
  const std::optional<Options> options = parse(argc, argv);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (options->isa > detect_isa()) {
    std::fprintf(stderr, "dsv4-bench: this processor has no %s, only %s\n", isa_name(options->isa),
                 isa_name(detect_isa()));
    return 2;
  }
  ThreadPool pool(options->threads);
  Bench bench(pool, options->isa, options->filter);
  for (const auto& add_rows : kAllRows) add_rows(bench);
  return 0;
}

}  // namespace dsv4::kernels::bench
