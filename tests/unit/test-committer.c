/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The committer over a store that fails when it is told to. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "clock.h"
#include "committer.h"
#include "scratch.h"
#include "tap.h"

#define ITEMS 200000

/*
 * Items are numbers.  What is committed is a list of them; what is added waits in `open` for the
 * commit.  Faults are numbers of calls that fail, by errno; random ones by chance.
 */
struct store {
	uint32_t committed[ITEMS], open[ITEMS];
	atomic_uint kept;
	unsigned int added, begun;
	atomic_uint commits, rollbacks, opens, opened, closes, asides, rooms, idles;
	atomic_int fail_open, fail_begin, fail_add, fail_finish; /* an errno, while it stands */
	atomic_int once;		/* these faults come once */
	atomic_int has_room;		/* make_room() can make some: the fault goes */
	atomic_int damaged;		/* until it is set aside */
	atomic_uint chance;		/* one of so many calls fails; 0: none */
	atomic_bool dirty;
	uint64_t random;
	bool is_open, in_transaction;
	atomic_uint misuse;		/* calls in a state where they must not come */
	_Atomic int64_t slow_us;	/* a commit takes this long */
	atomic_bool hangs;		/* a commit takes until this ends */
	atomic_bool in_commit;
	_Atomic int64_t finished_ns;	/* the last commit was begun then */
};

static int fault(struct store *s, atomic_int *which)
{
	int error = atomic_load(which);

	if (error && atomic_load(&s->once))
		atomic_store(which, 0);
	s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
	if (!error && s->chance && (s->random >> 33) % s->chance == 0)
		error = s->random >> 60 & 1 ? -EIO : s->random >> 61 & 1 ? -EBUSY : -ENOSPC;
	return error;
}

static int store_open(void *store)
{
	struct store *s = store;
	int error = fault(s, &s->fail_open);

	s->misuse += s->is_open;
	s->opens++;
	if (!error && atomic_load(&s->damaged))
		error = -EUCLEAN;
	s->is_open = !error;
	s->opened += !error;
	return error;
}

static void store_close(void *store)
{
	struct store *s = store;

	s->misuse += !s->is_open || s->in_transaction;
	s->closes++;
	s->is_open = false;
}

static int store_begin(void *store)
{
	struct store *s = store;
	int error = fault(s, &s->fail_begin);

	s->misuse += !s->is_open || s->in_transaction;
	s->begun = s->kept;
	s->added = 0;
	s->in_transaction = !error;
	return error;
}

static int store_add(void *store, const void *item)
{
	struct store *s = store;
	int error = fault(s, &s->fail_add);

	s->misuse += !s->in_transaction;
	if (!error)
		memcpy(&s->open[s->added++], item, sizeof(uint32_t));
	return error;
}

static int store_finish(void *store, int64_t items, bool drained)
{
	struct store *s = store;
	int error = fault(s, &s->fail_finish);

	(void)drained;
	s->finished_ns = clock_mono_ns();
	s->misuse += !s->in_transaction || items != s->added;
	if (error)
		return error;
	atomic_store(&s->in_commit, true);
	if (s->slow_us)
		usleep((useconds_t)s->slow_us);
	while (atomic_load(&s->hangs))
		usleep(200);
	atomic_store(&s->in_commit, false);
	if (s->begun + s->added > ITEMS) {
		s->misuse++;
		s->added = 0;
	}
	memcpy(s->committed + s->begun, s->open, s->added * sizeof(s->open[0]));
	atomic_store(&s->kept, s->begun + s->added);
	atomic_store(&s->dirty, false);
	s->in_transaction = false;
	s->commits++;
	return 0;
}

static void store_rollback(void *store)
{
	struct store *s = store;

	s->in_transaction = false;
	s->added = 0;
	s->rollbacks++;
}

static int store_make_room(void *store)
{
	struct store *s = store;

	s->rooms++;
	if (!atomic_load(&s->has_room))
		return -ENOSPC;
	atomic_store(&s->fail_finish, 0);
	return 0;
}

