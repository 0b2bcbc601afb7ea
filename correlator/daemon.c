/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledgerd: how it starts and stops.
 *
 *   queue --nfqueue--> packet --judge--> verdict, and a row -------\
 *   cache --cache_feed's thread--> event --observer--> a row ------ ledger_sink's thread --> ledger
 *
 * `steps` is the order of starting: each part needs only parts above it.  Read it from below and it
 * is the order of stopping.  Each queue has a thread that answers its packets (queue_threads.h);
 * the main thread does the rest (loop.h).
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "ancestry.h"
#include "clock.h"
#include "confine.h"
#include "ctmark.h"
#include "daemon.h"
#include "db.h"
#include "deaths.h"
#include "failures.h"
#include "file_hash.h"
#include "groups.h"
#include "handover.h"
#include "judge.h"
#include "ledger.h"
#include "ledger_sink.h"
#include "links.h"
#include "log.h"
#include "question.h"
#include "looks.h"
#include "lookups.h"
#include "loop.h"
#include "name_feed.h"
#include "names.h"
#include "nfqueue.h"
#include "notify.h"
#include "observe.h"
#include "own_tuple.h"
#include "pairing.h"
#include "parts.h"
#include "peek.h"
#include "policy.h"
#include "procfs.h"
#include "procscan.h"
#include "program.h"
#include "record_intake.h"
#include "reload.h"
#include "sockdiag.h"
#include "sole.h"
#include "tasks.h"
#include "tracefeed.h"
#include "user_names.h"

#define LAST_COMMIT_MS 10000
/* A connect() that nobody answers has its record after two minutes. */
#define RESTORE_US (150 * TIME_US_PER_S)

struct daemon {
	struct program *program;	/* borrowed */
	struct parts parts;
	struct record_intake record_intake;
	struct loop loop;
	struct own_tuples own_tuples;
	struct groups groups;
	struct handover handover;
	bool runs;		/* all has started: what is there is brought to its end */
	bool failed;		/* a part could not be stopped in good order */
};

/* What a step returns after it has logged itself why it fails. */
#define TOLD 1

/* 0 where a part could be made, else -errno. */
static int made(const void *part)
{
	return part ? 0 : errno ? -errno : -ENOMEM;
}

static int start_ledger_sink(struct daemon *d)
{
	const struct config *c = d->parts.config;
	const struct ledger_limits limits = { c->ledger_rows, c->ledger_bytes, c->ledger_age_us };
	int rc = ledger_sink_start(c->ledger, &limits, c->node, c->buffer_bytes / 2,
				   d->program->signals.end, &d->parts.ledger_sink);

	if (!rc)
		return 0;
	log_error("cannot open the ledger '%s' for writing: %s", c->ledger,
		  rc == -EBUSY ? "another program writes it (a second sockledgerd?)" :
				 db_strerror(rc));
	return TOLD;
}

static void stop_ledger_sink(struct daemon *d)
{
	if (ledger_sink_stop(d->parts.ledger_sink, LAST_COMMIT_MS))
		d->failed = true;
}

static int start_users(struct daemon *d)
{
	d->parts.users = user_names_start("/etc");
	return made(d->parts.users);
}

static void stop_users(struct daemon *d)
{
	user_names_stop(d->parts.users);
}

static int start_procfs(struct daemon *d)
{
	d->parts.host.procfs = procfs_open("/proc");
	return made(d->parts.host.procfs);
}

static void stop_procfs(struct daemon *d)
{
	procfs_close(d->parts.host.procfs);
}

static void on_half(const struct connection *c, bool has_packet, void *arg)
{
	pairing_restore(arg, c, has_packet);
}

static int start_pairing(struct daemon *d)
{
	struct pairing *p = pairing_new(ledger_sink_next_id(d->parts.ledger_sink));

	d->parts.host.pairing = p;
	if (p)
		ledger_halves(d->parts.config->ledger, clock_now_us() - RESTORE_US, on_half, p);
	return made(p);
}

static void stop_pairing(struct daemon *d)
{
	pairing_free(d->parts.host.pairing);
}

