/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A busy sender over UDP that never connects: datagrams of 64 bytes to a socket of its own on the
 * loopback, which nobody reads (a full socket drops, at little cost).  One line a run: nanoseconds
 * of wall time a call, and of the processor's.
 *
 *   bench/sender COUNT RUNS
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t processor_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	long count = argc == 3 ? atol(argv[1]) : 0, runs = argc == 3 ? atol(argv[2]) : 0;
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(to);
	char bytes[64] = { 0 };

	if (count < 1 || runs < 1)
		return 2;
	if (bind(receiver, (struct sockaddr *)&to, len) ||
	    getsockname(receiver, (struct sockaddr *)&to, &len)) {
		perror("bind");
		return 1;
	}
	while (runs-- > 0) {
		int64_t wall = wall_ns(), processor = processor_ns();

		for (long i = 0; i < count; i++) {
			if (sendto(sender, bytes, sizeof(bytes), 0, (struct sockaddr *)&to,
				   sizeof(to)) < 0) {
				perror("sendto");
				return 1;
			}
		}
		printf("%lld %lld\n", (long long)((wall_ns() - wall) / count),
		       (long long)((processor_ns() - processor) / count));
	}
	return 0;
}
