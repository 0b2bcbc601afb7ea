/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LINKS_H
#define SOCKLEDGER_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/*
 * The interfaces of the network namespace that this is opened in, what they are called, and which
 * namespace lies at the other end of each: does a packet that came in by one come from where a
 * process is?  The kernel tells of every change (RTNLGRP_LINK), so nothing here waits for the lock
 * that it changes interfaces under.  No namespace is entered.
 */
struct links;

#define LINK_NAME_MAX 16	/* IFNAMSIZ (linux/if.h) */

enum link_word {
	LINK_UNSURE,
	LINK_LEADS_THERE,	/* to that process's namespace, and to no other one */
	LINK_LEADS_AWAY,	/* out of this machine */
};

/* 0 or -errno. */
int links_open(struct links **out);
void links_close(struct links *l);

/*
 * Whether a packet that came in by the interface `index` may be of process pid's network namespace,
 * which is not ours.  Of a bridge its ports count: each is a way to the bridge's network.
 */
enum link_word links_ask(struct links *l, uint32_t index, int64_t pid);

/* Its name now, into `name`, which it comes back as; none: there is no such interface, or not all
 * that has changed is known. */
struct text links_name(struct links *l, uint32_t index, char name[LINK_NAME_MAX]);

/* What is known of an interface; messages of the kernel's, as they come. */
#define LINKS_MAX 4096
struct link {
	uint32_t index;
	uint32_t bridge;	/* whose port it is; 0: none's */
	int32_t other_end;	/* the id of the namespace there, as the kernel numbers them for
				 * ours; -1: it is none, or not known */
	bool is_bridge;
	bool is_hardware;	/* the kernel made it for a device, and not for who asked for one */
	char name[LINK_NAME_MAX];
};

struct link_table {
	struct link link[LINKS_MAX];
	int count;
	bool full;		/* some have had no room */
};

/* Takes in what the messages tell. */
void links_parse(const void *messages, size_t len, struct link_table *t);
enum link_word link_table_ask(const struct link_table *t, uint32_t index, int32_t other_end);
struct text link_table_name(const struct link_table *t, uint32_t index);

#endif
