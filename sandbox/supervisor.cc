#include "sandbox/supervisor.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <optional>
#include <system_error>

#include "sandbox/bubblewrap.h"
#include "sandbox/denials.h"
#include "sandbox/landlock.h"
#include "sandbox/launch_spec.h"
#include "sandbox/output.h"
#include "sandbox/proxy.h"
#include "sandbox/watch.h"

namespace asio = boost::asio;

namespace dsv4::sandbox {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> proxy_variables(const Policy& policy) {
  if (policy.network.empty()) return {};
  const std::string proxy = "http://127.0.0.1:" + std::to_string(kProxyPort);
  const std::string local = "localhost,127.0.0.1,::1";
  return {"http_proxy=" + proxy,  "HTTP_PROXY=" + proxy, "https_proxy=" + proxy,
          "HTTPS_PROXY=" + proxy, "no_proxy=" + local,   "NO_PROXY=" + local};
}

std::string spec_message(const Launch& box, const Policy& policy, const Command& command) {
  std::string text;
  const auto add = [&text](const std::string& word) {
    if (word.find('\0') != std::string::npos) {
      throw SetupError("A command, its folder or its environment holds a NUL byte.");
    }
    text.append(word);
    text.push_back('\0');
  };
  add((box.work_dir / command.cwd).string());
  for (const std::string& word : command.argv) add(word);
  for (const auto& [name, value] : policy.environment) {
    const bool elsewhere = box.temporary && value == "/tmp";
    add(name + "=" + (elsewhere ? box.temporary->path().string() : value));
  }
  for (const std::string& variable : proxy_variables(policy)) add(variable);
  const bool broker = box.temporary || !box.protected_paths.empty();
  if (broker) {
    add(box.work_dir.string());
    add(box.temporary ? box.temporary->path().string() : "/tmp");
    for (const std::string& path : box.protected_paths) add(path);
  }
  if (text.size() > kMaxSpecBytes) throw SetupError("The command line is too long.");
  SpecHeader header{};
  header.bytes = static_cast<uint32_t>(text.size());
  header.arguments = static_cast<uint32_t>(command.argv.size());
  header.variables =
      static_cast<uint32_t>(policy.environment.size() + proxy_variables(policy).size());
  header.proxy_port = policy.network.empty() ? 0 : kProxyPort;
  constexpr size_t kFolders = 2;
  header.grounds = static_cast<uint32_t>(broker ? kFolders + box.protected_paths.size() : 0);
  header.own_network = box.own_network ? 1 : 0;
  header.file_bytes = policy.limits.file_bytes;
  // Elsewhere the kernel would count every process of the user, not those of the command.
  header.processes = box.own_processes ? policy.limits.processes : 0;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + text;
}

// Reads what is waiting on the control socket; `sender` becomes the process that wrote it, `passed`
// the descriptor that came along.
ssize_t receive(int socket, void* into, size_t bytes, pid_t* sender, Descriptor* passed) {
  iovec part{into, bytes};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int))> extra{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = extra.data();
  message.msg_controllen = extra.size();
  const ssize_t n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (n < 0) return n;
  for (cmsghdr* part_of = CMSG_FIRSTHDR(&message); part_of != nullptr;
       part_of = CMSG_NXTHDR(&message, part_of)) {
    if (part_of->cmsg_level != SOL_SOCKET) continue;
    if (part_of->cmsg_type == SCM_RIGHTS) {
      int fd = -1;
      __builtin_memcpy(&fd, CMSG_DATA(part_of), sizeof fd);
      *passed = Descriptor(fd);
    }
    if (part_of->cmsg_type != SCM_CREDENTIALS) continue;
    ucred who{};
    __builtin_memcpy(&who, CMSG_DATA(part_of), sizeof who);
    *sender = who.pid;
  }
  return n;
}

// One command from start to end, driven by one event loop on the calling thread.
class Run {
 public:
  Run(Launch what, const Policy& policy, const Command& command)
      : policy_(policy),
        command_(command),
        started_(Clock::now()),
        box_(std::move(what)),
        spec_(spec_message(box_, policy, command)),
        launched_(launch(box_)),
        output_(loop_, launched_.output.release()),
        control_(loop_, asio::local::stream_protocol(), launched_.control.release()),
        deadline_(loop_),
        next_look_(loop_),
        last_resort_(loop_),
        watch_(policy, box_),
        kept_(policy.limits.kept_output_bytes) {}

