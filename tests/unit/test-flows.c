/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of decided flows: finding, room, twins, and whose socket has died. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "flows.h"
#include "tap.h"

#define MAX 64

static struct flow_key key(const char *src, const char *dst)
{
	struct flow_key k = { .protocol = IPPROTO_UDP, .direction = DIRECTION_OUT, .echo_id = -1,
			      .uid = 1000 };

	endpoint_parse(src, &k.src);
	endpoint_parse(dst, &k.dst);
	return k;
}

static struct flow *add(struct flows *f, struct flow_key k, uint64_t row)
{
	struct flow gone, *one = flows_add(f, &k, &gone);

	one->row = row;
	return one;
}

static void test_finding(void)
{
	struct flows *f = flows_new(MAX);
	struct flow_key k = key("10.0.0.1:1", "10.0.0.2:53"), other;
	struct flow *one = add(f, k, 7);

	tap_ok(flows_find(f, &k) == one && one->inode < 0 && one->pid < 0 && !one->verdict,
	       "a flow, of which nothing is known yet");
#define DIFFERS(change, what)                                                               \
	do {                                                                                \
		other = k;                                                                  \
		change;                                                                     \
		tap_ok(!flows_find(f, &other) && !flow_key_equal(&k, &other), what);        \
	} while (0)
	DIFFERS(other.protocol = IPPROTO_TCP, "another protocol is another flow");
	DIFFERS(other.direction = DIRECTION_IN, "another direction");
	DIFFERS(other.src.port = 2, "another port");
	DIFFERS(other.dst.addr.bytes[3] = 3, "another peer");
	DIFFERS(other.echo_id = 5, "another echo");
	DIFFERS(other.uid = 0, "another user");
	tap_ok(flow_key_hash(&k) != flow_key_hash(&other), "whose hash is another");
	tap_ok(flows_find_tuple(f, &other) == one && !flows_has_twin(f, one),
	       "whose tuple is the same");
	add(f, other, 8);
	tap_ok(flows_has_twin(f, one), "and then each has a twin");
	tap_ok(!flows_next(f, one) && !flows_next(f, flows_find(f, &other)),
	       "but neither is the other's next");
	add(f, k, 9);
	tap_ok(flows_find(f, &k)->row == 9 && flows_next(f, flows_find(f, &k)) == one &&
		       !flows_next(f, one),
	       "of two with one key the newer comes first");
	flows_remove(f, flows_find(f, &k));
	flows_remove(f, flows_find(f, &other));
	tap_ok(!flows_has_twin(f, one) && flows_count(f) == 1, "until it is removed");
	other = k;
	other.link = 2;
	tap_ok(!flows_find(f, &other) && flows_find_tuple(f, &other) == one,
	       "on another link it is another flow of the same tuple");
	add(f, other, 10);
	tap_ok(flows_has_twin(f, one) && !flows_next(f, one), "a twin, and nobody's next");
	flows_free(f);
}

