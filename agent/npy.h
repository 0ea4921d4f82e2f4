#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>

namespace dsv4::agent {

// Writes a float32 matrix [rows, columns] in NumPy's .npy format, row by row. The file appears
// under its name only once it is whole: until then, and after a failure, what was there before
// stays. A link is followed; a device or a pipe is written to as it is, never replaced.
class NpyWriter {
 public:
  // Throws UsageError when the file cannot be made there.
  NpyWriter(std::filesystem::path path, int64_t rows, int64_t columns);
  ~NpyWriter();  // removes what was not finished
  NpyWriter(const NpyWriter&) = delete;
  NpyWriter& operator=(const NpyWriter&) = delete;

  void write_row(std::span<const float> row);

  // Throws UsageError when something could not be written (a full disk), std::logic_error when
  // fewer or more rows came than were announced.
  void finish();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_;     // as it was named
  std::filesystem::path target_;   // what it leads to
  std::filesystem::path partial_;  // written first, then renamed to target_; or target_ itself
  std::ofstream out_;
  int64_t rows_left_;
  int64_t columns_;
  bool finished_ = false;
};

}  // namespace dsv4::agent
