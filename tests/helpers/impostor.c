/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two processes of one user: one makes it look as if it had opened a connection that the other one
 * opens, or as if another program had.  Each line of the output is the truth about one: PORT PID of
 * who has sent, written when all that the way consists of has been seen to happen.  COUNT ports
 * from FIRST on, to 127.0.0.1:PORT, where nobody answers; PROGRAM is what some of them become
 * afterwards.  What the kernel does not have is told as "unsupported".
 *
 *   impostor WAY FIRST COUNT PORT [PROGRAM]       (WAY: see ways[])
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
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
#include <unistd.h>

#include "helper.h"
#include "passing.h"

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

/* How long the next call on it waits. */
static void be_patient(int fd, int64_t ms)
{
	struct timeval t = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)))
		die("SO_SNDTIMEO");
}

static int open_at(int type, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, type, 0);

	if (fd < 0)
		die("socket");
	be_patient(fd, 300);
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (port && bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	return fd;
}

static int connect_it(int fd)
{
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

/* Its SYN has gone, and has no answer. */
static bool is_connecting(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		die("TCP_INFO");
	return info.tcpi_state == TCP_SYN_SENT;
}

static void has_sent(int fd)
{
	if (!is_connecting(fd))
		die("nothing was sent");
}

static void begin(int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (!connect_it(fd) || errno != EINPROGRESS)
		die("connect");
	has_sent(fd);
}

/* Waits in connect() for what another one has begun. */
static void join(int fd)
{
	if (!connect_it(fd) || errno != EALREADY)
		die("nobody has begun");
}

/* The descriptor is that socket by now. */
static void is_at(int fd, int port)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len) || ntohs(a.sin_port) != port)
		die("it is another socket");
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

/* The child has done its part. */
static void end_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid || status)
		die("the other process failed");
}

/* Its descriptor becomes the socket at that port, on which pid goes on. */
static void let_become(int mine, int theirs, int port, pid_t pid)
{
	dup2(theirs, mine);
	atomic_store(turn, 1);
	end_of(pid);
	is_at(mine, port);
	is_of(port, pid);
	close(mine);
	close(theirs);
}

/* Its own connection's descriptor becomes the other's socket before anybody can look. */
static void become_theirs(int port, int mine, bool waits)
{
	int theirs = open_at(SOCK_STREAM, port);
	pid_t pid = child();

	if (!pid) {
		close(mine);
		await(1);
		if (!waits)
			begin(theirs);
		else if (!connect_it(theirs) || errno != EINPROGRESS)
			die("the other's connect");
		has_sent(theirs);
		nap_ms(LINGER_MS);
		_exit(0);
	}
	fcntl(mine, F_SETFL, O_NONBLOCK);
	if (!connect_it(mine) || errno != EINPROGRESS)
		die("its own connect");
	let_become(mine, theirs, port, pid);
}

static void way_dup2(int port)
{
	become_theirs(port, open_at(SOCK_STREAM, 0), false);
}

/* The other one is still in its call when the record of this one comes. */
static void way_dup2wait(int port)
{
	become_theirs(port, open_at(SOCK_STREAM, 0), true);
}

/* Likewise with datagrams: the other's socket is connected, and sends without an address. */
static void way_dup2udp(int port)
{
	int theirs = open_at(SOCK_DGRAM, port), mine = open_at(SOCK_DGRAM, 0);
	pid_t pid;

	if (connect_it(theirs))
		die("connect");
	nap_ms(20);
	pid = child();
	if (!pid) {
		await(1);
		if (send(theirs, "x", 1, MSG_NOSIGNAL) != 1)
			die("send");
		nap_ms(LINGER_MS);
		_exit(0);
	}
	if (sendto(mine, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)) != 1)
		die("sendto");
	let_become(mine, theirs, port, pid);
}

/* Its own call is in another network namespace, so that it has no packet here. */
static void way_elsewhere(int port)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int pair[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	pid = child();
	if (!pid) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
			die("unsupported: unshare");
		fd = open_at(SOCK_STREAM, 0);
		if (ioctl(fd, SIOCSIFFLAGS, &lo))
			die("lo");
		if (pass_fd(pair[0], fd))
			die("the pair");
		_exit(0);
	}
	close(pair[0]);
	fd = take_fd(pair[1]);
	if (fd < 0)
		die("no socket came");
	end_of(pid);
	close(pair[1]);
	become_theirs(port, fd, false);
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
	nap_ms(LINGER_MS);
	return 0;
}

