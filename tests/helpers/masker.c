/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that wants to pass for another one, which is at TARGET, or for none.  It connects to a
 * port of 127.0.0.1 and says "KIND passes" or "KIND fails".
 *
 *   masker KIND PORT [TARGET] [DIR]     DIR: a directory of its own, with a root in DIR/root
 *
 * Kinds that give themselves TARGET's path do so in a user namespace of their own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEEP 20
#define DEEP_CHARS 250
#define MAZE 40		/* links that the kernel follows */

static const char *kind, *port, *target, *dir;

__attribute__((noreturn)) static void die(const char *what)
{
	printf("%s cannot: %s: %s\n", kind, what, strerror(errno));
	exit(2);
}

static const char *path_in(const char *in, const char *name)
{
	static char buf[4][PATH_MAX];
	static int next;

	next = (next + 1) % 4;
	snprintf(buf[next], sizeof(buf[next]), "%s/%s", in, name);
	return buf[next];
}

static int open_socket(int flags)
{
	struct timeval wait = { .tv_usec = 300000 };
	int s = socket(AF_INET, SOCK_STREAM | flags, 0);

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)))
		die("socket");
	return s;
}

static int try(int s)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect(s, (struct sockaddr *)&to, sizeof(to));
}

static void tell(void)
{
	printf("%s %s\n", kind, try(open_socket(0)) ? "fails" : "passes");
	fflush(stdout);
}

/* Until whoever looks at it has done so. */
static void tell_and_stay(void)
{
	tell();
	usleep(200000);
}

static void copy_self(int to)
{
	char buf[65536];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (from >= 0 && (n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) != n)
			die("write");
	if (from < 0 || close(from) || close(to))
		die("copy");
}

static void put_self(const char *to)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (fd < 0)
		die(to);
	copy_self(fd);
}

/* Becomes the program of that path, which says what comes of it. */
__attribute__((noreturn)) static void become(const char *path, const char *mode)
{
	char says[64];

	snprintf(says, sizeof(says), "%s/%s", mode, kind);
	execl(path, path, says, port, target, dir, (char *)NULL);
	die("exec");
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void own_namespaces(int more)
{
	char map[64];
	unsigned int uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWUSER | more))
		die("unshare");
	write_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_text("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_text("/proc/self/gid_map", map);
}

static void bind_over(const char *what, const char *where)
{
	if (mount(what, where, NULL, MS_BIND | MS_REC, NULL))
		die("bind");
}

static const char *directory_of(const char *path)
{
	static char buf[PATH_MAX];

	snprintf(buf, sizeof(buf), "%s", path);
	*strrchr(buf, '/') = '\0';
	return buf;
}

static const char *self(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = '\0';
	return path;
}

static void do_bind(void)
{
	own_namespaces(CLONE_NEWNS);
	bind_over(self(), target);
	become(target, "plain");
}

/* All of the directory, with a program of the target's name. */
static void do_binddir(void)
{
	const char *own = path_in(dir, "bin");

	mkdir(own, 0755);
	put_self(path_in(own, strrchr(target, '/') + 1));
	own_namespaces(CLONE_NEWNS);
	bind_over(own, directory_of(target));
	become(target, "plain");
}

static void do_chroot(void)
{
	own_namespaces(0);
	if (chroot(path_in(dir, "root")) || chdir("/"))
		die("chroot");
	become(target, "plain");
}

static void do_pivot(void)
{
	const char *root = path_in(dir, "root");

	own_namespaces(CLONE_NEWNS);
	bind_over(root, root);
	if (chdir(root) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH))
		die("pivot_root");
	become(target, "plain");
}

static void overlay(const char *options)
{
	own_namespaces(CLONE_NEWNS);
	if (mount("overlay", directory_of(target), "overlay", 0, options))
		die("overlay");
}

