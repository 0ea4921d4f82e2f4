// Reading and changing files that are not the command's to read or change: the system's, somebody's
// outside (HOST_FILE, in HOST_FOLDER), and the protected .git of the working copy.

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/probes/probe.h"

namespace {

constexpr const char* kConfig = ".git/config";

bool opens(const std::string& path, int flags) { return ::open(path.c_str(), flags, 0644) >= 0; }
bool reads(const std::string& path) { return opens(path, O_RDONLY); }
bool creates(const std::string& path) { return opens(path, O_CREAT | O_WRONLY); }
std::string host() { return told("HOST_FILE"); }
int config() { return ::open(kConfig, O_RDONLY); }

bool setuid_chmod() {
  ::close(::open("suid", O_CREAT | O_WRONLY, 0755));
  return ::chmod("suid", 04755) == 0;
}
bool setgid_fchmod() { return ::fchmod(::open("sgid", O_CREAT | O_WRONLY, 0755), 02755) == 0; }
bool setuid_create() { return ::open("suid-new", O_CREAT | O_WRONLY, 04755) >= 0; }
bool setuid_node() { return ::mknod("suid-node", S_IFREG | 04755, 0) == 0; }
bool setuid_chmod2() {
  constexpr long kFchmodat2 = 452;
  ::close(::open("suid2", O_CREAT | O_WRONLY, 0755));
  return ::syscall(kFchmodat2, AT_FDCWD, "suid2", 04755, 0) == 0;
}
bool device_node() { return ::mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0; }
bool disk_node() { return ::mknod("disk", S_IFBLK | 0666, makedev(8, 0)) == 0; }

bool write_usr() { return creates("/usr/x"); }
bool write_etc() { return creates("/etc/x"); }
bool write_root() { return creates("/x"); }
bool write_dev() { return creates("/dev/x"); }
bool write_proc() { return opens("/proc/sys/vm/drop_caches", O_WRONLY); }
bool write_above() { return creates("../probe-x"); }

bool read_root_home() { return reads("/root"); }
bool read_home() { return reads("/home"); }
bool read_shadow() { return reads("/etc/shadow"); }
bool read_run() { return reads("/run"); }
bool read_sys() { return reads("/sys"); }
bool read_resolv() { return reads("/etc/resolv.conf"); }
bool read_ssh() { return reads("/etc/ssh"); }
bool read_var() { return reads("/var/lib"); }
bool read_terminals() { return reads("/dev/tty") || reads("/dev/pts/0"); }

bool host_read() { return reads(host()); }
bool host_list() { return reads(told("HOST_FOLDER")); }
bool host_write() { return opens(host(), O_WRONLY); }
bool host_create() { return creates(told("HOST_FOLDER") + "/new"); }
bool host_chmod() { return ::chmod(host().c_str(), 0666) == 0; }
bool host_chown() { return ::chown(host().c_str(), ::getuid(), ::getgid()) == 0; }
bool host_touch() { return ::utimensat(AT_FDCWD, host().c_str(), nullptr, 0) == 0; }
bool host_truncate() { return ::truncate(host().c_str(), 0) == 0; }
bool host_remove() { return ::unlink(host().c_str()) == 0; }
bool host_rename() { return ::rename(host().c_str(), "taken") == 0; }
bool host_hard_link() { return ::link(host().c_str(), "linked") == 0; }
bool host_through_link() { return ::symlink(host().c_str(), "to-host") == 0 && reads("to-host"); }
bool host_through_folder_link() {
  return ::symlink(told("HOST_FOLDER").c_str(), "to-folder") == 0 && creates("to-folder/new");
}
bool host_attribute() { return ::setxattr(host().c_str(), "user.x", "1", 1, 0) == 0; }
bool host_watch() { return ::inotify_add_watch(::inotify_init1(0), host().c_str(), IN_OPEN) >= 0; }
bool host_run() { return ::execl(host().c_str(), "x", nullptr) == 0; }
bool host_shared_file() { return opens("/dev/shm/" + told("HOST_SHARED"), O_RDWR); }

bool git_write() { return opens(kConfig, O_WRONLY); }
bool git_create() { return creates(".git/hook"); }
bool git_make_folder() { return ::mkdir(".git/hooks-x", 0755) == 0; }
bool git_link() { return ::symlink("x", ".git/link") == 0; }
bool git_remove() { return ::unlink(kConfig) == 0; }
bool git_remove_folder() { return ::rmdir(".git/empty") == 0; }
bool git_rename() { return ::rename(".git", "was-git") == 0; }
bool git_move_out() { return ::rename(kConfig, "config") == 0; }
bool git_move_in() { return creates("plain") && ::rename("plain", kConfig) == 0; }
bool git_exchange() {
  ::mkdir("other", 0755);
  return ::syscall(SYS_renameat2, AT_FDCWD, ".git", AT_FDCWD, "other", RENAME_EXCHANGE) == 0;
}
bool git_hard_link() { return ::link(kConfig, "linked-config") == 0; }
bool git_hard_link_handle() {
  const std::string handle = "/proc/self/fd/" + std::to_string(config());
  return ::linkat(AT_FDCWD, handle.c_str(), AT_FDCWD, "linked-handle", AT_SYMLINK_FOLLOW) == 0;
}
bool git_truncate() { return ::truncate(kConfig, 0) == 0; }
bool git_truncating_read() { return opens(kConfig, O_RDONLY | O_TRUNC); }
bool git_chmod() { return ::chmod(kConfig, 0777) == 0; }
bool git_chmod_handle() { return ::fchmod(config(), 0777) == 0; }
bool git_chmod_by_name() {
  const std::string handle = "/proc/self/fd/" + std::to_string(config());
  return ::chmod(handle.c_str(), 0777) == 0;
}
bool git_chown() { return ::fchown(config(), ::getuid(), ::getgid()) == 0; }
bool git_touch() { return ::futimens(config(), nullptr) == 0; }
bool git_attribute() { return ::setxattr(kConfig, "user.x", "1", 1, 0) == 0; }
bool git_flags() {
  int flags = 0x80;  // do not update the time of access
  return ::ioctl(config(), FS_IOC_SETFLAGS, &flags) == 0;
}
bool git_through_link() { return ::symlink(".git", "to-git") == 0 && creates("to-git/hook"); }
bool git_through_handle() {
  return ::openat(::open(".git", O_RDONLY), "hook", O_CREAT | O_WRONLY, 0644) >= 0;
}
bool git_reopen() { return opens("/proc/self/fd/" + std::to_string(config()), O_WRONLY); }
bool git_unnamed() { return ::open(".git", O_TMPFILE | O_WRONLY, 0644) >= 0; }

constexpr Probe kAttempts[] = {
    PROBE(setuid_chmod),
    PROBE(setgid_fchmod),
    PROBE(setuid_create),
    PROBE(setuid_node),
    PROBE(setuid_chmod2),
    PROBE(device_node),
    PROBE(disk_node),
    PROBE(write_usr),
    PROBE(write_etc),
    PROBE(write_root),
    PROBE(write_dev),
    PROBE(write_proc),
    PROBE(write_above),
    PROBE(read_root_home),
    PROBE(read_home),
    PROBE(read_shadow),
    PROBE(read_run),
    PROBE(read_sys),
    PROBE(read_resolv),
    PROBE(read_ssh),
    PROBE(read_var),
    PROBE(read_terminals),
    PROBE(host_read),
    PROBE(host_list),
    PROBE(host_write),
    PROBE(host_create),
    PROBE(host_chmod),
    PROBE(host_chown),
    PROBE(host_touch),
    PROBE(host_truncate),
    PROBE(host_remove),
    PROBE(host_rename),
    PROBE(host_hard_link),
    PROBE(host_through_link),
    PROBE(host_through_folder_link),
    PROBE(host_attribute),
    PROBE(host_watch),
    PROBE(host_run),
    PROBE(host_shared_file),
    PROBE(git_write),
    PROBE(git_create),
    PROBE(git_make_folder),
    PROBE(git_link),
    PROBE(git_remove),
    PROBE(git_remove_folder),
    PROBE(git_rename),
    PROBE(git_move_out),
    PROBE(git_move_in),
    PROBE(git_exchange),
    PROBE(git_hard_link),
    PROBE(git_hard_link_handle),
    PROBE(git_truncate),
    PROBE(git_truncating_read),
    PROBE(git_chmod),
    PROBE(git_chmod_handle),
    PROBE(git_chmod_by_name),
    PROBE(git_chown),
    PROBE(git_touch),
    PROBE(git_attribute),
    PROBE(git_flags),
    PROBE(git_through_link),
    PROBE(git_through_handle),
    PROBE(git_reopen),
    PROBE(git_unnamed),
};

}  // namespace

std::span<const Probe> file_attempts() { return kAttempts; }
