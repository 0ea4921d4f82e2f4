#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "sandbox/descriptor.h"
#include "sandbox/sandbox.h"
#include "tests/catch.h"
#include "tests/sandbox/work_dir.h"

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}
inline std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// What belongs to the user who runs the program and is no business of a command: a file, a process,
// sockets and shared memory, all of which that user may use.
class Outside {
 public:
  Outside() {
    write_file(file(), "secret");
    ::chmod(file().c_str(), 0755);
    process_ = ::fork();
    if (process_ == 0) {
      ::pause();
      ::_exit(0);
    }
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    sockaddr* name = reinterpret_cast<sockaddr*>(&at);
    REQUIRE(::bind(server_.get(), name, size) == 0);
    REQUIRE(::listen(server_.get(), 64) == 0);
    REQUIRE(::getsockname(server_.get(), name, &size) == 0);
    port_ = ntohs(at.sin_port);
    listen_at(stream_, socket_path());
    listen_at(datagram_, datagram_path());
    listen_at(abstract_, std::string(1, '\0') + abstract_name());
    memory_ = ::shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    shared_ = dsv4::sandbox::Descriptor(
        ::shm_open(("/" + shared_name()).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    REQUIRE(shared_);
  }
  ~Outside() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    ::shmctl(memory_, IPC_RMID, nullptr);
    ::shm_unlink(("/" + shared_name()).c_str());
  }
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;

  std::filesystem::path file() const { return folder_.path() / "secret"; }

  // Tells the probes where it all is.
  void tell(dsv4::sandbox::Policy& policy) const {
    const auto add = [&](const char* name, const std::string& value) {
      policy.environment.emplace_back(name, value);
    };
    add("HOST_FILE", file().string());
    add("HOST_FOLDER", folder_.path().string());
    add("HOST_PID", std::to_string(process_));
    add("HOST_PORT", std::to_string(port_));
    add("HOST_SOCKET", socket_path());
    add("HOST_DATAGRAM", datagram_path());
    add("HOST_ABSTRACT", abstract_name());
    add("HOST_SHM", std::to_string(memory_));
    add("HOST_SHARED", shared_name());
  }

  // Whether everything is as it was.
  bool untouched() const {
    struct stat now {};
    return read_file(file()) == "secret" && ::stat(file().c_str(), &now) == 0 &&
           (now.st_mode & 07777) == 0755 && now.st_nlink == 1 && ::kill(process_, 0) == 0 &&
           std::distance(std::filesystem::directory_iterator(folder_.path()), {}) == 4;
  }

 private:
  std::string socket_path() const { return (folder_.path() / "socket").string(); }
  std::string datagram_path() const { return (folder_.path() / "datagram").string(); }
  std::string abstract_name() const { return folder_.path().filename().string() + "-abstract"; }
  std::string shared_name() const { return folder_.path().filename().string() + "-shared"; }

  static void listen_at(const dsv4::sandbox::Descriptor& socket, const std::string& name) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    name.copy(at.sun_path, sizeof at.sun_path);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), size) == 0);
    ::listen(socket.get(), 64);
  }
  static dsv4::sandbox::Descriptor socket_of(int family, int type) {
    return dsv4::sandbox::Descriptor(::socket(family, type | SOCK_CLOEXEC, 0));
  }

  WorkDir folder_;
  dsv4::sandbox::Descriptor server_ = socket_of(AF_INET, SOCK_STREAM);
  dsv4::sandbox::Descriptor stream_ = socket_of(AF_UNIX, SOCK_STREAM);
  dsv4::sandbox::Descriptor datagram_ = socket_of(AF_UNIX, SOCK_DGRAM);
  dsv4::sandbox::Descriptor abstract_ = socket_of(AF_UNIX, SOCK_STREAM);
  dsv4::sandbox::Descriptor shared_;
  pid_t process_ = -1;
  int port_ = 0;
  int memory_ = -1;
};
