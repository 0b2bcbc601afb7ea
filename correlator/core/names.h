/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NAMES_H
#define SOCKLEDGER_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"

struct dns_message;

/*
 * Which names were looked up on this host, by whom, and which addresses they were told to have.
 *
 *   a question's flow has a row --names_row()--> who asked by that row
 *   question goes out --names_question()--> waits for its answer
 *   answer comes in   --names_answer()--> of a question that waits? its addresses have that name
 *   a connection      --names_find()--> the name, and whose look-up it was
 *
 *   I1  A name is here only because a question for it went out, and the answer came back the same
 *       way with the question's number, name and type.  Each question takes one answer.
 *   I2  Who asked is what the row of the question's flow says by now: a later word about that row
 *       is one about the names as well.
 *   I3  Where there is no room, the oldest of the user with the most goes, and at one address each
 *       user has NAMES_AT_MOST names.
 *
 * Pure: no system calls, times are passed in.
 */
struct names;

/* How long an address is called by a name: as long as the answer says, but no shorter, because
 * programs keep what they were told, and no longer. */
#define NAMES_SHORTEST_NS (3600 * 1000000000LL)
#define NAMES_LONGEST_NS (24 * NAMES_SHORTEST_NS)
#define NAMES_AT_MOST 16

/* seed: a secret, so that nobody can choose addresses of one hash.  NULL where memory is short. */
struct names *names_new(uint64_t seed);
void names_free(struct names *n);

/*
 * The process of a row, as the row has it, if that is of a question's flow; uid: of its socket.
 * Where the row is known already it is a later word about it.  n NULL: nobody wants names, here
 * and below.
 */
void names_row(struct names *n, const struct connection *c, int64_t uid);
/* The row's process is as sure as that by now. */
void names_proven(struct names *n, uint64_t row, enum certainty certainty);

/* Who a question is of: the row of its flow, 0: it has none; and the user of its socket. */
struct name_asker {
	uint64_t row;
	int64_t uid;
};
void names_question(struct names *n, const struct endpoint *local, const struct endpoint *server,
		    const struct name_asker *asker, const struct dns_message *m, int64_t now_ns);
/* False: nobody here has asked that. */
bool names_answer(struct names *n, const struct endpoint *local, const struct endpoint *server,
		  const struct dns_message *m, int64_t now_ns);

/*
 * What c's destination is called, of a connection that goes out: c->text[CONNECTION_DST_NAME],
 * which stays as long as nothing is put into n; dst_name_by, and dst_names.  uid: of its socket.
 */
void names_find(const struct names *n, struct connection *c, int64_t uid, int64_t now_ns);

/* How many names had to make room. */
int64_t names_evicted(const struct names *n);

#endif