static void do_overlay(void)
{
	char options[3 * PATH_MAX + 64];

	mkdir(path_in(dir, "upper"), 0755);
	mkdir(path_in(dir, "work"), 0755);
	put_self(path_in(path_in(dir, "upper"), strrchr(target, '/') + 1));
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s,userxattr",
		 directory_of(target), path_in(dir, "upper"), path_in(dir, "work"));
	overlay(options);
	become(target, "plain");
}

/* Nothing above, and its program below. */
static void do_lower(void)
{
	char options[2 * PATH_MAX + 64];

	mkdir(path_in(dir, "bin"), 0755);
	put_self(path_in(path_in(dir, "bin"), strrchr(target, '/') + 1));
	snprintf(options, sizeof(options), "lowerdir=%s:%s", path_in(dir, "bin"),
		 directory_of(target));
	overlay(options);
	become(target, "plain");
}

/* A file that is removed, or replaced, after it had the target's path. */
static void gone(const char *mode)
{
	const char *own = path_in(dir, "gone");

	put_self(own);
	own_namespaces(CLONE_NEWNS);
	bind_over(own, target);
	become(target, mode);
}

static void do_deleted(void) { gone("unlink"); }
static void do_replaced(void) { gone("rename"); }

static void do_unlink(void)
{
	if (unlink(path_in(dir, "gone")))
		die("unlink");
	tell();
}

static void do_rename(void)
{
	put_self(path_in(dir, "new"));
	if (rename(path_in(dir, "new"), path_in(dir, "gone")))
		die("rename");
	tell();
}

static void in_memory(const char *name)
{
	char says[64], *argv[] = { (char *)"x", says, (char *)port, NULL };
	int fd = memfd_create(name, 0), reader;
	char file[64];

	snprintf(says, sizeof(says), "plain/%s", kind);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	reader = open(file, O_RDONLY);
	copy_self(fd);
	fexecve(reader, argv, environ);
	die("fexecve");
}

static void do_memfd(void) { in_memory("good"); }
static void do_memfddots(void) { in_memory(path_in("..", target)); }

static void *connect_later(void *arg)
{
	usleep(20000);
	tell();
	_exit(0);
	return arg;
}

/* The first thread is gone when another one connects. */
static void do_zombie(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, connect_later, NULL))
		die("thread");
	syscall(SYS_exit, 0);
}

/* By a path that begins as the target's does. */
static const char *dotted(void)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s", directory_of(target));
	for (const char *at = directory_of(target); *at; at++)
		if (*at == '/')
			strcat(path, "/..");
	strcat(path, self());
	return path;
}

static void do_dots(void) { become(dotted(), "plain"); }
static void do_dotszombie(void) { become(dotted(), "zombie"); }

/* A path that is too long to be told. */
static void deep(const char *mode)
{
	char name[DEEP_CHARS + 1];

	memset(name, 'd', DEEP_CHARS);
	name[DEEP_CHARS] = '\0';
	if (chdir(dir))
		die(dir);
	for (int i = 0; i < DEEP; i++)
		if ((mkdir(name, 0755) && errno != EEXIST) || chdir(name))
			die("deep");
	put_self("deep");
	become("./deep", mode);
}

static void do_deep(void) { deep("plain"); }
static void do_deepzombie(void) { deep("zombie"); }

/* DIR/maze/1 to 40 in the host's root, each a link to the next by a way of thousands of names; in
 * one of its own a directory, with this program in it. */
