#include "sandbox/init/broker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/launch_spec.h"

namespace dsv4::sandbox {

Answer outcome(long result) {
  return result < 0 ? failed(errno) : Answer{Answer::Kind::kValue, static_cast<int>(result)};
}
Answer failed(int error) { return {Answer::Kind::kError, error}; }
Answer go_on_or(const Request& request, int error) {
  return request.grounds->everywhere ? failed(error) : go_on();
}
Answer give(int fd, bool close_on_exec) { return {Answer::Kind::kDescriptor, fd, close_on_exec}; }

void send_answer(const Request& request, const Answer& answer) {
  seccomp_notif_resp response{};
  response.id = request.note.id;
  switch (answer.kind) {
    case Answer::Kind::kLater:
      return;
    case Answer::Kind::kGoOn:
      response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
      break;
    case Answer::Kind::kValue:
      response.val = answer.value;
      break;
    case Answer::Kind::kError:
      response.error = -answer.value;
      break;
    case Answer::Kind::kDescriptor: {
      seccomp_notif_addfd add{};
      add.id = request.note.id;
      add.flags = SECCOMP_ADDFD_FLAG_SEND;  // gives it and answers, at once
      add.srcfd = static_cast<uint32_t>(answer.value);
      add.newfd_flags = answer.close_on_exec ? O_CLOEXEC : 0;
      const int given = ioctl(request.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
      const int error = errno;
      close(answer.value);
      if (given >= 0) return;
      response.error = -error;  // no descriptor left, for example
      break;
    }
  }
  ioctl(request.listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

namespace {

const Request* waited_for = nullptr;  // of this process, which does nothing else

uint64_t signals(const Request& request, const char* field) {
  char text[64] = {};
  return status_text(request, field, text) ? strtoull(text, nullptr, 16) : 0;
}

void look_for_signals(int) {
  if (!still_waiting(*waited_for)) _exit(0);
  const uint64_t waiting = signals(*waited_for, "\nSigPnd:") | signals(*waited_for, "\nShdPnd:");
  const uint64_t handled = signals(*waited_for, "\nSigCgt:") & ~signals(*waited_for, "\nSigBlk:");
  if ((waiting & handled) == 0) return;
  send_answer(*waited_for, failed(EINTR));
  _exit(0);
}

void tell(ReportKind kind, int value, bool* told) {
  if (value < 0 || value >= Told::kMost || told[value]) return;
  told[value] = true;
  const Report report{kind, value};
  while (send(kControlFd, &report, sizeof report, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

// What goes on to the kernel although it is about a protected path is denied there.
// What a call that is `made` here is refused is the kernel's own answer to anybody.
void tell_if_denied(const Request& request, const Answer& answer, bool made, Told* told) {
  const bool refused =
      answer.kind == Answer::Kind::kError && (answer.value == EPERM || answer.value == EACCES);
  if (request.guarded >= 0 && (refused || answer.kind == Answer::Kind::kGoOn)) {
    tell(ReportKind::kDeniedPath, request.guarded, told->paths);
  } else if (refused && !made) {
    tell(ReportKind::kDeniedCall, request.note.data.nr, told->calls);
  }
}

}  // namespace

void give_up_on_signals(const Request& request) {
  waited_for = &request;
  struct sigaction action {};
  action.sa_handler = look_for_signals;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  constexpr timeval kPause{0, 20'000};
  const itimerval again{kPause, kPause};
  setitimer(ITIMER_REAL, &again, nullptr);
}

void answer_one(int listener, const Grounds& grounds, Told* told) {
  Request request{};
  request.listener = listener;
  request.grounds = &grounds;
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request.note) != 0) return;  // it was killed
  Handler handler = file_handler(request.note.data.nr);
  if (handler == nullptr) handler = attribute_handler(request.note.data.nr);
  if (handler == nullptr) handler = socket_handler(request.note.data.nr);
  if (handler == nullptr) handler = process_handler(request.note.data.nr);
  const Answer answer = handler == nullptr ? failed(EPERM) : handler(request);
  tell_if_denied(request, answer, handler != nullptr && grounds.everywhere, told);
  send_answer(request, answer);
}

}  // namespace dsv4::sandbox
