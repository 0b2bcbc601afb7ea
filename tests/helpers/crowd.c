/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many where there is usually one: users of one connection each, and programs that hold one socket.
 *
 *   crowd users FIRST COUNT PORT MS     as root: for so long, connections to 127.0.0.1:PORT, each
 *                                       by a process of another user, FIRST to FIRST + COUNT - 1
 *   crowd hold FIRST COUNT PORT SENDER PROGRAM...
 *                                       connects a UDP socket at each port from FIRST on, which
 *                                       copies of itself at these paths hold; SENDER sends.  The
 *                                       truth about each: PORT PID SENDER
 *   crowd keep FD                       holds it until its input ends
 *   crowd send FD                       sends, and holds it likewise
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

#define PROGRAMS_MAX 8
#define LINGER_MS 60	/* until the records have come */

static struct sockaddr_in place(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				     .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static void users(int first, int count, int port, int ms)
{
	struct sockaddr_in to = place(port);
	int64_t end = now_ms() + ms;

	for (int i = 0; now_ms() < end; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid) {
			uid_t uid = (uid_t)(first + i % count);
			int fd;

			if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
				die("setresuid");
			fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
			if (fd < 0 || (connect(fd, (struct sockaddr *)&to, sizeof(to)) &&
				       errno != EINPROGRESS))
				die("connect");
			_exit(0);
		}
		if (waitpid(pid, NULL, 0) != pid)
			die("wait");
	}
}

static int open_at(int port, int to_port)
{
	struct sockaddr_in a = place(port), to = place(to_port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("its socket");
	return fd;
}

/* Becomes the program, which has the socket and one end of the pipe. */
static pid_t start(const char *path, const char *what, int fd, const int pipe_ends[2])
{
	char number[16];
	pid_t pid;

	snprintf(number, sizeof(number), "%d", fd);
	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	if (dup2(pipe_ends[0], 0) < 0 || close(pipe_ends[1]))
		die("its input");
	execl(path, path, what, number, (char *)NULL);
	die(path);
	return -1;
}

static void hold(int port, int to_port, char *const path[], int count)
{
	int fd = open_at(port, to_port), pipe_ends[2];
	pid_t pid = -1;

	if (pipe(pipe_ends))
		die("pipe");
	/* The others have it before the first of them sends. */
	for (int i = 1; i < count; i++)
		start(path[i], "keep", fd, pipe_ends);
	nap_ms(LINGER_MS / 2);
	pid = start(path[0], "send", fd, pipe_ends);
	printf("%d %d %s\n", port, (int)pid, path[0]);
	nap_ms(LINGER_MS);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	close(fd);
	while (wait(NULL) > 0)
		;
}

static void keep(int fd, const char *says)
{
	char byte;

	if (says && send(fd, says, strlen(says), MSG_NOSIGNAL) < 0 && errno != ECONNREFUSED)
		die("send");
	while (read(0, &byte, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 6 && !strcmp(what, "users"))
		users(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	else if (argc > 5 && argc - 5 <= PROGRAMS_MAX && !strcmp(what, "hold"))
		for (int i = 0; i < atoi(argv[3]); i++)
			hold(atoi(argv[2]) + i, atoi(argv[4]), argv + 5, argc - 5);
	else if (argc == 3 && !strcmp(what, "keep"))
		keep(atoi(argv[2]), NULL);
	else if (argc == 3 && !strcmp(what, "send"))
		keep(atoi(argv[2]), argv[0]);
	else
		return 2;
	return 0;
}
