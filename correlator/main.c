/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledgerd: follows the cache and keeps the ledger.
 *
 *   queue --nfqueue--> packet --judge--> verdict, and a row -----------\
 *   cache --records' thread--> struct event --observer--> a row -------- recorder's thread --> ledger
 *
 * Each queue has a thread that answers its packets (readers.h).  This one does what is not urgent:
 * records, and parked packets in whose time nothing came.  All of them hold the readers' lock while
 * they do anything, and a packet waits for no more than TURN_RECORDS records.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ancestry.h"
#include "clock.h"
#include "config.h"
#include "db.h"
#include "diag.h"
#include "host.h"
#include "judge.h"
#include "ledger.h"
#include "lookups.h"
#include "log.h"
#include "nfqueue.h"
#include "observe.h"
#include "pairing.h"
#include "policy.h"
#include "policy_file.h"
#include "priority.h"
#include "procfs.h"
#include "procscan.h"
#include "queue_threads.h"
#include "ledger_sink.h"
#include "cache_feed.h"
#include "signals.h"
#include "sockdiag.h"
#include "tasks.h"
#include "tracefeed.h"
#include "users.h"

#define LAST_COMMIT_MS 10000
#define NS_PER_MS 1000000LL
/* Records that are taken before a packet may come in between. */
#define TURN_RECORDS 8
/* How often the trace is read when no packet comes: before its buffers are full. */
#define TRACE_MS 50
/* A connect() that nobody answers has its record after two minutes. */
#define RESTORE_US (150 * TIME_US_PER_S)
/* How long to wait for room in the recorder's memory before asking for it again. */
#define ROOM_MS 5
#define FRESH_US (10 * TIME_US_PER_S)
/* Mistakes of one file that are told one by one. */
#define COMPLAINTS_MAX 1000

struct daemon {
	struct config config;
	const char *config_path;	/* NULL: the default one */
	struct cache_feed *records;
	struct observer *observer;
	struct ledger_sink *recorder;
	struct users *users;
	struct procfs *procfs;
	struct nfqueue *queue;		/* NULL: nothing is decided, all is observed */
	struct queue_threads *readers;	/* NULL likewise */
	int roused;			/* an eventfd: this thread is to look after parked packets sooner... */
	int64_t sleeps_until_ns;	/* ... than then */
	int shown;			/* packets, since this thread had its last turn */
	struct priority priority;
	struct sockdiag *sockdiag;
	struct tracefeed *tracefs;	/* NULL: there is no trace */
	struct host host;
	struct judge *judge;
	uint64_t recorded;		/* the newest position that a row has taken to the ledger */
	bool once;		/* end when all that is there has been followed */
	struct signals signals;
};

static const char usage_text[] =
	"Usage: sockledgerd [-c FILE] [-f] [-1]\n"
	"Turns the audit events of the cache into the ledger of connections.\n"
	"\n"
	"  -c, --config FILE   configuration instead of " SYSCONFDIR "/sockledger/sockledger.conf\n"
	"  -f, --foreground    stay in the foreground, messages to stderr\n"
	"  -1, --once          end when everything in the cache has been followed\n"
	"  -t, --test          check the configuration and exit\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version\n";

static int64_t position_of(void *arg, const char *epoch)
{
	const struct daemon *d = arg;

	return ledger_sink_position_of(d->recorder, epoch);
}

static void on_begin(void *arg, const char *epoch, uint64_t seq)
{
	struct daemon *d = arg;

	d->recorded = seq;
	ledger_sink_follow(d->recorder, epoch, seq);
}

/* What the event does not say and this host can. */
static void complete(struct daemon *d, struct connection *c, int64_t arrival_us)
{
	bool fresh = arrival_us - c->time_us < FRESH_US &&
		     clock_now_us() - c->time_us < FRESH_US;

	if (c->text[CONNECTION_NODE].data)
		return;		/* another host's: neither users nor processes are ours */
	c->text[CONNECTION_NODE] = text_of(d->config.node);
	c->start_us = procfs_start_us(d->procfs, c->start_ticks);
	if (fresh)
		ancestry_fill(d->host.ancestry, &d->host, c);
}

