/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_MACHINE_H
#define SOCKLEDGER_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What one architecture does otherwise than another, beside the numbers of its calls.  A record has
 * its own host's, and that may be another machine than the one that reads it.
 */
struct machine {
	bool big_endian;
	bool mips;	/* numbers of its own for errors, and for kinds of sockets */
};

/* arch as in the record: AUDIT_ARCH_*. */
struct machine machine_of(uint32_t arch);

/* What a call returned, as this host would say it: -errno, or what is not negative as it is. */
int64_t machine_result(struct machine m, int64_t exit);

/* SOCK_STREAM, ... as this host has it; type as the call had it, without flags. */
int64_t machine_socket_type(struct machine m, int64_t type);

/* A number of two bytes that the record's kernel wrote as it has it in memory. */
unsigned int machine_number16(struct machine m, const unsigned char bytes[2]);

#endif