  ~Run() {
    if (launched_.pid > 0) stop(End::kCancelled);  // only when a callback threw
    if (!ready_ && launched_.pid > 0) ::kill(launched_.pid, SIGKILL);
    reap();
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  Result finish() {
    read_output();
    read_control();
    deadline_.expires_at(started_ + policy_.limits.wall_time);
    deadline_.async_wait([this](const boost::system::error_code& error) {
      if (!error) stop(End::kTimedOut);
    });
    // The callback runs on the canceller's thread: only posting is safe there.
    const std::stop_callback cancelled(
        command_.cancel, [this] { asio::post(loop_, [this] { stop(End::kCancelled); }); });
    loop_.run();
    reap();
    return result();
  }

 private:
  void read_output();
  void read_control();
  void start_proxy(Descriptor listener);
  void on_report(const Report& report, pid_t sender);
  void look_again();
  void stop(End why);
  void input_ended();
  void give_up_soon();
  void reap();
  Result result();

  const Policy& policy_;
  const Command& command_;
  Clock::time_point started_;
  Launch box_;
  std::string spec_;
  asio::io_context loop_{1};
  Launched launched_;
  asio::posix::stream_descriptor output_;
  asio::local::stream_protocol::socket control_;
  asio::steady_timer deadline_;
  asio::steady_timer next_look_;
  asio::steady_timer last_resort_;
  Watch watch_;
  KeptOutput kept_;
  std::array<char, 256 << 10> buffer_;
  int inputs_open_ = 2;
  bool ready_ = false;
  pid_t init_pid_ = 0;
  Clock::duration last_look_{0};
  Descriptor init_;  // a handle on the init process that cannot come to mean another one
  Denials denials_;
  std::optional<Proxy> proxy_;
  std::optional<Report> report_;
  std::optional<End> stopped_;
};

void Run::read_output() {
  output_.async_read_some(asio::buffer(buffer_), [this](const auto& error, size_t n) {
    if (error) return input_ended();
    const std::string_view bytes(buffer_.data(), n);
    kept_.add(bytes);
    if (command_.on_output && ready_) command_.on_output(bytes);
    read_output();
  });
}

void Run::read_control() {
  control_.async_wait(asio::socket_base::wait_read, [this](const auto& error) {
    if (error) return input_ended();
    Report report{};
    pid_t sender = 0;
    Descriptor passed;
    const ssize_t n = receive(control_.native_handle(), &report, sizeof report, &sender, &passed);
    const bool again = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (!again && n != sizeof report) return input_ended();
    if (passed) start_proxy(std::move(passed));
    if (!again) on_report(report, sender);
    read_control();
  });
}

void Run::start_proxy(Descriptor listener) {
  proxy_.emplace(std::move(listener), policy_.network, [this](const std::string& line) {
    denials_.logged(line);
    if (policy_.on_network) policy_.on_network(line);
  });
}

void Run::on_report(const Report& report, pid_t sender) {
  if (report.kind == ReportKind::kListening) return;
  if (report.kind == ReportKind::kDeniedCall || report.kind == ReportKind::kDeniedPath) {
    return denials_.reported(report, box_);
  }
  if (report.kind != ReportKind::kReady) {
    if (!report_) report_ = report;
    return;
  }
  ready_ = true;
  init_pid_ = sender;
  init_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, sender, 0)));
  if (box_.cgroup && !box_.cgroup->add(sender)) box_.cgroup.reset();
  asio::async_write(control_, asio::buffer(spec_), [](const auto&, size_t) {});
  if (stopped_) return stop(*stopped_);
  look_again();
}

void Run::input_ended() {
  if (--inputs_open_ > 0) return give_up_soon();
  deadline_.cancel();
  next_look_.cancel();
  last_resort_.cancel();
}

