/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the first packet of a connection waits, as the one who connects sees it.
 *
 *   bench/connects [--mode MODE] [--rate N] [--count N] [--seconds N] [--clients N] [--age MS]
 *                  [--port FIRST]
 *
 *   living   a process that lives on: socket(), then connect() over TCP, which is timed
 *   known    the same with sockets that are MS (20) old: their record has come.  As fast as
 *            possible: all clients make their sockets, wait, and connect them all at once; only
 *            that is timed
 *   exiting  each connection by a process of its own that is gone right after it
 *   udp      a connected UDP socket; timed from send() to the echo
 *   sendto   an unconnected one, a fresh one for each datagram; timed likewise
 *
 * p50_us, p99_us, max_us: as the program sees it, with all that the kernel does before connect()
 * comes back (audit writes its record there) and until the program has a processor again.
 * packet_p50_us, packet_p99_us: the packet's own way, which the kernel measures: from sending the
 * SYN until its answer comes (tcpi_rtt, tcp(7)); 0 for UDP.
 *
 * All to 127.0.0.1, each client to a listener of its own in another process, at FIRST and the ports
 * behind it, or wherever there is room.  --rate is of all clients together, 0 as fast as possible.
 * One line of key=value; what failed is not in the times.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define SAMPLES_MAX 2000000	/* a client's */
#define AHEAD_MAX 500		/* sockets open at once in mode known */
#define AHEAD_MIN 16
#define CHILDREN_MAX 64
#define STACK_BYTES 65536
#define PATIENCE_S 5
#define NS_PER_S 1000000000LL

enum mode { LIVING, KNOWN, EXITING, UDP, SENDTO, MODES };
static const char *const mode_names[MODES] = { "living", "known", "exiting", "udp", "sendto" };

/* Shared with the client that fills it in. */
struct result {
	int64_t from_ns, to_ns;	/* what lies between was measured */
	long count;
	float us[SAMPLES_MAX];	/* negative: failed */
	float packet_us[SAMPLES_MAX];
};

/* Shared by all clients, which make burst after burst together. */
struct together {
	pthread_barrier_t barrier;
	bool over;
};

