/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as answers of the kernel's to a question for sockets, or its word of dead ones; the corpus
 * is of real ones, whose port was made 4711. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "deaths.h"
#include "fuzz.h"
#include "sockdiag.h"

#define PORT 4711

static void check(const uint8_t *data, size_t size, int wanted)
{
	struct sockdiag_answer a = { .count = 0, .port = wanted };
	int rc = 1;

	/* A dump comes in several reads. */
	for (int reads = 0; rc > 0 && reads < 3; reads++)
		rc = sockdiag_parse(data, size, 1, PORT, &a);
	FUZZ_CHECK(rc <= 1 && a.count >= 0 && a.count <= SOCKDIAG_FOUND_MAX && a.port == wanted);
	for (int i = 0; i < a.count; i++) {
		const struct sock_entry *s = &a.found[i];

		FUZZ_CHECK(s->local.addr.family == AF_INET || s->local.addr.family == AF_INET6);
		FUZZ_CHECK(s->local.port >= 0 && s->local.port <= 65535 && s->peer.port <= 65535);
		FUZZ_CHECK(wanted < 0 || s->local.port == wanted);
		FUZZ_CHECK(s->inode >= 0 && s->uid >= 0);
	}
}

static void on_death(const struct death *d, void *arg)
{
	(void)arg;
	FUZZ_CHECK(d->protocol >= 0 && d->protocol <= 255);
	FUZZ_CHECK(d->local.port >= 0 && d->local.port <= 65535 && d->peer.port <= 65535);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, -1);
	check(data, size, 5001);
	deaths_parse(data, size, on_death, NULL);
	return 0;
}
