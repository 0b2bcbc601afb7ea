/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who could put another file in a file's place. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/magic.h>

#include "config.h"
#include "diag.h"
#include "trusted.h"

/* As many as the kernel follows (MAXSYMLINKS). */
#define LINKS_MAX 40

struct walk {
	struct distrust *why;
	uid_t ours; /* beside root */
	int links;
	bool good;
};

static void complain(struct walk *w, const char *path, const char *what, const char *how)
{
	snprintf(w->why->path, sizeof(w->why->path), "%s", path);
	w->why->what = what;
	w->why->how = how;
	w->good = false;
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

	if (st->st_uid != 0 && st->st_uid != w->ours)
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

bool trusted_path(const char *path, uid_t ours, struct distrust *why)
{
	struct walk w = { .why = why, .ours = ours, .good = true };
	char here[PATH_MAX], whole[2 * PATH_MAX];

	if (path[0] == '/') {
		check_path(&w, path);
	} else if (getcwd(here, sizeof(here))) {
		snprintf(whole, sizeof(whole), "%s/%s", here, path);
		check_path(&w, whole);
	}
	return w.good;
}

bool served_by_others(const struct statfs *fs)
{
	static const uint32_t types[] = {
		FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
		SMB2_SUPER_MAGIC, V9FS_MAGIC, CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC, AFS_FS_MAGIC,
		CODA_SUPER_MAGIC,
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((uint32_t)fs->f_type == types[i])
			return true;
	return false;
}

/* In a sticky directory anybody could have made the files beside a database; while they are not
 * there the kernel keeps others from it (protected_regular). */
bool trusted_database(const char *path, uid_t ours, struct distrust *why)
{
	static const char *const parts[] = { "", "-wal", "-shm", "-journal" };
	bool good = true;

	for (size_t i = 0; good && i < sizeof(parts) / sizeof(parts[0]); i++) {
		char part[PATH_MAX + 16];

		snprintf(part, sizeof(part), "%s%s", path, parts[i]);
		good = trusted_path(part, ours, why);
	}
	return good;
}

static bool told(bool good, const struct distrust *why, struct diags *d)
{
	if (!good)
		diag_at(d, why->path, 1, 1, "%s: %s '%s'", why->what, why->how, why->path);
	return good;
}

bool trusted_config(const struct config *c, const char *path, struct diags *d)
{
	struct distrust why;
	uid_t ours = geteuid();
	bool good = told(trusted_path(path ? path : config_default_path(), ours, &why), &why, d);

	if (c->policy[0] == '/')
		good &= told(trusted_path(c->policy, ours, &why), &why, d);
	good &= told(trusted_database(c->cache, ours, &why), &why, d);
	return told(trusted_database(c->ledger, ours, &why), &why, d) && good;
}
