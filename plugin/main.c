/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audisp-sockledger: audit records on stdin become rows of the cache.
 *
 *   stdin --read_input()--> lines --assembler--> whole events --audit_parse()--> struct event
 *         --proc_enrich_read()--> what /proc can still tell --cache_sink_put()--> a thread that
 *         writes the cache
 *
 * auditd writes to its plugins with blocking writes, one after another: a plugin that reads slowly
 * slows every audited process of the host.  So this thread does nothing that waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assemble.h"
#include "clock.h"
#include "confine.h"
#include "config.h"
#include "counters.h"
#include "failures.h"
#include "gaps.h"
#include "splitter.h"
#include "log.h"
#include "audit_parse.h"
#include "proc_enrich.h"
#include "privileges.h"
#include "program.h"
#include "cache_sink.h"
#include "uring_rules.h"

/* With more than this waiting to be read, /proc is not asked: auditd must not wait for us. */
#define BUSY_BYTES ((size_t)48 * 1024)
#define KICK_MS 100
#define LAST_COMMIT_MS 30000

/*
 * What each is for, and what is missing without it: CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH:
 * /proc/PID/fd and ns of other users' processes, and with them socket and namespace of an event.
 * CAP_AUDIT_CONTROL: the kernel's own count of lost records.  CAP_SYS_NICE: the priority of the
 * lookers, which are waited for.
 */
#define KEPT (PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH) | \
	      PRIVILEGE(CAP_AUDIT_CONTROL) | PRIVILEGE(CAP_SYS_NICE))

struct plugin {
	struct config *config;	/* the program's */
	struct counters counters;
	struct gaps gaps;
	struct assembler *assembler;
	struct audit_parser *parser;
	struct proc_enrich proc_enrich;
	struct cache_sink *cache_sink;
	struct signals *signals;
	bool resumed;		/* the gap since an earlier run is counted */
	/* auditd must not wait for us; a person who feeds us a log can */
	enum committer_patience patience;
	bool input_backlog;	/* more has come in than we can look at closely */
	int64_t now_us;		/* when the input at hand was read */
	int64_t kicked_lines;	/* the count of lines when the sink was last kicked */
	int64_t now_ns;		/* likewise */
	struct splitter input;
};

static const char usage_text[] =
	"Usage: audisp-sockledger [-c FILE] [-ft]\n"
	"Reads audit records from stdin, as auditd gives them to its plugins, into the cache.\n"
	"\n"
	"  -c, --config FILE   configuration instead of " SYSCONFDIR "/sockledger/sockledger.conf\n"
	"  -f, --foreground    messages to stderr instead of syslog\n"
	"  -t, --test          check the configuration and exit\n"
	"      --load-rules    load the audit rules for io_uring, and exit\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version\n";

/* A record of another host, whose pids mean nothing here. */
static bool is_foreign(const struct plugin *p, const struct event *e)
{
	return e->node.data &&
	       !text_equal(e->node, text_of(p->config->node));
}

static void enrich(struct plugin *p, struct event *e)
{
	if (is_foreign(p, e))
		return;
	/* A host that calls itself by its own name is this one. */
	e->node = TEXT_NONE;
	if (p->input_backlog) {
		FAILS(TOO_MUCH);
		count_add(&p->counters, COUNT_PROC_BUSY, 1);
		proc_enrich_name(e);
		return;
	}
	switch (proc_enrich_read(&p->proc_enrich, e, e->arrival_us)) {
	case PROC_ENRICH_READ:
		count_add(&p->counters, COUNT_PROC_READ, 1);
		break;
	case PROC_ENRICH_GONE:
		FAILS(PROCESS_GONE);
		count_add(&p->counters, COUNT_PROC_GONE, 1);
		break;
	case PROC_ENRICH_UNREADABLE:
		FAILS(LOOK_OVERDUE);
		count_add(&p->counters, COUNT_PROC_UNREADABLE, 1);
		break;
	case PROC_ENRICH_OLD:
		break;
	}
}

