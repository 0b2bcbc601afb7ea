/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two processes of one user: one makes it look as if it had opened a connection that the other one
 * opens, or as if another program had.  Each line of the output is the truth about one: PORT PID of
 * who has sent.  COUNT ports from FIRST on, to 127.0.0.1:PORT, where nobody answers; PROGRAM is
 * what some of them become afterwards.
 *
 *   impostor WAY FIRST COUNT PORT [PROGRAM]       (WAY: see ways[])
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif
#ifndef TCP_FASTOPEN_NO_COOKIE
#define TCP_FASTOPEN_NO_COOKIE 34
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef MSG_PROBE
#define MSG_PROBE 0x10
#endif
#define STACK 65536
#define LINGER_MS 120	/* until the records have come */

static struct sockaddr_in to;
static char *program;
static char end_at_once[] = "end";
static char *become[3];	/* its arguments */
static atomic_int *turn;	/* of all its processes */

static void die(const char *what)
{
	fprintf(stderr, "impostor: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void nap_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Awake, so that not a microsecond is lost. */
static void await(int value)
{
	while (atomic_load(turn) < value)
		;
}

static void set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		die("setsockopt");
}

static int open_at(int type, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { .tv_usec = 300000 };
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		die("socket");
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (port && bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	return fd;
}

static int connect_it(int fd)
{
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static void begin(int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect_it(fd) && errno != EINPROGRESS)
		die("connect");
}

static void is_of(int port, pid_t pid)
{
	printf("%d %d\n", port, (int)pid);
	fflush(stdout);
}

static pid_t child(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	return pid;
}

/* Its own connection's descriptor becomes the other's socket before anybody can look. */
static void way_dup2(int port)
{
	int theirs = open_at(SOCK_STREAM, port), mine = open_at(SOCK_STREAM, 0);

	if (!child()) {
		await(1);
		begin(theirs);
		is_of(port, getpid());
		nap_ms(LINGER_MS);
		_exit(0);
	}
	fcntl(mine, F_SETFL, O_NONBLOCK);
	connect_it(mine);
	dup2(theirs, mine);
	atomic_store(turn, 1);
	wait(NULL);
	close(mine);
	close(theirs);
}

/* Likewise with datagrams: the other's socket is connected, and sends without an address. */
static void way_dup2udp(int port)
{
	int theirs = open_at(SOCK_DGRAM, port), mine = open_at(SOCK_DGRAM, 0);

	if (connect_it(theirs))
		die("connect");
	nap_ms(20);
	if (!child()) {
		await(1);
		send(theirs, "x", 1, MSG_NOSIGNAL);
		is_of(port, getpid());
		nap_ms(LINGER_MS);
		_exit(0);
	}
	sendto(mine, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to));
	dup2(theirs, mine);
	atomic_store(turn, 1);
	wait(NULL);
	close(mine);
	close(theirs);
}

struct swap {
	int port, mine, theirs;
};

/* Shares the table of descriptors with a process that waits in connect(). */
static int swap_and_connect(void *arg)
{
	struct swap *s = arg;

	await(1);
	nap_ms(5);
	dup2(s->theirs, s->mine);
	begin(s->theirs);
	dprintf(STDOUT_FILENO, "%d %d\n", s->port, (int)syscall(SYS_getpid));
	nap_ms(LINGER_MS);
	return 0;
}

static void way_files(int port)
{
	struct swap s = { port, open_at(SOCK_STREAM, 0), open_at(SOCK_STREAM, port) };
	char *stack = malloc(STACK);

	fflush(stdout);
	if (clone(swap_and_connect, stack + STACK, CLONE_FILES | CLONE_VM | SIGCHLD, &s) < 0)
		die("clone");
	atomic_store(turn, 1);
	connect_it(s.mine);
	wait(NULL);
	free(stack);
	close(s.mine);
	close(s.theirs);
}

static int listen_for_connects(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
}

/* A call that never begins: the child's filter holds it at its entry, and its parent connects. */
static void way_notify(int port)
{
	int fd = open_at(SOCK_STREAM, port), listener, pidfd;
	struct seccomp_notif n = { 0 };
	struct seccomp_notif_resp answer = { 0 };
	pid_t pid = child();

	if (!pid) {
		listener = listen_for_connects();
		if (listener < 0)
			die("seccomp");
		atomic_store(turn, listener + 1);
		connect_it(fd);
		nap_ms(LINGER_MS);
		_exit(0);
	}
	await(1);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	listener = (int)syscall(SYS_pidfd_getfd, pidfd, atomic_load(turn) - 1, 0);
	if (listener < 0 || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n))
		die("notification");
	is_of(port, getpid());
	begin(fd);
	close(fd);
	nap_ms(LINGER_MS);
	answer.id = n.id;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	close(listener);
	close(pidfd);
	wait(NULL);
}