static void on_event(void *arg, const struct event *e, bool replay)
{
	struct daemon *d = arg;
	struct outcome out;

	observer_event(d->observer, e, replay, &out);
	switch (out.kind) {
	case OUTCOME_NEW:
		complete(d, &out.connection, e->arrival_us);
		ledger_sink_add(d->recorder, e->seq, &out.connection);
		break;
	case OUTCOME_AGAIN:
		ledger_sink_again(d->recorder, e->seq, out.id, out.result);
		break;
	case OUTCOME_CONFIRM:
		complete(d, &out.connection, e->arrival_us);
		if (d->judge)
			judge_late_record(d->judge, &out);
		ledger_sink_confirm(d->recorder, e->seq, &out.connection, out.amended, out.described);
		break;
	case OUTCOME_PROTOCOL:
		ledger_sink_set_protocol(d->recorder, e->seq, out.id, out.protocol);
		break;
	case OUTCOME_NONE:
		break;
	}
	if (out.kind != OUTCOME_NONE)
		d->recorded = e->seq;
	if (d->judge && !replay)
		judge_event(d->judge, e);
}

static void on_followed(void *arg, uint64_t seq)
{
	struct daemon *d = arg;

	if (seq == d->recorded)
		return;
	d->recorded = seq;
	ledger_sink_position(d->recorder, seq);
}

static void on_missed(void *arg, int64_t rows)
{
	struct daemon *d = arg;

	log_warn("%lld rows left the cache before they could be read", (long long)rows);
	ledger_sink_missed(d->recorder, rows);
}

static const struct cache_feed_ops cache_feed_ops = {
	.position = position_of, .begin = on_begin, .event = on_event, .followed = on_followed,
	.missed = on_missed,
};

/* Where a person's mistakes go: kept until all of them are known, for the log has lines. */
struct complaints {
	struct diags diags;
	char *text;
	size_t len;
};

static void complaints_open(struct complaints *c)
{
	*c = (struct complaints){ .text = NULL };
	/* Without memory they are counted all the same. */
	c->diags.out = open_memstream(&c->text, &c->len);
}

/* Tells all of them, as many as a log should get at once. */
static void complaints_log(struct complaints *c)
{
	unsigned int lines = 0;
	char *rest = NULL;

	if (c->diags.out)
		fclose(c->diags.out);
	for (char *line = c->text ? strtok_r(c->text, "\n", &rest) : NULL;
	     line && lines < COMPLAINTS_MAX; line = strtok_r(NULL, "\n", &rest), lines++)
		log_error("%s", line);
	if (lines < c->diags.count)
		log_error("and %u more", c->diags.count - lines);
	free(c->text);
}

/* The policy of the configuration; NULL with everything told where it cannot be had. */
static struct policy *read_policy(const struct config *c)
{
	struct complaints complaints;
	struct policy *policy = NULL;
	int rc;

	complaints_open(&complaints);
	rc = strcmp(c->policy, "none") ? policy_load(c->policy, &complaints.diags, &policy) :
					 policy_parse("none", "", 0, &complaints.diags, &policy);
	complaints_log(&complaints);
	if (rc)
		log_error("the policy '%s' cannot be used: %u mistakes", c->policy,
			  complaints.diags.count);
	return rc ? NULL : policy;
}

static void reload(struct daemon *d)
{
	struct complaints complaints;
	struct policy *policy;
	struct config fresh;
	int rc;

	if (config_init(&fresh))
		return;
	complaints_open(&complaints);
	rc = config_load(&fresh, d->config_path, &complaints.diags);
	complaints_log(&complaints);
	if (rc) {
		log_error("the configuration has %u mistakes and was not taken over",
			  complaints.diags.count);
	} else {
		if (strcmp(fresh.cache, d->config.cache) || strcmp(fresh.ledger, d->config.ledger) ||
		    fresh.queue != d->config.queue || fresh.trace != d->config.trace)
			log_warn("'cache', 'ledger', 'queue' and 'trace' are changed by a restart, not "
				 "by a reload");
		policy = d->judge ? read_policy(&fresh) : NULL;
		if (policy) {
			queue_threads_lock(d->readers);
			judge_set_policy(d->judge, policy);
			d->config.enforce = fresh.enforce;
			d->config.park_us = fresh.park_us;
			queue_threads_unlock(d->readers);
			log_info("the policy '%s' was read again", fresh.policy);
		}
	}
	config_release(&fresh);
}

