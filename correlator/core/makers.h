/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_MAKERS_H
#define SOCKLEDGER_MAKERS_H

#include <stdint.h>

struct event;

/*
 * Which program has made which socket, as the records of socket() tell, of all but TCP's: there the
 * call that connects has a record, while a datagram may have none.  Who holds a socket may have it
 * of who sent; who made it had it of nobody.
 *
 * The number is fixed; where it is full the oldest of the user with the most makes room.  Pure: no
 * system calls, times are passed in.
 */
struct makers;

struct maker {
	int64_t inode;		/* of the socket; -1: nobody saw it when the record came */
	int64_t pid, fd;	/* that called; -1: it was there already, see makers_old() */
	int64_t time_us;	/* when the call began */
	int64_t since_ns;	/* makers_old(): when that was said */
	uint64_t exe;		/* hash of the program's path */
	/* the file that it is, as in struct process */
	int64_t exe_seen, exe_dev, exe_inode;
};

/* NULL where memory is short. */
struct makers *makers_new(void);
void makers_free(struct makers *m);

/* A record of socket(), of this host. */
void makers_add(struct makers *m, const struct event *e);
/* A socket that is there, of which no record has come: its user, and what time it is. */
void makers_old(struct makers *m, int64_t inode, int64_t uid, int64_t now_ns);
/*
 * Who made that socket; or whose record names that descriptor, of a socket that the plugin did not
 * see, where that one is later or there is no other.  NULL: no record tells.  Good until the next
 * is added.
 */
const struct maker *makers_find(struct makers *m, int64_t inode, int64_t pid, int64_t fd);

#endif