static void way_files(int port)
{
	struct swap s = { port, open_at(SOCK_STREAM, 0), open_at(SOCK_STREAM, port) };
	char *stack = malloc(STACK);
	pid_t pid;

	fflush(stdout);
	pid = clone(swap_and_connect, stack + STACK, CLONE_FILES | CLONE_VM | SIGCHLD, &s);
	if (pid < 0)
		die("clone");
	atomic_store(turn, 1);
	if (!connect_it(s.mine) || errno != EINPROGRESS)
		die("its own connect");
	end_of(pid);
	is_at(s.mine, port);
	is_of(port, pid);
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
			die("unsupported: seccomp");
		atomic_store(turn, listener + 1);
		if (connect_it(fd))
			die("it has begun");
		nap_ms(LINGER_MS);
		_exit(0);
	}
	await(1);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	listener = (int)syscall(SYS_pidfd_getfd, pidfd, atomic_load(turn) - 1, 0);
	if (listener < 0 || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) ||
	    n.data.nr != SYS_connect)
		die("notification");
	begin(fd);
	close(fd);
	nap_ms(LINGER_MS);
	answer.id = n.id;
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer))
		die("the answer");
	close(listener);
	close(pidfd);
	end_of(pid);
	is_of(port, getpid());
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
			die("unsupported: pidfd_getfd");
		begin(stolen);
		fcntl(stolen, F_SETFL, 0);
		atomic_store(turn, 1);
		nap_ms(LINGER_MS);
		_exit(0);
	}
	await(1);
	join(fd);
	end_of(thief);
	is_of(port, thief);
	close(fd);
}

/* It begins, passes on, and is gone; who gets the socket waits in connect(). */
static void way_rights(int port)
{
	int fd = open_at(SOCK_STREAM, port);
	pid_t first = child();

	if (!first) {
		begin(fd);
		fcntl(fd, F_SETFL, 0);
		atomic_store(turn, 1);
		_exit(0);
	}
	await(1);
	join(fd);
	end_of(first);
	is_of(port, first);
	close(fd);
}

struct midway {
	int pair, fd;
};

static void *pass_meanwhile(void *arg)
{
	struct midway *m = arg;

	while (!is_connecting(m->fd))
		nap_ms(1);
	if (pass_fd(m->pair, m->fd))
		die("the pair");
	nap_ms(LINGER_MS);
	_exit(0);
}

/* It waits in connect() while a thread of it passes the socket on, and is gone before the call has
 * ended. */
static void way_midway(int port)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	pid = child();
	if (!pid) {
		struct midway m = { pair[0], open_at(SOCK_STREAM, port) };
		pthread_t thread;

		/* It is gone before that, however busy the machine is. */
		be_patient(m.fd, 60000);
		if (pthread_create(&thread, NULL, pass_meanwhile, &m))
			die("thread");
		connect_it(m.fd);
		die("its connect() has ended");
	}
	close(pair[0]);
	pair[0] = take_fd(pair[1]);
	if (pair[0] < 0)
		die("no socket came");
	has_sent(pair[0]);
	be_patient(pair[0], 300);
	join(pair[0]);
	end_of(pid);
	is_of(port, pid);
	close(pair[0]);
	close(pair[1]);
}

