/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process whose files in /proc are any bytes: what is read of it is in range, ends, and stays in
 * the memory that it is read into.  The input is the files in the order of `files`, with a zero
 * byte between them.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "holders.h"
#include "proc.h"
#include "procfs.h"

#define PID 4711

static const char *const files[] = {
	"task/4711/stat", "status", "cgroup", "loginuid", "sessionid", "cmdline", "comm", "syscall",
};
#define FILES (sizeof(files) / sizeof(files[0]))

static char place[] = "/tmp/sockledger-fuzz.XXXXXX";
static int dir = -1;

static void leave(void)
{
	for (size_t i = 0; i < FILES; i++)
		unlinkat(dir, files[i], 0);
	close(dir);
	if (!chdir(place)) {
		rmdir("4711/fd");
		rmdir("4711/task/4711");
		rmdir("4711/task");
		rmdir("4711");
		unlink("stat");
	}
	rmdir(place);
}

static void begin(void)
{
	char path[64];

	FUZZ_CHECK(mkdtemp(place));
	snprintf(path, sizeof(path), "%s/%d", place, PID);
	FUZZ_CHECK(!mkdir(path, 0700));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(dir >= 0 && !mkdirat(dir, "fd", 0700) &&
		   !mkdirat(dir, "task", 0700) && !mkdirat(dir, "task/4711", 0700));
	atexit(leave);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd >= 0);
	FUZZ_CHECK(!size || write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void put_files(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < FILES; i++) {
		const uint8_t *end = size ? memchr(data, 0, size) : NULL;
		size_t len = end && i < FILES - 1 ? (size_t)(end - data) : size;

		put(files[i], data, len);
		len += end && i < FILES - 1;
		data += len;
		size -= len;
	}
}

static void check_texts(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);
	struct text t;

	FUZZ_CHECK(copy);
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	t = proc_pick_cgroup(copy, size);
	FUZZ_CHECK(!t.data || (t.data >= copy && t.len <= size - (size_t)(t.data - copy)));
	free(copy);
}

/* For the sanitizers. */
static void read_all(struct text t)
{
	char *copy = t.len ? malloc(t.len) : NULL;

	FUZZ_CHECK(!t.len || (copy && t.data));
	if (copy)
		memcpy(copy, t.data, t.len);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct procfs_holder k = { .pid = PID, .fd = 3, .call = true };
	struct process p;
	static struct proc_texts texts;
	struct procfs *procfs;

	if (dir < 0)
		begin();
	put_files(data, size);
	check_texts(data, size);
	FUZZ_CHECK(proc_start_ticks(dir, PID) >= -1);
	procfs = procfs_open(place);
	FUZZ_CHECK(procfs);
	if (procfs_glance(procfs, PID, &p, &texts)) {
		FUZZ_CHECK(p.pid == PID && p.start_ticks >= 0);
		procfs_rest(procfs, &p, &texts);
		for (int i = 0; i < PROCESS_TEXTS; i++)
			read_all(p.text[i]);
	}
	FUZZ_CHECK(procfs_user(procfs, PID, 0) >= -1);
	procfs_holders(procfs, 1, &k, 1);
	FUZZ_CHECK(k.fd == -1 && !k.in_call);
	procfs_close(procfs);
	return 0;
}
