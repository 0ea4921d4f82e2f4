#include "agent/npy.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "agent/error.h"

namespace dsv4::agent {
namespace {

// Magic, version 1.0, and a description padded so that the numbers start at a multiple of 64.
std::string header(int64_t rows, int64_t columns) {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) +
                     ", " + std::to_string(columns) + "), }";
  constexpr size_t kPrefix = 10;
  while ((kPrefix + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string out = "\x93NUMPY";
  out += '\x01';
  out += '\0';
  out += static_cast<char>(text.size() & 0xff);
  out += static_cast<char>(text.size() >> 8);
  return out + text;
}

}  // namespace

NpyWriter::NpyWriter(std::filesystem::path path, int64_t rows, int64_t columns)
    : path_(std::move(path)), target_(path_), rows_left_(rows), columns_(columns) {
  std::error_code absent;
  const std::filesystem::file_status status = std::filesystem::status(path_, absent);
  if (std::filesystem::is_directory(status)) {
    throw UsageError(path_.string() + ": is a directory; name a file to write");
  }
  if (std::filesystem::is_regular_file(status)) target_ = std::filesystem::canonical(path_);
  partial_ = target_;
  if (std::filesystem::is_regular_file(status) || !std::filesystem::exists(status)) {
    partial_ += ".partial-" + std::to_string(::getpid());
  }
  out_.open(partial_, std::ios::binary | std::ios::trunc);
  if (!out_) fail("cannot be written here");
  const std::string head = header(rows, columns);
  out_.write(head.data(), static_cast<std::streamsize>(head.size()));
}

NpyWriter::~NpyWriter() {
  if (finished_ || partial_ == target_) return;
  out_.close();
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
}

void NpyWriter::fail(const char* what) const {
  throw UsageError(path_.string() + ": " + what + ": " + std::strerror(errno));
}

void NpyWriter::write_row(std::span<const float> row) {
  if (rows_left_ == 0 || static_cast<int64_t>(row.size()) != columns_) {
    throw std::logic_error("a row that the .npy header does not announce");
  }
  --rows_left_;
  out_.write(reinterpret_cast<const char*>(row.data()),
             static_cast<std::streamsize>(row.size_bytes()));
  if (!out_) fail("cannot be written in full");
}

void NpyWriter::finish() {
  if (rows_left_ != 0) throw std::logic_error("fewer rows than the .npy header announces");
  out_.close();
  if (!out_) fail("cannot be written in full");
  std::error_code error;
  if (partial_ != target_) std::filesystem::rename(partial_, target_, error);
  if (error) throw UsageError(path_.string() + ": cannot be written here: " + error.message());
  finished_ = true;
}

}  // namespace dsv4::agent
