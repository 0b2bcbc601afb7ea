/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is proof and what is not: every set of witnesses, against the sentences of proof.h. */
#include "proof.h"
#include "tap.h"

#define A EVIDENCE_AUDIT
#define F EVIDENCE_FD
#define I EVIDENCE_INODE
#define S EVIDENCE_PROC_SYSCALL
#define T EVIDENCE_TRACE
#define C EVIDENCE_TRACE_CALL

static bool is_certain(unsigned int evidence, bool same_socket, bool trace_ok)
{
	struct proof_conditions d = { .same_socket = same_socket, .trace_unambiguous = trace_ok };

	return proof_of(evidence, &d) == CERTAINTY_CERTAIN;
}

int main(void)
{
	unsigned int alone[] = { 0, A, F, I, S, T, C, EVIDENCE_BIND };
	bool none = true, monotone = true;

	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		none = none && !is_certain(alone[i], true, true);
	tap_ok(none, "no witness alone is proof");
	tap_ok(!is_certain(I | F, true, true), "nor that a process holds the socket");
	tap_ok(is_certain(A | I | F, true, false),
	       "its record, by the descriptor that is the socket");
	tap_ok(proof_of(I | F, &(struct proof_conditions){ .sole_holder = true }) ==
		       CERTAINTY_CERTAIN &&
	       proof_of(F, &(struct proof_conditions){ .sole_holder = true }) ==
		       CERTAINTY_INFERRED &&
	       proof_of(I | F, &(struct proof_conditions){ .sole_holder = true,
							   .program_unsure = true }) ==
		       CERTAINTY_INFERRED, "nobody else holds the socket that it came in to");
	tap_ok(!is_certain(A | I | F, false, true), "not by another descriptor");
	tap_ok(!is_certain(A | I, true, true), "not with a socket that it was not seen to hold");
	tap_ok(is_certain(S | I | F, false, false), "in the call on that socket");
	tap_ok(!is_certain(S | F, false, true), "not on a socket that is not the packet's");
	tap_ok(is_certain(T | I | F, false, false), "the lookup, by the socket's holder");
	tap_ok(is_certain(T | A, false, true) && is_certain(T | C, false, true),
	       "the lookup and a record, or the call around it");
	tap_ok(!is_certain(T | A, true, false) && !is_certain(T | C, true, false),
	       "not where something speaks against the trace");
	tap_ok(!is_certain(A | C, true, true), "a call without the lookup is none");
	tap_ok(proof_of(127, &(struct proof_conditions){ .same_socket = true,
							 .program_unsure = true,
							 .trace_unambiguous = true }) ==
	       CERTAINTY_INFERRED, "nor of a program that may be another by now");
	/* More witnesses and fewer doubts never make it less sure. */
	for (unsigned int e = 0; e < 128; e++)
		for (unsigned int more = 1; more < 128; more <<= 1)
			for (int d = 0; d < 4; d++)
				monotone = monotone && (!is_certain(e, d & 1, d & 2) ||
					   (is_certain(e | more, d & 1, d & 2) &&
					    is_certain(e, true, true)));
	tap_ok(monotone, "one witness more never makes it less sure");
	tap_ok(proof_of(127, &(struct proof_conditions){ .same_socket = true, .shared = true,
							 .trace_unambiguous = true }) ==
	       CERTAINTY_INFERRED, "nothing is where others looked the same tuple up");
	return tap_done();
}
