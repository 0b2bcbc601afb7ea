/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The newest event of each process: a hash without chains, where a newer event replaces an older.
 */
#include <stdlib.h>

#include "clock.h"
#include "event.h"
#include "proctable.h"
#include "text.h"

#define SLOTS 2048
/* Room for an event with the longest texts; most take a tenth of it. */
#define EVENT_BYTES_MAX 8192
#define KEEP_US TIME_US_PER_S

struct proctable {
	struct event *slot[SLOTS];
	size_t size[SLOTS];	/* how much is allocated for it */
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

/*
 * The plugin was too busy to look at /proc, or the process had just ended: then the older event
 * says more.
 */
static bool says_less(const struct event *e, const struct event *old)
{
	return old && old->pid == e->pid && old->start_ticks >= 0 && e->start_ticks < 0 &&
	       old->ppid == e->ppid && text_equal(old->text[EVENT_EXE], e->text[EVENT_EXE]) &&
	       text_equal(old->text[EVENT_COMM], e->text[EVENT_COMM]) &&
	       e->time_us - old->time_us < KEEP_US;
}

void proctable_put(struct proctable *t, const struct event *e)
{
	size_t i, need = event_pack_size(e);

	if (e->pid < 0 || e->text[EVENT_NODE].data || need > EVENT_BYTES_MAX)
		return;
	i = (size_t)e->pid % SLOTS;
	if (says_less(e, t->slot[i]))
		return;
	if (need > t->size[i]) {
		struct event *grown = malloc(need);

		if (!grown)
			return;
		free(t->slot[i]);
		t->slot[i] = grown;
		t->size[i] = need;
	}
	event_pack(e, t->slot[i]);
}

const struct event *proctable_get(const struct proctable *t, int64_t pid)
{
	const struct event *e = pid < 0 ? NULL : t->slot[pid % SLOTS];

	return e && e->pid == pid ? e : NULL;
}
