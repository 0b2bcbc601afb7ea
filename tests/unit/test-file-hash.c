/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in programs' files: of which it is told, and that it is of that file and no other. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "file_hash.h"
#include "process.h"
#include "scratch.h"
#include "tap.h"

#define NS_PER_S 1000000000LL

static struct file_hashes *hashes;
static struct file_hash hash;

static void put(const char *name, const char *text)
{
	FILE *f = fopen(scratch_path(name), "w");

	if (!f || fputs(text, f) < 0 || fclose(f) || chmod(scratch_path(name), 0755))
		abort();
}

/* A process that runs this file, by its path here.  pid: of one that runs another. */
static struct process runs(const char *path)
{
	struct process p;
	struct stat st;

	process_init(&p);
	if (stat(path, &st))
		abort();
	p.pid = getpid();
	p.uid = 1000;
	p.exe = text_of(path);
	p.exe_seen = EXE_HERE;
	p.exe_dev = (int64_t)st.st_dev;
	p.exe_inode = (int64_t)st.st_ino;
	p.exe_ctime = st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec;
	return p;
}

/* What it becomes, as soon as it is no longer being found out. */
static enum hash_word settled(const struct process *p)
{
	enum hash_word word = HASH_WANTED;
	struct pollfd fd = { .fd = file_hashes_fd(hashes), .events = POLLIN };

	for (int i = 0; i < 300 && word == HASH_WANTED; i++) {
		word = file_hashes_of(hashes, p, &hash);
		if (word == HASH_WANTED && poll(&fd, 1, 100) > 0)
			file_hashes_heard(hashes);
	}
	return word;
}

static bool is_hash(const char *hex)
{
	char got[2 * SHA256_BYTES + 1];

	for (int i = 0; i < SHA256_BYTES; i++)
		snprintf(got + (size_t)2 * (size_t)i, 3, "%02x", hash.sha256[i]);
	if (!strcmp(got, hex))
		return true;
	tap_note("got %s", got);
	return false;
}

/* FIPS 180-2's own example. */
#define OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MD5_OF_ABC "900150983cd24fb0d6963f7d28e17f72"

static void test_files(void)
{
	struct process p, other;
	char path[PATH_MAX];

	put("abc", "abc");
	snprintf(path, sizeof(path), "%s", scratch_path("abc"));
	p = runs(path);
	tap_ok(file_hashes_of(hashes, &p, &hash) == HASH_WANTED, "nobody waits for a file");
	tap_ok(settled(&p) == HASH_KNOWN && is_hash(OF_ABC), "then its hash is known");
	tap_ok(file_hashes_of(hashes, &p, &hash) == HASH_KNOWN, "and stays so");
	other = p;
	other.exe_ctime++;
	tap_ok(settled(&other) == HASH_NONE, "as it was at another time it is another");
	other = p;
	other.exe_dev ^= 0x7777;
	tap_ok(settled(&other) == HASH_NONE, "one on another file system is not read");
	other = p;
	other.exe_seen = EXE_TOLD;
	tap_ok(settled(&other) == HASH_NONE, "nor one that was only told");
	put("abc", "abcd");
	p = runs(path);
	tap_ok(settled(&p) == HASH_KNOWN && !!memcmp(hash.sha256, "\xba\x78\x16", 3),
	       "a changed file has another hash");
	if (truncate(path, FILE_HASH_MAX_BYTES + 1))
		abort();
	p = runs(path);
	tap_ok(settled(&p) == HASH_NONE, "one that is too large has none");
	p = runs("/proc/self/exe");
	p.exe = TEXT_NONE;
	p.exe_seen = EXE_OTHER;
	tap_ok(settled(&p) == HASH_KNOWN, "one without a path here is read as the process has it");
	tap_ok(file_hashes_counts(hashes).read == 3 && file_hashes_counts(hashes).refused >= 2,
	       "and all is counted");
}

/* dpkg's list of sums, for a file that is where the list says. */
static void test_verified(void)
{
	bool root = geteuid() == 0;
	char path[PATH_MAX], line[3 * PATH_MAX];
	struct process p;

	put("listed", "abc");
	put("unlisted", "abc");
	put("writable", "abc");
	snprintf(path, sizeof(path), "%s", scratch_path("listed"));
	snprintf(line, sizeof(line), "00000000000000000000000000000000  usr/bin/x\n"
		 MD5_OF_ABC "  %s\n" MD5_OF_ABC "  %s\n", path + 1,
		 scratch_path("writable") + 1);
	put("info/pkg.md5sums", line);
	put("info/pkg.list", scratch_path("unlisted"));
	if (chmod(scratch_path("writable"), 0777))
		abort();
	p = runs(path);
	tap_ok(settled(&p) == HASH_KNOWN && hash.verified == root, "a package's file is verified%s",
	       root ? "" : ", were it root's");
	p = runs(scratch_path("unlisted"));
	tap_ok(settled(&p) == HASH_KNOWN && !hash.verified, "its copy elsewhere is not");
	p = runs(scratch_path("writable"));
	tap_ok(settled(&p) == HASH_KNOWN && !hash.verified, "nor one that others can write");
	put("listed", "abd");
	p = runs(path);
	tap_ok(settled(&p) == HASH_KNOWN && !hash.verified, "nor one that was changed");
}

int main(void)
{
	static char lists[PATH_MAX];
	const char *roots[] = { NULL, NULL, NULL };

	/* Linux 5.6; valgrind has it not. */
	if (syscall(SYS_openat2, -1, NULL, NULL, 0) < 0 && errno == ENOSYS) {
		puts("1..0 # SKIP no openat2(2)");
		return 77;
	}
	scratch_make();
	snprintf(lists, sizeof(lists), "%s", scratch_path("info"));
	if (mkdir(lists, 0755))
		abort();
	roots[0] = scratch_dir;
	roots[1] = "/proc/self/exe";
	hashes = file_hashes_start(roots, lists);
	tap_ok(hashes != NULL, "the thread starts");
	test_files();
	test_verified();
	file_hashes_stop(hashes);
	return tap_done();
}
