/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DNS_WIRE_H
#define SOCKLEDGER_DNS_WIRE_H

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

/* Messages of the name service, piece by piece as RFC 1035 has them. */
struct wire {
	size_t len;
	uint8_t data[8192];
};

enum { WIRE_A = 1, WIRE_CNAME = 5, WIRE_AAAA = 28 };
#define WIRE_ANSWER 0x8180
#define WIRE_QUESTION 0x0100
#define WIRE_SAME 0xc00c	/* a pointer to the question's name */

static inline void wire_number(struct wire *w, uint32_t number, int bytes)
{
	while (bytes-- > 0)
		w->data[w->len++] = (uint8_t)(number >> 8 * bytes);
}

static inline void wire_label(struct wire *w, const void *bytes, size_t len)
{
	wire_number(w, (uint32_t)len, 1);
	memcpy(w->data + w->len, bytes, len);
	w->len += len;
}

static inline void wire_name(struct wire *w, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		wire_label(w, name, len);
		name += len + (name[len] == '.');
	}
	wire_number(w, 0, 1);
}

static inline void wire_begin(struct wire *w, uint16_t id, uint16_t flags, uint16_t answers)
{
	w->len = 0;
	wire_number(w, id, 2);
	wire_number(w, flags, 2);
	wire_number(w, 1, 2);
	wire_number(w, answers, 2);
	wire_number(w, 0, 4);
}

static inline void wire_ask(struct wire *w, const char *name, uint16_t type)
{
	wire_name(w, name);
	wire_number(w, type, 2);
	wire_number(w, 1, 2);
}

/* The owner stands before it. */
static inline void wire_address(struct wire *w, uint32_t ttl, const char *address)
{
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	int size = family == AF_INET ? 4 : 16;

	wire_number(w, family == AF_INET ? WIRE_A : WIRE_AAAA, 2);
	wire_number(w, 1, 2);
	wire_number(w, ttl, 4);
	wire_number(w, (uint32_t)size, 2);
	inet_pton(family, address, w->data + w->len);
	w->len += (size_t)size;
}

static inline void wire_alias(struct wire *w, const char *target)
{
	size_t at;

	wire_number(w, WIRE_CNAME, 2);
	wire_number(w, 1, 2);
	wire_number(w, 60, 4);
	at = w->len;
	wire_number(w, 0, 2);
	wire_name(w, target);
	w->data[at] = (uint8_t)((w->len - at - 2) >> 8);
	w->data[at + 1] = (uint8_t)(w->len - at - 2);
}

#endif