/* What the packets' calls left in the trace is there by now. */
static void on_packets(void *arg)
{
	struct daemon *d = arg;

	host_read_trace(&d->host);
}

static void on_packet(const struct nfqueue_packet *p, void *arg)
{
	struct daemon *d = arg;

	judge_packet(d->judge, p);
}

/* In `ms` milliseconds (-1: never) there is something to do for this thread: before it would wake? */
static void rouse(struct daemon *d, int ms)
{
	int64_t when_ns = clock_mono_ns() + ms * NS_PER_MS;
	uint64_t one = 1;

	/* Times to wait are rounded up to a whole one. */
	if (ms < 0 || when_ns + (ms ? NS_PER_MS : 0) >= d->sleeps_until_ns)
		return;
	d->sleeps_until_ns = when_ns;
	if (write(d->roused, &one, sizeof(one)) < 0)
		return;		/* it is roused already */
}

/* Packets have been shown: what is parked now is looked for at once. */
static bool on_shown(int count, void *arg)
{
	struct daemon *d = arg;
	int next_ms = judge_poll(d->judge);
	bool parked = judge_waits(d->judge);

	d->shown += count;
	judge_publish(d->judge);
	if (count == NFQUEUE_READ_MAX)
		host_note_backlog(&d->host);
	if (parked)
		cache_feed_hurry(d->records, true);
	rouse(d, next_ms);
	return parked;
}

static const struct queue_threads_ops queue_threads_ops = {
	.begin = on_packets, .packet = on_packet, .end = on_shown,
};

