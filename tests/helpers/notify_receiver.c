/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A service manager's end of $NOTIFY_SOCKET: prints each message, its lines joined by blanks.
 *
 *   notify_receiver NAME     a path, or '@' and an abstract name
 *
 * "listening" comes first.  It ends when it is killed, or after a minute without a message.
 */
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct pollfd fd = { .events = POLLIN };
	char message[4096];
	size_t len = argc == 2 ? strlen(argv[1]) : 0;

	if (!len || len > sizeof(at.sun_path))
		return 2;
	memcpy(at.sun_path, argv[1], len);
	if (argv[1][0] == '@')
		at.sun_path[0] = '\0';
	fd.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd.fd < 0 || bind(fd.fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len))) {
		perror("notify_receiver");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("listening");
	while (poll(&fd, 1, 60000) > 0) {
		ssize_t n = recv(fd.fd, message, sizeof(message), 0);

		if (n < 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			if (message[i] == '\n')
				message[i] = ' ';
		printf("%.*s\n", (int)n, message);
	}
	return 0;
}