struct job {
	enum mode mode;
	double rate, seconds;	/* a client's rate; 0: no pace, no end but count */
	long count, age_ms;
	int clients, number, port;	/* port: of the first one's listener; 0: any */
	struct sockaddr_in to;
	struct result *result;
	struct together *together;
	int64_t begin_ns;
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void sleep_until(int64_t when_ns)
{
	struct timespec t = { .tv_sec = when_ns / NS_PER_S, .tv_nsec = when_ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static bool is_udp(enum mode mode)
{
	return mode == UDP || mode == SENDTO;
}

static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

/* Only the call is measured, so everything before it is set up here. */
static int fresh_socket(const struct job *job)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	/* Reset at the end: nothing stays in TIME_WAIT and uses the ports up. */
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(AF_INET, is_udp(job->mode) ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!is_udp(job->mode))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	else if (job->mode == UDP && connect(fd, (const void *)&job->to, sizeof(job->to)))
		perror("connects: connect");
	return fd;
}

static float packet_us(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ? 0 : (float)info.tcpi_rtt;
}

/* The one call that is measured. */
static void measure(const struct job *job, long i, int fd)
{
	const void *to = job->mode == UDP ? NULL : &job->to;
	socklen_t len = to ? sizeof(job->to) : 0;
	int64_t from = now_ns(CLOCK_MONOTONIC_RAW);
	struct result *r = job->result;
	char byte = 'x';
	bool ok;

	if (is_udp(job->mode))
		ok = sendto(fd, &byte, 1, 0, to, len) == 1 && recv(fd, &byte, 1, 0) == 1;
	else
		ok = connect(fd, to, len) == 0;
	r->us[i] = ok ? (float)(now_ns(CLOCK_MONOTONIC_RAW) - from) / 1000 : -1;
	r->packet_us[i] = ok && !is_udp(job->mode) ? packet_us(fd) : 0;
}

/* Waits for the turn of connection i; false where the time is over. */
static bool paced(const struct job *job, long i)
{
	int64_t now = now_ns(CLOCK_MONOTONIC), due = now;

	if (i >= job->count)
		return false;
	if (job->rate > 0)
		due = job->begin_ns + (int64_t)((double)i * (double)NS_PER_S / job->rate);
	if (job->seconds > 0 &&
	    (due > now ? due : now) - job->begin_ns >= (int64_t)(job->seconds * NS_PER_S))
		return false;
	if (due > now)
		sleep_until(due);
	return true;
}

static long run_living(struct job *job)
{
	long i;

	for (i = 0; paced(job, i); i++) {
		int fd = fresh_socket(job);

		measure(job, i, fd);
		close(fd);
	}
	return i;
}

/* A ring of sockets: the oldest connects, and another one takes its place. */
static long run_known(struct job *job)
{
	int64_t age_ns = job->age_ms * 1000000, made_ns[AHEAD_MAX] = { 0 };
	double wanted = job->rate * (double)job->age_ms / 500;
	int fds[AHEAD_MAX] = { 0 }, ahead = wanted > AHEAD_MAX ? AHEAD_MAX :
				    wanted < AHEAD_MIN ? AHEAD_MIN : (int)wanted;
	long i;

	for (int k = 0; k < ahead; k++) {
		fds[k] = fresh_socket(job);
		made_ns[k] = now_ns(CLOCK_MONOTONIC);
	}
	sleep_until(made_ns[ahead - 1] + age_ns);
	job->begin_ns = now_ns(CLOCK_MONOTONIC);
	for (i = 0; paced(job, i); i++) {
		int k = (int)(i % ahead);

		if (now_ns(CLOCK_MONOTONIC) < made_ns[k] + age_ns)
			sleep_until(made_ns[k] + age_ns);
		measure(job, i, fds[k]);
		close(fds[k]);
		fds[k] = fresh_socket(job);
		made_ns[k] = now_ns(CLOCK_MONOTONIC);
	}
	for (int k = 0; k < ahead; k++)
		close(fds[k]);
	return i;
}

/* False: the time is over, for all of them. */
static bool next_burst(const struct job *job, long done)
{
	struct together *t = job->together;
	int64_t spent_ns = now_ns(CLOCK_MONOTONIC) - job->begin_ns;

	pthread_barrier_wait(&t->barrier);
	if (job->number == 0)
		t->over = done >= job->count || (done && job->seconds > 0 &&
						 spent_ns >= (int64_t)(job->seconds * NS_PER_S));
	pthread_barrier_wait(&t->barrier);
	return !t->over;
}

static long run_bursts(struct job *job, int64_t *busy_ns)
{
	int64_t from;
	int fds[AHEAD_MAX], ahead;
	long i = 0;

	while (next_burst(job, i)) {
		ahead = job->count - i < AHEAD_MAX ? (int)(job->count - i) : AHEAD_MAX;
		for (int k = 0; k < ahead; k++)
			fds[k] = fresh_socket(job);
		sleep_until(now_ns(CLOCK_MONOTONIC) + job->age_ms * 1000000);
		pthread_barrier_wait(&job->together->barrier);
		from = now_ns(CLOCK_MONOTONIC);
		for (int k = 0; k < ahead; k++) {
			measure(job, i++, fds[k]);
			close(fds[k]);
		}
		*busy_ns += now_ns(CLOCK_MONOTONIC) - from;
	}
	return i;
}

/* A process of its own for one connection.  It shares our memory, which is slow to copy. */
struct child {
	pid_t pid;		/* 0: none runs here */
	const struct job *job;
	long i;
	char stack[STACK_BYTES] __attribute__((aligned(16)));
};

static int connect_and_go(void *arg)
{
	struct child *c = arg;

	measure(c->job, c->i, fresh_socket(c->job));
	_exit(0);
}

static int reap(struct child *children, int running, int most)
{
	pid_t pid;

	while (running && (pid = waitpid(-1, NULL, running < most ? WNOHANG : 0)) > 0) {
		for (int k = 0; k < most; k++)
			if (children[k].pid == pid)
				children[k].pid = 0;
		running--;
	}
	return running;
}

/* With a pace a slow answer holds no later one up; without, one after the other. */
static long run_exiting(struct job *job)
{
	int most = job->rate > 0 ? CHILDREN_MAX : 1, running = 0;
	struct child *children = calloc((size_t)most, sizeof(*children)), *c;
	long i;

	for (i = 0; children && paced(job, i); i++) {
		running = reap(children, running, most);
		for (c = children; c->pid; c++)
			;
		c->job = job;
		c->i = i;
		job->result->us[i] = -1;
		c->pid = clone(connect_and_go, c->stack + STACK_BYTES, CLONE_VM | SIGCHLD, c);
		if (c->pid > 0)
			running++;
		else
			c->pid = 0;
	}
	while (running)
		running = reap(children, running, running);	/* waits */
	free(children);
	return i;
}

static void run_client(struct job *job)
{
	struct result *r = job->result;

	job->begin_ns = now_ns(CLOCK_MONOTONIC);
	if (job->mode == KNOWN && job->rate <= 0) {
		r->count = run_bursts(job, &r->to_ns);
		return;
	}
	if (job->rate > 0)	/* not all clients in step */
		sleep_until(job->begin_ns += (int64_t)(job->number * (double)NS_PER_S /
						       job->rate / job->clients));
	r->count = job->mode == KNOWN ? run_known(job) :
		   job->mode == EXITING ? run_exiting(job) : run_living(job);
	r->from_ns = job->begin_ns;
	r->to_ns = now_ns(CLOCK_MONOTONIC);
}

static void serve(int listener, bool udp)
{
	struct sockaddr_in from;
	char byte;

	for (;;) {
		socklen_t len = sizeof(from);

		if (!udp)
			close(accept(listener, NULL, NULL));
		else if (recvfrom(listener, &byte, 1, 0, (void *)&from, &len) == 1)
			sendto(listener, &byte, 1, 0, (void *)&from, len);
	}
}

/* A listener and the process behind it. */
static pid_t start_server(struct job *job)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;
	bool udp = is_udp(job->mode);
	int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(job->to);
	pid_t parent = getpid(), pid;

	if (job->port)
		at.sin_port = htons((uint16_t)(job->port + job->number));
	if (fd < 0 ||
	    (!udp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on))) ||
	    bind(fd, (const void *)&at, sizeof(at)) ||
	    getsockname(fd, (void *)&job->to, &len) || (!udp && listen(fd, 4096)))
		return -1;
	pid = fork();
	if (pid == 0) {
		die_with(parent);
		serve(fd, udp);
	}
	close(fd);
	return pid;
}

