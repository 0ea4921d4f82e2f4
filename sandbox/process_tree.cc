#include "sandbox/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/descriptor.h"

namespace dsv4::sandbox {
namespace {

// The beginning of a file of /proc; empty when it has gone.
std::string read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> part;
  for (ssize_t n = 0; file && (n = ::read(file.get(), part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<size_t>(n));
  }
  return text;
}

std::vector<uint64_t> numbers_in(std::string_view text) {
  std::vector<uint64_t> numbers;
  while (!text.empty()) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const size_t used = static_cast<size_t>(end - text.data());
    if (error == std::errc{}) numbers.push_back(number);
    text.remove_prefix(used > 0 ? used : 1);
  }
  return numbers;
}

std::string folder_of(pid_t pid) { return "/proc/" + std::to_string(pid) + "/"; }

// Adds the children of every thread of `pid` to `found` and returns how many threads it has.
uint64_t visit(pid_t pid, std::vector<pid_t>& found) {
  const std::string tasks = folder_of(pid) + "task";
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(tasks.c_str()), &::closedir);
  uint64_t threads = 0;
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    if (entry->d_name[0] == '.') continue;
    ++threads;
    for (const uint64_t child : numbers_in(read_file(tasks + "/" + entry->d_name + "/children"))) {
      found.push_back(static_cast<pid_t>(child));
    }
  }
  return threads;
}

uint64_t resident_bytes(pid_t pid) {
  const std::vector<uint64_t> sizes = numbers_in(read_file(folder_of(pid) + "statm"));
  return sizes.size() < 2 ? 0 : sizes[1] * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Of a process and the children it has waited for.
std::chrono::milliseconds processor_time(pid_t pid) {
  const std::string text = read_file(folder_of(pid) + "stat");
  const size_t after_name = text.rfind(')');
  if (after_name == std::string::npos) return {};
  // From the parent's id on; then come eight numbers, some of them negative, and the four times.
  const std::vector<uint64_t> fields = numbers_in(std::string_view(text).substr(after_name));
  constexpr size_t kFirst = 10;
  constexpr size_t kTimes = 4;
  if (fields.size() < kFirst + kTimes) return {};
  uint64_t ticks = 0;
  for (size_t i = 0; i < kTimes; ++i) ticks += fields[kFirst + i];
  return std::chrono::milliseconds(ticks * 1000 / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)));
}

// The number of KiB after `name` in a file of "Name:   123 kB" lines, in bytes.
uint64_t field_bytes(const std::string& text, const std::string& name, uint64_t otherwise) {
  const size_t at = text.find(name);
  if (at == std::string::npos) return otherwise;
  const std::vector<uint64_t> numbers = numbers_in(std::string_view(text).substr(at, 64));
  return numbers.empty() ? otherwise : numbers[0] << 10;
}

}  // namespace

TreeUse measure_tree(pid_t root, uint64_t memory_limit) {
  TreeUse use;
  std::vector<pid_t> found;
  visit(root, found);
  use.processor_time = processor_time(root);
  for (size_t i = 0; i < found.size(); ++i) {
    const pid_t pid = found[i];
    use.threads += visit(pid, found);
    use.memory_bytes += resident_bytes(pid);
    use.processor_time += processor_time(pid);
  }
  if (use.memory_bytes <= memory_limit) return use;
  use.memory_bytes = 0;
  for (const pid_t pid : found) {
    const std::string shared_out = read_file(folder_of(pid) + "smaps_rollup");
    use.memory_bytes += field_bytes(shared_out, "\nPss:", resident_bytes(pid));
  }
  return use;
}

uint64_t memory_available() {
  return field_bytes(read_file("/proc/meminfo"),
                     "MemAvailable:", std::numeric_limits<uint64_t>::max());
}

}  // namespace dsv4::sandbox
