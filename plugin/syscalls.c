/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system calls are ours, by libaudit's tables; those of an architecture are looked up once. */
#include <linux/net.h>

#include <libaudit.h>

#include "syscalls.h"

struct table {
	uint32_t arch;
	int nr[EVENT_KINDS];	/* -1: this architecture has no such call */
	int socketcall;
};

/* More architectures than one log can reasonably hold; the last is overwritten beyond that. */
#define TABLES 8

static const struct table *table_for(uint32_t arch)
{
	static struct table tables[TABLES];
	static unsigned int used;
	struct table *t;
	int machine;

	for (unsigned int i = 0; i < used; i++)
		if (tables[i].arch == arch)
			return &tables[i];
	machine = audit_elf_to_machine(arch);
	if (machine < 0)
		return NULL;
	t = &tables[used < TABLES ? used++ : TABLES - 1];
	t->arch = arch;
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++)
		t->nr[kind] = audit_name_to_syscall(event_kind_name((enum event_kind)kind), machine);
	t->socketcall = audit_name_to_syscall("socketcall", machine);
	return t;
}

struct syscall_class syscall_classify(uint32_t arch, int nr, uint64_t a0)
{
	const struct table *t = table_for(arch);

	if (!t || nr < 0)
		return (struct syscall_class){ EVENT_NONE, false };
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++)
		if (t->nr[kind] == nr)
			return (struct syscall_class){ (enum event_kind)kind, false };
	if (t->socketcall != nr)
		return (struct syscall_class){ EVENT_NONE, false };
	switch (a0) {
	case SYS_SOCKET:
		return (struct syscall_class){ EVENT_SOCKET, true };
	case SYS_BIND:
		return (struct syscall_class){ EVENT_BIND, true };
	case SYS_CONNECT:
		return (struct syscall_class){ EVENT_CONNECT, true };
	default:
		return (struct syscall_class){ EVENT_NONE, true };
	}
}
