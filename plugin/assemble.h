/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_ASSEMBLE_H
#define SOCKLEDGER_ASSEMBLE_H

#include <stddef.h>
#include <stdint.h>

#include "stamp.h"
#include "syscalls.h"

struct counters;

/*
 * Puts the lines of one event together and hands it over with its last needed line, even while
 * older events are open: libauparse alone would hold it back until those are finished.  Events that
 * cannot be ours end here.  Memory is bounded: a fixed number of events may be open, of a fixed
 * size each.
 */
struct assembler;

/* A whole event of ours; or one of an architecture that nobody knows (class.unknown), if its key is
 * ours. */
struct assembled {
	struct stamp stamp;
	struct syscall_class class;
	/* its SYSCALL, URINGOP, SOCKADDR, SOCKETCALL, CWD and EXECVE records, each ended by '\n';
	 * lent for the call */
	const char *lines;
	size_t len;
	struct text proctitle;	/* the value of PROCTITLE's one field, as it stands; borrowed */
};

typedef void assembled_fn(const struct assembled *event, void *arg);

/* counters stays borrowed.  NULL where memory is short. */
struct assembler *assembler_new(struct counters *counters, assembled_fn *deliver, void *arg);
void assembler_free(struct assembler *a);

/* A line without its line break, with its head as stamp_parse() read it.  now_ns: when it was
 * read, by clock_mono_ns(). */
void assembler_line(struct assembler *a, const struct stamp *stamp, const char *line, size_t len,
		    int64_t now_ns);

/*
 * Gives up on events whose last line came more than two seconds before now_ns (auditd, too, waits
 * that long for an event's end).  Returns the milliseconds until the next is due; -1: no event is
 * open.
 */
int assembler_age(struct assembler *a, int64_t now_ns);

/* Gets the serial of the oldest open event, of this host or another; false: no event is open. */
bool assembler_oldest(const struct assembler *a, uint32_t *serial);

/* No more lines will come: delivers the events that are good enough, counts the others. */
void assembler_flush(struct assembler *a);

#endif
