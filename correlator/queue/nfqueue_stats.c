/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's counters of its netfilter queues: a line for each,
 *
 *   NUMBER PORT WAITING COPY_MODE COPY_RANGE QUEUE_DROPPED USER_DROPPED ID_SEQUENCE 1
 *
 * (seq_show() in net/netfilter/nfnetlink_queue.c).
 */
#include <errno.h>
#include <inttypes.h>

#include "nfqueue_stats.h"

int nfqueue_stats_read(FILE *f, unsigned int first, int count, struct nfqueue_stats *s)
{
	char line[256];

	*s = (struct nfqueue_stats){ 0 };
	/* The kernel makes a file of /proc anew when it is read from its beginning. */
	if (fseek(f, 0, SEEK_SET))
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		uint32_t number, dropped, user_dropped;

		if (sscanf(line, "%" SCNu32 " %*u %*u %*u %*u %" SCNu32 " %" SCNu32, &number,
			   &dropped, &user_dropped) != 3 || number < first ||
		    number - first >= (unsigned int)count)
			continue;
		s->dropped += dropped;
		s->user_dropped += user_dropped;
	}
	return ferror(f) ? -EIO : 0;
}

int64_t nfqueue_stats_port(FILE *f, unsigned int number)
{
	char line[256];

	if (fseek(f, 0, SEEK_SET))
		return -1;
	while (fgets(line, sizeof(line), f)) {
		uint32_t n, port;

		if (sscanf(line, "%" SCNu32 " %" SCNu32, &n, &port) == 2 && n == number)
			return port;
	}
	return -1;
}
