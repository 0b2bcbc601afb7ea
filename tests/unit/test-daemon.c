/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledgerd's order of starting, and of stopping, which must be the exact reverse: also when a
 * part cannot be started.  Every part is one that only says that it was called, by a letter of its
 * own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ancestry.h"
#include "confine.h"
#include "ctmark.h"
#include "daemon.h"
#include "deaths.h"
#include "file_hash.h"
#include "groups.h"
#include "handover.h"
#include "host.h"
#include "judge.h"
#include "ledger.h"
#include "ledger_sink.h"
#include "lookups.h"
#include "links.h"
#include "looks.h"
#include "loop.h"
#include "name_feed.h"
#include "names.h"
#include "nfqueue.h"
#include "notify.h"
#include "observe.h"
#include "own_tuple.h"
#include "pairing.h"
#include "peek.h"
#include "policy.h"
#include "procfs.h"
#include "procscan.h"
#include "program.h"
#include "record_intake.h"
#include "reload.h"
#include "sockdiag.h"
#include "sole.h"
#include "tap.h"
#include "tasks.h"
#include "tracefeed.h"
#include "user_names.h"

/* What was called: a capital letter at a start, the small one at its stop. */
static char journal[256];
static char fails;		/* the letter of the part that cannot be started; '\0': none */
static int reloads;		/* SIGHUPs that are still to come */
static int unread;		/* how reading the cache ends */

static void note(char letter)
{
	journal[strlen(journal)] = letter;
}

/* 0, or -ENOSPC, a part that fails leaves nothing to be stopped. */
static int begin(char letter)
{
	if (letter == fails)
		return -ENOSPC;
	note(letter);
	return 0;
}

/* Something to point at; nobody looks into it. */
static void *make(char letter)
{
	static char part;

	if (!begin(letter))
		return &part;
	errno = ENOSPC;
	return NULL;
}

