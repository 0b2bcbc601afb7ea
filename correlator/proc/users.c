/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of this host's users. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/types.h>
#include <unistd.h>

#include "clock.h"
#include "failures.h"
#include "shares.h"
#include "users.h"

/* For each share (shares.h): so whoever has many numbers takes no other user's room, nor time. */
#define SLOTS 16
#define KEEP_NS 60000000000LL
/* How long look-ups may take: so much at once, and then a tenth of the time. */
#define ALLOWED_NS 200000000LL
#define ALLOWED_PART 10
#define ENTRY_BYTES 16384
#define GROUP_BYTES ((size_t)1024 * 1024)	/* with all its members' names */

struct slot {
	int64_t uid;
	int64_t asked_ns;	/* 0: empty */
	char name[USERS_NAME_CHARS];	/* "": no user has this uid */
};

struct users {
	int watch;
	int64_t changed_ns;	/* what was asked before that may be another's by now */
	struct share {
		int64_t spent_ns, seen_ns;
		struct slot slots[SLOTS];
	} shares[SHARE_USERS];
};

struct users *users_new(const char *directory)
{
	struct users *u = calloc(1, sizeof(*u));

	if (u)
		u->watch = users_watch_open(directory);
	return u;
}

void users_free(struct users *u)
{
	if (u && u->watch >= 0)
		close(u->watch);
	free(u);
}

int users_watch_open(const char *directory)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	/* The tools write a new file and put it in the old one's place. */
	if (fd >= 0 && inotify_add_watch(fd, directory, IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY |
					 IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool is_of_users(const struct inotify_event *e)
{
	static const char *const files[] = { "passwd", "group", "nsswitch.conf" };

	if (e->mask & (IN_Q_OVERFLOW | IN_IGNORED))
		return true;
	for (size_t i = 0; e->len && i < sizeof(files) / sizeof(files[0]); i++)
		if (!strcmp(e->name, files[i]))
			return true;
	return false;
}

bool users_watch_changed(int fd)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool changed = false;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(buf + at);

			changed |= is_of_users(e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	return changed;
}

/* What getpwnam_r(3) and getpwuid_r(3) say where there is no such user. */
static bool is_none(int rc)
{
	return !rc || rc == ENOENT || rc == ESRCH || rc == EBADF || rc == EPERM;
}

int users_ask_number(const char *name, int64_t *number)
{
	struct passwd pw, *found = NULL;
	char buf[ENTRY_BYTES];
	int rc = getpwnam_r(name, &pw, buf, sizeof(buf), &found);

	*number = found ? (int64_t)pw.pw_uid : -1;
	return found || is_none(rc) ? 0 : -rc;
}

int users_ask_group(const char *name, int64_t *number)
{
	struct group gr, *found = NULL;
	char *buf = malloc(GROUP_BYTES);
	int rc;

	if (!buf)
		return -ENOMEM;
	rc = getgrnam_r(name, &gr, buf, GROUP_BYTES, &found);
	*number = found ? (int64_t)gr.gr_gid : -1;
	free(buf);
	return found || is_none(rc) ? 0 : -rc;
}

int users_ask_name(int64_t uid, char name[USERS_NAME_CHARS])
{
	struct passwd pw, *found = NULL;
	char buf[ENTRY_BYTES];
	int rc = getpwuid_r((uid_t)uid, &pw, buf, sizeof(buf), &found);

	snprintf(name, USERS_NAME_CHARS, "%s", found ? pw.pw_name : "");
	return found || is_none(rc) ? 0 : -rc;
}

/* Whether the share's look-ups have left time for another one. */
static bool may_take_time(struct share *s, int64_t now_ns)
{
	s->spent_ns -= (now_ns - s->seen_ns) / ALLOWED_PART;
	if (s->spent_ns < 0)
		s->spent_ns = 0;
	s->seen_ns = now_ns;
	return s->spent_ns < ALLOWED_NS;
}

static bool is_fresh(const struct users *u, const struct slot *s, int64_t uid, int64_t now_ns)
{
	return s->asked_ns && s->uid == uid && now_ns - s->asked_ns <= KEEP_NS &&
	       s->asked_ns > u->changed_ns;
}

struct text users_name(struct users *u, int64_t uid, int64_t now_ns)
{
	struct share *share;
	struct slot *s;
	int64_t begin_ns;

	if (users_watch_changed(u->watch))
		u->changed_ns = now_ns;
	if (uid < 0)
		return TEXT_NONE;
	share = &u->shares[share_of(uid)];
	s = &share->slots[uid % SLOTS];
	if (!is_fresh(u, s, uid, now_ns)) {
		if (!may_take_time(share, now_ns)) {
			FAILS(USER_UNASKED);
			return TEXT_NONE;
		}
		begin_ns = clock_mono_ns();
		users_ask_name(uid, s->name);
		share->spent_ns += clock_mono_ns() - begin_ns;
		s->uid = uid;
		s->asked_ns = now_ns;
	}
	return s->name[0] ? text_of(s->name) : TEXT_NONE;
}
