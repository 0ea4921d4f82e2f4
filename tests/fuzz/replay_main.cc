// Runs a fuzz target without libFuzzer: every seed, then mutations of them from a seeded generator
// until the time is up. Usage: TARGET SECONDS SEED_DIR. The inputs run in child processes, so that
// a find is caught, narrowed down and saved as TARGET.find in the current directory.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

namespace {

constexpr size_t kMaxInput = 64 * 1024;
constexpr uint64_t kBatch = 400;       // mutations in one child process
constexpr unsigned kHangSeconds = 60;  // for one batch

using Random = std::mt19937_64;

size_t below(Random& random, size_t bound) { return static_cast<size_t>(random() % bound); }

std::string stretch(Random& random, const std::string& from) {
  if (from.empty()) return {};
  const size_t begin = below(random, from.size());
  return from.substr(begin, 1 + below(random, 40));
}

// One small change: bits, bytes, numbers, or text moved in from another seed.
void mutate(Random& random, const std::vector<std::string>& seeds, std::string& input) {
  constexpr std::array<std::string_view, 14> kTroublesome = {"",
                                                             "-1",
                                                             "0",
                                                             "18446744073709551615",
                                                             "9223372036854775808",
                                                             "1e999",
                                                             "null",
                                                             "\"\"",
                                                             "[]",
                                                             "{}",
                                                             "[[[[[[[[",
                                                             "\xFF",
                                                             "\xE4\xB8",
                                                             "<｜DSML｜"};
  const size_t at = below(random, input.size() + 1);
  const size_t length = std::min(input.size() - at, 1 + below(random, 16));
  switch (below(random, 7)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(random, 8)));
      break;
    case 1:
      if (at < input.size()) input[at] = static_cast<char>(random());
      break;
    case 2:
      input.erase(at, length);
      break;
    case 3:
      input.insert(at, stretch(random, input));
      break;
    case 4:
      input.insert(at, stretch(random, seeds[below(random, seeds.size())]));
      break;
    case 5:
      input.replace(at, length, kTroublesome[below(random, kTroublesome.size())]);
      break;
    default:
      if (below(random, 8) == 0) input.resize(at);
  }
}

// The same for the same number, so that a find can be repeated.
std::string input_number(const std::vector<std::string>& seeds, uint64_t number) {
  if (number < seeds.size()) return seeds[number];
  Random random(number);
  std::string input = seeds[below(random, seeds.size())];
  const size_t changes = 1 + below(random, 6);
  for (size_t i = 0; i < changes; ++i) mutate(random, seeds, input);
  if (input.size() > kMaxInput) input.resize(kMaxInput);
  return input;
}

// True when the target took all inputs [begin, end) well.
bool survives(const std::vector<std::string>& seeds, uint64_t begin, uint64_t end) {
  std::cout.flush();
  const pid_t child = fork();
  if (child < 0) {
    std::cerr << "cannot start a child process\n";
    std::exit(2);
  }
  if (child == 0) {
    alarm(kHangSeconds);
    for (uint64_t number = begin; number < end; ++number) {
      const std::string input = input_number(seeds, number);
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::vector<std::string> read_seeds(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> seeds{""};
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return seeds;
}

int report(const std::vector<std::string>& seeds, uint64_t begin, uint64_t end,
           const std::string& program) {
  uint64_t number = begin;
  while (number + 1 < end && survives(seeds, number, number + 1)) ++number;
  const std::string file = std::filesystem::path(program).filename().string() + ".find";
  std::ofstream(file, std::ios::binary) << input_number(seeds, number);
  std::cerr << "input " << number << " crashes or hangs the target; saved as " << file << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: " << argv[0] << " SECONDS SEED_DIR\n";
    return 2;
  }
  const std::vector<std::string> seeds = read_seeds(argv[2]);
  if (seeds.size() < 2) {
    std::cerr << argv[2] << ": no seeds in it\n";
    return 2;
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(std::stoi(argv[1]));
  uint64_t number = 0;
  do {
    const uint64_t end = number + std::max<uint64_t>(kBatch, seeds.size());
    if (!survives(seeds, number, end)) return report(seeds, number, end, argv[0]);
    number = end;
  } while (std::chrono::steady_clock::now() < until);
  std::cout << number << " inputs, none crashed the target\n";
  return 0;
}