static int start_observer(struct daemon *d)
{
	struct observer *o = observer_new(d->parts.host.pairing);

	d->parts.host.observer = o;
	if (!o)
		return made(o);
	observer_ask_tuples(o, own_tuple_ask, &d->own_tuples);
	d->groups.top = "/sys/fs/cgroup";
	observer_ask_owners(o, groups_are_roots, &d->groups);
	return 0;
}

static void stop_observer(struct daemon *d)
{
	observer_free(d->parts.host.observer);
}

static int start_ancestry(struct daemon *d)
{
	d->parts.host.ancestry = ancestry_new("/proc");
	return made(d->parts.host.ancestry);
}

static void stop_ancestry(struct daemon *d)
{
	ancestry_free(d->parts.host.ancestry);
}

static int start_loop(struct daemon *d)
{
	return loop_init(&d->loop, &d->parts, &d->program->signals);
}

static void stop_loop(struct daemon *d)
{
	loop_release(&d->loop);
}

static int start_policy(struct daemon *d)
{
	struct parts *p = &d->parts;

	p->policy = reload_read_policy(p->config);
	if (!p->policy)
		return TOLD;
	reload_number_users(p, p->policy);
	return 0;
}

static void stop_policy(struct daemon *d)
{
	policy_free(d->parts.policy);
}

static int start_hashes(struct daemon *d)
{
	/* Where no user can mount anything. */
	static const char *const roots[] = { "/", "/usr", "/opt", "/srv", "/home", "/root", "/var",
					     "/tmp", NULL };

	d->parts.host.hashes = file_hashes_start(roots, "/var/lib/dpkg/info");
	return made(d->parts.host.hashes);
}

static void stop_hashes(struct daemon *d)
{
	file_hashes_stop(d->parts.host.hashes);
}

static int start_sockdiag(struct daemon *d)
{
	struct host *h = &d->parts.host;

	h->sockdiag = d->own_tuples.sockdiag = sockdiag_open();
	h->pid = getpid();
	h->netns = procfs_netns(h->procfs, h->pid, h->pid);
	/* Without a queue accepted sockets alone are asked for. */
	return d->parts.config->queue < 0 ? 0 : made(h->sockdiag);
}

static void stop_sockdiag(struct daemon *d)
{
	d->own_tuples.sockdiag = NULL;
	sockdiag_close(d->parts.host.sockdiag);
}

/* Where forwarded packets come from; without it their senders are less sure. */
static int start_links(struct daemon *d)
{
	int rc = links_open(&d->parts.host.links);

	FAILS(NO_LINKS);
	if (rc)
		log_info("forwarded packets' senders will be less sure: the interfaces cannot be"
			 " listed: %s", strerror(-rc));
	return 0;
}

static void stop_links(struct daemon *d)
{
	links_close(d->parts.host.links);
}

static int start_sole(struct daemon *d)
{
	d->parts.host.sole = sole_new(d->parts.host.procfs);
	return made(d->parts.host.sole);
}

static void stop_sole(struct daemon *d)
{
	sole_free(d->parts.host.sole);
}

static int start_lookups(struct daemon *d)
{
	d->parts.host.lookups = lookups_new();
	return made(d->parts.host.lookups);
}

static void stop_lookups(struct daemon *d)
{
	lookups_free(d->parts.host.lookups);
}

static int start_tasks(struct daemon *d)
{
	d->parts.host.tasks = tasks_new();
	return made(d->parts.host.tasks);
}

static void stop_tasks(struct daemon *d)
{
	tasks_free(d->parts.host.tasks);
}

/* The trace, where the kernel has one: without it everything else works, and is less sure. */
static int start_trace(struct daemon *d)
{
	struct host *h = &d->parts.host;
	int rc;

	if (!d->parts.config->trace)
		return 0;
	FAILS(NO_TRACEFS);
	rc = tracefeed_open(d->parts.config->trace_bytes, &h->tracefs);
	h->sees_exec = h->tracefs && tracefeed_sees_exec(h->tracefs);
	if (rc)
		log_info("no trace, attributions will be less sure: %s",
			 rc == -ENOENT ? "this kernel has no tracefs, or neither these tracepoints"
					 " nor kprobes" :
			 rc == -EPROTO ? "a probe at tcp_connect() does not tell the truth here" :
			 rc == -ENOSYS ? "built without libtracefs" : strerror(-rc));
	host_read_trace(h);
	if (h->tracefs && tracefeed_is_probe(h->tracefs))
		log_info("this kernel lacks tracepoints: a probe at tcp_connect() stands in, for"
			 " TCP alone");
	return 0;
}

