/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what a person gives on the command line, times, durations, addresses, endpoints,
 * ports, networks and protocols, and as the kernel's counters of its queues.  What is taken is in
 * its range, and is read back from its own text as the same.
 */
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "fuzz.h"
#include "network.h"
#include "nfqueue_stats.h"
#include "protocol.h"
#include "tuple.h"

#define NOW_US (1800000000 * TIME_US_PER_S)

static void check_times(const char *text)
{
	char shown[TIME_TEXT_MAX];
	int64_t us, again;

	if (!time_parse(text, NOW_US, &us)) {
		FUZZ_CHECK(!time_parse(time_format(us, shown), 0, &again));
		FUZZ_CHECK(again == us);
	}
	if (!duration_parse(text, &us))
		FUZZ_CHECK(us >= 0);
}

static bool is_address(const struct address *a)
{
	return a->family == AF_INET || a->family == AF_INET6;
}

static void check_ends(const char *text)
{
	char shown[ADDRESS_TEXT_MAX];
	struct address a, again;
	struct endpoint e;
	struct network n;
	int32_t port;
	int protocol;

	if (!address_parse(text, &a)) {
		FUZZ_CHECK(is_address(&a));
		FUZZ_CHECK(!address_parse(address_format(&a, shown), &again));
		FUZZ_CHECK(address_equal(&a, &again));
	}
	if (!endpoint_parse(text, &e)) {
		/* "*" is any address. */
		FUZZ_CHECK(is_address(&e.addr) || strchr("*[", *text));
		FUZZ_CHECK(e.port >= -1 && e.port <= 65535);
	}
	if (!port_parse(text, &port))
		FUZZ_CHECK(port >= 0 && port <= 65535 && atoi(text) == port);
	if (!network_parse(text, &n) && !address_parse(text, &a)) {
		address_unmap(&a);
		FUZZ_CHECK(network_contains(&n, &a));
	}
	if (!protocol_parse(text, &protocol))
		FUZZ_CHECK(protocol >= 0 && protocol <= IPPROTO_MPTCP);
}

static void check_counters(const char *text, size_t size)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, size, "r");
	struct nfqueue_stats s;

	FUZZ_CHECK(f);
	if (!nfqueue_stats_read(f, 1, 3, &s))
		FUZZ_CHECK(s.dropped >= 0 && s.user_dropped >= 0);
	fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_CHECK(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	check_times(text);
	check_ends(text);
	if (size)
		check_counters(text, size);
	free(text);
	return 0;
}
