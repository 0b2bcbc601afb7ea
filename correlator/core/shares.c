/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who holds how much of a table: a list of entries by age for each user, and one of all. */
#include <stdlib.h>

#include "shares.h"
#include "text.h"

#define NONE UINT16_MAX
#define SUBORDINATE_FROM 100000
#define SUBORDINATE_COUNT 65536

enum list { OF_ALL, OF_USER, LISTS };

struct ends {
	uint16_t oldest, newest;
};

struct shares {
	struct ends all;
	struct {
		struct ends ends;
		uint32_t count;
	} user[SHARE_USERS];
	struct entry {
		uint16_t older[LISTS], newer[LISTS];
		uint16_t user;
	} entry[];
};

int64_t share_user(int64_t uid)
{
	return uid < SUBORDINATE_FROM ? uid :
	       SUBORDINATE_FROM + (uid - SUBORDINATE_FROM) / SUBORDINATE_COUNT;
}

unsigned int share_of(int64_t uid)
{
	/* Forwarded and the kernel's own: one user. */
	int64_t user = share_user(uid);

	return (unsigned int)(text_hash(TEXT_HASH_SEED, &user, sizeof(user)) % SHARE_USERS);
}

struct shares *shares_new(uint32_t max)
{
	struct shares *s = calloc(1, sizeof(*s) + max * sizeof(s->entry[0]));

	if (!s)
		return NULL;
	s->all = (struct ends){ NONE, NONE };
	for (int i = 0; i < SHARE_USERS; i++)
		s->user[i].ends = s->all;
	return s;
}

void shares_free(struct shares *s)
{
	free(s);
}

static struct ends *ends_of(struct shares *s, enum list list, const struct entry *e)
{
	return list == OF_ALL ? &s->all : &s->user[e->user].ends;
}

static void link_in(struct shares *s, enum list list, uint16_t n)
{
	struct entry *e = &s->entry[n];
	struct ends *ends = ends_of(s, list, e);

	e->newer[list] = NONE;
	e->older[list] = ends->newest;
	*(ends->newest == NONE ? &ends->oldest : &s->entry[ends->newest].newer[list]) = n;
	ends->newest = n;
}

static void link_out(struct shares *s, enum list list, uint16_t n)
{
	struct entry *e = &s->entry[n];
	struct ends *ends = ends_of(s, list, e);

	*(e->older[list] == NONE ? &ends->oldest : &s->entry[e->older[list]].newer[list]) =
		e->newer[list];
	*(e->newer[list] == NONE ? &ends->newest : &s->entry[e->newer[list]].older[list]) =
		e->older[list];
}

void shares_add(struct shares *s, uint32_t n, int64_t uid)
{
	s->entry[n].user = (uint16_t)share_of(uid);
	s->user[s->entry[n].user].count++;
	link_in(s, OF_ALL, (uint16_t)n);
	link_in(s, OF_USER, (uint16_t)n);
}

void shares_remove(struct shares *s, uint32_t n)
{
	link_out(s, OF_ALL, (uint16_t)n);
	link_out(s, OF_USER, (uint16_t)n);
	s->user[s->entry[n].user].count--;
}

void shares_renew(struct shares *s, uint32_t n)
{
	for (enum list list = OF_ALL; list < LISTS; list++) {
		link_out(s, list, (uint16_t)n);
		link_in(s, list, (uint16_t)n);
	}
}

uint32_t shares_oldest(const struct shares *s)
{
	return s->all.oldest;
}

uint32_t shares_heaviest(const struct shares *s)
{
	int heaviest = 0;

	for (int i = 1; i < SHARE_USERS; i++)
		if (s->user[i].count > s->user[heaviest].count)
			heaviest = i;
	return s->user[heaviest].ends.oldest;
}