static void stop_trace(struct daemon *d)
{
	tracefeed_close(d->parts.host.tracefs);
}

/* Who looks where other processes can make it wait. */
static int start_lookers(struct daemon *d)
{
	int64_t boost = d->parts.config->priority_boost;
	struct looks looks;
	int rc;

	looks_of_procfs(&looks, "/proc");
	rc = peek_start(&looks, boost == PRIORITY_AUTO || boost == PRIORITY_REALTIME,
			&d->parts.host.peek);
	procfs_ask_lookers(d->parts.host.procfs, d->parts.host.peek);
	ancestry_ask_lookers(d->parts.host.ancestry, d->parts.host.peek);
	return rc;
}

static void stop_lookers(struct daemon *d)
{
	if (!d->parts.host.peek)
		return;
	procfs_ask_lookers(d->parts.host.procfs, NULL);
	ancestry_ask_lookers(d->parts.host.ancestry, NULL);
	peek_stop(d->parts.host.peek);
}

static void on_thread(int64_t tid, int64_t pid, void *arg)
{
	struct host *h = arg;
	struct proc_texts texts;
	struct process process;

	tasks_add(h->tasks, (int32_t)tid, (int32_t)pid, -1);
	if (tid == pid && procfs_glance(h->procfs, pid, &process, &texts))
		tasks_set_exe(h->tasks, (int32_t)pid, process.exe, exe_is_ours(process.exe_seen));
}

/* Those whose beginning the trace has not told, by way of the lookers: any of them may be one that
 * makes who looks wait. */
static int list_threads(struct daemon *d)
{
	struct host *h = &d->parts.host;

	if (h->tracefs)
		procscan_threads(h->procfs, on_thread, h);
	return 0;
}

/* They are in the table of threads. */
static void leave_threads(struct daemon *d)
{
	(void)d;
}

static int start_queue(struct daemon *d)
{
	const struct config *c = d->parts.config;
	const struct nfqueue_settings settings = {
		.first = (uint16_t)c->queue, .last = (uint16_t)c->queue_last,
		.max_packets = (uint32_t)c->queue_max,
		.fail_open = c->fail_open,
		.kept = d->handover.kept, .kept_count = d->handover.count,
	};
	int rc = nfqueue_open(&settings, &d->parts.queue);

	if (!rc && nfqueue_goes_on(d->parts.queue))
		log_info("packets that came since the last sockledgerd ended are decided on");
	if (!rc)
		log_info("conntrack's marks are set %s", nfqueue_has_glue(d->parts.queue) ?
			 "by the verdict itself" : "right after the verdict, because this kernel's"
			 " queue does not know conntrack");
	if (!rc)
		return 0;
	/* The kernel has the same word for both. */
	log_error("cannot open netfilter queue %d: %s", (int)c->queue,
		  rc == -EPERM ? "another program has it, or CAP_NET_ADMIN is missing" :
				 strerror(-rc));
	return TOLD;
}

static void stop_queue(struct daemon *d)
{
	int rc;

	FAILS(QUEUE_LEFT);
	rc = d->runs ? handover_give(d->parts.queue) : 0;

	if (rc)
		log_warn("cannot leave the queue to the next sockledgerd: %s", strerror(-rc));
	nfqueue_close(d->parts.queue);
}

/* Marks of an earlier run say of no flow that we know that it may pass. */
static int start_marks(struct daemon *d)
{
	uint32_t mask = (uint32_t)d->parts.config->mark;
	int rc = ctmarks_open(&d->parts.marks), count;

	if (rc)
		return rc;
	count = ctmarks_clear(d->parts.marks, mask & -mask);
	if (count < 0 && count != -EOPNOTSUPP && count != -EINVAL)
		log_warn("cannot take the marks of an earlier run from conntrack's entries: %s",
			 strerror(-count));
	return 0;
}

