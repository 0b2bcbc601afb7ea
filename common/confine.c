/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls, by libseccomp.  By their numbers alone: the kernel remembers the answer for those
 * whose arguments do not matter, and a packet's verdict does not become slower.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "confine.h"
#include "log.h"

/* What libc, SQLite and threads need, whatever a daemon does: measured by strace, with their
 * neighbours on other machines and in other versions of libc. */
static const char *const common[] = {
	/* memory */
	"brk", "madvise", "mmap", "mmap2", "mprotect", "mremap", "munmap", "membarrier",
	/* files */
	"access", "chmod", "close", "close_range", "dup", "dup2", "dup3", "faccessat",
	"faccessat2", "fadvise64", "fallocate", "fchmod", "fchmodat", "fchown", "fchown32",
	"fcntl", "fcntl64", "fdatasync", "flock", "fstat", "fstat64", "fstatfs", "fstatfs64",
	"fsync", "ftruncate", "ftruncate64", "getcwd", "getdents", "getdents64", "ioctl",
	"_llseek", "lseek", "lstat", "lstat64", "mkdir", "mkdirat", "newfstatat", "fstatat64",
	"open", "openat", "openat2", "pread64", "preadv", "pwrite64", "pwritev", "read",
	"readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir", "stat",
	"stat64", "statfs", "statfs64", "statx", "umask", "unlink", "unlinkat", "utimensat",
	"utimensat_time64", "write", "writev", "fgetxattr", "getxattr", "lgetxattr",
	/* threads */
	"clone", "clone3", "exit", "exit_group", "futex", "futex_time64", "get_robust_list",
	"getcpu", "gettid", "rseq", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
	"sched_yield", "set_robust_list", "set_tid_address", "tgkill",
	/* who we are */
	"capget", "capset", "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32",
	"getpid", "getppid", "getrandom", "getrlimit", "getrusage", "getuid", "getuid32", "prctl",
	"prlimit64", "sysinfo", "ugetrlimit", "uname",
	/* signals, and processes of our own */
	"kill", "pause", "restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
	"rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sigaltstack", "sigreturn",
	"signalfd4", "wait4", "waitid", "waitpid",
	/* waiting, and the time */
	"clock_getres", "clock_gettime", "clock_gettime64", "clock_nanosleep",
	"clock_nanosleep_time64", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait",
	"eventfd2", "gettimeofday", "nanosleep", "_newselect", "pipe", "pipe2", "poll", "ppoll",
	"ppoll_time64", "pselect6", "select", "time", "timerfd_create", "timerfd_settime",
	"timerfd_settime64",
	/* sockets: the log's, a service manager's, the kernel's */
	"bind", "connect", "getpeername", "getsockname", "getsockopt", "recv", "recvfrom",
	"recvmmsg", "recvmmsg_time64", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto",
	"setsockopt", "shutdown", "socket", "socketcall", "socketpair",
};

/* What no library of ours makes: whoever does has got code of its own into us. */
static const char *const foreign[] = {
	"bpf", "delete_module", "execve", "execveat", "finit_module", "init_module",
	"kexec_file_load", "kexec_load", "keyctl", "mount", "move_mount", "open_by_handle_at",
	"perf_event_open", "pivot_root", "process_vm_readv", "process_vm_writev", "ptrace",
	"reboot", "setns", "swapon", "umount2", "unshare", "userfaultfd",
};

/* More than libseccomp takes.  Without memory it ends the process, or loads a filter that lacks
 * calls. */
#define ROOM_BYTES ((size_t)4 * 1024 * 1024)

static bool has_room(void)
{
	void *volatile room = malloc(ROOM_BYTES);
	bool there = room != NULL;

	free(room);
	return there;
}

/* A name that this machine or libseccomp does not know is none to be allowed. */
static int add(scmp_filter_ctx f, uint32_t action, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	return number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(f, action, number, 0);
}

static int add_all(scmp_filter_ctx f, const char *const *more)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(common) / sizeof(common[0]); i++)
		rc = add(f, SCMP_ACT_ALLOW, common[i]);
	for (size_t i = 0; !rc && more[i]; i++)
		rc = add(f, SCMP_ACT_ALLOW, more[i]);
	for (size_t i = 0; !rc && i < sizeof(foreign) / sizeof(foreign[0]); i++)
		rc = add(f, SCMP_ACT_KILL_PROCESS, foreign[i]);
	return rc;
}

void confine(const char *const *more)
{
	scmp_filter_ctx f = has_room() ? seccomp_init(SCMP_ACT_ERRNO(ENOSYS)) : NULL;
	int rc = f ? 0 : -ENOMEM;

	/* Calls of another machine's kind (32 bits in a 64-bit process) are nobody's of us. */
	if (!rc)
		rc = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!rc)
		rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	/* A tree, for kernels before 5.11, which remember no answers. */
	if (!rc)
		rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!rc)
		rc = add_all(f, more);
	if (!rc)
		rc = seccomp_load(f);
	if (rc)
		log_warn("cannot give up system calls: %s", strerror(-rc));
	seccomp_release(f);
}