int ledger_sink_start(const char *ledger, const struct ledger_limits *limits, const char *node,
		      int64_t buffer_bytes, int interrupt, struct ledger_sink **r)
{
	(void)ledger, (void)limits, (void)node, (void)buffer_bytes, (void)interrupt;
	*r = make('L');
	return *r ? 0 : -ENOSPC;
}
int ledger_sink_stop(struct ledger_sink *r, int timeout_ms)
{
	(void)r, (void)timeout_ms;
	note('l');
	return 0;
}
uint64_t ledger_sink_next_id(const struct ledger_sink *r) { (void)r; return 1; }
struct user_names *user_names_start(const char *directory)
{
	(void)directory;
	return make('U');
}
void user_names_stop(struct user_names *u) { (void)u; note('u'); }
struct file_hashes *file_hashes_start(const char *const *roots, const char *lists)
{
	(void)roots, (void)lists;
	return make('Z');
}
void file_hashes_stop(struct file_hashes *h) { (void)h; note('z'); }
int peek_start(const struct looks *looks, bool realtime, struct peek **p)
{
	(void)looks, (void)realtime;
	*p = make('F');
	return *p ? 0 : -ENOSPC;
}
void peek_stop(struct peek *p) { (void)p; note('f'); }
void peek_renew(struct peek *p) { if (p) note('>'); }
struct procfs *procfs_open(const char *path) { (void)path; return make('P'); }
void procfs_close(struct procfs *p) { (void)p; note('p'); }
void procfs_ask_lookers(struct procfs *p, struct peek *peek) { (void)p, (void)peek; }
void ancestry_ask_lookers(struct ancestry *a, struct peek *peek) { (void)a, (void)peek; }
void looks_of_procfs(struct looks *l, const char *path) { (void)l, (void)path; }
int64_t procfs_netns(struct procfs *p, int64_t pid, int64_t tid)
{
	(void)p, (void)pid, (void)tid;
	return -1;
}
bool procfs_glance(struct procfs *p, int64_t pid, struct process *process,
		   struct proc_texts *texts)
{
	(void)p, (void)pid, (void)process, (void)texts;
	return false;
}
void procscan_threads(struct procfs *p, void (*each)(int64_t tid, int64_t pid, void *arg),
		      void *arg)
{
	(void)p, (void)each, (void)arg;
}
struct pairing *pairing_new(uint64_t next_row) { (void)next_row; return make('D'); }
void pairing_free(struct pairing *p) { (void)p; note('d'); }
struct observer *observer_new(struct pairing *p) { (void)p; return make('O'); }
void observer_free(struct observer *o) { (void)o; note('o'); }
void observer_ask_tuples(struct observer *o, own_tuple_fn *own_tuple, void *arg)
{
	(void)o, (void)own_tuple, (void)arg;
}
void observer_ask_owners(struct observer *o, group_owner_fn *is_roots, void *arg)
{
	(void)o, (void)is_roots, (void)arg;
}
bool groups_are_roots(void *arg, struct text path)
{
	(void)arg, (void)path;
	return false;
}
bool own_tuple_ask(void *arg, int protocol, int64_t inode, const struct endpoint *peer,
		   struct endpoint *local)
{
	(void)arg, (void)protocol, (void)inode, (void)peer, (void)local;
	return false;
}
void pairing_restore(struct pairing *o, const struct connection *c, bool has_packet)
{
	(void)o, (void)c, (void)has_packet;
}
int ledger_halves(const char *path, int64_t since_us,
		  void (*each)(const struct connection *c, bool has_packet, void *arg), void *arg)
{
	(void)path, (void)since_us, (void)each, (void)arg;
	return 0;
}
struct ancestry *ancestry_new(const char *path)
{
	(void)path;
	return make('A');
}
void ancestry_free(struct ancestry *a) { (void)a; note('a'); }
int loop_init(struct loop *l, struct parts *parts, struct signals *signals)
{
	(void)l, (void)parts, (void)signals;
	return begin('W');
}
void loop_release(struct loop *l) { (void)l; note('w'); }
void loop_boost(struct loop *l, int boost) { (void)l, (void)boost; note('B'); }
void loop_unboost(struct loop *l) { (void)l; note('b'); }
enum loop_event loop_run(struct loop *l)
{
	(void)l;
	note('*');
	return reloads-- > 0 ? LOOP_RELOAD : LOOP_END;
}
void loop_drain(struct loop *l) { (void)l; note('-'); }
const struct queue_threads_ops loop_packet_ops;
void reload_number_users(struct parts *p, struct policy *policy) { (void)p, (void)policy; }
struct policy *reload_read_policy(const struct config *c) { (void)c; return make('Y'); }
void reload(struct parts *p, const char *path) { (void)p, (void)path; note('%'); }
void policy_free(struct policy *p)
{
	if (p)		/* the judge has not taken it */
		note('!');
	note('y');
}
struct sockdiag *sockdiag_open(void) { return make('S'); }
void sockdiag_close(struct sockdiag *d) { (void)d; note('s'); }
int links_open(struct links **out)
{
	*out = make('I');
	return *out ? 0 : -ENOSPC;
}
void links_close(struct links *l)
{
	if (l)
		note('i');
}
struct sole *sole_new(struct procfs *p) { (void)p; return make('N'); }
void sole_free(struct sole *s) { (void)s; note('n'); }
struct lookups *lookups_new(void) { return make('K'); }
void lookups_free(struct lookups *l) { (void)l; note('k'); }
struct tasks *tasks_new(void) { return make('T'); }
void tasks_free(struct tasks *t) { (void)t; note('t'); }
void tasks_add(struct tasks *t, int32_t tid, int32_t pid, int32_t parent)
{
	(void)t, (void)tid, (void)pid, (void)parent;
}
void tasks_set_exe(struct tasks *t, int32_t pid, struct text exe, bool seen)
{
	(void)t, (void)pid, (void)exe, (void)seen;
}
int tracefeed_open(int64_t buffer_bytes, struct tracefeed **t)
{
	(void)buffer_bytes;
	*t = make('E');
	return *t ? 0 : -ENOENT;
}
void tracefeed_close(struct tracefeed *t) { (void)t; note('e'); }
bool tracefeed_is_probe(const struct tracefeed *t) { (void)t; return false; }
bool tracefeed_sees_exec(const struct tracefeed *t) { (void)t; return false; }
void host_read_trace(struct host *h) { (void)h; }
int ctmarks_open(struct ctmarks **c)
{
	*c = make('M');
	return *c ? 0 : -ENOSPC;
}
void ctmarks_close(struct ctmarks *c) { (void)c; note('m'); }
int ctmarks_clear(struct ctmarks *c, uint32_t bit) { (void)c; (void)bit; return 0; }
int deaths_open(struct deaths **d)
{
	*d = make('X');
	return *d ? 0 : -EOPNOTSUPP;
}
void deaths_close(struct deaths *d) { (void)d; note('x'); }
void host_note_gap(struct host *h) { (void)h; }
bool nfqueue_has_glue(const struct nfqueue *q) { (void)q; return false; }
int nfqueue_open(const struct nfqueue_settings *s, struct nfqueue **q)
{
	(void)s;
	*q = make('Q');
	return *q ? 0 : -EPERM;
}
void nfqueue_close(struct nfqueue *q) { (void)q; note('q'); }
bool nfqueue_goes_on(const struct nfqueue *q) { (void)q; return false; }
void handover_take(struct handover *h) { h->count = 0; }
void handover_end(struct handover *h) { (void)h; note('<'); }
int handover_give(const struct nfqueue *q) { (void)q; note('^'); return 0; }
struct names *names_new(uint64_t seed) { (void)seed; return make('G'); }
void names_free(struct names *n)
{
	if (n)
		note('g');
}
int name_feed_open(struct name_feed *f, struct host *host, uint16_t group)
{
	(void)f, (void)host, (void)group;
	return 0;
}
void name_feed_close(struct name_feed *f) { (void)f; }
struct judge *judge_new(const struct judge_tools *tools, struct policy *policy)
{
	(void)tools, (void)policy;
	return make('J');
}
int judge_poll(struct judge *j) { (void)j; return -1; }
void judge_end(struct judge *j) { (void)j; }
void judge_free(struct judge *j) { (void)j; note('j'); }
const struct cache_feed_ops record_intake_ops;
struct cache_feed *cache_feed_start(const char *path, bool once, const struct cache_feed_ops *ops,
				    void *arg)
{
	(void)path, (void)once, (void)ops, (void)arg;
	return make('C');
}
const atomic_bool *cache_feed_written(const struct cache_feed *r) { (void)r; return NULL; }
bool cache_feed_ended(const struct cache_feed *r, int *rc) { (void)r; *rc = unread; return true; }
void cache_feed_free(struct cache_feed *r) { (void)r; note('c'); }
int queue_threads_start(struct nfqueue *q, int boost, const struct queue_threads_ops *ops,
			void *arg, struct queue_threads **r)
{
	(void)q, (void)boost, (void)ops, (void)arg;
	*r = make('H');
	return *r ? 0 : -ENOSPC;
}
void queue_threads_stop(struct queue_threads *r) { (void)r; note('h'); }
void confine(const char *const *more) { (void)more; note('='); }
int notify_ready(void) { note('+'); return 0; }
int notify_reloading(void) { note('~'); return 0; }
int notify_stopping(void) { note('.'); return 0; }

