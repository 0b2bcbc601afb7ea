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
#define ALL 127u
#define SETS 128u

typedef struct proof_conditions with;

static bool is_certain(unsigned int evidence, with c)
{
	return proof_of(evidence, &c) == CERTAINTY_CERTAIN;
}

/* Whether the doubts leave these words proof, of a packet: by another way than is meant here none
 * of them is. */
static const struct {
	const char *what;
	unsigned int words;
	with tie;
	/* does the doubt veto it? */
	bool program, other_call, other_lookup, trace, elsewhere, fast_open, rival, port;
} proofs[] = {
	{ "its record, by the descriptor that is the socket", A | I | F,
	  { .same_socket = true, .sent = true, .connects = true },
	  true, true, false, false, false, false, true, false },
	{ "in the call that connects, on that socket", S | I | F, { .connects = true },
	  true, true, false, false, false, true, true, false },
	{ "the lookup and its call, by the socket's holder", T | C | I | F,
	  { .trace_doubtful = true }, true, true, true, false, true, true, false, true },
	{ "the lookup and its call", T | C, { .sent = false },
	  true, true, false, true, true, true, false, false },
	{ "nobody else holds the socket that it came in to", I | F, { .sole_holder = true },
	  true, false, false, false, false, false, false, false },
	{ "accept() returned it", A | F, { .accepted = true, .attempted = true },
	  true, false, false, false, false, false, false, false },
	{ "it was proof before a restart", 0, { .earlier = true },
	  false, true, false, false, false, false, false, false },
};

static void test_each(void)
{
	for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		with c = proofs[i].tie, d;
		bool good = is_certain(proofs[i].words, c), least = true;

#define DOUBT(field, vetoes) \
		d = c; \
		d.field = true; \
		good = good && is_certain(proofs[i].words, d) == !(vetoes)
		DOUBT(program_unsure, proofs[i].program);
		DOUBT(other_call, proofs[i].other_call);
		DOUBT(other_lookup, proofs[i].other_lookup);
		DOUBT(elsewhere, proofs[i].elsewhere);
		DOUBT(trace_doubtful, proofs[i].trace);
		DOUBT(fast_open, proofs[i].fast_open);
		DOUBT(rival, proofs[i].rival);
		DOUBT(unsure_port, proofs[i].port);
#undef DOUBT
		tap_ok(good, "%s: proof, and what it rests on alone vetoes it", proofs[i].what);
		for (unsigned int one = 1; one < SETS; one <<= 1)
			if (proofs[i].words & one)
				least = least && !is_certain(proofs[i].words & ~one, c);
		tap_ok(least, "each of its words is needed");
		c = (with){ .trace_doubtful = true };
		tap_ok(proofs[i].words == (T | C) || proofs[i].words == (T | C | I | F) ||
		       !is_certain(proofs[i].words, c),
		       "and what ties them to the packet");
	}
}

/* One user's words, whatever they are. */
static void test_one_witness(void)
{
	unsigned int alone[] = { 0, A, F, I, S, T, C, EVIDENCE_BIND };
	with all = { .attempted = true, .same_socket = true, .sent = true, .connects = true }, c;
	with connects = { .connects = true };
	bool none = true, monotone = true;

	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		none = none && !is_certain(alone[i], all);
	tap_ok(none, "no witness alone is proof");
	tap_ok(!is_certain(I | F, all), "nor that a process holds the socket");
	tap_ok(!is_certain(T | A, all), "a lookup and a record of the asker's own are one witness");
	tap_ok(!is_certain(T | I | F, all),
	       "nor does a question prove which of its holders sent on a socket");
	tap_ok(!is_certain(A | C, all), "a call without the lookup is none");
	tap_ok(!is_certain(A | I | F, (with){ .sent = true, .connects = true }),
	       "a record by another descriptor");
	tap_ok(!is_certain(A | I | F, (with){ .sent = true, .same_socket = true }),
	       "a record of a send of a datagram: another process's send on that socket has none");
	tap_ok(!is_certain(A | I | F, (with){ .same_socket = true, .connects = true }),
	       "a record of a connect() that sent nothing");
	tap_ok(!is_certain(A | I, all), "a socket that it was not seen to hold");
	tap_ok(!is_certain(S | F, connects), "in a call on a socket that is not the packet's");
	tap_ok(!is_certain(S | I | F, (with){ .sent = true }),
	       "in a send of a datagram: it may wait for room that another one's takes");
	tap_ok(is_certain(A | F, (with){ .no_packet = true, .attempted = true }) &&
	       !is_certain(A | F | EVIDENCE_BIND, (with){ .no_packet = true, .attempted = true }) &&
	       !is_certain(A | F, (with){ .no_packet = true }),
	       "a record without its packet: not by a bound port, not of a call that failed");
	tap_ok(!is_certain(A | F, (with){ .no_packet = true, .attempted = true,
					  .program_unsure = true }),
	       "nor where nobody saw the file of the program that it tells");
	tap_ok(!is_certain(ALL, (with){ .no_packet = true, .same_socket = true, .sent = true }),
	       "of a packet nothing is proof where there is none");
	/* More words never make it less sure, and more doubts never surer. */
	for (unsigned int n = 0; n < SETS * SETS * 512; n++) {
		unsigned int e = n % SETS & ~(unsigned int)EVIDENCE_BIND, o = n / SETS;

		c = (with){ .accepted = o & 1, .attempted = o & 2, .same_socket = o & 4,
			    .sent = o & 8, .sole_holder = o & 16, .earlier = o & 32,
			    .program_unsure = o & 64, .other_call = o & 128,
			    .other_lookup = o & 256, .trace_doubtful = o & 512,
			    .elsewhere = o & 1024, .no_packet = o & 2048,
			    .connects = o & 4096, .fast_open = o & 8192,
			    .rival = o & 16384, .unsure_port = o & 32768 };
		if (!is_certain(e, c))
			continue;
		for (unsigned int more = 1; more < SETS; more <<= 1)
			monotone = monotone && (more == EVIDENCE_BIND || is_certain(e | more, c));
		c.program_unsure = c.other_call = c.other_lookup = false;
		c.trace_doubtful = c.elsewhere = c.fast_open = c.rival = false;
		c.unsure_port = false;
		monotone = monotone && is_certain(e, c);
	}
	tap_ok(monotone, "one witness more never makes it less sure, one doubt more never surer");
	tap_ok(!is_certain(ALL, (with){ .attempted = true, .same_socket = true, .sent = true,
					.program_unsure = true }),
	       "nothing is of a program that may be another by now");
}

int main(void)
{
	test_each();
	test_one_witness();
	return tap_done();
}
