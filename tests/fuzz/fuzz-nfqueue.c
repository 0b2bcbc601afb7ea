/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as messages of a netfilter queue, and the heads of the packets in them; the corpus is of
 * real ones, whose port was made 4711. */
#include <string.h>

#include "fuzz.h"
#include "nfqueue.h"
#include "packet.h"

#define PORT 4711

static void each(const struct nfqueue_packet *p, void *arg)
{
	const uint8_t **range = arg;
	struct packet head;
	int rc;

	FUZZ_CHECK(p->uid >= -1 && p->uid <= UINT32_MAX && p->gid >= -1 && p->gid <= UINT32_MAX);
	FUZZ_CHECK(!p->len || (p->data >= range[0] && p->len <= (size_t)(range[1] - p->data)));
	rc = packet_parse(p->data, p->len, &head);
	FUZZ_CHECK(head.unreadable == (rc || head.fragment));
	FUZZ_CHECK(!head.unreadable || (head.src.port < 0 && head.dst.port < 0));
	FUZZ_CHECK(head.src.port >= -1 && head.src.port <= 65535);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = (size + 3) & ~(size_t)3;
	uint8_t *message = calloc(1, room ? room : 1);
	const uint8_t *range[2] = { message, message + room };

	FUZZ_CHECK(message);
	if (size)
		memcpy(message, data, size);
	nfqueue_parse(message, size, PORT, each, range);
	free(message);
	return 0;
}
