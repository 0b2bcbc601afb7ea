/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the name service and its answers, as copies: nothing waits for them. */
#include <errno.h>
#include <netinet/in.h>

#include <linux/netfilter.h>

#include "clock.h"
#include "dns.h"
#include "failures.h"
#include "flows.h"
#include "host.h"
#include "name_feed.h"
#include "names.h"
#include "nflog.h"
#include "packet.h"

int name_feed_open(struct name_feed *f, struct host *host, uint16_t group)
{
	*f = (struct name_feed){ .host = host };
	return nflog_open(group, &f->nflog);
}

void name_feed_close(struct name_feed *f)
{
	nflog_close(f->nflog);
	f->nflog = NULL;
}

int name_feed_fd(const struct name_feed *f)
{
	return f->nflog ? nflog_fd(f->nflog) : -1;
}

/* Whose question it is: its flow, of that very user, was decided before the question went out, and
 * is forgotten when its socket dies.  Of several sockets with one tuple it may be any's. */
static struct name_asker asker_of(const struct host *h, const struct packet *p, int64_t uid)
{
	const struct flow_key key = { IPPROTO_UDP, DIRECTION_OUT, p->src, p->dst, -1, uid };
	struct flow *f = h->datagrams ? flows_find(h->datagrams, &key) : NULL;
	bool alone = f && !flows_next(h->datagrams, f);

	return (struct name_asker){ .row = alone ? f->row : 0, .uid = uid };
}

static void on_packet(const struct nflog_packet *copy, void *arg)
{
	struct name_feed *f = arg;
	struct names *names = f->host->names;
	struct dns_message m;
	struct packet p;
	bool out = copy->hook == NF_INET_LOCAL_OUT;
	int64_t now_ns = clock_mono_ns();

	if (packet_parse(copy->data, copy->len, &p) || !p.payload ||
	    (out ? p.dst.port : p.src.port) != DNS_PORT ||
	    dns_parse(p.payload, p.payload_len, &m) || m.answer == out) {
		FAILS(NAME_BAD);
		f->count.bad++;
		return;
	}
	if (out) {
		const struct name_asker asker = asker_of(f->host, &p, copy->uid);

		names_question(names, &p.src, &p.dst, &asker, &m, now_ns);
	} else if (names_answer(names, &p.dst, &p.src, &m, now_ns)) {
		f->count.answers++;
	} else {
		FAILS(NAME_UNASKED);
		f->count.refused++;
	}
}

void name_feed_read(struct name_feed *f)
{
	if (!f->nflog)
		return;
	if (nflog_show(f->nflog, on_packet, f) == -ENOBUFS) {
		FAILS(NAMES_LOST);
		f->count.lost++;
	}
	f->count.evicted = names_evicted(f->host->names);
}
