/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From places to the matches that mean them. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "generalize.h"
#include "network.h"

/* Ports from here on are not only root's, and clients' as well. */
#define PORTS_HIGH 1024

#define CLASSES (2 * GENERALIZE_PORTS + 3)

/* Ports that are treated alike: one, a range, or none. */
struct class {
	int32_t from, to;
	size_t first, end;	/* its places */
	struct reach reach;
	bool told;
};

/* How wide a network is taken, the narrowest first. */
static const struct step {
	int bits4, bits6;
	const char *how;
} steps[] = {
	{ 32, 128, "these addresses" },
	{ 24, 64, "their networks of /24 or /64" },
	{ 16, 48, "their networks of /16 or /48" },
	{ 0, 0, "their private networks" },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* RFC 1122, 1918, 3927, 4193, 4291, 6598. */
static const char *const private_networks[] = {
	"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
	"100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10",
};

static int compare_addresses(const struct address *a, const struct address *b)
{
	return a->family != b->family ? (a->family < b->family ? -1 : 1) :
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare_by_port(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->port != y->port ? (x->port < y->port ? -1 : 1) :
	       compare_addresses(&x->addr, &y->addr);
}

static int compare_by_address(const void *a, const void *b)
{
	return compare_addresses(&((const struct place *)a)->addr,
				 &((const struct place *)b)->addr);
}

static struct address network_of(const struct address *a, int bits)
{
	struct address n = *a;

	for (int i = 0; i < (int)sizeof(n.bytes); i++, bits -= 8)
		if (bits < 8)
			n.bytes[i] &= bits <= 0 ? 0 : (uint8_t)(0xff << (8 - bits));
	return n;
}

static const char *private_network_of(const struct address *a)
{
	struct network n;

	for (size_t i = 0; i < sizeof(private_networks) / sizeof(private_networks[0]); i++)
		if (!network_parse(private_networks[i], &n) && network_contains(&n, a))
			return private_networks[i];
	return NULL;
}

/* Writes the network that the step makes of the address; false: it makes none. */
static bool format_network(const struct address *a, const struct step *s, char *to, size_t size)
{
	int most = a->family == AF_INET ? 32 : 128, bits = most == 32 ? s->bits4 : s->bits6;
	struct address network = network_of(a, bits);
	const char *private = bits ? NULL : private_network_of(a);
	char buf[ADDRESS_TEXT_MAX];

	if (!bits)
		return private && snprintf(to, size, "%s", private) > 0;
	address_format(&network, buf);
	if (bits == most)
		snprintf(to, size, "%s", buf);
	else
		snprintf(to, size, "%s/%d", buf, bits);
	return true;
}

/* The networks of places that are sorted by address; false where they are too many. */
static bool list_networks(const struct place *p, size_t count, const struct step *s, char *to)
{
	char last[ADDRESS_TEXT_MAX + 4] = "", network[sizeof(last)];
	size_t len = 0;
	int networks = 0;

	for (size_t i = 0; i < count; i++) {
		if (!format_network(&p[i].addr, s, network, sizeof(network)))
			return false;
		if (!strcmp(network, last))
			continue;
		memcpy(last, network, sizeof(last));
		/* Of one private network there may be addresses on both sides of another's. */
		if (len && strstr(to, network) && s == &steps[STEPS - 1])
			continue;
		if (networks++ == GENERALIZE_ADDRESSES)
			return false;
		len += (size_t)snprintf(to + len, GENERALIZE_TEXT_MAX - len, "%s%s",
					len ? "," : "", network);
	}
	return true;
}

static size_t count_addresses(const struct place *p, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += !i || compare_addresses(&p[i].addr, &p[i - 1].addr);
	return n;
}

static void fill_class(struct class *c, struct place *places)
{
	struct place *p = places + c->first;
	size_t count = c->end - c->first, ports = 0;
	struct reach *r = &c->reach;

	for (size_t i = 0; i < count; i++) {
		ports += !i || p[i].port != p[i - 1].port;
		r->connections += p[i].connections;
		if (p[i].last_us > r->last_us)
			r->last_us = p[i].last_us;
	}
	r->of_ports = c->from < 0 ? 0 : ports;
	qsort(p, count, sizeof(*p), compare_by_address);
	r->of_addresses = count_addresses(p, count);
	for (size_t i = 0; i < STEPS; i++) {
		r->how = steps[i].how;
		if (list_networks(p, count, &steps[i], r->addresses))
			return;
	}
	r->addresses[0] = '\0';
	r->how = "any address";
}

static size_t count_ports(const struct place *p, size_t from, size_t end)
{
	size_t n = 0;

	for (size_t i = from; i < end; i++)
		n += i == from || p[i].port != p[i - 1].port;
	return n;
}

/* Divides places that are sorted by port, from `from` to `end`, into classes. */
static int divide(const struct place *p, size_t from, size_t end, int32_t low, int32_t high,
		  struct class *to)
{
	int count = 0;

	if (from < end && count_ports(p, from, end) > GENERALIZE_PORTS) {
		to[0] = (struct class){ .from = low, .to = high, .first = from, .end = end };
		return 1;
	}
	for (size_t i = from; i < end; i++) {
		if (i == from || p[i].port != p[i - 1].port)
			to[count++] = (struct class){ .from = p[i].port, .to = p[i].port,
						      .first = i };
		to[count - 1].end = i + 1;
	}
	return count;
}

static void add_ports(struct reach *r, const struct class *c)
{
	size_t len = strlen(r->ports), size = sizeof(r->ports) - len;
	const char *comma = len ? "," : "";

	if (c->from < 0)
		return;
	if (c->from == c->to)
		snprintf(r->ports + len, size, "%s%d", comma, (int)c->from);
	else
		snprintf(r->ports + len, size, "%s%d-%d", comma, (int)c->from, (int)c->to);
}

/* The class, with all behind it that have the same addresses. */
static void tell_class(struct class *c, const struct class *end, reach_fn *tell, void *arg)
{
	struct reach r = c->reach;

	add_ports(&r, c);
	for (struct class *other = c + 1; other < end && c->from >= 0; other++) {
		if (other->told || strcmp(other->reach.addresses, r.addresses))
			continue;
		other->told = true;
		add_ports(&r, other);
		r.connections += other->reach.connections;
		r.of_ports += other->reach.of_ports;
		if (other->reach.of_addresses > r.of_addresses)
			r.of_addresses = other->reach.of_addresses;
		if (other->reach.last_us > r.last_us)
			r.last_us = other->reach.last_us;
	}
	tell(&r, arg);
}

void generalize(struct place *places, size_t count, reach_fn *tell, void *arg)
{
	struct class classes[CLASSES];
	size_t none = 0, low;
	int classes_count = 0;

	if (!count)
		return;
	qsort(places, count, sizeof(*places), compare_by_port);
	while (none < count && places[none].port < 0)
		none++;
	for (low = none; low < count && places[low].port < PORTS_HIGH;)
		low++;
	classes_count += divide(places, 0, none, -1, -1, classes);
	classes_count += divide(places, none, low, 0, PORTS_HIGH - 1, classes + classes_count);
	classes_count += divide(places, low, count, PORTS_HIGH, UINT16_MAX,
				classes + classes_count);
	for (int i = 0; i < classes_count; i++)
		fill_class(&classes[i], places);
	for (int i = 0; i < classes_count; i++)
		if (!classes[i].told)
			tell_class(&classes[i], classes + classes_count, tell, arg);
}