/* Waits with the others until the parent closes the gate. */
static pid_t start_client(struct job *job, const int gate[2])
{
	pid_t parent = getpid(), pid = fork();
	char byte;

	if (pid == 0) {
		die_with(parent);
		prctl(PR_SET_TIMERSLACK, 1);
		close(gate[1]);
		if (read(gate[0], &byte, 1) < 0)
			_exit(1);
		run_client(job);
		_exit(0);
	}
	return pid;
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* The sample that so many percent do not exceed. */
static double rank(const float *us, long count, double percent)
{
	long i = (long)(percent / 100 * (double)count + 0.999999);

	return us[i < 1 ? 0 : i > count ? count - 1 : i - 1];
}

/* Gathers the samples of the connections that succeeded, the smallest first. */
static long gather(const struct job *jobs, bool packet, float *to)
{
	long count = 0;

	for (int i = 0; i < jobs->clients; i++) {
		const struct result *r = jobs[i].result;

		for (long k = 0; k < r->count; k++)
			if (r->us[k] >= 0)
				to[count++] = packet ? r->packet_us[k] : r->us[k];
	}
	qsort(to, (size_t)count, sizeof(*to), by_size);
	return count;
}

static int report(const struct job *jobs, double rate)
{
	int64_t from = INT64_MAX, to = 0;
	long total = 0, count;
	double seconds;
	float *us;

	for (int i = 0; i < jobs->clients; i++) {
		const struct result *r = jobs[i].result;

		total += r->count;
		from = r->from_ns < from ? r->from_ns : from;
		to = r->to_ns > to ? r->to_ns : to;
	}
	us = calloc((size_t)total + 1, sizeof(*us));
	if (!us)
		return 1;
	count = gather(jobs, false, us);
	seconds = (double)(to - from) / (double)NS_PER_S;
	printf("mode=%s rate=%.0f clients=%d count=%ld failed=%ld seconds=%.1f per_second=%.1f "
	       "p50_us=%.1f p99_us=%.1f max_us=%.1f", mode_names[jobs->mode], rate,
	       jobs->clients, count, total - count, seconds, (double)count / seconds,
	       count ? rank(us, count, 50) : 0, count ? rank(us, count, 99) : 0,
	       count ? (double)us[count - 1] : 0);
	gather(jobs, true, us);
	printf(" packet_p50_us=%.1f packet_p99_us=%.1f\n", count ? rank(us, count, 50) : 0,
	       count ? rank(us, count, 99) : 0);
	free(us);
	return count ? 0 : 1;
}

static struct together *bring_together(int clients)
{
	struct together *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t shared;

	if (t == MAP_FAILED || pthread_barrierattr_init(&shared) ||
	    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED) ||
	    pthread_barrier_init(&t->barrier, &shared, (unsigned int)clients))
		return NULL;
	return t;
}

