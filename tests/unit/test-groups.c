/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose a control group is: on directories made for it, as root, who alone can give them away. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "groups.h"
#include "scratch.h"
#include "tap.h"

#define NOBODY 65534

static void make(const char *name, uid_t owner, mode_t mode)
{
	const char *path = scratch_path(name);

	if (mkdir(path, 0755) || chmod(path, mode) || chown(path, owner, 0))
		abort();
}

static struct groups groups;

static bool roots(const char *path)
{
	return groups_are_roots(&groups, text_of(path));
}

static void test_owners(void)
{
	make("a", 0, 0755);
	make("a/roots", 0, 0755);
	make("a/users", NOBODY, 0755);
	make("a/users/roots", 0, 0755);
	make("a/open", 0, 0777);
	make("a/shared", 0, 0775);
	tap_ok(roots("/a/roots"), "root's, below root's");
	tap_ok(!roots("/a/users"), "a user's");
	tap_ok(!roots("/a/users/roots"), "root's, below a user's");
	tap_ok(!roots("/a/open"), "where everybody may write");
	tap_ok(roots("/a/shared"), "root's group may");
	tap_ok(!chown(scratch_path("a/shared"), 0, NOBODY) &&
	       !groups_are_roots(&(struct groups){ .top = scratch_dir }, text_of("/a/shared")),
	       "another group may not");
	tap_ok(!roots("/a/none") && !roots("/a/roots/none"), "none of that name");
	tap_ok(!roots("/") && !roots("") && !roots("a/roots") && !roots("/a/roots/../roots"),
	       "no path of a group");
	tap_ok(!symlink("roots", scratch_path("a/link")) && !roots("/a/link"), "a link is none");
}

/* Where version 1's hierarchies are, too, a path may be a group in each. */
static void test_hierarchies(void)
{
	make("unified", 0, 0755);
	make("unified/b", 0, 0755);
	make("systemd", 0, 0755);
	make("systemd/c", 0, 0755);
	make("systemd/d", 0, 0755);
	make("unified/d", NOBODY, 0755);
	tap_ok(roots("/b"), "version 2 beside version 1");
	tap_ok(roots("/c"), "systemd's of version 1");
	tap_ok(!roots("/d"), "a user's in one of them");
}

static void test_kept(void)
{
	make("e", 0, 0755);
	tap_ok(roots("/e") && !rmdir(scratch_path("e")) && roots("/e"), "an answer is kept");
	usleep(1100000);
	tap_ok(!roots("/e"), "for a second");
}

int main(void)
{
	if (geteuid()) {
		puts("1..0 # SKIP not root");
		return 77;
	}
	scratch_make();
	groups.top = scratch_dir;
	test_owners();
	test_hierarchies();
	test_kept();
	return tap_done();
}