static void store_set_aside(void *store)
{
	struct store *s = store;

	s->misuse += s->is_open;
	s->asides++;
	atomic_store(&s->damaged, 0);
	atomic_store(&s->fail_finish, 0);
}

static int store_idle(void *store)
{
	struct store *s = store;

	s->misuse += !s->is_open || s->in_transaction;
	s->idles++;
	return 0;
}

static bool store_dirty(void *store)
{
	return atomic_load(&((struct store *)store)->dirty);
}

static const char *store_path(void *store)
{
	(void)store;
	return "/nowhere";
}

static struct committer_ops ops = {
	.what = "store", .open = store_open, .close = store_close, .begin = store_begin,
	.add = store_add, .finish = store_finish, .rollback = store_rollback,
	.make_room = store_make_room, .set_aside = store_set_aside, .idle = store_idle,
	.dirty = store_dirty, .path = store_path,
};

static struct store store;
static int interrupt = -1;	/* what start() hands on */

static struct committer *start(size_t buffer)
{
	struct committer *c = committer_start(&ops, &store, buffer, interrupt);

	if (c)
		return c;
	tap_ok(false, "the committer starts");
	exit(1);
}

static struct committer *start_fresh(size_t buffer)
{
	memset(&store, 0, sizeof(store));
	return start(buffer);
}

static bool give(struct committer *c, uint32_t number, size_t len, enum committer_patience patience)
{
	void *room = committer_reserve(c, len < 4 ? 4 : len, patience);

	if (!room)
		return false;
	memcpy(room, &number, sizeof(number));
	committer_publish(c);
	return true;
}