static void do_maze(void)
{
	const char *maze = strdup(path_in(dir, "maze")), *real = strdup(path_in(dir, "real"));
	char way[PATH_MAX], name[16];

	mkdir(maze, 0755);
	mkdir(path_in(maze, "a"), 0755);
	mkdir(real, 0755);
	mkdir(path_in(real, "1"), 0755);
	put_self(path_in(path_in(real, "1"), "good"));
	for (int i = 1; i <= MAZE; i++) {
		size_t len = 0;

		while (len + 5 < sizeof(way) - 16)
			len += (size_t)sprintf(way + len, "a/../");
		if (i < MAZE)
			sprintf(way + len, "%d", i + 1);
		else
			sprintf(way + len, "a");
		snprintf(name, sizeof(name), "%d", i);
		if (symlink(way, path_in(maze, name)) && errno != EEXIST)
			die("symlink");
	}
	put_self(path_in(path_in(maze, "a"), "good"));
	/* Only what the kernel has in memory is looked up. */
	if (access(path_in(path_in(maze, "1"), "good"), X_OK))
		die("access");
	own_namespaces(CLONE_NEWNS);
	bind_over(real, maze);
	become(path_in(path_in(maze, "1"), "good"), "plain");
}

/* A child that holds the socket as well sees what becomes of it. */
static void watch(int s)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	if (fork())
		return;
	usleep(400000);
	printf("%s %s\n", kind, getpeername(s, (struct sockaddr *)&peer, &len) ? "fails" :
	       "passes");
	exit(0);
}

/* Executes the target while the connection is on its way. */
static void do_exec(void)
{
	int s = open_socket(SOCK_NONBLOCK);

	watch(s);
	try(s);
	execl(target, target, "wait", port, (char *)NULL);
	die("exec");
}

static void *exec_target(void *arg)
{
	usleep(5000);
	execl(target, target, "wait", port, (char *)NULL);
	return arg;
}

/* Another thread does. */
static void do_execthread(void)
{
	pthread_t thread;
	int s = open_socket(0);

	watch(s);
	pthread_create(&thread, NULL, exec_target, NULL);
	usleep(4900);
	try(s);
	sleep(1);
}

static void do_wait(void) { usleep(500000); }

/* The n-th number behind the name in /proc/self/stat. */
static unsigned long stat_field(int n)
{
	char buf[2048], *at;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, buf, sizeof(buf) - 1);

	close(fd);
	buf[len > 0 ? len : 0] = '\0';
	at = strrchr(buf, ')');
	for (int field = 2; at && field < n; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoul(at, NULL, 10) : 0;
}

/* Puts copies in the place of all that is mapped of this program's file. */
static void leave_file(void)
{
	char line[PATH_MAX + 128], mine[PATH_MAX + 2];
	struct { unsigned long from, to; int prot; } part[16];
	FILE *maps = fopen("/proc/self/maps", "re");
	int parts = 0;

	snprintf(mine, sizeof(mine), "%s\n", self());
	while (maps && parts < 16 && fgets(line, sizeof(line), maps)) {
		char *path = strchr(line, '/');
		char *at;

		if (!path || strcmp(path, mine))
			continue;
		part[parts].from = strtoul(line, &at, 16);
		part[parts].to = strtoul(at + 1, &at, 16);
		part[parts].prot = (at[1] == 'r' ? PROT_READ : 0) |
				   (at[2] == 'w' ? PROT_WRITE : 0) |
				   (at[3] == 'x' ? PROT_EXEC : 0);
		parts++;
	}
	if (maps)
		fclose(maps);
	for (int i = 0; i < parts; i++) {
		size_t size = part[i].to - part[i].from;
		void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);

		if (copy == MAP_FAILED)
			die("mmap");
		memcpy(copy, (void *)part[i].from, size);
		if (mprotect(copy, size, part[i].prot) ||
		    mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			   (void *)part[i].from) == MAP_FAILED)
			die("mremap");
	}
}

/* Tells the kernel that this process runs the target. */
static void disguise(void)
{
	struct prctl_mm_map map = {
		.start_code = stat_field(26), .end_code = stat_field(27),
		.start_stack = stat_field(28), .start_data = stat_field(45),
		.end_data = stat_field(46), .start_brk = stat_field(47),
		.brk = (unsigned long)sbrk(0), .arg_start = stat_field(48),
		.arg_end = stat_field(49), .env_start = stat_field(50), .env_end = stat_field(51),
		.exe_fd = (unsigned int)open(target, O_RDONLY | O_CLOEXEC),
	};

	leave_file();
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0))
		die("PR_SET_MM_MAP");
}

