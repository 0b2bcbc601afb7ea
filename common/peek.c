/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to /proc that another process can make wait: who asks, and what became of it. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "failures.h"
#include "question.h"
#include "looker.h"
#include "peek.h"
#include "shunned.h"

/* One is asked, the others are spare. */
#define LOOKERS 6
/*
 * A looker that waits for longer is overdue.  The kernel itself waits for its next tick where a
 * thread is just going to sleep (wait_task_inactive()): 4 ms with HZ=250.
 */
#define LATE_NS 6000000LL
/* So much of all time may be spent on lookers that are overdue; when it is used up, they are
 * sooner, whoever is to blame. */
#define PATIENCE_PERCENT 1
#define PATIENCE_MAX_NS 100000000LL
#define LATE_LEAST_NS 300000LL
/* One that is running, or would be if it had a processor, gets so many times as long. */
#define LATE_RUNNING_TIMES 8
#define AGAIN_NS 1000000LL
#define START_NS 1000000000LL

struct peek {
	struct looks looks;
	struct looker *looker[LOOKERS];
	struct shunned shunned;
	int64_t patience_ns, patience_of_ns;	/* how much there is, and was at that time */
	struct peek_counts count;
};

int peek_start(const struct looks *looks, bool realtime, struct peek **out)
{
	struct peek *p;
	int64_t until_ns = clock_mono_ns() + START_NS;
	int rc = 0;

	*out = NULL;
	/* valgrind has no such processes. */
	if (getenv("UNDER_VALGRIND"))
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->looks = *looks;
	shunned_init(&p->shunned, looks->path);
	p->patience_ns = PATIENCE_MAX_NS;
	for (int i = 0; !rc && i < LOOKERS; i++) {
		p->looker[i] = looker_start(&p->looks, realtime);
		rc = p->looker[i] ? 0 : -errno;
	}
	while (!rc && !looker_is_free(p->looker[0]) && clock_mono_ns() < until_ns)
		usleep(100);
	if (rc)
		peek_stop(p);
	else
		*out = p;
	return rc;
}

void peek_stop(struct peek *p)
{
	if (!p)
		return;
	for (int i = 0; i < LOOKERS; i++)
		looker_stop(p->looker[i]);
	shunned_release(&p->shunned);
	free(p);
}

void peek_renew(struct peek *p)
{
	for (int i = 0; p && i < LOOKERS; i++)
		looker_renew(p->looker[i]);
}

static void note_overdue(struct peek *p, const struct look *q, int64_t at, int64_t now_ns)
{
	FAILS(LOOK_OVERDUE);
	p->count.overdue++;
	p->count.last_pid = at > 0 ? at : q->pid;
	p->count.last_uid = shunned_add(&p->shunned, p->count.last_pid, q->uid, now_ns);
}

/* How long it may take. */
static int64_t patience(struct peek *p, int64_t now_ns)
{
	p->patience_ns += (now_ns - p->patience_of_ns) * PATIENCE_PERCENT / 100;
	p->patience_of_ns = now_ns;
	if (p->patience_ns > PATIENCE_MAX_NS)
		p->patience_ns = PATIENCE_MAX_NS;
	return p->patience_ns > LATE_NS ? LATE_NS :
	       p->patience_ns < LATE_LEAST_NS ? LATE_LEAST_NS : p->patience_ns;
}

/* The one that runs here, or may run anywhere yet, or any other. */
static struct looker *choose(struct peek *p)
{
	struct looker *best = NULL;
	int cpu = sched_getcpu();

	for (int i = 0; i < LOOKERS; i++) {
		struct looker *l = p->looker[i];

		if (!looker_is_free(l))
			continue;
		if (l->cpu == cpu)
			return l;
		if (!best || l->cpu < best->cpu)
			best = l;
	}
	return best;
}

/* True: it has come back. */
static bool await(struct peek *p, struct looker *l, const struct look *q)
{
	int64_t began_ns = clock_mono_ns(), late_ns = patience(p, began_ns), now_ns = began_ns;
	int64_t until_ns = began_ns + late_ns;
	bool waits = false;

	while (!looker_await(l, until_ns)) {
		now_ns = clock_mono_ns();
		waits = now_ns >= until_ns && looker_waits(l);
		/* Before that time it has been killed, by whomever. */
		if (waits || now_ns < until_ns ||
		    now_ns - began_ns >= LATE_RUNNING_TIMES * late_ns)
			break;
		until_ns = now_ns + AGAIN_NS;
	}
	if (looker_has_answered(l))
		return true;
	p->patience_ns -= now_ns - began_ns;
	/* A debt is soon paid: else who was slow once makes all others overdue for long. */
	if (p->patience_ns < -PATIENCE_MAX_NS)
		p->patience_ns = -PATIENCE_MAX_NS;
	looker_give_up(l);
	if (waits)
		note_overdue(p, q, l->a.at, now_ns);
	return false;
}

static void unpin(bool pinned, const cpu_set_t *usual)
{
	if (pinned)
		sched_setaffinity(0, sizeof(*usual), usual);
}

/*
 * A real-time thread that another one preempts goes to another processor, and is woken there, and
 * that takes longer than most looks.  True: it stays until unpin().
 */
static bool pin(cpu_set_t *usual)
{
	int cpu = sched_getscheduler(0) == SCHED_OTHER ? -1 : sched_getcpu();
	cpu_set_t here;

	if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(*usual), usual))
		return false;
	CPU_ZERO(&here);
	CPU_SET(cpu, &here);
	return !sched_setaffinity(0, sizeof(here), &here);
}

bool peek_is_shunned(struct peek *p, int64_t pid)
{
	bool is = shunned_is(&p->shunned, pid, -1, clock_mono_ns());

	p->count.refused += is;
	return is;
}

enum peek_word peek_now(struct peek *p, const struct look *q, struct seen *a)
{
	struct looker *l;
	cpu_set_t usual;
	bool told, pinned;

	if (q->pid > 0 && shunned_is(&p->shunned, q->pid, q->uid, clock_mono_ns())) {
		p->count.refused++;
		return PEEK_UNREADABLE;
	}
	pinned = pin(&usual);
	l = choose(p);
	if (!l) {
		unpin(pinned, &usual);
		p->count.gone++;
		return PEEK_UNREADABLE;
	}
	p->count.asked++;
	looker_ask(l, q);
	told = looker_has_answered(l) || await(p, l, q);
	unpin(pinned, &usual);
	*a = l->a;
	a->text = l->text;
	if (told)
		looker_take(l);
	return told ? PEEK_TOLD : PEEK_OVERDUE;
}

struct peek_counts peek_counts(const struct peek *p)
{
	struct peek_counts count = p ? p->count : (struct peek_counts){ 0 };

	for (int i = 0; p && i < LOOKERS; i++)
		count.left += looker_is_left(p->looker[i]);
	return count;
}