/* A socket that is taken out of a process which is about to wait in connect(). */
static void way_steal(int port)
{
	int fd = open_at(SOCK_STREAM, port), pidfd, stolen;
	pid_t thief = child();

	if (!thief) {
		close(fd);
		pidfd = (int)syscall(SYS_pidfd_open, getppid(), 0);
		stolen = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		if (stolen < 0)
			die("pidfd_getfd");
		is_of(port, getpid());
		fcntl(stolen, F_SETFL, O_NONBLOCK);
		connect_it(stolen);
		fcntl(stolen, F_SETFL, 0);
		atomic_store(turn, 1);
		nap_ms(LINGER_MS);
		_exit(0);
	}
	await(1);
	connect_it(fd);
	wait(NULL);
	close(fd);
}

/* It begins, passes on, and is gone; who gets the socket waits in connect(). */
static void way_rights(int port)
{
	int fd = open_at(SOCK_STREAM, port);
	pid_t first = child();

	if (!first) {
		is_of(port, getpid());
		begin(fd);
		fcntl(fd, F_SETFL, 0);
		atomic_store(turn, 1);
		_exit(0);
	}
	await(1);
	connect_it(fd);
	wait(NULL);
	close(fd);
}

/* connect() leaves the SYN to who sends first; what is sent is nothing, or cannot be read. */
static void fast_open(int port, bool readable, bool at_once, int flags)
{
	int fd = open_at(SOCK_STREAM, port);
	const char *data = readable ? "" : (const char *)8;

	set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	set(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
	if (!child()) {
		await(1);
		if (!at_once)
			nap_ms(30);
		is_of(port, getpid());
		send(fd, data, readable ? 0 : 8, MSG_NOSIGNAL | flags);
		nap_ms(LINGER_MS);
		_exit(0);
	}
	if (connect_it(fd))
		die("connect");
	atomic_store(turn, 1);
	wait(NULL);
	close(fd);
}

static void way_fault(int port)
{
	fast_open(port, false, false, MSG_DONTWAIT);
}

static void way_faultnow(int port)
{
	fast_open(port, false, true, MSG_DONTWAIT);
}

static void way_emptynow(int port)
{
	fast_open(port, true, true, MSG_DONTWAIT);
}

/* It ends when the connection has its answer, or none. */
static void way_emptywait(int port)
{
	fast_open(port, true, true, 0);
}

/* A send that only asks whether the neighbour is there; another holder of the socket sends. */
static void way_probe(int port)
{
	int fd = open_at(SOCK_DGRAM, port);

	if (connect_it(fd))
		die("connect");
	nap_ms(20);
	if (!child()) {
		await(1);
		send(fd, "", 0, MSG_NOSIGNAL);
		is_of(port, getpid());
		nap_ms(LINGER_MS);
		_exit(0);
	}
	sendto(fd, "", 0, MSG_CONFIRM | MSG_PROBE, (struct sockaddr *)&to, sizeof(to));
	atomic_store(turn, 1);
	wait(NULL);
	close(fd);
}

/* A send that waits for more; another holder of the socket throws it away, and sends. */
static void way_flush(int port)
{
	int fd = open_at(SOCK_DGRAM, port);

	if (connect_it(fd))
		die("connect");
	nap_ms(20);
	if (!child()) {
		await(1);
		send(fd, (const char *)8, 8, MSG_NOSIGNAL);
		send(fd, "x", 1, MSG_NOSIGNAL);
		is_of(port, getpid());
		nap_ms(LINGER_MS);
		_exit(0);
	}
	sendto(fd, "x", 1, MSG_MORE, (struct sockaddr *)&to, sizeof(to));
	atomic_store(turn, 1);
	wait(NULL);
	close(fd);
}

/* Begins to connect with its parent's memory, and becomes the program at once. */
static void way_vfork(int port)
{
	int fd = open_at(SOCK_STREAM | SOCK_NONBLOCK, port);
	pid_t pid;

	fflush(stdout);
	pid = vfork();
	if (!pid) {
		connect_it(fd);
		execv(program, become);
		_exit(0);
	}
	is_of(port, pid);
	waitpid(pid, NULL, 0);
	close(fd);
}

/* Two threads: one connects, the other one becomes the program, by a descriptor. */
static void *connect_thread(void *arg)
{
	fcntl(*(int *)arg, F_SETFL, O_NONBLOCK);
	atomic_store(turn, 1);
	connect_it(*(int *)arg);
	return NULL;
}

static void way_execfd(int port)
{
	int fd = open_at(SOCK_STREAM, port), file = open(program, O_PATH | O_CLOEXEC);
	char *env[] = { NULL };
	pthread_t thread;
	pid_t pid = child();

	if (!pid) {
		is_of(port, getpid());
		pthread_create(&thread, NULL, connect_thread, &fd);
		await(1);
		syscall(SYS_execveat, file, "", become, env, 0x1000 /* AT_EMPTY_PATH */);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	close(file);
	close(fd);
}

/* The same socket twice: it is disconnected, and connected by another process. */
static void way_again(int port)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = open_at(SOCK_STREAM, port);

	begin(fd);
	if (!child()) {
		await(1);
		connect(fd, &none, sizeof(none));
		begin(fd);
		is_of(port, getpid());
		nap_ms(LINGER_MS);
		_exit(0);
	}
	is_of(port, getpid());
	nap_ms(30);
	atomic_store(turn, 1);
	wait(NULL);
	close(fd);
}

/* One binds, the other one connects. */
static void way_bound(int port)
{
	int fd = open_at(SOCK_STREAM, port);

	if (!child()) {
		begin(fd);
		is_of(port, getpid());
		nap_ms(LINGER_MS);
		_exit(0);
	}
	nap_ms(LINGER_MS / 2);
	wait(NULL);
	close(fd);
}

/* Names by which a parser of /proc/PID/stat, of records or of tables may take the wrong turn. */
static void way_names(int port)
{
	static const char *const names[] = {
		"auditd", "sockledgerd", "a\"b", "a\nb", ") S 1 1 1 (", "x) R 0 0 0", "\x1b[2J", "",
		"(null)", "?", "\xff\xfe", "audisp-sockledg", "a=b exe=\"/x\"", "%s%n", "'; DROP",
		"\t",
	};
	/* A run has a few tries: each run has others of them. */
	int n = (port + (int)getpid()) % (int)(sizeof(names) / sizeof(names[0]));

	if (!child()) {
		int fd = open_at(SOCK_STREAM, port);

		prctl(PR_SET_NAME, names[n], 0, 0, 0);
		is_of(port, getpid());
		begin(fd);
		nap_ms(LINGER_MS / 4);
		_exit(0);
	}
	wait(NULL);
}

static const struct {
	const char *name;
	void (*try)(int port);
} ways[] = {
	{ "dup2", way_dup2 }, { "dup2udp", way_dup2udp }, { "files", way_files },
	{ "notify", way_notify }, { "steal", way_steal }, { "rights", way_rights },
	{ "fault", way_fault }, { "faultnow", way_faultnow }, { "emptynow", way_emptynow },
	{ "emptywait", way_emptywait },
	{ "probe", way_probe }, { "flush", way_flush }, { "vfork", way_vfork },
	{ "execfd", way_execfd }, { "again", way_again }, { "bound", way_bound },
	{ "names", way_names },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

int main(int argc, char **argv)
{
	static char usual[] = "/bin/true";

	if (argc == 2 && !strcmp(argv[1], end_at_once))
		return 0;
	if (argc < 5)
		return 2;
	program = argc > 5 ? argv[5] : usual;
	become[0] = program;
	become[1] = end_at_once;
	to = (struct sockaddr_in){ .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)atoi(argv[4])),
				   .sin_addr = { htonl(INADDR_LOOPBACK) } };
	turn = mmap(NULL, sizeof(*turn), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	if (turn == MAP_FAILED)
		die("mmap");
	for (size_t w = 0; w < WAYS; w++) {
		if (strcmp(argv[1], ways[w].name))
			continue;
		for (int i = 0; i < atoi(argv[3]); i++) {
			atomic_store(turn, 0);
			ways[w].try(atoi(argv[2]) + i);
		}
		return 0;
	}
	return 2;
}
