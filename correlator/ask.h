/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_ASK_H
#define SOCKLEDGER_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "attribution.h"

struct event;
struct host;
struct inquiry;
struct process;
struct sock_entry;

/* Asks the one witness that q->answer.next names.  None of them waits. */
void ask_next(struct host *h, struct inquiry *q);

/* By witness, for ask_next(): each writes its part of the testimony. */
void ask_trace(struct host *h, struct inquiry *q);		/* ask_trace.c */
void ask_callers(struct host *h, struct inquiry *q);
void ask_place(struct host *h, struct inquiry *q);
void ask_user(struct host *h, struct inquiry *q);
void ask_socket(struct host *h, struct inquiry *q, bool widely);	/* ask_socket.c */
void ask_socket_again(struct host *h, struct inquiry *q);
void ask_holder(struct host *h, struct inquiry *q);
void ask_recent(struct host *h, struct inquiry *q);
void ask_record(struct host *h, struct inquiry *q);		/* ask_record.c */

/* Has another process looked this packet's route up than the one whose testimony that is?  The
 * packet's lookup is used up. */
bool ask_whether_other(struct host *h, struct inquiry *q, const struct testimony *first);
/* Has that process another socket than the packet's at the packet's local port, by which it may
 * have sent it (IP_PKTINFO, SO_REUSEADDR)? */
bool ask_sharing(struct host *h, struct inquiry *q, int64_t pid);
/* The one of these sockets that the process holds; NULL: none of them, as far as its first
 * PROCFS_LOOKS descriptors tell.  *all: it has no more of them. */
const struct sock_entry *ask_held_one(struct host *h, int64_t pid, const struct sock_entry *sockets,
				      int count, bool *all);
/* A process is seen to hold the packet's socket, by the plugin or in a search through /proc: true
 * where it does. */
bool ask_found_holder(struct host *h, struct inquiry *q, int64_t pid, int64_t fd,
		      enum source source);
/* For a rule that wants certainty: does the named process hold the socket, is a thread of it in the
 * call? */
void ask_proof(struct host *h, struct inquiry *q);
/* For a packet that waits: true where it is known by now whether its holder is the only one. */
bool ask_sole_again(struct host *h, struct inquiry *q);
/* Its socket's inode, where that was not needed to tell who sent the packet. */
void ask_inode(struct host *h, struct inquiry *q);

/* Was the packet's socket made by the program that its holder runs now? */
enum maker_word ask_maker(struct host *h, const struct inquiry *q, const struct process *now);
/* A record of a socket has come: so they come.  Sockets that are there when the first one does may
 * have been made before. */
void ask_note_record(struct host *h, const struct event *e);

/* A record may have come: it is asked for once more. */
void ask_record_anew(struct inquiry *q);
/* A record is of one packet.  True: while this one waited another packet has taken it. */
bool ask_record_taken(const struct host *h, struct inquiry *q);
/*
 * At the deadline, where nobody is named: accepts a record that has come under the rule for late
 * records, that is without /proc confirming the socket, because its process may be exiting.
 */
void ask_last_record(struct host *h, struct inquiry *q);

#endif