/* A run of it, as the journal has it. */
static int run(struct program *program, char failing)
{
	memset(journal, 0, sizeof(journal));
	fails = failing;
	return daemon_run(program);
}

static void expect(const char *wanted, int status, int wanted_status, const char *what)
{
	if (!tap_ok(!strcmp(journal, wanted) && status == wanted_status, "%s", what))
		tap_note("got %d %s, wanted %d %s", status, journal, wanted_status, wanted);
}

/* What the order of starting up to a letter makes of the order of stopping. */
static void reversed(const char *started, char *out)
{
	size_t len = strlen(started);

	for (size_t i = 0; i < len; i++)
		out[i] = started[len - 1 - i] + ('a' - 'A');
	out[len] = '\0';
}

/* Each part in turn cannot be started. */
static void test_failures(struct program *program, const char *order)
{
	char before[64], after[64], wanted[128];
	char *taken;
	int status;

	for (size_t i = 0; i < strlen(order); i++) {
		if (strchr("EXIB", order[i]))
			continue;	/* it goes on without, and with any priority */
		if (order[i] == 'S' && program->config.queue < 0)
			continue;	/* only what a queue shows is asked for there */
		snprintf(before, sizeof(before), "%.*s", (int)i, order);
		reversed(before, after);
		/* A policy that no judge took is the daemon's to free. */
		taken = strchr(after, 'y');
		if (taken) {
			bool judged = strchr(before, 'J') != NULL;

			snprintf(wanted, sizeof(wanted), "%s%.*s%s%s", before, (int)(taken - after),
				 after, judged ? "" : "!", taken);
		} else {
			snprintf(wanted, sizeof(wanted), "%s%s", before, after);
		}
		status = run(program, order[i]);
		if (!tap_ok(!strcmp(journal, wanted) &&
			    status == 1, "without %c: %s", order[i], wanted))
			tap_note("got %d %s", status, journal);
	}
}

int main(void)
{
	static const char with_queue[] = "LUPDOAWYZSINKTEFMXGQJCHB", alone[] = "LUPDOAWSFC";
	struct program program = { .name = "test" };

	if (config_init(&program.config))
		return 1;
	expect("LUPDOAWSFC=><+*.-cfswaodpul", run(&program, '\0'), 0, "without a queue");
	test_failures(&program, alone);
	reloads = 2;
	expect("LUPDOAWSFC=><+*~%+*~%+*.-cfswaodpul", run(&program, '\0'), 0,
	       "the manager hears of each reload");
	unread = -EIO;
	expect("LUPDOAWSFC=><+*.-cfswaodpul", run(&program, '\0'), 1,
	       "a cache that cannot be read: exit status 1");
	unread = 0;
	expect("LUPDOAWFC=><+*.-cfswaodpul", run(&program, 'S'), 0, "nor without sock_diag there");

	program.config.queue = program.config.queue_last = 0;
	expect("LUPDOAWYZSINKTEFMXQJCHB=><+*.bh-cj^qxmfetkniszywaodpul", run(&program, '\0'), 0,
	       "nobody wants names");
	program.config.names = true;
	expect("LUPDOAWYZSINKTEFMXGQJCHB=><+*.bh-cj^qgxmfetkniszywaodpul", run(&program, '\0'), 0,
	       "with a queue");
	test_failures(&program, with_queue);
	expect("LUPDOAWYZSINKTFMXGQJCHB=><+*.bh-cj^qgxmfetkniszywaodpul", run(&program, 'E'), 0,
	       "without a trace it goes on, with lookers");
	config_release(&program.config);
	return tap_done();
}
