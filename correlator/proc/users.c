/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of this host's users. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "users.h"

#define SLOTS 256
#define NAME_CHARS 256
#define KEEP_NS 60000000000LL

struct slot {
	int64_t uid;
	int64_t asked_ns;	/* 0: empty */
	char name[NAME_CHARS];	/* "": no user has this uid */
};

struct users {
	struct slot slots[SLOTS];
};

struct users *users_new(void)
{
	return calloc(1, sizeof(struct users));
}

void users_free(struct users *u)
{
	free(u);
}

struct text users_name(struct users *u, int64_t uid, int64_t now_ns)
{
	struct slot *s;
	struct passwd pw, *found = NULL;
	char buf[16384];

	if (uid < 0)
		return TEXT_NONE;
	s = &u->slots[uid % SLOTS];
	if (!s->asked_ns || s->uid != uid || now_ns - s->asked_ns > KEEP_NS) {
		getpwuid_r((uid_t)uid, &pw, buf, sizeof(buf), &found);
		snprintf(s->name, sizeof(s->name), "%s", found ? pw.pw_name : "");
		s->uid = uid;
		s->asked_ns = now_ns;
	}
	return s->name[0] ? text_of(s->name) : TEXT_NONE;
}