static int sooner(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

enum { ON_RECORDS, ON_END, ON_RELOAD, ON_ROUSED, FDS };

/* False: nothing happened in all of that time. */
static bool wait_for_work(struct daemon *d, struct pollfd fds[FDS], int timeout_ms, bool room)
{
	/* Without room for their rows records stay where they are. */
	bool idle = !room || cache_feed_doze(d->records);
	uint64_t count;
	int n;

	fds[ON_RECORDS].fd = room ? cache_feed_fd(d->records) : -1;
	n = poll(fds, FDS, idle ? timeout_ms : 0);
	if (room)
		cache_feed_rouse(d->records, fds[ON_RECORDS].revents != 0);
	if (fds[ON_ROUSED].revents && read(d->roused, &count, sizeof(count)) < 0)
		fds[ON_ROUSED].revents = 0;
	return n != 0 || !idle || !timeout_ms;
}

/* What there is to do, a piece of it; milliseconds until there is more.  quiet: it is time for the trace. */
static int work(struct daemon *d, bool quiet, bool *room)
{
	int next_ms = d->tracefs ? TRACE_MS : -1, shown;
	bool parked = false;

	queue_threads_lock(d->readers);
	*room = ledger_sink_has_room(d->recorder);
	if (!*room)
		next_ms = sooner(next_ms, ROOM_MS);
	else if (cache_feed_take(d->records, TURN_RECORDS) > 0)
		next_ms = 0;
	if (quiet)
		host_read_trace(&d->host);
	if (d->judge) {
		next_ms = sooner(next_ms, judge_poll(d->judge));
		parked = judge_waits(d->judge);
		cache_feed_hurry(d->records, parked);
	}
	d->sleeps_until_ns = next_ms < 0 ? INT64_MAX :
			     clock_mono_ns() + next_ms * NS_PER_MS;
	shown = d->shown;
	d->shown = 0;
	queue_threads_unlock(d->readers);
	/* With the trace there is hardly anything for it to do. */
	if (d->readers && !d->tracefs)
		priority_note(&d->priority, shown, parked, clock_mono_ns());
	return next_ms;
}

/* 0, or with --once an error that kept the cache from being read. */
static int run(struct daemon *d)
{
	struct pollfd fds[FDS] = {
		[ON_RECORDS] = { .fd = -1, .events = POLLIN },
		[ON_END] = { .fd = d->signals.end, .events = POLLIN },
		[ON_RELOAD] = { .fd = d->signals.reload, .events = POLLIN },
		[ON_ROUSED] = { .fd = d->roused, .events = POLLIN },
	};
	bool room, quiet = false;
	int rc;

	while (!fds[ON_END].revents && !cache_feed_ended(d->records, &rc)) {
		int next_ms = work(d, quiet, &room);

		quiet = !wait_for_work(d, fds, next_ms, room);
		if (fds[ON_RELOAD].revents) {
			signals_reload(&d->signals);
			reload(d);
		}
	}
	/* From here on there is this thread alone. */
	if (d->readers)
		priority_end(&d->priority);
	queue_threads_stop(d->readers);
	d->readers = NULL;
	/* What was committed before the signal is followed to its end, if that is near. */
	if (!cache_feed_ended(d->records, &rc))
		cache_feed_finish(d->records);
	while (!cache_feed_ended(d->records, &rc)) {
		if (!cache_feed_take(d->records, TURN_RECORDS))
			wait_for_work(d, fds, 1, true);
	}
	/* Sends that have come to their end meanwhile. */
	host_read_trace(&d->host);
	if (d->judge)
		judge_poll(d->judge);
	return rc;
}

static void on_thread(int64_t tid, int64_t pid, void *arg)
{
	struct daemon *d = arg;
	struct event e;

	tasks_add(d->host.tasks, (int32_t)tid, (int32_t)pid, -1);
	if (tid == pid && procfs_glance(d->procfs, pid, &e))
		tasks_run(d->host.tasks, (int32_t)pid, e.text[EVENT_EXE]);
}

/* The trace, where it is to be had: without it everything else works, and is less sure. */
static bool start_trace(struct daemon *d)
{
	struct host *h = &d->host;
	int rc;

	h->lookups = lookups_new();
	h->tasks = tasks_new();
	if (!h->lookups || !h->tasks)
		return false;
	if (!d->config.trace)
		return true;
	rc = tracefeed_open(d->config.trace_bytes, &d->tracefs);
	h->tracefs = d->tracefs;
	h->sees_exec = d->tracefs && tracefeed_sees_exec(d->tracefs);
	if (rc)
		log_info("no trace, attributions will be less sure: %s",
			 rc == -ENOENT ? "this kernel has no tracefs, or neither these tracepoints nor kprobes" :
			 rc == -EPROTO ? "a probe at tcp_connect() does not tell the truth here" :
			 rc == -ENOSYS ? "built without libtracefs" : strerror(-rc));
	host_read_trace(h);
	if (d->tracefs)
		procscan_threads(d->procfs, on_thread, d);
	if (d->tracefs && tracefeed_is_probe(d->tracefs))
		log_info("this kernel lacks tracepoints: a probe at tcp_connect() stands in, for TCP alone");
	return true;
}

static bool start_queue(struct daemon *d)
{
	struct nfqueue_settings settings = {
		.first = (uint16_t)d->config.queue, .last = (uint16_t)d->config.queue_last,
		.max_packets = (uint32_t)d->config.queue_max,
		.fail_open = d->config.fail_open,
	};
	struct judge_tools tools = {
		.config = &d->config, .host = &d->host, .ledger_sink = d->recorder,
		.users = d->users,
	};
	struct policy *policy = read_policy(&d->config);
	int rc;

	if (!policy)
		return false;
	d->sockdiag = sockdiag_open();
	d->host.sockdiag = d->sockdiag;
	d->host.netns = procfs_netns(d->procfs, getpid());
	/* The queue last: what comes into it waits. */
	rc = !d->sockdiag ? -errno : !start_trace(d) ? -ENOMEM : nfqueue_open(&settings, &d->queue);
	if (rc) {
		log_error("cannot open netfilter queue %d: %s", (int)d->config.queue,
			  rc == -EBUSY ? "another program has it" : strerror(-rc));
		policy_free(policy);
		return false;
	}
	tools.queue = d->queue;
	d->judge = judge_new(&tools, policy);
	if (!d->judge) {
		log_error("cannot start: %s", strerror(ENOMEM));
		policy_free(policy);
	}
	return d->judge != NULL;
}

/* The threads that answer packets, now that all is there that they need. */
static bool start_readers(struct daemon *d)
{
	int boost = (int)d->config.priority_boost, rc;

	d->roused = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = d->roused < 0 ? -errno : queue_threads_start(d->queue, boost, &queue_threads_ops, d, &d->readers);
	if (rc) {
		log_error("cannot start: %s", strerror(-rc));
		return false;
	}
	/* Parked packets wait for this one.  What may not be had the readers have told. */
	priority_take(&d->priority, boost);
	return true;
}

static void on_half(const struct connection *c, bool has_packet, void *arg)
{
	pairing_restore(arg, c, has_packet);
}

static bool start(struct daemon *d)
{
	int rc = ledger_sink_start(d->config.ledger, d->config.node, d->config.buffer_bytes / 2,
				d->signals.end, &d->recorder);

	if (rc) {
		log_error("cannot open the ledger '%s' for writing: %s", d->config.ledger,
			  rc == -EBUSY ? "another program writes it (a second sockledgerd?)" :
					 db_strerror(rc));
		return false;
	}
	d->users = users_new();
	d->procfs = procfs_open("/proc");
	d->host.pairing = pairing_new(ledger_sink_next_id(d->recorder));
	d->observer = d->host.pairing ? observer_new(d->host.pairing) : NULL;
	if (d->observer)
		ledger_halves(d->config.ledger, clock_now_us() - RESTORE_US, on_half, d->host.pairing);
	d->host.procfs = d->procfs;
	d->host.observer = d->observer;
	d->host.ancestry = ancestry_new("/proc");
	if (d->users && d->procfs && d->observer && d->host.ancestry) {
		if (d->config.queue >= 0 && !start_queue(d))
			return false;
		d->records = cache_feed_start(d->config.cache, d->once, &cache_feed_ops, d);
	}
	if (!d->records)
		log_error("cannot start: %s", strerror(errno));
	return d->records && (!d->queue || start_readers(d));
}

static int serve(struct daemon *d)
{
	int rc = 1;

	if (start(d)) {
		log_info("following the cache '%s' into the ledger '%s'", d->config.cache,
			 d->config.ledger);
		rc = run(d);
		if (rc)
			log_error("cannot read the cache '%s': %s", d->config.cache,
				  db_strerror(rc));
		rc = rc ? 1 : 0;
	}
	if (d->judge)
		judge_end(d->judge);
	judge_free(d->judge);
	if (d->roused >= 0)
		close(d->roused);
	nfqueue_close(d->queue);
	sockdiag_close(d->sockdiag);
	tracefeed_close(d->tracefs);
	lookups_free(d->host.lookups);
	tasks_free(d->host.tasks);
	ancestry_free(d->host.ancestry);
	cache_feed_free(d->records);
	if (d->recorder && ledger_sink_stop(d->recorder, LAST_COMMIT_MS))
		rc = 1;
	observer_free(d->observer);
	pairing_free(d->host.pairing);
	procfs_close(d->procfs);
	users_free(d->users);
	signals_close(&d->signals);
	return rc;
}

/* glibc gives every thread a heap of its own, each with its own free space.  That is for threads which
 * allocate all the time: those that answer packets hardly do. */
static void use_few_heaps(void)
{
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 2);
#endif
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "foreground", no_argument, NULL, 'f' },
		{ "once", no_argument, NULL, '1' },	    { "test", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },	    { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct daemon d = { .roused = -1 };
	struct diags diags = { .out = stderr };
	bool foreground = false, test = false;
	int option, rc;

	umask(027);
	use_few_heaps();
	if (signals_open(&d.signals)) {
		perror("sockledgerd: cannot take signals");
		return 1;
	}
	while ((option = getopt_long(argc, argv, "c:f1thV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			d.config_path = optarg;
			break;
		case 'f':
			foreground = true;
			break;
		case '1':
			d.once = true;
			break;
		case 't':
			test = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		case 'V':
			puts("sockledgerd " PACKAGE_VERSION);
			return 0;
		default:
			fputs("Try 'sockledgerd --help'.\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sockledgerd: unexpected argument '%s'\n", argv[optind]);
		return 2;
	}
	if (config_init(&d.config)) {
		fputs("sockledgerd: out of memory\n", stderr);
		return 1;
	}
	rc = config_load(&d.config, d.config_path, &diags);
	if (rc) {
		fputs("sockledgerd: configuration has mistakes: nothing was started\n", stderr);
		config_release(&d.config);
		return 2;
	}
	foreground = foreground || d.once;
	log_open("sockledgerd", !foreground && !test);
	if (!foreground && !test && daemon(0, 0)) {
		fprintf(stderr, "sockledgerd: cannot go into the background: %s\n",
			strerror(errno));
		rc = 1;
	}
	if (!rc && !test)
		rc = serve(&d);
	config_release(&d.config);
	return rc;
}