// A bare command can stop or kill even its reaper, and a process that got away then holds the
// output open for as long as it likes. Boxed this never comes to pass.
void Run::give_up_soon() {
  constexpr auto kPatience = std::chrono::seconds(10);
  last_resort_.expires_after(kPatience);
  last_resort_.async_wait([this](const boost::system::error_code& error) {
    if (error || inputs_open_ == 0) return;
    if (box_.cgroup) box_.cgroup->kill();
    ::kill(launched_.pid, SIGKILL);
    boost::system::error_code ignored;
    output_.close(ignored);
    control_.close(ignored);
  });
}

// Often enough that little can be taken between two looks, and at most a tenth of the time.
void Run::look_again() {
  constexpr auto kPause = std::chrono::milliseconds(25);
  constexpr int kShare = 10;
  next_look_.expires_after(std::max<Clock::duration>(kPause, last_look_ * kShare));
  next_look_.async_wait([this](const boost::system::error_code& error) {
    if (error || inputs_open_ == 0) return;
    const Clock::time_point before = Clock::now();
    if (const std::optional<End> over = watch_.exceeded(init_pid_, box_.cgroup.get())) stop(*over);
    last_look_ = Clock::now() - before;
    look_again();
  });
}

// Ends the command. Where init has a process-id namespace, killing it is enough: the kernel kills
// all of that. Elsewhere init must live to kill its descendants, and is asked to by hanging up.
void Run::stop(End why) {
  if (!report_ && !stopped_) stopped_ = why;
  if (!box_.own_processes) {
    ::shutdown(control_.native_handle(), SHUT_WR);
    give_up_soon();
  } else if (init_) {
    ::syscall(SYS_pidfd_send_signal, init_.get(), SIGKILL, nullptr, 0);
  } else if (ready_) {
    ::kill(launched_.pid, SIGKILL);  // no handle could be had: bubblewrap takes its child along
  }
  // Before init is there nothing is killed: a half-made box could outlive bubblewrap and hold the
  // output open. As soon as init reports, it is stopped; a box that cannot be made ends by itself.
}

// Bubblewrap ends after init, and init after everything in its namespace.
void Run::reap() {
  if (launched_.pid <= 0) return;
  int status = 0;
  while (::waitpid(launched_.pid, &status, 0) < 0 && errno == EINTR) {
  }
  launched_.pid = -1;
}

Result Run::result() {
  Result result;
  result.wall = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
  result.output = kept_.text();
  result.output_bytes = kept_.total();
  result.output_cut = kept_.cut();
  result.denied = denials_.all();
  if (box_.cgroup && box_.cgroup->ran_out_of_memory()) stopped_ = End::kOutOfMemory;
  const bool refused = report_ && report_->kind == ReportKind::kSetupFailed;
  if (stopped_ && !refused) {
    result.end = *stopped_;
    return result;
  }
  if (!ready_) throw SetupError(setup_advice(result.output));
  if (refused) {
    throw SetupError(landlock_advice(report_->value));
  }
  if (!report_) {  // something outside killed init
    result.end = End::kSignalled;
    result.status = SIGKILL;
    return result;
  }
  const int value = report_->value;
  switch (report_->kind) {
    case ReportKind::kExit:
      result.end = WIFSIGNALED(value) ? End::kSignalled : End::kExited;
      result.status = WIFSIGNALED(value) ? WTERMSIG(value) : WEXITSTATUS(value);
      break;
    case ReportKind::kDirFailed:
      result.end = End::kNotFound;
      result.output +=
          "cannot enter " + command_.cwd + ": " + std::generic_category().message(value) + "\n";
      break;
    default:
      constexpr int kCannotExecute = 126;  // as shells say it
      result.end = value == ENOENT ? End::kNotFound : End::kExited;
      result.status = value == ENOENT ? 0 : kCannotExecute;
      result.output += "cannot run " + command_.argv.front() + ": " +
                       std::generic_category().message(value) + "\n";
  }
  return result;
}

}  // namespace

Result supervise(Launch launch, const Policy& policy, const Command& command) {
  return std::make_unique<Run>(std::move(launch), policy, command)->finish();
}

}  // namespace dsv4::sandbox