static void do_disguise(void)
{
	own_namespaces(0);
	disguise();
	tell();
}

/* A child, which has a copy of its parent's memory. */
static void do_disguisefork(void)
{
	own_namespaces(0);
	disguise();
	if (!fork())
		tell_and_stay();
}

static int disguise_and_end(void *arg)
{
	(void)arg;
	disguise();
	return 0;
}

/* A child that shares it does so for its parent. */
static void do_disguisevm(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int status;

	own_namespaces(0);
	if (clone(disguise_and_end, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL) < 0 ||
	    wait(&status) < 0 || status)
		die("clone");
	tell();
}

static void *disguise_in_thread(void *arg)
{
	disguise();
	return arg;
}

/* And so does a thread. */
static void do_disguisethread(void)
{
	pthread_t thread;

	own_namespaces(0);
	if (pthread_create(&thread, NULL, disguise_in_thread, NULL))
		die("thread");
	pthread_join(thread, NULL);
	tell();
}

/* Takes a login user, whose number is TARGET, where it has none. */
static void do_login(void)
{
	write_text("/proc/self/loginuid", target);
	tell();
}

/* A child connects when its parent has become the target. */
static void do_parent(void)
{
	if (!fork()) {
		usleep(50000);
		tell();
		_exit(0);
	}
	execl(target, target, "wait", port, (char *)NULL);
	die("exec");
}

/* A child of the target's that has a child, which is its orphan, where the target takes orphans. */
static void do_orphan(void)
{
	if (!fork()) {
		usleep(50000);
		tell();
	}
	_exit(0);
}

/* The target itself starts another program: TARGET is that, and DIR what it is to do. */
static void do_starts(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (!fork())
		become(target, dir);
	usleep(300000);
}

/* Datagrams, and it is gone. */
static void do_quick(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	sendto(s, kind, strlen(kind), 0, (struct sockaddr *)&to, sizeof(to));
	_exit(0);
}

static void do_bindquick(void)
{
	own_namespaces(CLONE_NEWNS);
	bind_over(self(), target);
	become(target, "quick");
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "plain", tell }, { "stays", tell_and_stay }, { "bind", do_bind },
	{ "binddir", do_binddir }, { "chroot", do_chroot },
	{ "pivot", do_pivot }, { "overlay", do_overlay }, { "lower", do_lower },
	{ "deleted", do_deleted }, { "replaced", do_replaced }, { "unlink", do_unlink },
	{ "rename", do_rename }, { "memfd", do_memfd }, { "memfddots", do_memfddots },
	{ "zombie", do_zombie }, { "dots", do_dots }, { "dotszombie", do_dotszombie },
	{ "deep", do_deep }, { "deepzombie", do_deepzombie }, { "exec", do_exec },
	{ "execthread", do_execthread }, { "wait", do_wait }, { "quick", do_quick },
	{ "bindquick", do_bindquick }, { "maze", do_maze },
	{ "disguise", do_disguise }, { "disguisefork", do_disguisefork },
	{ "disguisevm", do_disguisevm }, { "disguisethread", do_disguisethread },
	{ "login", do_login },
	{ "parent", do_parent }, { "orphan", do_orphan }, { "starts", do_starts },
};

int main(int argc, char **argv)
{
	char mode[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	kind = argv[1];
	if (argc < 3)
		die("masker KIND PORT [TARGET] [DIR]");
	port = argv[2];
	target = argc > 3 ? argv[3] : "";
	dir = argc > 4 ? argv[4] : "";
	snprintf(mode, sizeof(mode), "%.*s", (int)strcspn(kind, "/"), kind);
	if (strchr(kind, '/'))
		kind = strchr(kind, '/') + 1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, mode)) {
			kinds[i].run();
			return 0;
		}
	errno = EINVAL;
	die(mode);
}
