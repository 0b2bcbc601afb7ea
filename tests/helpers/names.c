/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small name service, and who asks it.
 *
 *   names serve ADDRESS	answers at ADDRESS, port 53, until it is killed
 *   names ask SERVER NAME PORT	looks NAME up, and connects to what it is told; %XX: a byte
 *   names connect ADDRESS PORT	connects without asking anybody
 *   names flood SERVER HOW SECONDS	asks as fast as it goes; HOW: "one", for many names by one
 *				socket and number; "many", each by a socket of its own
 *
 * What is answered goes by the name's first label, as far as the '-':
 *
 *   nN		192.0.2.N
 *   spoofN	192.0.2.N, behind three forgeries that say 192.0.2.66: with another number,
 *		another name, and another type
 *   wave	a name that points to itself, and nothing else
 *   local	127.0.0.1
 *   none	there is no such name
 *   all else	192.0.2.20
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dns-wire.h"

#define WAIT_MS 5000
#define NO_SUCH_NAME 0x8183

static struct sockaddr_in place(const char *address, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1) {
		fprintf(stderr, "names: '%s' is no address\n", address);
		exit(2);
	}
	return a;
}

static int reach(int type, const char *address, int port)
{
	struct sockaddr_in a = place(address, port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || (connect(fd, (struct sockaddr *)&a, sizeof(a)) && type == SOCK_DGRAM)) {
		perror("names");
		exit(1);
	}
	return fd;
}

/* --- The service */

struct asked {
	const uint8_t *data;
	size_t len;		/* up to where the question ends */
	uint16_t id, type;
	char label[64];		/* the first one */
};

static int read_question(const uint8_t *data, size_t len, struct asked *q)
{
	size_t at = 12;

	if (len < 17)
		return -1;
	snprintf(q->label, sizeof(q->label), "%.*s", (int)(data[at] < len - at ? data[at] : 0),
		 (const char *)data + at + 1);
	while (at < len && data[at])
		at += data[at] + 1u;
	if (at + 5 > len)
		return -1;
	q->data = data;
	q->len = at + 5;
	q->id = (uint16_t)(data[0] << 8 | data[1]);
	q->type = (uint16_t)(data[at + 1] << 8 | data[at + 2]);
	return 0;
}

/* The question again, as an answer begins. */
static void begin(struct wire *w, const struct asked *q, uint16_t flags, uint16_t answers)
{
	wire_begin(w, q->id, flags, answers);
	memcpy(w->data + w->len, q->data + 12, q->len - 12);
	w->len = q->len;
}

static void send_to(int fd, const struct wire *w, const struct sockaddr_in *to)
{
	if (sendto(fd, w->data, w->len, 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		perror("names: sendto");
}

static void forge(int fd, const struct asked *q, const struct sockaddr_in *to)
{
	struct wire w;

	for (int i = 0; i < 3; i++) {
		begin(&w, q, WIRE_ANSWER, 1);
		if (i == 0)
			w.data[1] ^= 1;
		else if (i == 1)
			w.data[13] ^= 1;
		else
			w.data[w.len - 3] ^= 1;
		wire_number(&w, WIRE_SAME, 2);
		wire_address(&w, 60, "192.0.2.66");
		send_to(fd, &w, to);
	}
}

static void answer(int fd, const struct asked *q, const struct sockaddr_in *to)
{
	char address[32] = "192.0.2.20";
	struct wire w;
	size_t digits = strcspn(q->label, "0123456789");

	if (isdigit((unsigned char)q->label[digits]))
		snprintf(address, sizeof(address), "192.0.2.%d", atoi(q->label + digits));
	if (!strncmp(q->label, "local", 5))
		snprintf(address, sizeof(address), "127.0.0.1");
	if (!strncmp(q->label, "spoof", 5))
		forge(fd, q, to);
	if (!strncmp(q->label, "wave", 4)) {
		begin(&w, q, WIRE_ANSWER, 1);
		wire_number(&w, 0xc000 | (uint32_t)w.len, 2);
	} else if (!strncmp(q->label, "none", 4)) {
		begin(&w, q, NO_SUCH_NAME, 0);
	} else {
		begin(&w, q, WIRE_ANSWER, q->type == WIRE_A);
		if (q->type == WIRE_A)
			wire_number(&w, WIRE_SAME, 2);
		if (q->type == WIRE_A)
			wire_address(&w, 60, address);
	}
	send_to(fd, &w, to);
}

static int serve(const char *address)
{
	struct sockaddr_in here = place(address, 53);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here))) {
		perror("names: bind");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		uint8_t data[2048];
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		struct asked q;
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &size);

		if (n > 0 && !read_question(data, (size_t)n, &q))
			answer(fd, &q, &from);
	}
}

/* --- Who asks */

static void add_name(struct wire *w, const char *name)
{
	while (*name) {
		uint8_t label[63];
		size_t len = 0;

		for (; *name && *name != '.' && len < sizeof(label); len++) {
			unsigned int byte = (unsigned char)*name;

			name += *name == '%' && sscanf(name + 1, "%2x", &byte) == 1 ? 3 : 1;
			label[len] = (uint8_t)byte;
		}
		wire_label(w, label, len);
		name += *name == '.';
	}
	wire_number(w, 0, 1);
}

/* The address that comes last in the answer to this very question; false: none came. */
static bool look_up(const char *server, const char *name, char address[INET_ADDRSTRLEN])
{
	int fd = reach(SOCK_DGRAM, server, 53);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t in[2048];
	struct wire w;
	ssize_t n = 0;

	wire_begin(&w, (uint16_t)getpid(), WIRE_QUESTION, 0);
	add_name(&w, name);
	wire_number(&w, WIRE_A << 16 | 1, 4);
	if (send(fd, w.data, w.len, 0) < 0)
		return false;
	while (poll(&p, 1, WAIT_MS) > 0) {
		n = recv(fd, in, sizeof(in), 0);
		if (n >= (ssize_t)w.len && !memcmp(in, w.data, 2) &&
		    !memcmp(in + 12, w.data + 12, w.len - 12))
			break;
		n = 0;
	}
	close(fd);
	if (n < (ssize_t)w.len + 16)
		return false;
	inet_ntop(AF_INET, in + n - 4, address, INET_ADDRSTRLEN);
	return true;
}

static void flood(const char *server, bool one, int seconds)
{
	int fd = reach(SOCK_DGRAM, server, 53);
	time_t end = time(NULL) + seconds;
	char name[64];

	for (uint32_t i = 0; time(NULL) < end; i++) {
		struct wire w;

		snprintf(name, sizeof(name), "n%u-%u.flood.example", i % 200, i);
		wire_begin(&w, one ? 7 : (uint16_t)i, WIRE_QUESTION, 0);
		add_name(&w, name);
		wire_number(&w, WIRE_A << 16 | 1, 4);
		send(fd, w.data, w.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (one)
			continue;
		close(fd);
		fd = reach(SOCK_DGRAM, server, 53);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	char address[INET_ADDRSTRLEN];

	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "ask")) {
		if (!look_up(argv[2], argv[3], address))
			return 1;
		close(reach(SOCK_STREAM, address, atoi(argv[4])));
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "connect")) {
		close(reach(SOCK_STREAM, argv[2], atoi(argv[3])));
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "flood")) {
		flood(argv[2], !strcmp(argv[3], "one"), atoi(argv[4]));
		return 0;
	}
	fputs("usage: names serve ADDRESS | ask SERVER NAME PORT | connect ADDRESS PORT |\n"
	      "       names flood SERVER HOW SECONDS\n", stderr);
	return 2;
}
