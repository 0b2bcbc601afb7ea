/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process of an ordinary user that makes whoever reads its /proc wait, and meanwhile connects to
 * 127.0.0.1:PORT, so that somebody wants to.
 *
 *   freezer exec DEVICE DIRECTORY SECONDS PORT   it is inside execve(), which closes a file of a
 *                                                file system (FUSE, on DIRECTORY) that does not
 *                                                answer; a child connects by sockets of it
 *   freezer mm DEVICE DIRECTORY SECONDS PORT     it is inside mmap() over a page of such a file,
 *                                                and another thread connects
 *   freezer threads NUMBER SECONDS PORT          it has so many threads
 *   freezer fds NUMBER SECONDS PORT              so many descriptors
 *   freezer big MIB SECONDS PORT                 so much memory, and forks all the time
 *
 * Prints "frozen", or what it has made, as soon as that is so.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/fuse.h>

#include "helper.h"

#define PAGE 4096
#define SOCKETS 200
#define PAUSE_US 20000

static time_t end;
static int seconds;
static struct sockaddr_in to;
static int sockets[SOCKETS];

static void say(const char *what, long n)
{
	printf("%s %ld\n", what, n);
	fflush(stdout);
}

/* However long that took, its time begins now. */
static void has_made(const char *what, long n)
{
	end = time(NULL) + seconds;
	say(what, n);
}

/* By sockets that were there before. */
static void connect_old(void)
{
	for (int i = 0; i < SOCKETS && time(NULL) < end; i++) {
		connect(sockets[i], (struct sockaddr *)&to, sizeof(to));
		usleep(PAUSE_US);
	}
}

static void connect_new(void)
{
	while (time(NULL) < end) {
		int s = socket(AF_INET, SOCK_STREAM, 0);

		connect(s, (struct sockaddr *)&to, sizeof(to));
		close(s);
		usleep(PAUSE_US);
	}
}

/* --- A file system of one file */

static void answer(int device, uint64_t unique, int error, const void *data, size_t len)
{
	struct fuse_out_header head = {
		.len = (uint32_t)(sizeof(head) + len), .error = error, .unique = unique,
	};
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)(uintptr_t)data, len } };

	if (writev(device, parts, len ? 2 : 1) < 0 && errno != ENOENT)
		perror("FUSE");
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node, .nlink = 1, .size = node == 1 ? 0 : PAGE,
		.mode = node == 1 ? S_IFDIR | 0755 : S_IFREG | 0644,
	};
}

/* Answers one request, but not the one that somebody is to wait for. */
static void serve(int device, const struct fuse_in_header *in, uint32_t never)
{
	static const char zeros[PAGE];
	struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = 65536 };
	struct fuse_entry_out entry = { .nodeid = 2, .entry_valid = 100, .attr_valid = 100,
					.attr = attributes(2) };
	struct fuse_attr_out attr = { .attr_valid = 100, .attr = attributes(in->nodeid) };
	struct fuse_open_out opened = { .fh = 1 };
	struct fuse_write_out written = { .size = PAGE };

	if (in->opcode == never) {
		say("frozen", 1);
		return;
	}
	switch (in->opcode) {
	case FUSE_INIT:
		answer(device, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		answer(device, in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		answer(device, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(device, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		answer(device, in->unique, 0, zeros, sizeof(zeros));
		break;
	case FUSE_WRITE:
		answer(device, in->unique, 0, &written, sizeof(written));
		break;
	case FUSE_FLUSH:
		answer(device, in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(device, in->unique, -ENOSYS, NULL, 0);
	}
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

/* Mounts it in namespaces of this user's own; a child serves it until the end. */
static void mount_fuse(const char *path, const char *directory, uint32_t never)
{
	static char buf[128 * 1024] __attribute__((aligned(8)));
	unsigned int uid = getuid(), gid = getgid();
	char text[128];
	int device;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		die("unshare");
	put("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1", uid);
	put("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "0 %u 1", gid);
	put("/proc/self/gid_map", text);
	device = open(path, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die(path);
	snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("freezer", directory, "fuse", MS_NOSUID | MS_NODEV, text))
		die("mount");
	if (fork()) {
		close(device);
		return;
	}
	alarm((unsigned int)(end - time(NULL)) + 1);
	for (;;)
		if (read(device, buf, sizeof(buf)) > 0)
			serve(device, (struct fuse_in_header *)buf, never);
}

/* --- Ways to keep others waiting */

static int open_file(const char *directory)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/file", directory);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

static void freeze_in_exec(const char *directory)
{
	for (int i = 0; i < SOCKETS; i++)
		sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
	if (!fork()) {
		sleep(1);
		connect_old();
		_exit(0);
	}
	open_file(directory);
	execl("/bin/sleep", "sleep", "1", NULL);
	die("exec");
}

static void *connecting(void *arg)
{
	sleep(1);
	connect_new();
	return arg;
}

static void freeze_memory(const char *directory)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, open_file(directory), 0);
	pthread_t thread;

	if (page == MAP_FAILED)
		die("mmap");
	pthread_create(&thread, NULL, connecting, NULL);
	usleep(100000);
	page[0] = 1;
	/* munmap() lets readers in while it waits. */
	mmap(page, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	pthread_join(thread, NULL);
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void have_threads(long n)
{
	pthread_attr_t small;
	pthread_t thread;
	long made;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 16384);
	for (made = 0; made < n && !pthread_create(&thread, &small, idle, NULL); made++)
		;
	has_made("threads", made);
	connect_new();
}

static void have_fds(long n)
{
	struct rlimit limit;
	int fd = open("/dev/null", O_RDONLY);
	long made = 0;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	while (made < n && dup(fd) >= 0)
		made++;
	has_made("descriptors", made);
	connect_new();
}

static void be_big(long mib)
{
	size_t size = (size_t)mib << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pthread_t thread;

	if (memory == MAP_FAILED)
		die("mmap");
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < size; i += PAGE)
		memory[i] = 1;
	has_made("MiB", mib);
	pthread_create(&thread, NULL, connecting, NULL);
	while (time(NULL) < end) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	bool fuse = argc == 6;

	if (argc != 5 && !fuse) {
		fprintf(stderr, "usage: freezer exec|mm DEVICE DIRECTORY SECONDS PORT\n"
				"       freezer threads|fds|big NUMBER SECONDS PORT\n");
		return 2;
	}
	seconds = atoi(argv[argc - 2]);
	end = time(NULL) + seconds;
	to = (struct sockaddr_in){ .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)atoi(argv[argc - 1])),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fuse)
		mount_fuse(argv[2], argv[3], strcmp(argv[1], "mm") ? FUSE_FLUSH : FUSE_WRITE);
	if (!strcmp(argv[1], "exec"))
		freeze_in_exec(argv[3]);
	else if (!strcmp(argv[1], "mm"))
		freeze_memory(argv[3]);
	else if (!strcmp(argv[1], "threads"))
		have_threads(atol(argv[2]));
	else if (!strcmp(argv[1], "fds"))
		have_fds(atol(argv[2]));
	else if (!strcmp(argv[1], "big"))
		be_big(atol(argv[2]));
	return 0;
}
