/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is proof: see proof.h for the sentences that stand behind each line. */
#include "proof.h"

#define A EVIDENCE_AUDIT
#define F EVIDENCE_FD
#define I EVIDENCE_INODE
#define S EVIDENCE_PROC_SYSCALL
#define T EVIDENCE_TRACE
#define C EVIDENCE_TRACE_CALL

enum condition {
	NO_PACKET = 1u << 0, ACCEPTED = 1u << 1, ATTEMPTED = 1u << 2, SAME_SOCKET = 1u << 3,
	SENT = 1u << 4, SOLE_HOLDER = 1u << 5, EARLIER = 1u << 6, PACKET = 1u << 7,
	CONNECTS = 1u << 8,
};

enum doubt {
	PROGRAM = 1u << 0, OTHER_CALL = 1u << 1, OTHER_LOOKUP = 1u << 2, TRACE = 1u << 3,
	ELSEWHERE = 1u << 4, BOUND = 1u << 5, FAST_OPEN = 1u << 6, RIVAL = 1u << 7,
	PORT = 1u << 8,
};

/* A port that bind() named is never proof by records alone: a descriptor may become another socket
 * (dup2) before the plugin looks at it. */
static const struct proof {
	unsigned int words, conditions, vetoes;
} proofs[] = {
	{ A | F, NO_PACKET | ATTEMPTED, BOUND | PROGRAM },
	{ A | F, PACKET | ACCEPTED | ATTEMPTED, BOUND | PROGRAM },
	{ A | I | F, PACKET | CONNECTS | SAME_SOCKET | SENT, PROGRAM | OTHER_CALL | RIVAL },
	{ S | I | F, PACKET | CONNECTS, PROGRAM | OTHER_CALL | RIVAL | FAST_OPEN },
	{ T | C | I | F, PACKET,
	  PROGRAM | OTHER_CALL | OTHER_LOOKUP | PORT | ELSEWHERE | FAST_OPEN },
	{ T | C, PACKET, PROGRAM | OTHER_CALL | TRACE | ELSEWHERE | FAST_OPEN },
	{ I | F, PACKET | SOLE_HOLDER, PROGRAM },
	{ 0, PACKET | EARLIER, OTHER_CALL },
};

static unsigned int conditions_of(const struct proof_conditions *c)
{
	return (c->no_packet ? NO_PACKET : PACKET) | (c->accepted ? ACCEPTED : 0u) |
	       (c->attempted ? ATTEMPTED : 0u) | (c->same_socket ? SAME_SOCKET : 0u) |
	       (c->sent ? SENT : 0u) | (c->sole_holder ? SOLE_HOLDER : 0u) |
	       (c->earlier ? EARLIER : 0u) | (c->connects ? CONNECTS : 0u);
}

static unsigned int doubts_of(unsigned int evidence, const struct proof_conditions *c)
{
	return (c->program_unsure ? PROGRAM : 0u) | (c->other_call ? OTHER_CALL : 0u) |
	       (c->other_lookup ? OTHER_LOOKUP : 0u) | (c->trace_doubtful ? TRACE : 0u) |
	       (c->elsewhere ? ELSEWHERE : 0u) | (c->fast_open ? FAST_OPEN : 0u) |
	       (c->rival ? RIVAL : 0u) | (c->unsure_port ? PORT : 0u) |
	       (evidence & EVIDENCE_BIND ? BOUND : 0u);
}

enum certainty proof_of(unsigned int evidence, const struct proof_conditions *c)
{
	unsigned int conditions = conditions_of(c), doubts = doubts_of(evidence, c);

	for (unsigned int i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		const struct proof *p = &proofs[i];

		if (!(p->words & ~evidence) && !(p->conditions & ~conditions) &&
		    !(p->vetoes & doubts))
			return CERTAINTY_CERTAIN;
	}
	return CERTAINTY_INFERRED;
}