static void stop_marks(struct daemon *d)
{
	ctmarks_close(d->parts.marks);
}

static int start_deaths(struct daemon *d)
{
	int rc = deaths_open(&d->parts.deaths);

	if (!rc)
		return 0;
	FAILS(NO_DEATHS);
	log_info("this kernel does not tell which sockets have died (%s): every datagram will come"
		 " to the queue", strerror(-rc));
	return 0;
}

static void stop_deaths(struct daemon *d)
{
	deaths_close(d->parts.deaths);
}

/* Without them all else goes on. */
static int start_names(struct daemon *d)
{
	const struct config *c = d->parts.config;
	uint64_t seed = 0;
	int rc = 0;

	d->parts.name_feed = (struct name_feed){ .nflog = NULL };
	if (!c->names)
		return 0;
	if (getrandom(&seed, sizeof(seed), 0) == sizeof(seed))
		d->parts.host.names = names_new(seed);
	if (!d->parts.host.names)
		return -ENOMEM;
	rc = name_feed_open(&d->parts.name_feed, &d->parts.host, (uint16_t)c->names_group);
	if (!rc)
		return 0;
	FAILS(NO_NAMES);
	log_warn("no names of destinations: cannot open the group %d of NFLOG: %s",
		 (int)c->names_group, strerror(-rc));
	return 0;
}

static void stop_names(struct daemon *d)
{
	name_feed_close(&d->parts.name_feed);
	names_free(d->parts.host.names);
	d->parts.host.names = NULL;
}

static int start_judge(struct daemon *d)
{
	struct parts *p = &d->parts;
	const struct judge_tools tools = {
		.config = p->config, .queue = p->queue, .host = &p->host,
		.ledger_sink = p->ledger_sink, .users = p->users,
		.marks = p->marks, .deaths = p->deaths,
	};

	p->judge = judge_new(&tools, p->policy);
	if (p->judge) {
		p->in_force = p->policy;
		p->policy = NULL;	/* the judge's from here on */
	}
	return made(p->judge);
}

static void stop_judge(struct daemon *d)
{
	/* Sends may have come to their end since the loop's last turn. */
	host_read_trace(&d->parts.host);
	judge_poll(d->parts.judge);
	judge_end(d->parts.judge);
	judge_free(d->parts.judge);
	d->parts.in_force = NULL;
}

static int start_cache_feed(struct daemon *d)
{
	d->record_intake = (struct record_intake){ .parts = &d->parts };
	d->parts.cache_feed = cache_feed_start(d->parts.config->cache, d->program->once,
					       &record_intake_ops, &d->record_intake);
	if (d->parts.cache_feed)
		d->parts.host.cache_written = cache_feed_written(d->parts.cache_feed);
	return made(d->parts.cache_feed);
}

static void stop_cache_feed(struct daemon *d)
{
	int rc;

	if (d->runs)
		loop_drain(&d->loop);
	cache_feed_ended(d->parts.cache_feed, &rc);
	if (rc) {
		log_error("cannot read the cache '%s': %s", d->parts.config->cache,
			  db_strerror(rc));
		d->failed = true;
	}
	d->parts.host.cache_written = NULL;
	cache_feed_free(d->parts.cache_feed);
}

static int start_queue_threads(struct daemon *d)
{
	if (nfqueue_goes_on(d->parts.queue))
		host_note_gap(&d->parts.host);
	return queue_threads_start(d->parts.queue, (int)d->parts.config->priority_boost,
				   &loop_packet_ops, &d->loop, &d->parts.queue_threads);
}

static void stop_queue_threads(struct daemon *d)
{
	queue_threads_stop(d->parts.queue_threads);
	d->parts.queue_threads = NULL;	/* from here on there is no lock to take */
}

static int start_boost(struct daemon *d)
{
	loop_boost(&d->loop, (int)d->parts.config->priority_boost);
	return 0;
}

static void stop_boost(struct daemon *d)
{
	loop_unboost(&d->loop);
}

enum when { ALWAYS, WITH_QUEUE };

