/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes and users that are not looked at, because they made a looker wait. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "shunned.h"

void shunned_init(struct shunned *s, const char *path)
{
	*s = (struct shunned){ .path = path };
	for (int i = 0; i < SHUNNED_PROCESSES; i++)
		s->process[i].dir = -1;
}

void shunned_release(struct shunned *s)
{
	for (int i = 0; i < SHUNNED_PROCESSES; i++)
		if (s->process[i].dir >= 0)
			close(s->process[i].dir);
}

/* Its status is a file that nobody can make wait.  -1: gone. */
static int64_t user_of(int dir)
{
	char buf[1024], *at;
	ssize_t n = dir < 0 ? -1 : proc_read(dir, "status", buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = '\0';
	at = strstr(buf, "\nUid:");
	return at ? strtoll(at + 5, NULL, 10) : -1;
}

static int open_process(const struct shunned *s, int64_t pid)
{
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "%s/%lld", s->path, (long long)pid);
	return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void charge(struct shunned *s, int64_t uid, int64_t now_ns)
{
	unsigned int i;

	for (i = 0; i < SHUNNED_USERS && !(s->user[i].times && s->user[i].uid == uid); i++)
		;
	if (i == SHUNNED_USERS)
		i = s->users++ % SHUNNED_USERS;
	if (s->user[i].uid != uid || now_ns - s->user[i].since_ns >= SHUNNED_NS) {
		s->user[i].uid = uid;
		s->user[i].since_ns = now_ns;
		s->user[i].times = 0;
	}
	s->user[i].times++;
}

int64_t shunned_add(struct shunned *s, int64_t pid, int64_t uid, int64_t now_ns)
{
	unsigned int i = s->processes++ % SHUNNED_PROCESSES;

	if (s->process[i].dir >= 0)
		close(s->process[i].dir);
	s->process[i].dir = open_process(s, pid);
	s->process[i].pid = pid;
	s->process[i].until_ns = s->until_ns = now_ns + SHUNNED_NS;
	if (uid < 0)
		uid = user_of(s->process[i].dir);
	if (uid > 0)
		charge(s, uid, now_ns);
	return uid;
}

static bool is_process(struct shunned *s, int64_t pid, int64_t now_ns)
{
	for (int i = 0; i < SHUNNED_PROCESSES; i++)
		if (s->process[i].pid == pid && now_ns < s->process[i].until_ns) {
			if (user_of(s->process[i].dir) >= 0)
				return true;
			s->process[i].until_ns = 0;
		}
	return false;
}

static bool has_had_enough(const struct shunned *s, int i, int64_t now_ns)
{
	return s->user[i].times >= SHUNNED_USER_MAX && now_ns - s->user[i].since_ns < SHUNNED_NS;
}

static bool is_user(const struct shunned *s, int64_t pid, int64_t uid, int64_t now_ns)
{
	bool asked = uid >= 0;
	int dir;

	for (int i = 0; i < SHUNNED_USERS; i++) {
		if (!has_had_enough(s, i, now_ns))
			continue;
		/* Only now it is asked whose it is. */
		if (!asked) {
			dir = open_process(s, pid);
			uid = user_of(dir);
			if (dir >= 0)
				close(dir);
			asked = true;
		}
		if (s->user[i].uid == uid)
			return true;
	}
	return false;
}

bool shunned_is(struct shunned *s, int64_t pid, int64_t uid, int64_t now_ns)
{
	return now_ns < s->until_ns &&
	       (is_process(s, pid, now_ns) || is_user(s, pid, uid, now_ns));
}