static void on_assembled(const struct assembled *a, void *arg)
{
	static const enum plugin_counter why[] = {
		[AUDIT_OTHER_KEY] = COUNT_SKIPPED_KEY,
		[AUDIT_OTHER_FAMILY] = COUNT_SKIPPED_FAMILY,
		[AUDIT_NO_ADDRESS] = COUNT_INCOMPLETE,
		[AUDIT_BAD_ADDRESS] = COUNT_BAD_ADDRESS,
		[AUDIT_UNKNOWN_ARCH] = COUNT_UNKNOWN_ARCH,
		[AUDIT_BAD] = COUNT_BAD_EVENT,
		[AUDIT_NO_MEMORY] = COUNT_LOST_MEMORY,
	};
	struct plugin *p = arg;
	struct event e;
	enum audit_result result = audit_parse(p->parser, a, p->config->audit_key, &e);

	if (result != AUDIT_OURS) {
		FAILS(RECORD_BAD);
		FAILS(ARCH_UNKNOWN);
		FAILS(NO_MEMORY);
		count_add(&p->counters, why[result], 1);
		return;
	}
	e.arrival_us = p->now_us;
	enrich(p, &e);
	cache_sink_put(p->cache_sink, &e, p->patience);
}

/* auditd's own messages (1200 to 1299) are numbered by itself, not by the kernel. */
static bool numbered_by_kernel(const struct stamp *s)
{
	return s->type.len < 7 || memcmp(s->type.data, "DAEMON_", 7);
}

/*
 * "auditctl -m sockledger-probe=N" sends a message the way that all records go, kernel and auditd:
 * when last_probe is N in the cache, everything that was recorded before it is there as well.
 * Only a process that may write audit messages (CAP_AUDIT_WRITE) can send it.
 */
static void look_for_probe(struct plugin *p, const struct stamp *s, const char *line, size_t len)
{
	static const char mark[] = "sockledger-probe=";
	const char *at;
	int64_t n = 0;

	if (!text_equal(s->type, text_of("USER")))
		return;
	at = memmem(line, len, mark, sizeof(mark) - 1);
	if (!at)
		return;
	for (at += sizeof(mark) - 1; at < line + len && *at >= '0' && *at <= '9' && n < INT32_MAX;
	     at++)
		n = n * 10 + (*at - '0');
	count_set(&p->counters, COUNT_PROBE, n);
}

/* Notes where the next run has to go on: behind the events that were handed over.  An event that
 * is still open would be lost with this run, so stay in front of it. */
static void note_serial(struct plugin *p)
{
	uint32_t done = p->gaps.newest, oldest;

	if (!p->gaps.started)
		return;
	if (assembler_oldest(p->assembler, &oldest) && (int32_t)(oldest - done) <= 0)
		done = oldest - 1;
	count_set(&p->counters, COUNT_SERIAL, done);
}

static void take_line(void *arg, const char *line, size_t len)
{
	struct plugin *p = arg;
	struct stamp stamp;

	if (len == 0)
		return;
	count_add(&p->counters, COUNT_LINES, 1);
	if (!stamp_parse(line, len, &stamp) || memchr(line, '\0', len)) {
		count_add(&p->counters, COUNT_BAD_LINE, 1);
		return;
	}
	if (numbered_by_kernel(&stamp) &&
	    (!stamp.node.data || text_equal(stamp.node, text_of(p->config->node)))) {
		gaps_see(&p->gaps, stamp.serial);
		count_set(&p->counters, COUNT_LOST_SERIAL, p->gaps.missing);
	}
	assembler_line(p->assembler, &stamp, line, len, p->now_ns);
	note_serial(p);
	look_for_probe(p, &stamp, line, len);
}

/* One read.  False at the end of the input. */
static bool read_input(struct plugin *p)
{
	struct config *fresh = cache_sink_new_config(p->cache_sink);
	uint32_t serial;
	size_t room;
	char *to;
	ssize_t n;

	/* The last serial is known as soon as the cache could be opened. */
	if (!p->resumed && p->patience == PATIENCE_NONE &&
	    cache_sink_last_serial(p->cache_sink, &serial)) {
		p->resumed = true;
		gaps_resume(&p->gaps, serial);
	}
	if (fresh) {
		config_release(p->config);
		*p->config = *fresh;
		free(fresh);
	}
	to = splitter_room(&p->input, &room);
	n = read(STDIN_FILENO, to, room);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	p->input_backlog = p->patience == PATIENCE_NONE && (size_t)n + p->input.len >= BUSY_BYTES;
	p->now_us = clock_now_us();
	p->now_ns = clock_mono_ns();
	splitter_take(&p->input, (size_t)n, take_line, p);
	count_set(&p->counters, COUNT_BAD_LONG, p->input.too_long);
	return true;
}

