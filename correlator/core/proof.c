/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is proof: see proof.h for the sentences that stand behind each line. */
#include "proof.h"

static bool is_record_proof(unsigned int evidence, const struct proof_conditions *c)
{
	/* A port that bind() named is never proof by records alone: a descriptor may become another
	 * socket (dup2) before the plugin looks at it. */
	return (evidence & EVIDENCE_AUDIT) && (evidence & EVIDENCE_FD) &&
		!(evidence & EVIDENCE_BIND) && c->attempted;
}

static bool is_packet_proof(unsigned int evidence, const struct proof_conditions *c)
{
	bool record = evidence & EVIDENCE_AUDIT, in_call = evidence & EVIDENCE_PROC_SYSCALL;
	bool holds = (evidence & EVIDENCE_INODE) && (evidence & EVIDENCE_FD);
	bool trace = evidence & EVIDENCE_TRACE, call = evidence & EVIDENCE_TRACE_CALL;

	if (c->shared || c->program_unsure)
		return false;
	if (holds && (c->sole_holder || in_call || trace || (record && c->same_socket)))
		return true;
	return trace && c->trace_unambiguous && (record || call);
}

enum certainty proof_of(unsigned int evidence, const struct proof_conditions *c)
{
	/* No other connection has the accepted one's peer. */
	if ((c->no_packet || c->accepted) && is_record_proof(evidence, c))
		return CERTAINTY_CERTAIN;
	if (!c->no_packet && is_packet_proof(evidence, c))
		return CERTAINTY_CERTAIN;
	return CERTAINTY_INFERRED;
}
