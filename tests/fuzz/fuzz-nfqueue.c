/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as messages of a netfilter queue, or of a group of NFLOG, and the heads of the packets in
 * them; the corpus is of real ones of a queue, whose port was made 4711, and of two of a group,
 * which are made up. */
#include <string.h>

#include "fuzz.h"
#include "nflog.h"
#include "nfqueue.h"
#include "packet.h"

#define PORT 4711

static void check(const uint8_t *data, size_t len, const uint8_t **range)
{
	struct packet head;
	int rc;

	FUZZ_CHECK(!len || (data >= range[0] && len <= (size_t)(range[1] - data)));
	rc = packet_parse(data, len, &head);
	FUZZ_CHECK(!head.payload || (head.payload >= data && head.payload_len <= len &&
				     head.payload - data <= (ptrdiff_t)(len - head.payload_len)));
	FUZZ_CHECK(head.unreadable == (rc || head.fragment));
	FUZZ_CHECK(!head.unreadable || (head.src.port < 0 && head.dst.port < 0));
	FUZZ_CHECK(head.src.port >= -1 && head.src.port <= 65535);
}

static void each(const struct nfqueue_packet *p, void *arg)
{
	FUZZ_CHECK(p->uid >= -1 && p->uid <= UINT32_MAX && p->gid >= -1 && p->gid <= UINT32_MAX);
	check(p->data, p->len, arg);
}

static void each_copy(const struct nflog_packet *p, void *arg)
{
	FUZZ_CHECK(p->uid >= -1 && p->uid <= UINT32_MAX);
	check(p->data, p->len, arg);
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
	nflog_parse(message, size, each_copy, range);
	free(message);
	return 0;
}
