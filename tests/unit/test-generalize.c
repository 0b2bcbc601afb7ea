/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From places to the matches that mean them: each step, where it ends, and, for random places, that
 * nothing seen is left out. */
#include <stdlib.h>
#include <string.h>

#include "generalize.h"
#include "network.h"
#include "scratch.h"
#include "tap.h"

static char got[8192];

static void append(const struct reach *r, void *arg)
{
	size_t len = strlen(got);

	(void)arg;
	snprintf(got + len, sizeof(got) - len, "%s%s|%s|%zu %zu", len ? "; " : "", r->addresses,
		 r->ports, r->of_addresses, r->of_ports);
}

/* "ADDRESS PORT" and so on; "%d" in an address, or PORT "+", counts from 1 to `times`. */
static const struct {
	const char *places;
	int times;
	const char *wanted;	/* "ADDRESSES|PORTS|of ADDRESSES PORTS; ..." */
} cases[] = {
	{ "192.0.2.1 443", 1, "192.0.2.1|443|1 1" },
	{ "192.0.2.1 -1", 1, "192.0.2.1||1 0" },
	{ "192.0.2.1 80 192.0.2.1 443 192.0.2.2 22", 1,
	  "192.0.2.2|22|1 1; 192.0.2.1|80,443|1 2" },
	{ "192.0.2.%d 443", 8,
	  "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.5,192.0.2.6,192.0.2.7,192.0.2.8"
	  "|443|8 1"
	},
	{ "192.0.2.%d 443", 9, "192.0.2.0/24|443|9 1" },
	{ "198.51.%d.7 443", 9, "198.51.0.0/16|443|9 1" },
	{ "198.%d.1.7 443", 9, "|443|9 1" },
	{ "10.%d.1.7 443", 9, "10.0.0.0/8|443|9 1" },
	{ "10.%d.1.7 443 192.168.%d.1 443", 9, "10.0.0.0/8,192.168.0.0/16|443|18 1" },
	{ "10.%d.1.7 443 198.51.100.1 443", 9, "|443|10 1" },
	{ "127.%d.0.1 443 ::1 443", 9, "127.0.0.0/8,::1/128|443|10 1" },
	{ "2001:db8::%d 443", 9, "2001:db8::/64|443|9 1" },
	{ "2001:db8:0:%d::1 443", 9, "2001:db8::/48|443|9 1" },
	{ "2001:db8:%d::1 443", 9, "|443|9 1" },
	{ "2001:db8::1 443 192.0.2.1 443", 1, "192.0.2.1,2001:db8::1|443|2 1" },
	{ "192.0.2.1 +2000", 16, "192.0.2.1|2001,2002,2003,2004,2005,2006,2007,2008,2009,2010,"
	  "2011,2012,2013,2014,2015,2016|1 16" },
	{ "192.0.2.1 +2000", 17, "192.0.2.1|1024-65535|1 17" },
	{ "192.0.2.1 +2000 192.0.2.1 22", 17, "192.0.2.1|22,1024-65535|1 18" },
	{ "192.0.2.1 +100", 17, "192.0.2.1|0-1023|1 17" },
	{ "192.0.2.1 1023 192.0.2.1 1024 192.0.2.1 0", 1, "192.0.2.1|0,1023,1024|1 3" },
};

static size_t fill(struct place *to, const char *text, int times)
{
	char words[256], *rest = words;
	size_t count = 0;

	snprintf(words, sizeof(words), "%s", text);
	for (const char *address; (address = strtok_r(rest, " ", &rest));) {
		const char *port = strtok_r(rest, " ", &rest);
		const char *at = strstr(address, "%d");
		int n = at || *port == '+' ? times : 1;

		for (int i = 1; i <= n; i++) {
			char buf[64];

			snprintf(buf, sizeof(buf), "%s", address);
			if (at)
				snprintf(buf + (at - address), sizeof(buf) - (size_t)(at - address),
					 "%d%s", i, at + 2);
			to[count].connections = 1;
			if (address_parse(buf, &to[count].addr))
				abort();
			to[count++].port = atoi(port) + (*port == '+' ? i : 0);
		}
	}
	return count;
}

static struct reach reaches[64];
static size_t reach_count;

static void keep(const struct reach *r, void *arg)
{
	(void)arg;
	if (reach_count < 64)
		reaches[reach_count++] = *r;
}

static bool has_address(const char *list, const struct address *a)
{
	char buf[GENERALIZE_TEXT_MAX], *rest = buf;
	struct network n;

	snprintf(buf, sizeof(buf), "%.*s", (int)sizeof(buf) - 1, list);
	for (const char *word; (word = strtok_r(rest, ",", &rest));)
		if (!network_parse(word, &n) && network_contains(&n, a))
			return true;
	return !*list;
}

static bool has_port(const char *list, int port)
{
	char buf[GENERALIZE_TEXT_MAX], *rest = buf;
	int from, to;

	snprintf(buf, sizeof(buf), "%.*s", (int)sizeof(buf) - 1, list);
	for (const char *word; (word = strtok_r(rest, ",", &rest));) {
		int n = sscanf(word, "%d-%d", &from, &to);

		if (n >= 1 && from <= port && port <= (n == 2 ? to : from))
			return true;
	}
	return port < 0 && !*list;
}

static int below(int n)
{
	return (int)(scratch_random() % (uint64_t)n);
}

/* Of random places each is in a rule, and all connections are counted once. */
static bool covers_random(void)
{
	static struct place places[400], copy[400];
	size_t count = 1 + scratch_random() % 400;
	int64_t sum = 0;
	int spread = 1 + below(300), ports = 1 + below(3000);

	for (size_t i = 0; i < count; i++) {
		char buf[64];

		if (below(3))
			snprintf(buf, sizeof(buf), "%d.%d.%d.%d", 10 + below(2),
				 below(spread) % 256, below(spread) % 256, (int)(i % 250));
		else
			snprintf(buf, sizeof(buf), "2001:db8:%x::%zx",
				 (unsigned int)below(spread), i);
		places[i] = (struct place){ .port = below(ports) - 1, .connections = 1 };
		if (address_parse(buf, &places[i].addr))
			return false;
	}
	memcpy(copy, places, sizeof(copy));
	reach_count = 0;
	generalize(places, count, keep, NULL);
	for (size_t i = 0; i < count; i++) {
		bool found = false;

		for (size_t r = 0; r < reach_count; r++)
			found |= has_address(reaches[r].addresses, &copy[i].addr) &&
				 has_port(reaches[r].ports, copy[i].port);
		if (!found)
			return false;
	}
	for (size_t r = 0; r < reach_count; r++)
		sum += reaches[r].connections;
	return sum == (int64_t)count && reach_count <= 35;
}

int main(int argc, char **argv)
{
	int good = 0;

	scratch_seed(argc, argv);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct place places[64] = { 0 };
		size_t count = fill(places, cases[i].places, cases[i].times);

		got[0] = '\0';
		generalize(places, count, append, NULL);
		if (!tap_ok(!strcmp(got, cases[i].wanted), "%d x %s", cases[i].times,
			    cases[i].places))
			tap_note("got %s, wanted %s", got, cases[i].wanted);
	}
	got[0] = '\0';
	generalize(NULL, 0, append, NULL);
	tap_ok(!got[0], "of nothing there is no rule");
	for (int i = 0; i < 300; i++)
		good += covers_random();
	if (!tap_ok(good == 300, "each of random places is in a rule"))
		tap_note("%d of 300", good);
	return tap_done();
}
