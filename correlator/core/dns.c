/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the name service, by libresolv. */
#include <arpa/nameser.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "dns.h"

/* A message has no more that we look at: each record takes time, and packets wait meanwhile. */
#define RECORDS_MAX 128
#define MESSAGE_MAX 65535

/* What an answer says, with names as hashes. */
struct records {
	int aliases, addresses;
	struct { uint64_t of, to; } alias[DNS_ALIASES_MAX];
	struct { uint64_t of; struct dns_address address; } address[DNS_ADDRESSES_MAX];
};

/* Upper and lower case are one (RFC 4343), and some who ask mix them to make guessing harder. */
static void fold(char *name)
{
	for (; *name; name++)
		*name = (char)tolower((unsigned char)*name);
}

/* The record's name; where that is the root, libresolv has a constant for it. */
static size_t name_of(const ns_rr *rr, char name[NS_MAXDNAME])
{
	size_t len = strlen(ns_rr_name(*rr));

	memcpy(name, ns_rr_name(*rr), len + 1);
	fold(name);
	return len;
}

static uint64_t hash_of(const char *name, size_t len)
{
	return text_hash(TEXT_HASH_SEED, name, len);
}

static void take_alias(const ns_msg *msg, const ns_rr *rr, uint64_t of, struct records *r)
{
	char target[NS_MAXDNAME];

	if (r->aliases == DNS_ALIASES_MAX ||
	    ns_name_uncompress(ns_msg_base(*msg), ns_msg_end(*msg), ns_rr_rdata(*rr), target,
			       sizeof(target)) != ns_rr_rdlen(*rr))
		return;
	r->alias[r->aliases].of = of;
	fold(target);
	r->alias[r->aliases++].to = hash_of(target, strlen(target));
}

static void take_address(const ns_rr *rr, uint64_t of, struct records *r)
{
	bool v4 = ns_rr_type(*rr) == ns_t_a;
	struct dns_address *a;

	if (r->addresses == DNS_ADDRESSES_MAX || ns_rr_rdlen(*rr) != (v4 ? 4 : 16))
		return;
	r->address[r->addresses].of = of;
	a = &r->address[r->addresses++].address;
	memset(a, 0, sizeof(*a));
	a->addr.family = v4 ? AF_INET : AF_INET6;
	memcpy(a->addr.bytes, ns_rr_rdata(*rr), ns_rr_rdlen(*rr));
	address_unmap(&a->addr);
	/* RFC 2181, 8: with the topmost bit it means nothing. */
	a->ttl_s = ns_rr_ttl(*rr) > INT32_MAX ? 0 : (uint32_t)ns_rr_ttl(*rr);
}

static int read_answers(ns_msg *msg, struct records *r)
{
	int count = ns_msg_count(*msg, ns_s_an);

	r->aliases = r->addresses = 0;
	for (int i = 0; i < count && i < RECORDS_MAX; i++) {
		ns_rr rr;
		char name[NS_MAXDNAME];
		uint64_t of;

		if (ns_parserr(msg, ns_s_an, i, &rr))
			return -EBADMSG;
		if (ns_rr_class(rr) != ns_c_in)
			continue;
		of = hash_of(name, name_of(&rr, name));
		if (ns_rr_type(rr) == ns_t_cname)
			take_alias(msg, &rr, of, r);
		else if (ns_rr_type(rr) == ns_t_a || ns_rr_type(rr) == ns_t_aaaa)
			take_address(&rr, of, r);
	}
	return 0;
}

/* What the name is an alias of, in whatever order the answer has it; a ring has its end where all
 * aliases have been followed once. */
static void follow(const struct records *r, struct dns_message *m)
{
	uint64_t at[DNS_ALIASES_MAX + 1];
	int names = 1;

	at[0] = hash_of(m->name, strlen(m->name));
	for (int n = 0; n < names; n++) {
		for (int i = 0; i < r->aliases && names <= r->aliases; i++)
			if (r->alias[i].of == at[n])
				at[names++] = r->alias[i].to;
	}
	for (int i = 0; i < r->addresses; i++) {
		bool ours = false;

		for (int n = 0; n < names; n++)
			ours |= r->address[i].of == at[n];
		if (ours)
			m->found[m->count++] = r->address[i].address;
	}
}

static int read_question(ns_msg *msg, struct dns_message *m)
{
	char name[NS_MAXDNAME];
	size_t len;
	ns_rr rr;

	if (ns_parserr(msg, ns_s_qd, 0, &rr) || ns_rr_class(rr) != ns_c_in)
		return -EBADMSG;
	len = name_of(&rr, name);
	if (len >= sizeof(m->name))
		return -ENAMETOOLONG;
	memcpy(m->name, name, len + 1);
	m->type = ns_rr_type(rr);
	return 0;
}

int dns_parse(const uint8_t *data, size_t len, struct dns_message *m)
{
	struct records records;
	ns_msg msg;
	int rc;

	m->count = 0;
	if (len > MESSAGE_MAX || ns_initparse(data, (int)len, &msg))
		return -EBADMSG;
	if (ns_msg_getflag(msg, ns_f_opcode) != ns_o_query || ns_msg_count(msg, ns_s_qd) != 1)
		return -EBADMSG;
	m->id = ns_msg_id(msg);
	m->answer = ns_msg_getflag(msg, ns_f_qr);
	rc = read_question(&msg, m);
	if (rc || !m->answer || ns_msg_getflag(msg, ns_f_tc) ||
	    ns_msg_getflag(msg, ns_f_rcode) != ns_r_noerror)
		return rc;
	rc = read_answers(&msg, &records);
	if (!rc)
		follow(&records, m);
	return rc;
}
