/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of queues that go from one sockledgerd to the next: what was left comes back, and of other
 * names nothing is taken. */
#include <stdio.h>
#include <string.h>

#include "handover.h"
#include "tap.h"

static const struct nfqueue_kept kept[] = {
	{ -1, 0, 0, false, 0, 0 },
	{ -1, 65535, UINT32_MAX, true, 4294967295LL * 64, 4294967295LL * 64 },
	{ -1, 3, 4711, true, 0, 12 },
};

static const char *const others[] = {
	"", "queue", "queue-", "queue-1", "queue-1-2-0-0", "queue-65536-1-0-0-0", "queue-1-2-2-0-0",
	"queue--1-1-0-0-0", "queue- 1-1-0-0-0", "queue-01-1-0-0-0", "queue-1-4294967296-0-0-0",
	"queue-1-1-0-0-0 ", "queue-1-1-0-0-0x", "queue-1-1-0-0-99999999999999999999", "stored",
};

int main(void)
{
	struct nfqueue_kept k;
	char name[64];

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		memset(&k, 0x55, sizeof(k));
		handover_format(&kept[i], name, sizeof(name));
		tap_ok(!strpbrk(name, ":\n") && handover_parse(name, &k) && k.fd == -1 &&
			       k.number == kept[i].number && k.last_id == kept[i].last_id &&
			       k.glue == kept[i].glue && k.dropped == kept[i].dropped &&
			       k.user_dropped == kept[i].user_dropped,
		       "%s", name);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		tap_ok(!handover_parse(others[i], &k), "'%s' is none", others[i]);
	return tap_done();
}