static int open_for_later(int port)
{
	int fd = open_at(SOCK_STREAM, port);

	set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	set(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
	return fd;
}

/* How the first send on it is made, and whether who left it to the other one waits for its answer.
 */
struct first_send {
	bool readable, at_once, waits, joins;
};

/* connect() leaves the SYN to who sends first; what is sent is nothing, or cannot be read. */
static void fast_open(int port, const struct first_send *s)
{
	int fd = open_for_later(port);
	const char *data = s->readable ? "" : (const char *)8;
	pid_t pid = child();

	if (!pid) {
		await(1);
		if (!s->at_once)
			nap_ms(30);
		send(fd, data, s->readable ? 0 : 8,
		     MSG_NOSIGNAL | (s->waits ? 0 : MSG_DONTWAIT));
		has_sent(fd);
		atomic_store(turn, 2);
		nap_ms(LINGER_MS);
		_exit(0);
	}
	if (connect_it(fd))
		die("connect");
	atomic_store(turn, 1);
	if (s->joins) {
		await(2);
		join(fd);
	}
	end_of(pid);
	is_of(port, pid);
	close(fd);
}

/* A send of nothing connects, which needs no connect(); another one waits in its own. */
static void way_sendjoin(int port)
{
	int fd = open_at(SOCK_STREAM, port);
	pid_t pid = child();

	if (!pid) {
		set(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
		sendto(fd, "", 0, MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL,
		       (struct sockaddr *)&to, sizeof(to));
		has_sent(fd);
		atomic_store(turn, 1);
		nap_ms(LINGER_MS);
		_exit(0);
	}
	await(1);
	join(fd);
	end_of(pid);
	is_of(port, pid);
	close(fd);
}

/* Its send connects, and its descriptor becomes another socket, whose SYN it had left to others. */
static void way_dup2send(int port)
{
	int theirs = open_for_later(port), mine = open_at(SOCK_STREAM, 0);
	pid_t pid;

	if (connect_it(theirs))
		die("connect");
	nap_ms(20);
	pid = child();
	if (!pid) {
		await(1);
		if (send(theirs, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EINPROGRESS)
			die("send");
		has_sent(theirs);
		nap_ms(LINGER_MS);
		_exit(0);
	}
	set(mine, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
	sendto(mine, "x", 1, MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
	       sizeof(to));
	has_sent(mine);
	let_become(mine, theirs, port, pid);
}

/* A send that only asks whether the neighbour is there; another holder of the socket sends. */
static void way_probe(int port)
{
	int fd = open_at(SOCK_DGRAM, port);
	pid_t pid;

	if (connect_it(fd))
		die("connect");
	nap_ms(20);
	pid = child();
	if (!pid) {
		await(1);
		if (send(fd, "", 0, MSG_NOSIGNAL))
			die("send");
		nap_ms(LINGER_MS);
		_exit(0);
	}
	if (sendto(fd, "", 0, MSG_CONFIRM | MSG_PROBE, (struct sockaddr *)&to, sizeof(to)))
		die("the probe");
	atomic_store(turn, 1);
	end_of(pid);
	is_of(port, pid);
	close(fd);
}

/* A send that waits for more; another holder of the socket throws it away, and sends. */
static void way_flush(int port)
{
	int fd = open_at(SOCK_DGRAM, port);
	pid_t pid;

	if (connect_it(fd))
		die("connect");
	nap_ms(20);
	pid = child();
	if (!pid) {
		await(1);
		if (send(fd, (const char *)8, 8, MSG_NOSIGNAL) != -1 || errno != EFAULT ||
		    send(fd, "x", 1, MSG_NOSIGNAL) != 1)
			die("send");
		nap_ms(LINGER_MS);
		_exit(0);
	}
	if (sendto(fd, "x", 1, MSG_MORE, (struct sockaddr *)&to, sizeof(to)) != 1)
		die("the send that waits");
	atomic_store(turn, 1);
	end_of(pid);
	is_of(port, pid);
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
		_exit(1);
	}
	has_sent(fd);
	end_of(pid);
	is_of(port, pid);
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

static bool execs_by_descriptor(int port)
{
	int fd = open_at(SOCK_STREAM, port), file = open(program, O_PATH | O_CLOEXEC);
	char *env[] = { NULL };
	pthread_t thread;
	bool has;
	pid_t pid = child();

	if (!pid) {
		pthread_create(&thread, NULL, connect_thread, &fd);
		await(1);
		syscall(SYS_execveat, file, "", become, env, 0x1000 /* AT_EMPTY_PATH */);
		_exit(1);
	}
	end_of(pid);
	has = is_connecting(fd);
	if (has)
		is_of(port, pid);
	close(file);
	close(fd);
	return has;
}

/* The exec may come first: then nothing is sent. */
static void way_execfd(int port)
{
	while (!execs_by_descriptor(port))
		atomic_store(turn, 0);
}

/* The same socket twice: it is disconnected, and connected by another process. */
static void way_again(int port)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = open_at(SOCK_STREAM, port);
	pid_t pid;

	begin(fd);
	pid = child();
	if (!pid) {
		await(1);
		if (connect(fd, &none, sizeof(none)))
			die("disconnect");
		begin(fd);
		nap_ms(LINGER_MS);
		_exit(0);
	}
	nap_ms(30);
	atomic_store(turn, 1);
	end_of(pid);
	is_of(port, getpid());
	is_of(port, pid);
	close(fd);
}

/* One binds, the other one connects. */
static void way_bound(int port)
{
	int fd = open_at(SOCK_STREAM, port);
	pid_t pid = child();

	if (!pid) {
		begin(fd);
		nap_ms(LINGER_MS);
		_exit(0);
	}
	end_of(pid);
	is_of(port, pid);
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
	pid_t pid = child();

	if (!pid) {
		int fd = open_at(SOCK_STREAM, port);

		if (prctl(PR_SET_NAME, names[n], 0, 0, 0))
			die("its name");
		begin(fd);
		nap_ms(LINGER_MS / 4);
		_exit(0);
	}
	end_of(pid);
	is_of(port, pid);
}

static const struct {
	const char *name;
	void (*try)(int port);		/* NULL: fast_open() */
	struct first_send first;
} ways[] = {
#define WAY(way) { .name = #way, .try = way_##way }
	WAY(dup2), WAY(dup2wait), WAY(dup2udp), WAY(dup2send), WAY(elsewhere), WAY(files),
	WAY(midway), WAY(sendjoin), WAY(notify), WAY(steal), WAY(rights), WAY(probe), WAY(flush),
	WAY(vfork), WAY(execfd), WAY(again), WAY(bound), WAY(names),
#undef WAY
	{ .name = "fault" },
	{ .name = "faultnow", .first = { .at_once = true } },
	{ .name = "emptynow", .first = { .readable = true, .at_once = true } },
	{ .name = "emptywait", .first = { .readable = true, .at_once = true, .waits = true } },
	{ .name = "emptyjoin", .first = { .readable = true, .at_once = true, .joins = true } },
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
			if (ways[w].try)
				ways[w].try(atoi(argv[2]) + i);
			else
				fast_open(atoi(argv[2]) + i, &ways[w].first);
		}
		return 0;
	}
	return 2;
}
