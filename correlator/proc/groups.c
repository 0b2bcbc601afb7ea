/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose a control group is, by its directory. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "groups.h"

#define KEEP_NS 1000000000LL

/* Of this directory alone: 1 root's, 0 another's, -1 there is none. */
static int is_roots(const char *path)
{
	struct stat st;

	if (lstat(path, &st) || !S_ISDIR(st.st_mode))
		return -1;
	return st.st_uid == 0 && !(st.st_mode & S_IWOTH) &&
	       (st.st_gid == 0 || !(st.st_mode & S_IWGRP));
}

/* The group and those above it, in one hierarchy. */
static int all_are_roots(const char *mount, struct text path)
{
	char name[GROUPS_PATH_MAX + 128];
	size_t top = (size_t)snprintf(name, sizeof(name), "%s", mount);
	int last = -1;

	if (top + path.len >= sizeof(name))
		return -1;
	for (size_t i = 1; i <= path.len; i++) {
		if (i < path.len && path.data[i] != '/')
			continue;
		memcpy(name + top, path.data, i);
		name[top + i] = '\0';
		last = is_roots(name);
		if (last < 1)
			return last;
	}
	return last;
}

static bool ask(const char *top, struct text path)
{
	/* Version 2 alone; version 2 beside 1; systemd's hierarchy of version 1. */
	static const char *const below[] = { "", "/unified", "/systemd" };
	bool any = false;

	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		char mount[128];
		int roots;

		snprintf(mount, sizeof(mount), "%s%s", top, below[i]);
		roots = all_are_roots(mount, path);
		if (roots == 0)
			return false;
		any |= roots > 0;
	}
	return any;
}

bool groups_are_roots(void *arg, struct text path)
{
	struct groups *g = arg;
	size_t slot = text_hash_of(path) % GROUPS_KEPT;
	int64_t now_ns = clock_mono_ns();

	/* A path out of our own namespace is none below the mount. */
	if (path.len < 2 || path.len >= GROUPS_PATH_MAX || path.data[0] != '/' ||
	    memmem(path.data, path.len, "/..", 3))
		return false;
	if (!g->kept[slot].asked_ns || now_ns - g->kept[slot].asked_ns > KEEP_NS ||
	    g->kept[slot].len != path.len ||
	    memcmp(g->kept[slot].path, path.data, path.len)) {
		g->kept[slot].roots = ask(g->top, path);
		g->kept[slot].asked_ns = now_ns;
		g->kept[slot].len = path.len;
		memcpy(g->kept[slot].path, path.data, path.len);
	}
	return g->kept[slot].roots;
}
