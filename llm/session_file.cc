#include "llm/session_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "llm/error.h"

namespace dsv4::llm {
namespace {

constexpr char kMagic[8] = {'D', 'S', 'V', '4', 'S', 'E', 'S', '2'};
constexpr int64_t kMostBytes = int64_t{1} << 32;

// As it lies on disk, little endian; the payload follows.
struct Header {
  char magic[8];
  uint32_t kind;
  uint32_t zero;
  int64_t from;
  int64_t to;
  int64_t bytes;
  Digest key;
  Digest parent;
  Digest check;  // of all the others and the payload
};
static_assert(sizeof(Header) == 136);

Digest check_of(const Header& header, std::span<const uint8_t> payload) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&header);
  return Sha256().add(std::span(bytes, offsetof(Header, check))).add(payload).finish();
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool write_all(int fd, const void* data, size_t n) {
  const auto* from = static_cast<const char*>(data);
  while (n > 0) {
    const ssize_t written = ::write(fd, from, n);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    from += written;
    n -= static_cast<size_t>(written);
  }
  return true;
}

bool read_all(int fd, void* data, size_t n) {
  auto* to = static_cast<char*>(data);
  while (n > 0) {
    const ssize_t got = ::read(fd, to, n);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    n -= static_cast<size_t>(got);
  }
  return true;
}

// Never waits for a pipe and follows no link that somebody put there.
int open_to_read(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
}

}  // namespace

void write_session_file(const std::filesystem::path& path, const SessionFile& file) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.kind = static_cast<uint32_t>(file.kind);
  header.from = file.from;
  header.to = file.to;
  header.bytes = static_cast<int64_t>(file.payload.size());
  header.key = file.key;
  header.parent = file.parent;
  header.check = check_of(header, file.payload);

  std::string temporary = path.string() + kTemporary + "XXXXXX";
  bool written = false;
  {
    const Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
    written = fd.get() >= 0 && write_all(fd.get(), &header, sizeof(header)) &&
              write_all(fd.get(), file.payload.data(), file.payload.size());
  }
  if (!written || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    ::unlink(temporary.c_str());
    throw Error("the session cannot be saved: " + path.string() + ": " + reason);
  }
}

std::optional<Digest> read_session_parent(const std::filesystem::path& path) {
  const Descriptor fd(open_to_read(path));
  Header header;
  if (fd.get() < 0 || !read_all(fd.get(), &header, sizeof(header))) return std::nullopt;
  return header.parent;
}

std::optional<SessionFile> read_session_file(const std::filesystem::path& path, const Digest& key) {
  const Descriptor fd(open_to_read(path));
  struct stat status {};
  if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  Header header;
  if (!read_all(fd.get(), &header, sizeof(header))) return std::nullopt;
  const bool known = std::memcmp(header.magic, kMagic, sizeof(kMagic)) == 0 && header.key == key;
  const bool sized = header.bytes >= 0 && header.bytes <= kMostBytes &&
                     status.st_size == static_cast<int64_t>(sizeof(header)) + header.bytes;
  if (!known || !sized) return std::nullopt;
  SessionFile file;
  file.kind = static_cast<SessionFile::Kind>(header.kind);
  file.key = header.key;
  file.parent = header.parent;
  file.from = header.from;
  file.to = header.to;
  file.payload.resize(static_cast<size_t>(header.bytes));
  if (!read_all(fd.get(), file.payload.data(), file.payload.size())) return std::nullopt;
  if (check_of(header, file.payload) != header.check) return std::nullopt;
  return file;
}

std::span<const uint8_t> PayloadReader::bytes(size_t n) {
  if (!ok_ || n > in_.size()) {
    ok_ = false;
    return {};
  }
  const std::span<const uint8_t> taken = in_.first(n);
  in_ = in_.subspan(n);
  return taken;
}

}  // namespace dsv4::llm
