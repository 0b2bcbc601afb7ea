/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies from files, and their lists from theirs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "policing.h"
#include "policy_file.h"
#include "scratch.h"
#include "tap.h"

/* In place of the kernel: this path is on NFS. */
static const char *served;

int statfs(const char *path, struct statfs *fs)
{
	fs->f_type = served && !strcmp(path, served) ? NFS_SUPER_MAGIC : EXT4_SUPER_MAGIC;
	return 0;
}

static int load(const char *path, struct policy **p)
{
	struct diags d = complaints_begin();
	int rc = policy_load(path, &d, p);

	tap_ok(complaints_end(&d, path) == !!rc && complaints_are(rc ? "1:1:cannot read it" : ""),
	       "'%s': %s", path, rc ? "why not" : "no complaint");
	return rc;
}

static void write_file(const char *path, size_t blanks)
{
	FILE *f = fopen(path, "w");

	if (!f)
		abort();
	fputs("deny user root\n", f);
	for (size_t i = 0; i < blanks; i++)
		putc('\n', f);
	fclose(f);
}

static void test_file(void)
{
	char path[PATH_MAX], buf[] = "uid=0";
	struct policy_answer a;
	struct connection c;
	struct policy *p;

	scratch_make();
	snprintf(path, sizeof(path), "%s", scratch_path("policy"));
	write_file(path, 0);
	tap_ok(!load(path, &p) && policy_rule_count(p) == 1, "a policy is read from its file");
	describe(&c, buf);
	policy_decide(p, &c, &a);
	tap_ok(a.verdict == VERDICT_DROP, "and the users that it names have their numbers");
	policy_free(p);
	write_file(path, 1024 * 1024 - strlen("deny user root\n"));
	tap_ok(!load(path, &p), "a file of 1 MiB");
	policy_free(p);
	write_file(path, 1024 * 1024 - strlen("deny user root\n") + 1);
	tap_ok(load(path, &p) == -EFBIG && !p, "but not of more");
	tap_ok(load(scratch_path("none"), &p) == -ENOENT && !p, "none");
	tap_ok(load(scratch_dir, &p) == -EISDIR && !p, "a directory");
	tap_ok(load("/dev/null", &p) == -ENOTSUP && !p, "a device");
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

/* "1: accept" and so on, of a packet to that address. */
static bool is_denied(const struct policy *p, const char *direction, const char *dst)
{
	struct policy_answer a;
	struct connection c;
	char buf[128];

	snprintf(buf, sizeof(buf), "direction=%s src=198.51.100.1:5 dst=%s", direction, dst);
	describe(&c, buf);
	policy_decide(p, &c, &a);
	return a.verdict == VERDICT_DROP;
}

static int load_told(const char *path, const char *wanted, struct policy **p)
{
	struct diags d = complaints_begin();
	int rc = policy_load(path, &d, p);

	complaints_end(&d, path);
	if (!tap_ok(strstr(complaints, wanted) != NULL, "it is told: %s", wanted))
		tap_note("%s", complaints);
	return rc;
}

/* Nobody's number is none: 0 would be root's. */
static void test_strangers(void)
{
	static const char *const kinds[] = { "user", "group" };
	char path[PATH_MAX], text[64];
	struct policy_answer a;
	struct connection c;
	struct policy *p;

	snprintf(path, sizeof(path), "%s", scratch_path("policy"));
	for (int i = 0; i < 2; i++) {
		char buf[] = "uid=0 gid=0 user=root";

		snprintf(text, sizeof(text), "allow %s no-such-name\ndefault deny\n", kinds[i]);
		put(path, text);
		if (!tap_ok(!load(path, &p), "a %s that is not there", kinds[i]))
			continue;
		describe(&c, buf);
		policy_decide(p, &c, &a);
		tap_ok(a.verdict == VERDICT_DROP, "is not root");
		policy_free(p);
	}
}

/* Where a path leads is a path, whatever characters it has. */
static void test_real(void)
{
	char path[PATH_MAX], real[PATH_MAX], text[3 * PATH_MAX];
	static const char *const programs[] = { "a*b", "a-b" };
	struct policy_answer a;
	struct connection c;
	struct policy *p;

	snprintf(path, sizeof(path), "%s", scratch_path("policy"));
	put(scratch_path("a*b"), "");
	if (!realpath(scratch_path("a*b"), real) || symlink("a*b", scratch_path("link")))
		abort();
	snprintf(text, sizeof(text), "allow exe %s\ndefault deny\n", scratch_path("link"));
	put(path, text);
	if (!tap_ok(!load(path, &p), "a program by a link"))
		return;
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "exe=%.*s%s", (int)(strlen(real) - 3), real,
			 programs[i]);
		describe(&c, text);
		policy_decide(p, &c, &a);
		tap_ok(a.verdict == (i ? VERDICT_DROP : VERDICT_ACCEPT), "%s %s", programs[i],
		       i ? "is not" : "is the program");
	}
	policy_free(p);
}

