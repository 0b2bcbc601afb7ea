/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP connections that are there: N of them, to a port of its own.
 *
 *   streams ADDRESS PORT N
 *
 * For each line on stdin it sends a byte over each connection, both ways, waits for a second for
 * them all, and says how many connections passed it: "alive N".
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "programs.h"

#define WAIT_MS 1000

struct stream {
	int near, far;
};

static bool passes(int from, int to)
{
	struct pollfd p = { .fd = to, .events = POLLIN };
	char byte = 'x';

	return send(from, &byte, 1, MSG_NOSIGNAL) == 1 && poll(&p, 1, WAIT_MS) == 1 &&
	       recv(to, &byte, 1, 0) == 1;
}

int main(int argc, char **argv)
{
	int count = argc == 4 ? atoi(argv[3]) : 0, server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct stream *s = calloc((size_t)count + 1, sizeof(*s));
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct rlimit files;
	char line[64];

	if (!s || !count || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(server, (struct sockaddr *)&to, sizeof(to)) || listen(server, 128))
		die("listen");
	for (int i = 0; i < count; i++) {
		s[i].near = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(s[i].near, (struct sockaddr *)&to, sizeof(to)))
			die("connect");
		s[i].far = accept(server, NULL, NULL);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		int alive = 0;

		for (int i = 0; i < count; i++)
			alive += passes(s[i].near, s[i].far) && passes(s[i].far, s[i].near);
		printf("alive %d\n", alive);
	}
	return 0;
}