static void test_links(void)
{
	static const struct { const char *src, *dst; bool of_link; } rows[] = {
		{ "0.0.0.0:68", "10.0.0.1:67", true },
		{ "10.0.0.1:68", "255.255.255.255:67", true },
		{ "10.0.0.1:68", "255.255.255.254:67", false },
		{ "10.0.0.1:5353", "224.0.0.251:5353", true },
		{ "10.0.0.1:5353", "239.255.255.250:1900", true },
		{ "10.0.0.1:5353", "223.255.255.255:9", false },
		{ "10.0.0.1:5353", "240.0.0.1:9", false },
		{ "10.0.0.1:9", "169.254.1.1:9", true },
		{ "10.0.0.1:9", "169.253.1.1:9", false },
		{ "[2001:db8::1]:9", "[fe80::1]:9", true },
		{ "[2001:db8::1]:9", "[febf::1]:9", true },
		{ "[2001:db8::1]:9", "[fec0::1]:9", false },
		{ "[2001:db8::1]:9", "[ff02::1:2]:547", true },
		{ "[::]:546", "[2001:db8::1]:547", true },
		{ "[2001:db8::1]:9", "[2001:db8::2]:9", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_key k = key(rows[i].src, rows[i].dst);

		tap_ok(flow_is_of_link(&k.src.addr, &k.dst.addr) == rows[i].of_link,
		       "%s to %s: %s", rows[i].src, rows[i].dst,
		       rows[i].of_link ? "one for each link" : "one for all links");
	}
}

static struct flow_key numbered(int n)
{
	struct flow_key k = key("10.0.0.1:1", "10.0.0.2:53");

	k.src.port = n + 1;
	return k;
}

static void count_one(struct flow *one, void *arg)
{
	(void)one;
	++*(int *)arg;
}

static void test_room(void)
{
	struct flows *f = flows_new(MAX);
	struct flow_key k = numbered(0);
	struct flow gone;
	int shown = 0;
	uint32_t at;

	for (int n = 0; n < MAX; n++)
		add(f, numbered(n), (uint64_t)n + 1);
	flows_find(f, &k);
	k = numbered(MAX);
	flows_add(f, &k, &gone);
	tap_ok(gone.row == 2 && flows_count(f) == MAX,
	       "the one that was used least recently makes room");
	k = numbered(0);
	tap_ok(flows_find(f, &k) != NULL, "not the one that was used");
	flows_remove(f, flows_find(f, &k));
	flows_add(f, &k, &gone);
	tap_ok(!gone.row, "where there is room nobody has to go");
	at = flows_some(f, 0, MAX - 1, count_one, &shown);
	tap_ok(shown == MAX - 1 && at == MAX - 1 && !flows_some(f, at, 9, count_one, &shown) &&
	       shown == MAX, "all are shown, piece by piece");
	for (int n = 2; n < 5; n++) {
		k = numbered(n);
		flows_remove(f, flows_find(f, &k));
	}
	for (int n = 2; n < 5; n++)
		add(f, numbered(n), 100 + (uint64_t)n);
	shown = 0;
	for (int n = 2; n < 5; n++) {
		k = numbered(n);
		shown += flows_find(f, &k) && flows_find(f, &k)->row == 100 + (uint64_t)n;
	}
	tap_ok(shown == 3 && flows_count(f) == MAX, "each has a place of its own");
	flows_free(f);
}

struct dying {
	struct flows *f;
	int count;
};

static void die(struct flow *one, void *arg)
{
	struct dying *d = arg;

	d->count++;
	flows_remove(d->f, one);
}

/* How many flows the death of such a socket ends. */
static int dead(struct flows *f, const char *local, const char *peer, uint64_t cookie)
{
	struct endpoint l, p;
	struct dying d = { f, 0 };

	endpoint_parse(local, &l);
	endpoint_parse(peer, &p);
	flows_of_socket(f, IPPROTO_UDP, &l, &p, cookie, die, &d);
	return d.count;
}

static void test_deaths(void)
{
	struct flows *f = flows_new(MAX);
	struct flow_key in = key("10.0.0.2:53", "10.0.0.1:1");

	in.direction = DIRECTION_IN;
	in.uid = -1;
	add(f, key("10.0.0.1:1", "10.0.0.2:53"), 1)->cookie = 5;
	add(f, key("10.0.0.1:1", "10.0.0.3:53"), 2);
	add(f, key("10.0.0.9:1", "10.0.0.3:53"), 3);
	add(f, in, 4);
	tap_ok(!dead(f, "10.0.0.1:2", "0.0.0.0:0", 0), "another port's death ends nothing");
	tap_ok(!dead(f, "10.0.0.1:1", "10.0.0.2:54", 0), "nor that of one with another peer");
	tap_ok(dead(f, "10.0.0.1:1", "10.0.0.2:53", 6) == 1 && flows_count(f) == 3,
	       "nor of another cookie; both directions are the socket's");
	tap_ok(dead(f, "10.0.0.1:1", "10.0.0.2:53", 5) == 1, "its own does");
	in = key("10.0.0.1:2", "224.0.0.251:5353");
	in.link = 3;
	add(f, in, 5)->cookie = 7;
	tap_ok(dead(f, "10.0.0.1:2", "224.0.0.251:5353", 7) == 1, "on whichever link it is");
	tap_ok(dead(f, "[::]:1", "[::]:0", 5) == 2 && !flows_count(f),
	       "that of one without peer and address ends all of its port");
	flows_free(f);
}

int main(void)
{
	test_finding();
	test_links();
	test_room();
	test_deaths();
	return tap_done();
}