static void test_lists(void)
{
	char path[PATH_MAX], list[PATH_MAX], other[PATH_MAX], text[4 * PATH_MAX];
	struct diags quiet = { .out = NULL };
	struct list_files *f = NULL;
	struct policy *p;
	int line;

	snprintf(path, sizeof(path), "%s", scratch_path("policy"));
	snprintf(list, sizeof(list), "%s", scratch_path("list"));
	snprintf(other, sizeof(other), "%s", scratch_path("other"));
	snprintf(text, sizeof(text), "deny list %s,%s\nallow list %s\ndefault allow\n", list,
		 other, list);
	put(path, text);
	put(list, "192.0.2.0/24\n2001:db8::/32\n");
	put(other, "# none\n");
	tap_ok(!load(path, &p) && policy_list_count(p) == 2 && policy_list_size(p, 0) == 2 &&
	       policy_list_size(p, 1) == 0, "a policy reads each of its lists once");
	tap_ok(!strcmp(policy_list_path(p, 1, &line), other) && line == 1, "and knows of them");
	tap_ok(is_denied(p, "out", "192.0.2.9:1") && is_denied(p, "out", "[2001:db8::1]:1") &&
	       is_denied(p, "out", "[::ffff:192.0.2.9]:1") && !is_denied(p, "out", "192.0.3.1:1") &&
	       !is_denied(p, "in", "192.0.2.9:1"), "the other side's address is in one");
	tap_ok(policy_shadowed_by(p, 1) == 1, "a list that is in another rule's lists");
	tap_ok(list_files_stamp(p) == list_files_stamp_read(p), "nothing has changed");
	put(other, "198.51.100.1\n");
	tap_ok(list_files_stamp(p) != list_files_stamp_read(p), "something has");
	tap_ok(!list_files_read(p, "p", &quiet, &f) && !is_denied(p, "in", "192.0.2.9:1"),
	       "they are read beside those that are in use");
	list_files_swap(f, p);
	list_files_free(f);
	tap_ok(is_denied(p, "in", "192.0.2.9:1") && policy_list_size(p, 1) == 1 &&
	       list_files_stamp(p) == list_files_stamp_read(p), "and are in use then");
	put(other, "nonsense\n");
	tap_ok(list_files_read(p, "p", &quiet, &f) == -EINVAL && !f && quiet.count == 1,
	       "not with mistakes");
	policy_free(p);
	tap_ok(load_told(path, "other:1:1: 'nonsense' is neither ADDR", &p) == -EINVAL && !p,
	       "with which a policy is refused");
	put(other, "192.0.2.1\n");
	served = other;
	tap_ok(load_told(path, "1:1: the list", &p) == -EINVAL && !p &&
	       strstr(complaints, "other' is on a file system of another host's") != NULL,
	       "with a list that another host serves");
	served = NULL;
	chmod(other, 0622);
	tap_ok(load_told(path, "every user can write it", &p) == -EINVAL && !p,
	       "and with a list that others can write");
	unlink(other);
	tap_ok(load_told(path, "1:1: cannot read the list", &p) == -EINVAL && !p, "or without it");
}

int main(void)
{
	test_file();
	test_strangers();
	test_real();
	test_lists();
	return tap_done();
}
