/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte order, errors and kinds of sockets of the host that made a record. */
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include <linux/audit.h>

#include "machine.h"

#define MIPS_FLAGS (__AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE | __AUDIT_ARCH_CONVENTION_MIPS64_N32)

struct machine machine_of(uint32_t arch)
{
	return (struct machine){
		/* Hexagon is the one that has no such bit and yet writes the low byte first. */
		.big_endian = !(arch & __AUDIT_ARCH_LE) && arch != AUDIT_ARCH_HEXAGON,
		.mips = (arch & ~(uint32_t)MIPS_FLAGS) == EM_MIPS,
	};
}

/* arch/mips/include/uapi/asm/errno.h: what a socket's calls return.  Errors up to 34 are the same
 * everywhere (asm-generic/errno-base.h). */
static const struct {
	int theirs, ours;
} mips_errors[] = {
	{ 89, ENOSYS },		 { 95, ENOTSOCK },	   { 96, EDESTADDRREQ },
	{ 97, EMSGSIZE },	 { 98, EPROTOTYPE },	   { 99, ENOPROTOOPT },
	{ 120, EPROTONOSUPPORT }, { 121, ESOCKTNOSUPPORT }, { 122, EOPNOTSUPP },
	{ 123, EPFNOSUPPORT },	 { 124, EAFNOSUPPORT },	   { 125, EADDRINUSE },
	{ 126, EADDRNOTAVAIL },	 { 127, ENETDOWN },	   { 128, ENETUNREACH },
	{ 129, ENETRESET },	 { 130, ECONNABORTED },	   { 131, ECONNRESET },
	{ 132, ENOBUFS },	 { 133, EISCONN },	   { 134, ENOTCONN },
	{ 143, ESHUTDOWN },	 { 145, ETIMEDOUT },	   { 146, ECONNREFUSED },
	{ 147, EHOSTDOWN },	 { 148, EHOSTUNREACH },	   { 149, EALREADY },
	{ 150, EINPROGRESS },	 { 158, ECANCELED },
};

int64_t machine_result(struct machine m, int64_t exit)
{
	for (size_t i = 0; m.mips && i < sizeof(mips_errors) / sizeof(mips_errors[0]); i++)
		if (exit == -mips_errors[i].theirs)
			return -mips_errors[i].ours;
	return exit;
}

int64_t machine_socket_type(struct machine m, int64_t type)
{
	/* arch/mips/include/asm/socket.h: the two have changed places. */
	if (m.mips && (type == 1 || type == 2))
		return type == 1 ? SOCK_DGRAM : SOCK_STREAM;
	return type;
}

unsigned int machine_number16(struct machine m, const unsigned char bytes[2])
{
	unsigned int first = bytes[0], second = bytes[1];

	return m.big_endian ? first << 8 | second : second << 8 | first;
}
