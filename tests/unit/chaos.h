/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CHAOS_H
#define SOCKLEDGER_CHAOS_H

/* Random events on the made-up host, by numbers that are drawn: by chance, or by a fuzzer. */
#include <stdbool.h>
#include <stdint.h>

struct chaos {
	/* A number below n. */
	uint32_t (*draw)(void *arg, uint32_t n);
	void *arg;
};

/* Begins anew, with a judge of judge-rig.h. */
void chaos_begin(const struct chaos *c);
/* One packet, from its head to random bytes. */
void chaos_packet(const struct chaos *c);
/* Something else: a process, a socket, a record, an event of the trace, a turn, a policy, time. */
void chaos_event(const struct chaos *c);
/* Ends the judge.  Returns how many of the packets did not get exactly one verdict. */
int64_t chaos_end(void);

#endif
