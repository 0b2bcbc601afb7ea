/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How sure it is that a process sent a packet. */
#include "certainty.h"

enum certainty certainty_of(unsigned int evidence, const struct doubts *d)
{
	bool record = evidence & EVIDENCE_AUDIT, in_call = evidence & EVIDENCE_SYSCALL;
	bool holds = (evidence & EVIDENCE_INODE) && (evidence & EVIDENCE_FD);
	bool trace = evidence & EVIDENCE_TRACE, call = evidence & EVIDENCE_CALL;

	if (d->shared || d->changed)
		return CERTAINTY_INFERRED;
	if (holds && (in_call || trace || (record && d->same_socket)))
		return CERTAINTY_CERTAIN;
	if (trace && d->trace_ok && (record || call))
		return CERTAINTY_CERTAIN;
	return CERTAINTY_INFERRED;
}