/* auditd ends, and what it has written is still in the pipe. */
static void read_rest(struct plugin *p)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

	while (poll(&fd, 1, 0) > 0 && (fd.revents & POLLIN))
		if (!read_input(p))
			break;
}

static void run(struct plugin *p)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = p->signals->end, .events = POLLIN },
		{ .fd = p->signals->reload, .events = POLLIN },
	};

	while (!fds[1].revents) {
		int wait = assembler_age(p->assembler, clock_mono_ns());
		bool counted = count_get(&p->counters, COUNT_LINES) != p->kicked_lines;

		if (counted && (wait < 0 || wait > KICK_MS))
			wait = KICK_MS;
		if (poll(fds, 3, wait) == 0 && counted) {
			p->kicked_lines = count_get(&p->counters, COUNT_LINES);
			cache_sink_kick(p->cache_sink);
		}
		if (fds[2].revents) {
			signals_reload(p->signals);
			cache_sink_reload(p->cache_sink);
		}
		if (fds[0].revents && !read_input(p))
			return;
	}
	read_rest(p);
}

/* What feeds us: auditd, which makes audited processes wait while we do; a person's pipe; or a
 * file. */
static enum committer_patience find_patience(void)
{
	char path[64], name[32] = "";
	struct stat st;
	FILE *f;

	if (!fstat(STDIN_FILENO, &st) && S_ISREG(st.st_mode))
		return PATIENCE_ENDLESS;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)getppid());
	f = fopen(path, "re");
	if (f && !fgets(name, sizeof(name), f))
		name[0] = '\0';
	if (f)
		fclose(f);
	return strcmp(name, "auditd\n") && strcmp(name, "audispd\n") ? PATIENCE_PROGRESS :
									   PATIENCE_NONE;
}

/* Beside those of both daemons: processor and priority of the lookers. */
static const char *const calls[] = {
	"sched_setaffinity", "sched_setscheduler", "setpriority", NULL,
};

static int serve(struct plugin *p, const char *config_path)
{
	int rc;

	rc = proc_enrich_init(&p->proc_enrich, "/proc");
	if (!rc)
		rc = proc_enrich_start_lookers(&p->proc_enrich);
	if (rc) {
		log_error("cannot start: %s", strerror(-rc));
		return 1;
	}
	p->patience = find_patience();
	p->assembler = assembler_new(&p->counters, on_assembled, p);
	p->parser = audit_parser_new();
	if (!p->assembler || !p->parser) {
		log_error("cannot start: %s", strerror(errno));
		return 1;
	}
	count_set(&p->counters, COUNT_RESTARTS, 1);
	p->cache_sink = cache_sink_start(p->config, config_path, &p->counters, p->signals->end);
	if (!p->cache_sink) {
		log_error("cannot start: %s", strerror(errno));
		return 1;
	}
	confine(calls);
	proc_enrich_renew_lookers(&p->proc_enrich);
	run(p);
	if (splitter_end(&p->input))
		count_add(&p->counters, COUNT_BAD_LINE, 1);
	assembler_flush(p->assembler);
	rc = cache_sink_stop(p->cache_sink, LAST_COMMIT_MS);
	proc_enrich_release(&p->proc_enrich);
	audit_parser_free(p->parser);
	assembler_free(p->assembler);
	/* Losing part of a log means that the import has failed. */
	if (p->patience != PATIENCE_NONE && count_get(&p->counters, COUNT_LOST_BUFFER)) {
		log_error("%lld events had no room while the cache could not be written, and are "
			  "lost",
			  (long long)count_get(&p->counters, COUNT_LOST_BUFFER));
		rc = 1;
	}
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	static struct program program = { .name = "audisp-sockledger", .usage = usage_text,
					  .has_rules = true, .privileges = KEPT };
	static struct plugin plugin;
	int rc = program_begin(&program, argc, argv);

	if (rc == PROGRAM_RUNS) {
		plugin.config = &program.config;
		plugin.signals = &program.signals;
		rc = program.load_rules ? uring_rules_load(program.config.audit_key) :
					  serve(&plugin, program.config_path);
		program_end(&program);
	}
	return rc;
}