static int usage(void)
{
	fputs("Usage: bench/connects [--mode living|known|exiting|udp|sendto] [--rate N]"
	      " [--count N]\n"
	      "                      [--seconds N] [--clients N] [--age MS] [--port FIRST]\n",
	      stderr);
	return 2;
}

static bool parse(struct job *job, double *rate, int argc, char **argv)
{
	static const struct option options[] = {
		{ "mode", required_argument, NULL, 'm' }, { "rate", required_argument, NULL, 'r' },
		{ "count", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 's' },
		{ "clients", required_argument, NULL, 'c' },
		{ "age", required_argument, NULL, 'a' },
		{ "port", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			for (job->mode = 0; job->mode < MODES; job->mode++)
				if (!strcmp(optarg, mode_names[job->mode]))
					break;
			break;
		case 'r': *rate = strtod(optarg, NULL); break;
		case 'n': job->count = strtol(optarg, NULL, 10); break;
		case 's': job->seconds = strtod(optarg, NULL); break;
		case 'c': job->clients = (int)strtol(optarg, NULL, 10); break;
		case 'a': job->age_ms = strtol(optarg, NULL, 10); break;
		case 'p': job->port = (int)strtol(optarg, NULL, 10); break;
		default: return false;
		}
	}
	if (!job->count)
		job->count = job->seconds > 0 ? SAMPLES_MAX : 1000;
	return optind == argc && job->mode < MODES && *rate >= 0 && job->seconds >= 0 &&
	       job->clients >= 1 && job->clients <= CLIENTS_MAX && job->count > 0 &&
	       job->count <= SAMPLES_MAX && job->age_ms >= 0 && job->age_ms <= 10000 &&
	       job->port >= 0 && job->port + job->clients <= 65536;
}

/* The children that run already end with this process. */
static int failed(const char *what)
{
	fprintf(stderr, "connects: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct job first = { .clients = 1, .age_ms = 20 }, jobs[CLIENTS_MAX] = { 0 };
	pid_t servers[CLIENTS_MAX], clients[CLIENTS_MAX];
	double rate = 0;
	int gate[2];

	if (!parse(&first, &rate, argc, argv))
		return usage();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	first.rate = rate / first.clients;
	first.result = mmap(NULL, (size_t)first.clients * sizeof(struct result),
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	first.together = bring_together(first.clients);
	if (first.result == MAP_FAILED || !first.together)
		return failed("no memory");
	for (int i = 0; i < first.clients; i++) {
		jobs[i] = first;
		jobs[i].number = i;
		jobs[i].result = &first.result[i];
		servers[i] = start_server(&jobs[i]);
		if (servers[i] < 0)
			return failed("cannot start a server");
	}
	/* After the servers were started, because they would inherit the gate and hold it open. */
	if (pipe(gate))
		return failed("no pipe");
	for (int i = 0; i < first.clients; i++) {
		clients[i] = start_client(&jobs[i], gate);
		if (clients[i] < 0)
			return failed("cannot start a client");
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < first.clients; i++)
		waitpid(clients[i], NULL, 0);
	for (int i = 0; i < first.clients; i++) {
		kill(servers[i], SIGKILL);
		waitpid(servers[i], NULL, 0);
	}
	return report(jobs, rate);
}
