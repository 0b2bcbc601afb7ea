/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memories of processes, and which of them are disguised. */
#include <stdlib.h>

#include "memories.h"

/* A copy may be seen before what happened to its original a moment earlier, for the processors'
 * events are read in turn: so many generations of copies may be made in that moment. */
#define GENERATIONS 4

struct memory {
	uint32_t users;			/* 0: it is free */
	uint32_t number;		/* of all that were ever here */
	uint32_t from, from_number;	/* what it is a copy of; free: the next free one */
	int64_t born_ns;
	int64_t disguised_ns;		/* 0: it is not */
	bool whole;			/* all who share it are known */
	bool perhaps;			/* as it was copied */
};

struct memories {
	uint32_t max, unused;
	int64_t doubtful_ns;
	struct memory memory[];
};

static void note_doubtful(struct memories *m, int64_t time_ns)
{
	if (!m->doubtful_ns || time_ns < m->doubtful_ns)
		m->doubtful_ns = time_ns;
}

void memories_forget(struct memories *m)
{
	/* Who is disguised may be heard of again. */
	for (uint32_t i = 0; i < m->max; i++)
		if (m->memory[i].users && m->memory[i].disguised_ns)
			note_doubtful(m, m->memory[i].disguised_ns);
	m->unused = 0;
	for (uint32_t i = 0; i < m->max; i++)
		m->memory[i] = (struct memory){ .number = m->memory[i].number + 1,
						.from = i + 1 };
}

struct memories *memories_new(uint32_t max)
{
	struct memories *m = calloc(1, sizeof(*m) + max * sizeof(m->memory[0]));

	if (!m)
		return NULL;
	m->max = max;
	memories_forget(m);
	return m;
}

void memories_free(struct memories *m)
{
	free(m);
}

static uint32_t add(struct memories *m, const struct memory *as)
{
	uint32_t n = m->unused;
	struct memory *k = &m->memory[n];
	uint32_t number;

	if (n >= m->max)
		return MEMORY_NONE;
	number = k->number + 1;
	m->unused = k->from;
	*k = *as;
	k->users = 1;
	k->number = number;
	return n;
}

uint32_t memories_add_old(struct memories *m)
{
	return add(m, &(struct memory){ .from = MEMORY_NONE });
}

uint32_t memories_add_new(struct memories *m)
{
	return add(m, &(struct memory){ .from = MEMORY_NONE, .whole = true });
}

uint32_t memories_add_copy(struct memories *m, uint32_t from, int64_t time_ns)
{
	struct memory copy = { .from = from, .born_ns = time_ns, .whole = true };

	switch (memories_ask(m, from)) {
	case DISGUISE_SURE:
		copy.disguised_ns = time_ns;
		break;
	case DISGUISE_PERHAPS:
		copy.perhaps = true;
		break;
	case DISGUISE_NONE:
		break;
	}
	if (from != MEMORY_NONE)
		copy.from_number = m->memory[from].number;
	return add(m, &copy);
}

uint32_t memories_share(struct memories *m, uint32_t memory)
{
	if (memory != MEMORY_NONE)
		m->memory[memory].users++;
	return memory;
}

void memories_leave(struct memories *m, uint32_t memory, bool forgotten)
{
	struct memory *k;

	if (memory == MEMORY_NONE)
		return;
	k = &m->memory[memory];
	k->users--;
	if (forgotten) {
		k->whole = false;
		/* It may be heard of again. */
		if (k->disguised_ns)
			note_doubtful(m, k->disguised_ns);
	}
	if (k->users)
		return;
	k->from = m->unused;
	m->unused = memory;
}

void memories_disguise(struct memories *m, uint32_t memory, int64_t time_ns)
{
	if (memory == MEMORY_NONE) {
		note_doubtful(m, time_ns);
		return;
	}
	if (!m->memory[memory].disguised_ns)
		m->memory[memory].disguised_ns = time_ns;
	if (!m->memory[memory].whole)
		note_doubtful(m, time_ns);
}

/* What it is a copy of was disguised before. */
static bool is_copied(const struct memories *m, const struct memory *k)
{
	for (int i = 0; i < GENERATIONS && k->from != MEMORY_NONE; i++) {
		const struct memory *from = &m->memory[k->from];

		if (!from->users || from->number != k->from_number)
			return false;
		if (from->disguised_ns && from->disguised_ns <= k->born_ns)
			return true;
		k = from;
	}
	return false;
}

enum disguise memories_ask(const struct memories *m, uint32_t memory)
{
	const struct memory *k;

	if (memory == MEMORY_NONE)
		return m->doubtful_ns ? DISGUISE_PERHAPS : DISGUISE_NONE;
	k = &m->memory[memory];
	if (k->disguised_ns || is_copied(m, k))
		return DISGUISE_SURE;
	return k->perhaps || (!k->whole && m->doubtful_ns) ? DISGUISE_PERHAPS : DISGUISE_NONE;
}

int64_t memories_doubtful_since_ns(const struct memories *m)
{
	return m->doubtful_ns;
}
