/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs' files and their hashes, from a thread of its own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/openat2.h>
#include <nettle/md5.h>
#include <nettle/sha2.h>

#include "clock.h"
#include "failures.h"
#include "file_hash.h"
#include "lock.h"
#include "process.h"
#include "trusted.h"
#include "wake.h"

#define SETS 128
#define WAYS 4
#define ROOTS_MAX 16
#define PIECE_BYTES ((size_t)256 * 1024)
#define SUMS_BYTES ((size_t)4 * 1024 * 1024)
/* The kernel's clock for files goes in steps of 10 ms at most. */
#define SETTLED_NS 1000000000LL
/* How often to look whether one has settled. */
#define SETTLES_MS 100
/* When what could not be read is tried again. */
#define AGAIN_NS 1000000000LL
#define NS_PER_S 1000000000LL

enum state { EMPTY, WANTED, READING, KNOWN, REFUSED };

struct entry {
	enum state state;
	int64_t dev, inode, ctime, pid, uid;
	int64_t when_ns;	/* when it was last asked for, or refused */
	int64_t ready_ns;	/* not to be read before */
	char *path;		/* in our root; NULL: not known */
	struct file_hash hash;
};

struct file_hashes {
	pthread_t thread;
	pthread_mutex_t lock;	/* for the entries; nobody waits who holds it */
	struct entry entry[SETS][WAYS];
	int64_t last_uid;	/* for whom a file was read last */
	struct file_hash_counts counts;
	bool ends;

	const char *lists;
	dev_t device[ROOTS_MAX];
	size_t devices;
	int wake_fd, known_fd;
	unsigned char *piece;	/* the thread's */
};

/* --- The thread */

/* Whether that is the file, which no server is asked. */
static bool is_it(int fd, const struct entry *e)
{
	struct statx st;

	return !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &st) &&
	       S_ISREG(st.stx_mode) && (int64_t)(st.stx_ino & INT64_MAX) == e->inode &&
	       (int64_t)(makedev(st.stx_dev_major, st.stx_dev_minor) & INT64_MAX) == e->dev &&
	       st.stx_ctime.tv_sec * NS_PER_S + st.stx_ctime.tv_nsec == e->ctime;
}

/* -1: it is not the file. */
static int only_it(int fd, const struct entry *e)
{
	if (fd < 0 || is_it(fd, e))
		return fd;
	close(fd);
	return -1;
}

/* The file by its path here, as far as the kernel has that in memory: nobody is asked who could
 * make it wait. */
static int find_by_path(const struct entry *e)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_CACHED };

	if (!e->path)
		return -1;
	return only_it((int)syscall(SYS_openat2, AT_FDCWD, e->path, &how, sizeof(how)), e);
}

static int open_file(const struct entry *e)
{
	char name[48];
	struct statfs fs;
	int fd, file = -1;

	snprintf(name, sizeof(name), "/proc/%lld/exe", (long long)e->pid);
	fd = only_it(open(name, O_PATH | O_CLOEXEC), e);
	if (fd < 0)
		fd = find_by_path(e);
	if (fd < 0)
		return -1;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	/* Of an overlay nobody says what is under it. */
	if (!fstatfs(fd, &fs) && fs.f_type != OVERLAYFS_SUPER_MAGIC && !served_by_others(&fs))
		/* Else whoever has a lease on it makes the thread wait. */
		file = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	close(fd);
	return file;
}

