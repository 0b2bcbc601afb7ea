/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SYSCALLS_H
#define SOCKLEDGER_SYSCALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

/*
 * Tells which system calls are ours: by the numbers of libaudit's tables for the record's own
 * architecture, because one host writes records of several (64-bit, 32-bit, and those forwarded
 * from other machines).
 */
struct syscall_class {
	enum event_kind kind;	/* EVENT_NONE: not ours */
	/* the arguments stand in a SOCKETCALL record: i386's call 102 (linux/net.h: SYS_*) */
	bool socketcall;
};

/* arch as in the record (AUDIT_ARCH_*), nr its syscall=, a0 its first argument. */
struct syscall_class syscall_classify(uint32_t arch, int nr, uint64_t a0);

#endif
