/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of connections that the mixed load is made of. */
#ifndef TESTS_MIXED_LOAD_H
#define TESTS_MIXED_LOAD_H

#include <stdbool.h>
#include <sys/socket.h>

#define MIXED_KINDS_MAX 32

struct act;

struct mixed_kind {
	const char *name;
	int family, type;	/* AF_INET6 with is_mapped: ::ffff:127.0.0.1 */
	bool is_mapped;
	int count;		/* connections of one process */
	int listen;		/* one of so many finds a listener; 0: none */
	void (*act)(struct act *a);
};

extern const struct mixed_kind mixed_kinds[];
extern const int mixed_kind_count;

/* Where the connection of that number goes to. */
socklen_t mixed_destination(const struct mixed_kind *k, unsigned int index,
			    struct sockaddr_storage *to);

/* A process of the load, in one of the sixteen programs:
 *   PATH --act TRUTH KIND INDEX OTHER        to make its connections
 *   PATH --with TRUTH KIND INDEX FD          to connect the socket FD, or the one that FD brings */
int mixed_act(char **argv);

#endif
