/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SEARCH_H
#define SOCKLEDGER_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

struct parking;
struct procfs;

/*
 * The search through /proc for the holders of parked packets' sockets, in short pieces: the
 * processes that were started last, then all of them, in turns while new packets come.
 */
struct search;

/* One piece: a packet may wait for so long until the queue is read again. */
#define SEARCH_PIECE_NS 150000LL

/* procfs stays borrowed.  NULL where memory is short. */
struct search *search_new(struct procfs *p);
void search_free(struct search *s);

/* For the next piece: this socket's holder is wanted. */
void search_want(struct search *s, int64_t inode);
/* Runs one piece, if a parked packet wants it.  each() is shown those sockets with a process's or a
 * thread's id and the descriptor; it returns true where no packet waits any more. */
void search_step(struct search *s, struct parking *p,
		 bool (*each)(int64_t inode, int64_t id, int64_t fd, void *arg), void *arg);
/* The next packet is not to wait for the end of a search for others. */
void search_abandon(struct search *s);

#endif
