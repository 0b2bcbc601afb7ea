/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_QUEUE_COUNTERS_H
#define SOCKLEDGER_QUEUE_COUNTERS_H

/*
 * All that is counted about packets.  The names are those of the ledger's table `counter` and of
 * `sockledger stats`.
 */
#define QUEUE_COUNTERS(X)                                                                      \
	X(PACKETS, queue_packets)		/* that the queue showed us */                 \
	X(PARKED, queue_parked)			/* of these, that had to wait for a witness */ \
	X(EXPIRED, queue_expired)		/* ... until their time was over */            \
	X(CROWDED, queue_crowded)		/* that had no room to wait, because others of \
						   their user took it */                       \
	X(HELD, queue_held)			/* ... for the word that a socket is dead */   \
	X(SAME_FLOW, queue_same_flow)		/* of a flow that was decided already */       \
	X(MARKED, flows_marked)			/* flows that conntrack lets pass from then */ \
	X(UNMARKED, flows_unmarked)		/* ... and does not any more */                \
	X(UNSEEN, ports_unseen)			/* how often a process had more descriptors    \
						   than are looked at for sockets that share   \
						   a port */                                   \
	X(DEATHS, flows_ended)			/* whose socket the kernel called dead */      \
	X(DEATHS_MISSED, deaths_missed)		/* how often such a word was lost */           \
	X(EVICTED, flows_evicted)		/* that had to make room */                    \
	X(MALFORMED, queue_malformed)		/* whose head makes no sense, or is cut off */ \
	X(OVERRUNS, queue_overruns)		/* how often the kernel lost messages to us */ \
	X(MISSED, queue_missed)			/* packets that it could not hand over */      \
	X(DROPPED, queue_dropped)		/* ... that it dropped: the queue was full */  \
	X(USER_DROPPED, queue_user_dropped)	/* ... because our socket was full */          \
	X(VERDICT_ERRORS, queue_errors)		/* verdicts that the kernel did not take */    \
	X(LATE, queue_late)			/* verdicts later than `late_verdict` */       \
	X(MISJUDGED, queue_misjudged)		/* the record named a process that the policy  \
						   would have judged otherwise */              \
	X(TRACE_EVENTS, trace_events)		/* that the trace has told */                  \
	X(TRACE_OVERRUNS, trace_overruns)	/* how often events of it were lost */

/* Of both halves of connections, which wait for each other. */
#define PAIRING_COUNTERS(X)                                                                    \
	X(packets, evicted_packets)	/* that made room before their record came */          \
	X(records, evicted_records)	/* that made room before their packet came */

/* Of questions to /proc that another process can make wait (peek.h). */
#define PEEK_COUNTERS(X)                                                                       \
	X(asked, looks_asked)                                                                  \
	X(overdue, looks_overdue)	/* not answered in time */                             \
	X(refused, looks_refused)	/* not asked: their process or user has been overdue */ \
	X(gone, looks_missed)		/* not asked: no looker was there */                   \
	X(left, lookers_left)		/* that survive being killed, by now */

/* Of messages of the name service, as copies (name_feed.h). */
#define NAME_COUNTERS(X)                                                                       \
	X(answers, names_answers)	/* to questions of this host */                        \
	X(refused, names_refused)	/* that nobody here has asked for */                   \
	X(bad, names_bad)		/* messages that make no sense */                      \
	X(lost, names_lost)		/* how often copies were lost */                       \
	X(evicted, names_evicted)	/* names that had to make room */

/* Of programs' files that were read for rules (file_hash.h). */
#define FILE_COUNTERS(X)                                                                       \
	X(read, files_hashed)                                                                  \
	X(refused, files_refused)	/* that could not be read, or not be trusted */

/* By the source of the first answer (enum source), where that makes sense. */
#define QUEUE_COUNTERS_BY_SOURCE(X)                                                            \
	X(FROM, NOBODY, queue_from_nobody)	X(FROM, TRACE, queue_from_trace)               \
	X(FROM, CACHE, queue_from_cache)	X(FROM, RECENT, queue_from_recent)             \
	X(FROM, PROC, queue_from_proc)                                                         \
	/* the record agreed with the first answer */                                          \
	X(CONFIRMED, NOBODY, late_confirmed_nobody)                                            \
	X(CONFIRMED, TRACE, late_confirmed_trace)                                              \
	X(CONFIRMED, CACHE, late_confirmed_cache)                                              \
	X(CONFIRMED, RECENT, late_confirmed_recent)                                            \
	X(CONFIRMED, PROC, late_confirmed_proc)                                                \
	/* it named another process */                                                         \
	X(AMENDED, TRACE, late_amended_trace)	X(AMENDED, CACHE, late_amended_cache)          \
	X(AMENDED, RECENT, late_amended_recent)	X(AMENDED, PROC, late_amended_proc)            \
	/* the record had come first */                                                        \
	X(RECORDED, TRACE, recorded_trace)	X(RECORDED, CACHE, recorded_cache)             \
	X(RECORDED, RECENT, recorded_recent)	X(RECORDED, PROC, recorded_proc)

#endif
