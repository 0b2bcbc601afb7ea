/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who could put another file in a file's place. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "config.h"
#include "diag.h"
#include "trusted.h"

/* As many as the kernel follows (MAXSYMLINKS). */
#define LINKS_MAX 40

struct walk {
	struct diags *diags;
	int links;
	bool good;
};

static void complain(struct walk *w, const char *path, const char *what, const char *how)
{
	diag_at(w->diags, path, 1, 1, "%s: %s '%s'", what, how, path);
	w->good = false;
}

static bool is_ours(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* Root's group, and the group that we ourselves run as, have root's and our files. */
static bool is_group_ours(const struct stat *st)
{
	return st->st_gid == 0 || (st->st_uid == geteuid() && st->st_gid == getegid());
}

/* A list of users' rights (setfacl): the bits of the group then hold for all whom it names. */
static bool has_list(const char *path)
{
	return lgetxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

static void check_entry(struct walk *w, const char *path, const struct stat *st)
{
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);

	if (!is_ours(st->st_uid))
		complain(w, path, "belongs to another user, who could change what we do",
			 "chown root");
	if (S_ISLNK(st->st_mode) || sticky)
		return;
	if (st->st_mode & S_IWOTH)
		complain(w, path, "every user can write it, and change what we do", "chmod o-w");
	else if ((st->st_mode & S_IWGRP) && has_list(path))
		complain(w, path, "its access list may let others write it, and change what we do",
			 "setfacl -b");
	else if ((st->st_mode & S_IWGRP) && !is_group_ours(st))
		complain(w, path, "its group can write it, and change what we do", "chmod g-w");
}

static void check_path(struct walk *w, const char *path);

/* Where the link at path leads; dir_len: of the directory that it is in. */
static void check_link(struct walk *w, const char *path, size_t dir_len)
{
	char target[PATH_MAX], whole[2 * PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return;
	target[n] = '\0';
	if (++w->links > LINKS_MAX) {
		complain(w, path, "a link that leads to no end", "remove");
		return;
	}
	snprintf(whole, sizeof(whole), "%.*s/%s", target[0] == '/' ? 0 : (int)dir_len, path,
		 target);
	check_path(w, whole);
}

/* Each directory from the root on, then the last entry. */
static void check_path(struct walk *w, const char *path)
{
	char piece[2 * PATH_MAX] = "/";
	struct stat st;

	if (!lstat(piece, &st))
		check_entry(w, piece, &st);
	for (const char *at = path; *at && w->good;) {
		const char *from = at + strspn(at, "/");
		size_t len = strcspn(from, "/"), end = (size_t)(from - path) + len;

		at = from + len;
		if (!len || end >= sizeof(piece))
			return;
		memcpy(piece, path, end);
		piece[end] = '\0';
		if (lstat(piece, &st))
			return;
		check_entry(w, piece, &st);
		if (S_ISLNK(st.st_mode))
			check_link(w, piece, (size_t)(from - path) - 1);
	}
}

bool trusted_path(const char *path, struct diags *d)
{
	struct walk w = { .diags = d, .good = true };
	char here[PATH_MAX], whole[2 * PATH_MAX];

	if (path[0] == '/') {
		check_path(&w, path);
	} else if (getcwd(here, sizeof(here))) {
		snprintf(whole, sizeof(whole), "%s/%s", here, path);
		check_path(&w, whole);
	}
	return w.good;
}

/* SQLite reads the files beside a database as parts of it.  In a sticky directory anybody could
 * have made these; while they are not there the kernel keeps others from it (protected_regular). */
static bool trusted_database(const char *path, struct diags *d)
{
	static const char *const parts[] = { "-wal", "-shm", "-journal" };
	bool good = trusted_path(path, d);

	for (size_t i = 0; good && i < sizeof(parts) / sizeof(parts[0]); i++) {
		char beside[PATH_MAX + 16];

		snprintf(beside, sizeof(beside), "%s%s", path, parts[i]);
		good = trusted_path(beside, d);
	}
	return good;
}

bool trusted_config(const struct config *c, const char *path, struct diags *d)
{
	bool good = trusted_path(path ? path : config_default_path(), d);

	if (c->policy[0] == '/')
		good &= trusted_path(c->policy, d);
	good &= trusted_database(c->cache, d);
	return trusted_database(c->ledger, d) && good;
}