/* A package's file is where it belongs. */
static bool is_there(const struct entry *e)
{
	int fd = find_by_path(e);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool ends(struct file_hashes *h)
{
	bool so;

	pthread_mutex_lock(&h->lock);
	so = h->ends;
	pthread_mutex_unlock(&h->lock);
	return so;
}

struct sums {
	unsigned char sha256[SHA256_DIGEST_SIZE], md5[MD5_DIGEST_SIZE];
};

static bool read_sums(struct file_hashes *h, int fd, int64_t size, struct sums *s)
{
	struct sha256_ctx sha256;
	struct md5_ctx md5;
	int64_t done = 0;
	ssize_t n = 1;

	sha256_init(&sha256);
	md5_init(&md5);
	while (n > 0 && done <= size && !ends(h)) {
		n = read(fd, h->piece, PIECE_BYTES);
		if (n > 0) {
			sha256_update(&sha256, (size_t)n, h->piece);
			md5_update(&md5, (size_t)n, h->piece);
			done += n;
		}
	}
	sha256_digest(&sha256, sizeof(s->sha256), s->sha256);
	md5_digest(&md5, sizeof(s->md5), s->md5);
	return n == 0 && done == size;
}

/* "MD5  usr/bin/x\n" in a package's list. */
static bool has_line(int dir, const char *name, const char *line, char *buf)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = 0, want = strlen(line);
	ssize_t n = 1;
	char *found;

	while (fd >= 0 && n > 0 && len < SUMS_BYTES) {
		n = read(fd, buf + len, SUMS_BYTES - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	found = memmem(buf, len, line, want);
	return found && (found == buf || found[-1] == '\n');
}

static bool is_list(const char *name)
{
	size_t len = strlen(name), end = strlen(".md5sums");

	return len > end && !strcmp(name + len - end, ".md5sums");
}

static bool any_has_line(struct file_hashes *h, const char *line, char *buf)
{
	DIR *lists = opendir(h->lists);
	const struct dirent *d;
	bool found = false;

	/* This thread alone walks through that directory. */
	while (lists && !found && (d = readdir(lists)))	/* NOLINT(concurrency-mt-unsafe) */
		if (is_list(d->d_name) && !ends(h))
			found = has_line(dirfd(lists), d->d_name, line, buf);
	if (lists)
		closedir(lists);
	return found;
}

/* Packages from before /usr was one have their files without it in the list. */
static bool is_packages(struct file_hashes *h, const unsigned char *md5, const char *path)
{
	char line[2 * MD5_DIGEST_SIZE + PATH_MAX + 8];
	char *buf = malloc(SUMS_BYTES);
	bool found = false;

	for (int i = 0; i < MD5_DIGEST_SIZE; i++)
		snprintf(line + (size_t)i * 2, 3, "%02x", md5[i]);
	for (int usr = 0; buf && !found && usr < 2; usr++) {
		const char *name = path + 1;

		if (usr && strncmp(name, "usr/", 4) != 0)
			break;
		snprintf(line + (size_t)2 * MD5_DIGEST_SIZE, PATH_MAX + 8, "  %s\n",
			 name + (usr ? 4 : 0));
		found = any_has_line(h, line, buf);
	}
	free(buf);
	return found;
}

/* In a file system in memory a write by mmap() leaves the time of the last change as it was. */
static bool may_change_unseen(int fd, const struct stat *st)
{
	struct statfs fs;

	return (st->st_uid || st->st_mode & 022) &&
	       (fstatfs(fd, &fs) || fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* False: not to be had, or not now. */
static bool find_out(struct file_hashes *h, const struct entry *e, struct file_hash *hash)
{
	int fd = open_file(e);
	struct stat st;
	struct sums sums;
	bool good = fd >= 0 && !fstat(fd, &st) && st.st_size <= FILE_HASH_MAX_BYTES &&
		    !may_change_unseen(fd, &st) && read_sums(h, fd, st.st_size, &sums) &&
		    is_it(fd, e);

	if (fd >= 0)
		close(fd);
	if (!good)
		return false;
	memcpy(hash->sha256, sums.sha256, sizeof(hash->sha256));
	hash->verified = !st.st_uid && !(st.st_mode & 022) && is_there(e) &&
			 is_packages(h, sums.md5, e->path);
	return true;
}

/* The next one of another user than the last one's, where there is one.  Under the lock. */
static struct entry *next_wanted(struct file_hashes *h, bool *settles)
{
	int64_t now_ns = clock_mono_ns();
	struct entry *first = NULL;

	*settles = false;

	for (size_t i = 0; i < (size_t)SETS * WAYS; i++) {
		struct entry *e = &h->entry[i / WAYS][i % WAYS];

		if (e->state != WANTED)
			continue;
		if (e->ready_ns > now_ns) {
			*settles = true;
			continue;
		}
		if (e->uid != h->last_uid)
			return e;
		if (!first)
			first = e;
	}
	return first;
}

/* An entry that is being read keeps its place.  Under the lock. */
static void read_one(struct file_hashes *h, struct entry *e)
{
	struct file_hash hash = { .verified = false };
	bool good;

	e->state = READING;
	h->last_uid = e->uid;
	pthread_mutex_unlock(&h->lock);
	good = find_out(h, e, &hash);
	pthread_mutex_lock(&h->lock);
	e->state = good ? KNOWN : REFUSED;
	e->hash = hash;
	e->when_ns = clock_mono_ns();
	h->counts.read += good;
	FAILS(FILE_UNREAD);
	h->counts.refused += !good;
	wake_tell(h->known_fd);
}

static void *run(void *arg)
{
	struct file_hashes *h = arg;
	struct pollfd woken = { .events = POLLIN };
	struct entry *e;
	bool settles;

	/* Others go first; where that is refused, it is so. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
	pthread_mutex_lock(&h->lock);
	while (!h->ends) {
		e = next_wanted(h, &settles);
		if (e) {
			read_one(h, e);
			continue;
		}
		pthread_mutex_unlock(&h->lock);
		woken.fd = h->wake_fd;
		if (poll(&woken, 1, settles ? SETTLES_MS : -1) > 0)
			wake_hear(h->wake_fd);
		pthread_mutex_lock(&h->lock);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

/* --- The others */

static void release(struct file_hashes *h)
{
	for (size_t i = 0; i < (size_t)SETS * WAYS; i++)
		free(h->entry[i / WAYS][i % WAYS].path);
	if (h->wake_fd >= 0)
		close(h->wake_fd);
	if (h->known_fd >= 0)
		close(h->known_fd);
	pthread_mutex_destroy(&h->lock);
	free(h->piece);
	free(h);
}

struct file_hashes *file_hashes_start(const char *const *roots, const char *lists)
{
	struct file_hashes *h = calloc(1, sizeof(*h));
	int rc = h ? -lock_init(&h->lock) : ENOMEM;
	struct stat st;

	if (rc) {
		free(h);
		errno = rc;
		return NULL;
	}
	h->last_uid = -1;
	h->lists = lists;
	for (size_t i = 0; roots[i] && h->devices < ROOTS_MAX; i++)
		if (!stat(roots[i], &st))
			h->device[h->devices++] = st.st_dev;
	h->piece = malloc(PIECE_BYTES);
	h->wake_fd = wake_open();
	h->known_fd = wake_open();
	rc = !h->piece ? ENOMEM : h->wake_fd < 0 || h->known_fd < 0 ? errno :
	     pthread_create(&h->thread, NULL, run, h);
	if (!rc)
		return h;
	release(h);
	errno = rc;
	return NULL;
}

void file_hashes_stop(struct file_hashes *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->ends = true;
	pthread_mutex_unlock(&h->lock);
	wake_tell(h->wake_fd);
	pthread_join(h->thread, NULL);
	release(h);
}

static bool is_readable(const struct file_hashes *h, const struct process *p)
{
	/* What was only told has no file that anybody saw. */
	if (p->exe_seen <= EXE_UNASKED || p->exe_inode < 0 || p->exe_dev < 0 || p->pid <= 0)
		return false;
	for (size_t i = 0; i < h->devices; i++)
		if ((int64_t)h->device[i] == p->exe_dev)
			return true;
	return false;
}

/* NULL: all that have its place are being read. */
static struct entry *entry_of(struct file_hashes *h, const struct process *p)
{
	struct entry *set = h->entry[(uint64_t)p->exe_inode % SETS], *place = NULL;

	for (int i = 0; i < WAYS; i++) {
		struct entry *e = &set[i];

		if (e->state != EMPTY && e->dev == p->exe_dev && e->inode == p->exe_inode &&
		    e->ctime == p->exe_ctime)
			return e;
		if (e->state != READING &&
		    (!place || e->state == EMPTY ||
		     (place->state != EMPTY && e->when_ns < place->when_ns)))
			place = e;
	}
	if (!place)
		return NULL;
	free(place->path);
	*place = (struct entry){ .dev = p->exe_dev, .inode = p->exe_inode, .ctime = p->exe_ctime };
	return place;
}

static void want(struct file_hashes *h, struct entry *e, const struct process *p)
{
	int64_t old_ns = clock_now_us() * 1000 - e->ctime;

	e->state = WANTED;
	e->ready_ns = clock_mono_ns() + (old_ns < SETTLED_NS ? SETTLED_NS : 0);
	e->pid = p->pid;
	e->uid = p->uid;
	free(e->path);
	e->path = p->exe_seen == EXE_HERE && p->exe.data ? strndup(p->exe.data, p->exe.len) : NULL;
	wake_tell(h->wake_fd);
}

enum hash_word file_hashes_of(struct file_hashes *h, const struct process *p,
			      struct file_hash *hash)
{
	enum hash_word word = HASH_NONE;
	int64_t now_ns = clock_mono_ns();
	struct entry *e;

	if (!is_readable(h, p))
		return HASH_NONE;
	pthread_mutex_lock(&h->lock);
	e = entry_of(h, p);
	if (e) {
		/* Who asked first may have had another path to the file, by which no package has
		 * it. */
		if (e->state == EMPTY || (e->state == REFUSED && now_ns - e->when_ns > AGAIN_NS) ||
		    (e->state == KNOWN && !e->path && p->exe_seen == EXE_HERE))
			want(h, e, p);
		word = e->state == KNOWN ? HASH_KNOWN :
		       e->state == REFUSED ? HASH_NONE : HASH_WANTED;
		if (e->state != REFUSED)
			e->when_ns = now_ns;
		*hash = e->hash;
	}
	pthread_mutex_unlock(&h->lock);
	return word;
}

int file_hashes_fd(const struct file_hashes *h)
{
	return h->known_fd;
}

void file_hashes_heard(struct file_hashes *h)
{
	wake_hear(h->known_fd);
}

struct file_hash_counts file_hashes_counts(struct file_hashes *h)
{
	struct file_hash_counts c;

	pthread_mutex_lock(&h->lock);
	c = h->counts;
	pthread_mutex_unlock(&h->lock);
	return c;
}
