/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SYSCALLS_H
#define SOCKLEDGER_SYSCALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "machine.h"

/*
 * Tells which system calls are ours: by the numbers of the record's own architecture, because one
 * host writes records of several (64-bit, 32-bit, and those forwarded from other machines).  They
 * are libaudit's, and where that has none, those that most newer architectures share, or MIPS's.
 */
struct syscall_class {
	enum event_kind kind;	/* EVENT_NONE: not ours */
	/* the arguments stand in a SOCKETCALL record: i386's call 102 (linux/net.h: SYS_*) */
	bool socketcall;
	bool uring;		/* an operation of io_uring, by its URINGOP record */
	bool unknown;		/* nobody knows the architecture's numbers: it may be ours */
	struct machine machine;
};

/*
 * The same for an operation of io_uring (IORING_OP_*): the numbers are those of every architecture.
 * Its record has neither arguments nor what came of it.
 */
struct syscall_class syscall_classify_uring(uint64_t op);

/* arch as in the record (AUDIT_ARCH_*), nr its syscall=, a0 its first argument. */
struct syscall_class syscall_classify(uint32_t arch, int nr, uint64_t a0);

#endif
