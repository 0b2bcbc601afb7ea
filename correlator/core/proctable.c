/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was said last of each process: a hash without chains, the newer one stays. */
#include <stdlib.h>

#include "clock.h"
#include "event.h"
#include "proctable.h"
#include "text.h"

#define SLOTS 2048
/* A process with the longest of texts; most are a tenth of it. */
#define PROCESS_BYTES_MAX 8192
#define KEEP_US TIME_US_PER_S
/* The kernel takes a record's time from its last tick, so it is never late. */
#define AHEAD_US 2000

struct proctable {
	int64_t wall_us, mono_ns;	/* proctable_clock() */
	struct known_process *slot[SLOTS];
	size_t size[SLOTS];	/* what is allocated for it */
};

struct proctable *proctable_new(void)
{
	return calloc(1, sizeof(struct proctable));
}

void proctable_free(struct proctable *t)
{
	if (!t)
		return;
	for (int i = 0; i < SLOTS; i++)
		free(t->slot[i]);
	free(t);
}

/* The plugin was too busy to look at /proc, or the process had just ended: then what was known of
 * it a moment ago is more. */
static bool says_less(const struct process *p, int64_t time_us, const struct known_process *old)
{
	const struct process *o = &old->process;

	return o->pid == p->pid && o->ppid == p->ppid && o->start_ticks >= 0 &&
	       p->start_ticks < 0 && text_equal(o->exe, p->exe) && text_equal(o->comm, p->comm) &&
	       time_us - old->time_us < KEEP_US;
}

void proctable_clock(struct proctable *t, int64_t wall_us, int64_t mono_ns)
{
	t->wall_us = wall_us;
	t->mono_ns = mono_ns;
}

/* A stamp from before the clock was put back lies ahead. */
static int64_t mono_of(const struct proctable *t, int64_t time_us)
{
	return time_us > t->wall_us + AHEAD_US ? INT64_MIN :
						 t->mono_ns - (t->wall_us - time_us) * 1000;
}

/* What is newer cannot be kept: what was known before may be of another process of that number. */
static void forget(struct proctable *t, int64_t pid)
{
	size_t i = (size_t)pid % SLOTS;

	if (!t->slot[i] || t->slot[i]->process.pid != pid)
		return;
	free(t->slot[i]);
	t->slot[i] = NULL;
	t->size[i] = 0;
}

void proctable_put(struct proctable *t, const struct process *p, int64_t time_us)
{
	size_t i, need = sizeof(struct known_process) + texts_size(p->text, PROCESS_TEXTS);
	struct known_process *known;

	if (p->pid < 0)
		return;
	i = (size_t)p->pid % SLOTS;
	known = t->slot[i];
	if (known && says_less(p, time_us, known))
		return;
	if (!known || need > t->size[i]) {
		known = need > PROCESS_BYTES_MAX ? NULL : malloc(need);
		if (!known) {
			forget(t, p->pid);
			return;
		}
		free(t->slot[i]);
		t->slot[i] = known;
		t->size[i] = need;
	}
	*known = (struct known_process){ *p, time_us, mono_of(t, time_us) };
	texts_move(known->process.text, PROCESS_TEXTS, (char *)(known + 1));
}

const struct known_process *proctable_get(const struct proctable *t, int64_t pid)
{
	const struct known_process *known = pid < 0 ? NULL : t->slot[pid % SLOTS];

	return known && known->process.pid == pid ? known : NULL;
}

void proctable_lend(const struct proctable *t, struct process *p)
{
	const struct known_process *k = proctable_get(t, p->pid);

	if (!k || k->process.ppid != p->ppid ||
	    (p->start_ticks >= 0 && k->process.start_ticks >= 0 &&
	     p->start_ticks != k->process.start_ticks))
		return;
	p->auid = k->process.auid;
	p->session = k->process.session;
	if (!p->cmdline.data)
		p->cmdline = k->process.cmdline;
	if (p->comm.data)
		return;
	p->comm = k->process.comm;
	p->exe = k->process.exe;
	p->exe_seen = EXE_TOLD;
}
