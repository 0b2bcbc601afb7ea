/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long from an audit line's being written to the plugin until another process sees its row.
 *
 *   bench/latency PLUGIN [COUNT]
 *
 * Starts the plugin on a pipe and follows its cache as sockledgerd does (inotify on SQLite's
 * write-ahead log).  One event at a time, a few milliseconds apart: the idle case.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "cache_tail.h"
#include "event.h"

#define COUNT_MAX 100000

struct seen {
	uint32_t serial;
	int64_t at_ns;
};

static int64_t on_begin(void *arg, const char *generation)
{
	(void)arg;
	(void)generation;
	return 0;
}

static void on_event(void *arg, const struct event *e, bool replay)
{
	struct seen *seen = arg;

	(void)replay;
	seen->serial = e->serial;
	seen->at_ns = clock_mono_ns();
}

static void on_number(void *arg, uint64_t seq)
{
	(void)arg;
	(void)seq;
}

static void on_missed(void *arg, int64_t rows)
{
	(void)arg;
	(void)rows;
}

static const struct cache_tail_ops ops = {
	.position = on_begin, .event = on_event, .followed = on_number, .missed = on_missed,
};

/* The plugin on a pipe: its write end. */
static int start_plugin(const char *plugin, const char *conf)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	if (fork() == 0) {
		dup2(ends[0], STDIN_FILENO);
		execl(plugin, plugin, "-f", "-c", conf, (char *)NULL);
		perror(plugin);
		_exit(127);
	}
	close(ends[0]);
	return ends[1];
}

static int send_event(int to, uint32_t serial)
{
	char lines[1024];
	long long now = clock_now_us();
	int n = snprintf(lines, sizeof(lines),
			 "type=SYSCALL msg=audit(%lld.%03lld:%u): arch=c000003e syscall=42 "
			 "success=yes exit=0 a0=3 a1=7ffc a2=10 a3=0 items=0 ppid=1 pid=2 "
			 "auid=0 uid=0 gid=0 euid=0 "
			 "suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 "
			 "comm=\"x\" exe=\"/x\" "
			 "key=\"sockledger\"\n"
			 "type=SOCKADDR msg=audit(%lld.%03lld:%u): "
			 "saddr=020000097F0000010000000000000000\n"
			 "type=PROCTITLE msg=audit(%lld.%03lld:%u): proctitle=\"x\"\n",
			 now / 1000000, now / 1000 % 1000, serial, now / 1000000, now / 1000 % 1000,
			 serial, now / 1000000, now / 1000 % 1000, serial);

	return write(to, lines, (size_t)n) == n ? 0 : -1;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int measure(struct cache_tail *f, struct seen *seen, int to, int count)
{
	static int64_t waits[COUNT_MAX];
	struct pollfd fd = { .fd = cache_tail_fd(f), .events = POLLIN };

	if (count < 1 || count > COUNT_MAX)
		return 2;
	for (int i = 0; i < count; i++) {
		int64_t from, give_up;

		poll(NULL, 0, 3);
		from = clock_mono_ns();
		give_up = from + 5000000000LL;
		if (send_event(to, (uint32_t)(i + 1)))
			return 1;
		while (seen->serial != (uint32_t)(i + 1)) {
			poll(&fd, 1, cache_tail_timeout_ms(f));
			cache_tail_poll(f);
			if (clock_mono_ns() > give_up)
				return 1;
		}
		waits[i] = seen->at_ns - from;
	}
	qsort(waits, (size_t)count, sizeof(*waits), by_size);
	printf("%d events: p50 %lld us, p99 %lld us, max %lld us\n", count,
	       (long long)waits[count / 2] / 1000, (long long)waits[count * 99 / 100] / 1000,
	       (long long)waits[count - 1] / 1000);
	/* The slowest tenth may be due to other work on the machine. */
	return waits[count * 9 / 10] > 2000000 ? 1 : 0;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/sockledger-latency.XXXXXX", cache[64], conf[64], command[128];
	struct seen seen = { 0 };
	struct cache_tail *f;
	int to, rc, status;
	FILE *out;

	if (argc < 2 || !mkdtemp(dir))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	snprintf(cache, sizeof(cache), "%s/cache.db", dir);
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	out = fopen(conf, "w");
	if (!out)
		return 1;
	fprintf(out, "cache = %s\n", cache);
	fclose(out);
	to = start_plugin(argv[1], conf);
	f = cache_tail_new(cache, &ops, &seen);
	for (int i = 0; i < 100 && access(cache, R_OK); i++)
		poll(NULL, 0, 20);
	poll(NULL, 0, 200);
	cache_tail_poll(f);
	rc = measure(f, &seen, to, argc > 2 ? atoi(argv[2]) : 500);
	if (rc)
		fprintf(stderr, "%s: more than a tenth of the rows came after 2 ms, or not"
			" at all\n", argv[0]);
	close(to);
	wait(&status);
	cache_tail_free(f);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || rc;
}
