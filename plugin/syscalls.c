/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells which system calls are ours, by libaudit's tables; each architecture is looked up once. */
#include <linux/net.h>

#include <libaudit.h>

#include "syscalls.h"

/* Every call of ours, most frequent first. */
static const struct call {
	const char *name;	/* in libaudit's tables */
	unsigned int number;	/* as in socketcall(2); 0: socketcall() has no such call */
	enum event_kind kind;
} calls[] = {
	{ "socket", SYS_SOCKET, EVENT_SOCKET },
	{ "connect", SYS_CONNECT, EVENT_CONNECT },
	{ "sendto", SYS_SENDTO, EVENT_SEND },
	{ "sendmsg", SYS_SENDMSG, EVENT_SEND },
	{ "sendmmsg", SYS_SENDMMSG, EVENT_SEND },
	{ "bind", SYS_BIND, EVENT_BIND },
	{ "accept4", SYS_ACCEPT4, EVENT_ACCEPT },
	{ "accept", SYS_ACCEPT, EVENT_ACCEPT },
	{ "execve", 0, EVENT_EXEC },
	{ "execveat", 0, EVENT_EXEC },
	{ "clone", 0, EVENT_FORK },
	{ "clone3", 0, EVENT_FORK },
	{ "vfork", 0, EVENT_FORK },
	{ "fork", 0, EVENT_FORK },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

struct table {
	uint32_t arch;
	int nr[CALLS];		/* -1: this architecture lacks the call */
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
	for (size_t i = 0; i < CALLS; i++)
		t->nr[i] = audit_name_to_syscall(calls[i].name, machine);
	t->socketcall = audit_name_to_syscall("socketcall", machine);
	return t;
}

struct syscall_class syscall_classify(uint32_t arch, int nr, uint64_t a0)
{
	const struct table *t = table_for(arch);

	if (!t || nr < 0)
		return (struct syscall_class){ EVENT_NONE, false };
	for (size_t i = 0; i < CALLS; i++)
		if (t->nr[i] == nr)
			return (struct syscall_class){ calls[i].kind, false };
	if (t->socketcall != nr)
		return (struct syscall_class){ EVENT_NONE, false };
	for (size_t i = 0; i < CALLS; i++)
		if (calls[i].number && calls[i].number == a0)
			return (struct syscall_class){ calls[i].kind, true };
	return (struct syscall_class){ EVENT_NONE, true };
}
