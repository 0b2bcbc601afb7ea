/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A library for LD_PRELOAD that lets calls fail.  The file that FAULTY names says which, and may be
 * changed at any time; it is of FAULTY_BYTES bytes, and begins with
 *
 *   KIND ERRNO N SECONDS     KIND: w writes to files, s syncs, m memory, - none; one in N of them,
 *                            by SEED; SECONDS: by so much the wall clock is wrong
 *   n ERRNO N 0 MANY         memory: so many, from the N-th since the start on
 *
 * How many have failed is counted at FAULTY_COUNT, in the machine's byte order; behind it how often
 * memory was asked for.
 *
 * libauparse and libseccomp always have memory.  They do not look whether they got what they asked
 * for, and end their program by SIGSEGV, or load a filter that lacks calls; which is why
 * audit_parse.c and confine.c see to it that there is some.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FAULTY_BYTES 128
#define FAULTY_COUNT 64
#define FAULTY_ASKED (FAULTY_COUNT + 8)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

typedef int clock_fn(clockid_t clock, struct timespec *t);
typedef int feed_fn(void *au, const char *data, size_t len);
typedef int flush_fn(void *au);

static volatile char *control;
static clock_fn *real_clock;
/* In libauparse; NULL in a program without it. */
static feed_fn *real_feed;
static flush_fn *real_flush;
/* This thread is in libauparse.  Not a model that asks for memory. */
static _Thread_local bool spared __attribute__((tls_model("initial-exec")));
/* Where libseccomp is. */
static uintptr_t seccomp_from, seccomp_to;
static _Atomic uint64_t state;

static int find_seccomp(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (!strstr(info->dlpi_name, "libseccomp"))
		return 0;
	seccomp_from = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t end = seccomp_from + info->dlpi_phdr[i].p_vaddr +
				info->dlpi_phdr[i].p_memsz;

		if (info->dlpi_phdr[i].p_type == PT_LOAD && end > seccomp_to)
			seccomp_to = end;
	}
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAULTY"), *seed = getenv("SEED");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at;

	/* Not by the system call: the daemons' filters do not know it. */
	*(void **)&real_clock = dlsym(RTLD_NEXT, "clock_gettime");
	*(void **)&real_feed = dlsym(RTLD_NEXT, "auparse_feed");
	*(void **)&real_flush = dlsym(RTLD_NEXT, "auparse_flush_feed");
	if (fd < 0)
		return;
	dl_iterate_phdr(find_seccomp, NULL);
	at = mmap(NULL, FAULTY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	state = (seed ? strtoull(seed, NULL, 10) : 0) ^ (uint64_t)getpid() << 32;
	if (at != MAP_FAILED)
		control = at;
}

/* The n-th word of the control file as a number. */
static int64_t word(int n)
{
	int64_t value = 0, sign = 1;
	int i = 0;

	for (; n; n--)
		while (i < FAULTY_COUNT && control[i++] != ' ')
			;
	for (; i < FAULTY_COUNT && control[i] == '-'; i++)
		sign = -1;
	for (; i < FAULTY_COUNT && control[i] >= '0' && control[i] <= '9'; i++)
		value = value * 10 + (control[i] - '0');
	return sign * value;
}

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = atomic_fetch_add(&state, 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static bool fail(void)
{
	atomic_fetch_add((_Atomic uint64_t *)(control + FAULTY_COUNT), 1);
	errno = (int)word(1);
	return true;
}

static bool fails(char kind)
{
	int64_t n;

	if (!control || control[0] != kind)
		return false;
	n = word(2);
	return n > 0 && next() % (uint64_t)n == 0 && fail();
}

/* caller: where it is asked for. */
static bool memory_fails(const void *caller)
{
	int64_t asked, n;

	if (!control || spared ||
	    ((uintptr_t)caller >= seccomp_from && (uintptr_t)caller < seccomp_to))
		return false;
	asked = (int64_t)atomic_fetch_add((_Atomic uint64_t *)(control + FAULTY_ASKED), 1) + 1;
	if (control[0] != 'n')
		return fails('m');
	n = word(2);
	return n > 0 && asked >= n && asked < n + word(4) && fail();
}

static bool write_fails(int fd)
{
	struct stat st;

	return control && control[0] == 'w' && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	       fails('w');
}

ssize_t write(int fd, const void *data, size_t len)
{
	return write_fails(fd) ? -1 : syscall(SYS_write, fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return write_fails(fd) ? -1 : syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
	return pwrite(fd, data, len, at);
}

int ftruncate(int fd, off_t size)
{
	return write_fails(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

int fsync(int fd)
{
	return fails('s') ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return fails('s') ? -1 : (int)syscall(SYS_fdatasync, fd);
}

void *malloc(size_t size)
{
	return memory_fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return memory_fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return size && memory_fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

int auparse_feed(void *au, const char *data, size_t len);
int auparse_flush_feed(void *au);

int auparse_feed(void *au, const char *data, size_t len)
{
	int rc;

	spared = true;
	rc = real_feed(au, data, len);
	spared = false;
	return rc;
}

int auparse_flush_feed(void *au)
{
	int rc;

	spared = true;
	rc = real_flush(au);
	spared = false;
	return rc;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	int rc = real_clock ? real_clock(clock, t) : (int)syscall(SYS_clock_gettime, clock, t);

	if (!rc && control && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		t->tv_sec += word(3);
	return rc;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	t->tv_sec = now.tv_sec;
	t->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
