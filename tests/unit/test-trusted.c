/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that others could replace: the file's own mode, each directory, and links on the way. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/magic.h>

#include "config.h"
#include "diag.h"
#include "scratch.h"
#include "tap.h"
#include "trusted.h"

static char complaint[3 * PATH_MAX]; /* "PATH: chmod o-w" */

/* Whether the file d/e/f is trusted, by that name in the scratch directory. */
static bool trusts(const char *name)
{
	struct distrust why = { .path = "" };
	bool good = trusted_path(scratch_path(name), geteuid(), &why);

	snprintf(complaint, sizeof(complaint), "%s: %s", why.path, good ? "" : why.how);
	return good;
}

static void mode(const char *name, mode_t mode)
{
	if (chmod(scratch_path(name), mode))
		perror(name);
}

static void owner(const char *name, uid_t uid)
{
	if (chown(scratch_path(name), uid, (gid_t)-1))
		perror(name);
}

static void make(void)
{
	scratch_make();
	mkdir(scratch_path("d"), 0755);
	mkdir(scratch_path("d/e"), 0755);
	close(open(scratch_path("d/e/f"), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	mkdir(scratch_path("open"), 0755);
	mode("open", 0777);
	close(open(scratch_path("open/f"), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	if (symlink("../d/e/f", scratch_path("d/there")) || symlink("open", scratch_path("away")) ||
	    symlink("round", scratch_path("round")))
		perror("symlink");
}

static void test_modes(void)
{
	tap_ok(trusts("d/e/f"), "a file that its owner alone can write");
	mode("d/e/f", 0646);
	tap_ok(!trusts("d/e/f") && strstr(complaint, "chmod o-w"), "not one for everybody");
	mode("d/e/f", 0644);
	mode("d", 0757);
	tap_ok(!trusts("d/e/f") && strstr(complaint, "/d: "), "nor a directory for everybody");
	mode("d", 01777);
	tap_ok(trusts("d/e/f"), "unless it is sticky");
	mode("d", 0755);
	tap_ok(trusts("d/e/none") && trusts("none/none"), "what is not there is no mistake");
	tap_ok(!trusts("open/none"), "but where it would be is");
}

/* SQLite reads the files beside a database as parts of it. */
static void test_database(void)
{
	static const char *const parts[] = { "d/e/f-wal", "d/e/f-shm", "d/e/f-journal" };
	struct distrust why;

	tap_ok(trusted_database(scratch_path("d/e/f"), geteuid(), &why), "a database");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		close(open(scratch_path(parts[i]), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		mode(parts[i], 0646);
		tap_ok(!trusted_database(scratch_path("d/e/f"), geteuid(), &why) &&
		       !strcmp(why.path, scratch_path(parts[i])), "not with %s", parts[i]);
		unlink(scratch_path(parts[i]));
	}
	mode("d/e/f", 0646);
	tap_ok(!trusted_database(scratch_path("d/e/f"), geteuid(), &why), "nor its own file");
	mode("d/e/f", 0644);
}

/* Each file that a configuration names, and its own: one that others can write is enough. */
static void test_config(void)
{
	static const char *const files[] = { "conf", "policy", "cache", "ledger" };
	char path[4][PATH_MAX];
	struct config c = { .policy = path[1], .cache = path[2], .ledger = path[3] };
	struct diags quiet = { .out = NULL };

	for (int i = 0; i < 4; i++) {
		snprintf(path[i], sizeof(path[i]), "%s", scratch_path(files[i]));
		close(open(path[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	}
	tap_ok(trusted_config(&c, path[0], &quiet) && !quiet.count, "a configuration");
	for (unsigned int i = 0; i < 4; i++) {
		mode(files[i], 0646);
		tap_ok(!trusted_config(&c, path[0], &quiet) && quiet.count == i + 1,
		       "not where others can write its %s", files[i]);
		mode(files[i], 0644);
	}
	mode("policy", 0646);
	c.policy = strcpy(path[1], "none");
	tap_ok(trusted_config(&c, path[0], &quiet), "no policy is nobody's");
}

static void test_links(void)
{
	tap_ok(trusts("d/there"), "a link to it");
	tap_ok(!trusts("away/f") && strstr(complaint, "/open: "), "not a link out of the way");
	tap_ok(!trusts("round"), "nor one that never ends");
}

static void test_others(void)
{
	if (geteuid() != 0) {
		tap_note("other owners: not tried without root");
		return;
	}
	owner("d/e/f", 65534);
	tap_ok(!trusts("d/e/f") && strstr(complaint, "chown root"), "another's file");
	owner("d/e/f", 0);
	owner("d/e", 65534);
	tap_ok(!trusts("d/e/f"), "another's directory");
	owner("d/e", 0);
	if (lchown(scratch_path("d/there"), 65534, (gid_t)-1))
		perror("lchown");
	tap_ok(!trusts("d/there"), "another's link");
	mode("d/e/f", 0664);
	tap_ok(trusts("d/e/f"), "root's group may write");
	if (chown(scratch_path("d/e/f"), 0, 65534))
		perror("chown");
	mode("d/e/f", 0664);
	tap_ok(!trusts("d/e/f") && strstr(complaint, "chmod g-w"), "another group may not");
}

/* Whether /f is trusted in a root that is this directory. */
static bool trusts_below(const char *root)
{
	struct distrust why = { .path = "" };
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (chroot(scratch_path(root)) || chdir("/"))
			_exit(2);
		_exit(!trusted_path("/f", 0, &why) && !strcmp(why.path, "/"));
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_root(void)
{
	if (geteuid() != 0)
		return;
	tap_ok(trusts_below("d"), "a root that is its owner's alone");
	tap_ok(!trusts_below("open"), "not a root that everybody can write");
}

/* What setfacl -m u:nobody:rw makes: the group's bits are then those of the whole list. */
static void test_list(void)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, rights;
			uint32_t id;
		} entry[5];
	} list = { 2, { { 0x01, 6, UINT32_MAX }, { 0x02, 6, 65534 }, { 0x04, 4, UINT32_MAX },
			{ 0x10, 6, UINT32_MAX }, { 0x20, 4, UINT32_MAX } } };

	owner("d/e/f", geteuid());
	if (chown(scratch_path("d/e/f"), (uid_t)-1, getegid()))
		perror("chown");
	if (setxattr(scratch_path("d/e/f"), "system.posix_acl_access", &list, sizeof(list), 0)) {
		tap_note("access lists: not tried, this file system has none");
		return;
	}
	tap_ok(!trusts("d/e/f") && strstr(complaint, "setfacl -b"),
	       "nor may one whom the file's access list names");
}

static void test_served(void)
{
	static const struct {
		long type;
		bool served;
	} table[] = {
		{ NFS_SUPER_MAGIC, true }, { FUSE_SUPER_MAGIC, true }, { CIFS_SUPER_MAGIC, true },
		{ V9FS_MAGIC, true }, { (int)CIFS_SUPER_MAGIC, true },	/* as 32 bits tell it */
		{ EXT4_SUPER_MAGIC, false }, { TMPFS_MAGIC, false },
		{ OVERLAYFS_SUPER_MAGIC, false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		tap_ok(served_by_others(&(struct statfs){ .f_type = table[i].type }) ==
		       table[i].served, "file system %lx", (unsigned long)table[i].type);
}

int main(void)
{
	make();
	test_modes();
	test_database();
	test_config();
	test_links();
	test_others();
	test_root();
	test_list();
	test_served();
	return tap_done();
}