static const struct step {
	const char *what;
	enum when when;
	int (*start)(struct daemon *d);	/* 0; else nothing is left behind: -errno, or TOLD */
	void (*stop)(struct daemon *d);
} steps[] = {
	{ "the writer of the ledger", ALWAYS, start_ledger_sink, stop_ledger_sink },
	{ "the names of users", ALWAYS, start_users, stop_users },
	{ "the reader of /proc", ALWAYS, start_procfs, stop_procfs },
	{ "the table of half-known connections", ALWAYS, start_pairing, stop_pairing },
	{ "the observer of records", ALWAYS, start_observer, stop_observer },
	{ "the table of ancestors", ALWAYS, start_ancestry, stop_ancestry },
	{ "the loop", ALWAYS, start_loop, stop_loop },
	{ "the policy", WITH_QUEUE, start_policy, stop_policy },
	{ "the hashes of programs", WITH_QUEUE, start_hashes, stop_hashes },
	{ "the questions to sock_diag", ALWAYS, start_sockdiag, stop_sockdiag },
	{ "the list of interfaces", WITH_QUEUE, start_links, stop_links },
	{ "the search for holders", WITH_QUEUE, start_sole, stop_sole },
	{ "the table of lookups", WITH_QUEUE, start_lookups, stop_lookups },
	{ "the table of threads", WITH_QUEUE, start_tasks, stop_tasks },
	{ "the trace", WITH_QUEUE, start_trace, stop_trace },
	{ "the lookers", ALWAYS, start_lookers, stop_lookers },
	{ "the list of threads", WITH_QUEUE, list_threads, leave_threads },
	{ "the marks of conntrack", WITH_QUEUE, start_marks, stop_marks },
	{ "the word of dead sockets", WITH_QUEUE, start_deaths, stop_deaths },
	{ "the names of destinations", WITH_QUEUE, start_names, stop_names },
	/* Packets that come from here on wait for the queue's threads. */
	{ "the queue", WITH_QUEUE, start_queue, stop_queue },
	{ "the judge", WITH_QUEUE, start_judge, stop_judge },
	{ "the reader of the cache", ALWAYS, start_cache_feed, stop_cache_feed },
	{ "the queue's threads", WITH_QUEUE, start_queue_threads, stop_queue_threads },
	{ "the priority", WITH_QUEUE, start_boost, stop_boost },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static bool is_wanted(const struct daemon *d, const struct step *s)
{
	return s->when == ALWAYS || d->parts.config->queue >= 0;
}

/* How many steps were taken: STEPS, or fewer where the next one failed. */
static size_t start(struct daemon *d)
{
	for (size_t i = 0; i < STEPS; i++) {
		int rc = is_wanted(d, &steps[i]) ? steps[i].start(d) : 0;

		if (rc < 0)
			log_error("cannot start %s: %s", steps[i].what, strerror(-rc));
		if (rc)
			return i;
	}
	return STEPS;
}

static void stop(struct daemon *d, size_t taken)
{
	while (taken-- > 0)
		if (is_wanted(d, &steps[taken]))
			steps[taken].stop(d);
}

/* A manager that cannot be told goes on waiting, and then kills us: the log must say why. */
static void told(int rc)
{
	if (rc)
		log_warn("cannot tell the service manager: %s", strerror(-rc));
}

/* Beside those of both daemons: to hear of changes, and the processor and priority of a thread. */
static const char *const calls[] = {
	"inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
	"sched_get_priority_max", "sched_get_priority_min", "sched_setaffinity", "sched_setattr",
	"sched_setscheduler", "setpriority", NULL,
};

int daemon_run(struct program *program)
{
	struct daemon d = { .program = program, .parts.config = &program->config };
	size_t taken;

	handover_take(&d.handover);
	taken = start(&d);
	d.runs = taken == STEPS;
	if (d.runs) {
		confine(calls);
		peek_renew(d.parts.host.peek);
		handover_end(&d.handover);
		log_info("following the cache '%s' into the ledger '%s'", program->config.cache,
			 program->config.ledger);
		told(notify_ready());
		while (loop_run(&d.loop) == LOOP_RELOAD) {
			told(notify_reloading());
			reload(&d.parts, program->config_path);
			told(notify_ready());
		}
		told(notify_stopping());
	}
	stop(&d, taken);
	return d.runs && !d.failed ? 0 : 1;
}