static bool in_order(uint32_t from, uint32_t count)
{
	if (atomic_load(&store.kept) != count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (store.committed[i] != from + i)
			return false;
	return true;
}

/* Waits for *what to be at least n, ten seconds at most. */
static bool reaches(atomic_uint *what, unsigned int n)
{
	int64_t until = clock_mono_ns() + 10000000000;

	while (atomic_load(what) < n)
		if (clock_mono_ns() > until || usleep(200))
			return false;
	return true;
}

static void check(bool good, const char *name)
{
	if (!tap_ok(good && !store.misuse, "%s", name))
		tap_note(
			"kept %u, commits %u, rollbacks %u, opens %u, closes %u, aside %u, room %u,"
			" misuse %u",
			store.kept, store.commits, store.rollbacks, store.opens, store.closes,
			store.asides, store.rooms, store.misuse);
}

static void test_order(void)
{
	struct committer *c = start_fresh(256 * 1024);
	int64_t lost = -1, began;
	int rc;

	check(committer_idle(c), "nothing waits at first");
	began = clock_mono_ns();
	give(c, 0, 4, PATIENCE_NONE);
	check(reaches(&store.kept, 1) && clock_mono_ns() - began < 5000000000 && store.commits == 1,
	      "one item is committed at once");
	for (uint32_t i = 1; i < ITEMS; i++)
		give(c, i, 4 + i % 50, PATIENCE_ENDLESS);
	rc = committer_stop(c, 10000, &lost);
	check(rc == 0 && lost == 0 && in_order(0, ITEMS), "all items, in their order, at the end");
	check(store.commits < ITEMS / 20 && store.opens == 1 && store.closes == 1,
	      "many to a transaction when they come fast");
	check(store.idles >= 1, "there is a turn for what is not urgent before the end");
}

static void test_faults(void)
{
	static const struct {
		const char *what;
		atomic_int *where;
		int error;
		bool once;
	} faults[] = {
		{ "begin is refused by a lock", &store.fail_begin, -EBUSY, false },
		{ "an item cannot be added", &store.fail_add, -EIO, false },
		{ "a full disk", &store.fail_finish, -ENOSPC, false },
		{ "one commit fails", &store.fail_finish, -EIO, true },
		{ "one add fails", &store.fail_add, -EBUSY, true },
		{ "memory is short once", &store.fail_begin, -ENOMEM, true },
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct committer *c = start_fresh(256 * 1024);
		int64_t lost = -1;
		bool good;
		int rc;

		for (uint32_t n = 0; n < 100; n++)
			give(c, n, 40, PATIENCE_ENDLESS);
		good = reaches(&store.kept, 100);
		atomic_store(&store.once, faults[i].once);
		atomic_store(faults[i].where, faults[i].error);
		for (uint32_t n = 100; n < 200; n++)
			give(c, n, 40, PATIENCE_ENDLESS);
		good = good && reaches(&store.rollbacks, faults[i].once ? 1 : 3);
		if (!faults[i].once) {
			good = good && store.kept == 100 && !committer_idle(c);
			atomic_store(faults[i].where, 0);
		}
		good = good && reaches(&store.kept, 200);
		for (uint32_t n = 200; n < 300; n++)
			give(c, n, 40, PATIENCE_ENDLESS);
		rc = committer_stop(c, 10000, &lost);
		check(good && rc == 0 && lost == 0 && in_order(0, 300), faults[i].what);
	}
}

static void test_damage(void)
{
	struct committer *c = start_fresh(256 * 1024);
	int64_t lost = -1;

	give(c, 0, 4, PATIENCE_ENDLESS);
	reaches(&store.kept, 1);
	atomic_store(&store.fail_finish, -EUCLEAN);
	give(c, 1, 4, PATIENCE_ENDLESS);
	check(reaches(&store.kept, 2) && in_order(0, 2) && store.asides == 1 && store.opens == 2,
	      "a damaged file is closed, set aside once, and a new one begun");
	committer_stop(c, 1000, &lost);

	memset(&store, 0, sizeof(store));
	store.damaged = 1;
	c = start(65536);
	give(c, 0, 4, PATIENCE_ENDLESS);
	check(reaches(&store.kept, 1) && store.asides == 1,
	      "also where it is damaged from the start");
	committer_stop(c, 1000, &lost);

	c = start_fresh(256 * 1024);
	atomic_store(&store.fail_finish, -ENOSPC);
	give(c, 0, 4, PATIENCE_ENDLESS);
	check(reaches(&store.rooms, 2) && store.kept == 0, "a full disk: room is asked for");
	check(reaches(&store.closes, 1) && reaches(&store.opened, 2),
	      "where there is none it is opened anew, because who looked for room may have closed "
	      "it");
	atomic_store(&store.has_room, 1);
	check(reaches(&store.kept, 1) && in_order(0, 1) && !store.asides,
	      "and what waited is written when there is some");
	committer_stop(c, 1000, &lost);
}

static void test_open(void)
{
	struct committer *c;
	unsigned int commits;
	int64_t lost = -1;
	int rc;

	memset(&store, 0, sizeof(store));
	store.fail_open = -EACCES;
	c = start(65536);
	for (uint32_t i = 0; i < 50; i++)
		give(c, i, 4, PATIENCE_NONE);
	check(reaches(&store.opens, 4) && store.kept == 0,
	      "a store that cannot be opened is tried again");
	atomic_store(&store.fail_open, 0);
	check(reaches(&store.kept, 50) && in_order(0, 50), "until it can, and nothing is lost");
	committer_reopen(c);
	check(reaches(&store.opened, 2) && store.closes == 1, "it is opened anew when asked to");
	commits = store.commits;
	atomic_store(&store.dirty, true);
	committer_kick(c);
	check(reaches(&store.commits, commits + 1), "what is dirty is written without an item");
	give(c, 50, 4, PATIENCE_NONE);
	rc = committer_stop(c, 1000, &lost);
	check(rc == 0 && lost == 0 && in_order(0, 51) && store.closes == 2,
	      "and the end is as always");
}

/* Where nothing else comes what is dirty waits a twentieth of a second for items that may.  A kick
 * that comes a second late finds it waiting already, and so there are several. */
static void test_kick(void)
{
	struct committer *c = start_fresh(65536);
	int64_t lost = -1, longest_ns = 0, before = clock_mono_ns();

	for (uint32_t i = 0; i < 30; i++) {
		give(c, i, 4, PATIENCE_NONE);
		reaches(&store.commits, i + 1);
	}
	check(store.idles <= 2 + (clock_mono_ns() - before) / 1000000000,
	      "what is not urgent has a turn each second, however many items come");
	for (uint32_t i = 30; i < 40 && longest_ns < 50000000; i++) {
		unsigned int commits = store.commits;
		int64_t began;

		give(c, i, 4, PATIENCE_NONE);
		reaches(&store.commits, ++commits);
		atomic_store(&store.dirty, true);
		began = clock_mono_ns();
		committer_kick(c);
		if (reaches(&store.commits, commits + 1))
			longest_ns = clock_mono_ns() - began;
	}
	check(longest_ns >= 50000000, "a kick without an item is not urgent");
	committer_stop(c, 1000, &lost);
}

/* What comes soon after a commit waits, so that there is one commit for all of it. */
static void test_gather(void)
{
	struct committer *c;
	int64_t lost = -1, before;

	ops.gather_ms = 150;
	c = start_fresh(65536);
	give(c, 0, 4, PATIENCE_NONE);
	check(reaches(&store.kept, 1), "the first item waits for nobody");
	before = store.finished_ns;
	for (uint32_t i = 1; i < 20; i++)
		give(c, i, 4, PATIENCE_NONE);
	check(reaches(&store.kept, 20) && store.finished_ns - before >= 150000000 &&
	      store.commits < 20, "those behind it are gathered");
	committer_stop(c, 1000, &lost);
	ops.gather_ms = 0;
}

static void test_full(void)
{
	struct committer *c = start_fresh(8192);
	int64_t lost = -1, began, took;
	uint32_t given = 0;
	bool slow_enough = true;
	int rc;

	atomic_store(&store.fail_finish, -EBUSY);
	began = clock_mono_ns();
	while (give(c, given, 100, PATIENCE_NONE))
		given++;
	took = clock_mono_ns() - began;
	check(given > 50 && given < 82 && took < 3000000000,
	      "a full ring is told of, not waited for");
	began = clock_mono_ns();
	for (int i = 0; i < 1000; i++)
		if (give(c, given, 100, PATIENCE_NONE))
			given++;
	check(given < 82 && clock_mono_ns() - began < 1000000000,
	      "and told at once while nothing moves");
	began = clock_mono_ns();
	check(!give(c, given, 100, PATIENCE_PROGRESS) && clock_mono_ns() - began < 1000000000,
	      "as is a producer that waits for progress alone");
	atomic_store(&store.fail_finish, 0);
	check(give(c, given, 100, PATIENCE_ENDLESS) && reaches(&store.kept, given + 1) &&
		      in_order(0, given + 1),
	      "a producer that may wait gets room when it moves again");
	given++;
	atomic_store(&store.slow_us, 3000);
	for (uint32_t i = 0; i < 400; i++)
		given += give(c, given, 100, PATIENCE_NONE);
	check(reaches(&store.kept, given), "nothing of it is lost");
	for (uint32_t i = 0; i < 200; i++)
		slow_enough = slow_enough && give(c, given++, 100, PATIENCE_PROGRESS);
	check(slow_enough && reaches(&store.kept, given),
	      "a producer that waits for progress gets room with it");
	check(given > 600 && in_order(0, given), "a store that is slow, but moves, is waited for");
	atomic_store(&store.slow_us, 0);

	atomic_store(&store.fail_add, -EIO);
	for (int i = 0; i < 7; i++)
		give(c, given + (uint32_t)i, 100, PATIENCE_NONE);
	began = clock_mono_ns();
	rc = committer_stop(c, 100, &lost);
	took = clock_mono_ns() - began;
	check(rc == -EIO && lost == 7 && took >= 90000000 && took < 5000000000 &&
		      in_order(0, given),
	      "an end that cannot write gives up in time, and counts what is lost");
}

/* A disk that does not answer gives no error either.  The producer is what the audit daemon waits
 * for. */
static void test_hang(void)
{
	struct committer *c = start_fresh(8192);
	int64_t lost = -1, began, waited;
	uint32_t given = 1;
	int rc;

	atomic_store(&store.hangs, true);
	give(c, 0, 100, PATIENCE_NONE);
	while (!atomic_load(&store.in_commit))
		usleep(200);
	began = clock_mono_ns();
	while (give(c, given, 100, PATIENCE_NONE))
		given++;
	waited = clock_mono_ns() - began;
	check(given > 50 && waited >= 90000000 && waited < 5000000000,
	      "a store that hangs is waited for once, for a tenth of a second");
	began = clock_mono_ns();
	for (int i = 0; i < 100; i++)
		if (give(c, given, 100, PATIENCE_NONE))
			given++;
	waited = clock_mono_ns() - began;
	if (!tap_ok(waited < 2000000000, "and not again for each item that follows"))
		tap_note("100 items waited %lld ms", (long long)waited / 1000000);
	check(!give(c, given, 100, PATIENCE_PROGRESS), "there is no progress to wait for");
	atomic_store(&store.hangs, false);
	check(reaches(&store.kept, given), "when it answers, all that had room is there");
	check(give(c, given++, 100, PATIENCE_NONE), "and what comes has room again");
	rc = committer_stop(c, 10000, &lost);
	check(rc == 0 && lost == 0 && in_order(0, given), "nothing is lost, and the order stays");
}

/* A program that shall end does not wait for ever, even where it may. */
static void test_interrupt(void)
{
	struct committer *c;
	int64_t lost = -1, took;
	int ends[2];

	if (pipe(ends) || write(ends[1], "", 1) != 1)
		exit(1);
	interrupt = ends[0];
	c = start_fresh(8192);
	interrupt = -1;
	atomic_store(&store.fail_finish, -EBUSY);
	while (give(c, 0, 1000, PATIENCE_NONE))
		;
	took = clock_mono_ns();
	check(!give(c, 0, 1000, PATIENCE_ENDLESS) && clock_mono_ns() - took < 5000000000,
	      "a producer that may wait for ever learns that the program shall end");
	committer_stop(c, 50, &lost);
	close(ends[0]);
	close(ends[1]);
}

/* In a child: it may wait for ever. */
static void test_too_large(void)
{
	int64_t lost;
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		struct committer *c;

		alarm(1);
		c = start_fresh(8192);
		_exit(committer_reserve(c, 8192, PATIENCE_NONE) ||
		      committer_reserve(c, 8192, PATIENCE_ENDLESS) ? 1 :
		      committer_stop(c, 1000, &lost) ? 2 : 0);
	}
	waitpid(child, &status, 0);
	if (!tap_ok(status == 0,
		    "an item that never fits is refused, also to a producer that may wait"))
		tap_note(WIFSIGNALED(status) ? "died of signal %d" : "wait status %d",
			 WIFSIGNALED(status) ? WTERMSIG(status) : status);
}

static void test_random(void)
{
	struct committer *c = start_fresh(16384);
	int64_t lost = -1;
	int rc;

	store.random = scratch_random();
	store.has_room = 1;
	/* One of 400 calls fails, also of those in the middle of a batch. */
	atomic_store(&store.chance, 400);
	for (uint32_t i = 0; i < 30000; i++) {
		give(c, i, 4 + i % 60, PATIENCE_ENDLESS);
		if (i == 15000)
			committer_reopen(c);
	}
	atomic_store(&store.chance, 0);
	rc = committer_stop(c, 10000, &lost);
	check(rc == 0 && lost == 0 && in_order(0, 30000) && store.rollbacks > 10,
	      "30000 items over random failures: none lost, none twice, in order");
	tap_note("%u rollbacks", store.rollbacks);
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	test_order();
	test_faults();
	test_damage();
	test_open();
	test_kick();
	test_gather();
	test_full();
	test_hang();
	test_interrupt();
	test_too_large();
	errno = 0;
	tap_ok(!committer_start(&ops, &store, (size_t)1 << 60, -1) && errno == ENOMEM,
	       "one that cannot start tells why");
	test_random();
	return tap_done();
}
