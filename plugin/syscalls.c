/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells which system calls are ours; each architecture is looked up once. */
#include <elf.h>

#include <linux/audit.h>
#include <linux/net.h>

#include <libaudit.h>
#include <linux/io_uring.h>

#include "syscalls.h"

/* linux/io_uring.h since Linux 6.11 and 6.1. */
#define URING_BIND 56
#define URING_SENDMSG_ZC 48

/* Every call of ours, most frequent first. */
static const struct call {
	const char *name;	/* in libaudit's tables */
	unsigned int number;	/* as in socketcall(2); 0: socketcall() has no such call */
	enum event_kind kind;
	int mips[3];		/* of o32 (from 4000), n64 (5000), n32 (6000); -1: none */
} calls[] = {
	{ "socket", SYS_SOCKET, EVENT_SOCKET, { 183, 40, 40 } },
	{ "connect", SYS_CONNECT, EVENT_CONNECT, { 170, 41, 41 } },
	{ "sendto", SYS_SENDTO, EVENT_SEND, { 180, 43, 43 } },
	{ "sendmsg", SYS_SENDMSG, EVENT_SEND, { 179, 45, 45 } },
	{ "sendmmsg", SYS_SENDMMSG, EVENT_SEND, { 343, 302, 307 } },
	{ "bind", SYS_BIND, EVENT_BIND, { 169, 48, 48 } },
	{ "accept4", SYS_ACCEPT4, EVENT_ACCEPT, { 334, 293, 297 } },
	{ "accept", SYS_ACCEPT, EVENT_ACCEPT, { 168, 42, 42 } },
	{ "execve", 0, EVENT_EXEC, { 11, 57, 57 } },
	{ "execveat", 0, EVENT_EXEC, { 356, 316, 320 } },
	{ "clone", 0, EVENT_FORK, { 120, 55, 55 } },
	{ "clone3", 0, EVENT_FORK, { 435, 435, 435 } },
	{ "vfork", 0, EVENT_FORK, { -1, -1, -1 } },
	{ "fork", 0, EVENT_FORK, { 2, 56, 56 } },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

struct table {
	uint32_t arch;
	bool known;
	int nr[CALLS];		/* -1: this architecture lacks the call */
	int socketcall;
};

/* More architectures than one log can reasonably hold; the last is overwritten beyond that. */
#define TABLES 16

/*
 * Architectures that libaudit has no table of, and that have the numbers which the kernel gives new
 * ones (asm-generic/unistd.h): aarch64's, of which libaudit has a table.
 */
static bool has_generic_numbers(uint32_t arch)
{
	switch (arch & ~(__AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE)) {
	case EM_RISCV:
	case EM_LOONGARCH:
	case EM_CSKY:
	case EM_ARC_COMPACT:
	case EM_ARCV2:
	case EM_OPENRISC:
	case EM_ALTERA_NIOS2:
	case EM_QDSP6:
		return true;
	default:
		return false;
	}
}

static bool fill_mips(struct table *t)
{
	bool wide = t->arch & __AUDIT_ARCH_64BIT;
	int abi = !wide ? 0 : t->arch & __AUDIT_ARCH_CONVENTION_MIPS64_N32 ? 2 : 1;
	int base = 4000 + 1000 * abi;

	for (size_t i = 0; i < CALLS; i++)
		t->nr[i] = calls[i].mips[abi] < 0 ? -1 : base + calls[i].mips[abi];
	t->socketcall = wide ? -1 : base + 102;
	return true;
}

/* False where nobody knows its numbers. */
static bool fill(struct table *t)
{
	int machine = audit_elf_to_machine(t->arch);

	if (machine < 0 && machine_of(t->arch).mips)
		return fill_mips(t);
	if (machine < 0 && t->arch == AUDIT_ARCH_ARMEB)
		machine = audit_elf_to_machine(AUDIT_ARCH_ARM);
	if (machine < 0 && has_generic_numbers(t->arch))
		machine = audit_elf_to_machine(AUDIT_ARCH_AARCH64);
	if (machine < 0)
		return false;
	for (size_t i = 0; i < CALLS; i++)
		t->nr[i] = audit_name_to_syscall(calls[i].name, machine);
	t->socketcall = audit_name_to_syscall("socketcall", machine);
	/* libaudit may be built without an architecture's numbers. */
	return t->nr[0] >= 0 || t->socketcall >= 0;
}

static const struct table *table_for(uint32_t arch)
{
	static struct table tables[TABLES];
	static unsigned int used;
	struct table *t;

	for (unsigned int i = 0; i < used; i++)
		if (tables[i].arch == arch)
			return &tables[i];
	t = &tables[used < TABLES ? used++ : TABLES - 1];
	t->arch = arch;
	t->known = fill(t);
	return t;
}

struct syscall_class syscall_classify(uint32_t arch, int nr, uint64_t a0)
{
	const struct table *t = table_for(arch);
	struct syscall_class c = { .kind = EVENT_NONE, .unknown = !t->known,
				   .machine = machine_of(arch) };

	if (!t->known || nr < 0)
		return c;
	for (size_t i = 0; i < CALLS && !c.kind; i++)
		if (t->nr[i] == nr)
			c.kind = calls[i].kind;
	if (c.kind || t->socketcall != nr)
		return c;
	c.socketcall = true;
	for (size_t i = 0; i < CALLS && !c.kind; i++)
		if (calls[i].number && calls[i].number == a0)
			c.kind = calls[i].kind;
	return c;
}

struct syscall_class syscall_classify_uring(uint64_t op)
{
	/* Such a record has no architecture: it is this host's, unless one of a call follows. */
	struct syscall_class c = {
		.kind = EVENT_NONE, .uring = true,
		.machine.big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
	};

	switch (op) {
	case IORING_OP_CONNECT:
		c.kind = EVENT_CONNECT;
		break;
	case URING_BIND:
		c.kind = EVENT_BIND;
		break;
	case IORING_OP_SENDMSG:
	case URING_SENDMSG_ZC:
		c.kind = EVENT_SEND;
		break;
	default:
		break;
	}
	return c;
}
