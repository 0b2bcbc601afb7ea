/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system calls are ours: against libaudit's own tables, and against the kernel's numbers. */
#include <linux/audit.h>
#include <linux/net.h>

#include <libaudit.h>

#include "syscalls.h"
#include "tap.h"

static const struct arch {
	const char *name;
	uint32_t arch;
	int machine;
	bool socketcall;	/* has that call */
	/* as the kernel's tables have them; -1: there is none */
	int socket, bind, connect, sendto, sendmsg, sendmmsg, accept, accept4;
} arches[] = {
	{ "x86_64", AUDIT_ARCH_X86_64, MACH_86_64, false, 41, 49, 42, 44, 46, 307, 43, 288 },
	{ "i386", AUDIT_ARCH_I386, MACH_X86, true, 359, 361, 362, 369, 370, 345, -1, 364 },
	{ "aarch64", AUDIT_ARCH_AARCH64, MACH_AARCH64, false, 198, 200, 203, 206, 211, 269, 202,
	  242 },
	{ "ppc64le", AUDIT_ARCH_PPC64LE, MACH_PPC64LE, true, 326, 327, 328, 335, 341, 349, 330,
	  344 },
	{ "s390x", AUDIT_ARCH_S390X, MACH_S390X, true, 359, 361, 362, 369, 370, 358, -1, 364 },
};

/* The kind by the call's name, in the words of this test. */
static enum event_kind kind_of(const char *name)
{
	static const struct {
		const char *name;
		enum event_kind kind;
	} names[] = {
		{ "socket", EVENT_SOCKET }, { "bind", EVENT_BIND },	{ "connect",
									  EVENT_CONNECT },
		{ "sendto", EVENT_SEND },   { "sendmsg", EVENT_SEND },	{ "sendmmsg", EVENT_SEND },
		{ "accept", EVENT_ACCEPT }, { "accept4", EVENT_ACCEPT },
		{ "execve", EVENT_EXEC },   { "execveat", EVENT_EXEC }, { "clone", EVENT_FORK },
		{ "clone3", EVENT_FORK },   { "vfork", EVENT_FORK },	{ "fork", EVENT_FORK },
	};

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i].name))
			return names[i].kind;
	return EVENT_NONE;
}

static bool is(uint32_t arch, int nr, uint64_t a0, enum event_kind kind, bool socketcall)
{
	struct syscall_class c = syscall_classify(arch, nr, a0);

	if (c.kind == kind && c.socketcall == socketcall)
		return true;
	tap_note("arch %08x syscall %d a0 %llx: kind %d socketcall %d", arch, nr,
		 (unsigned long long)a0, c.kind, c.socketcall);
	return false;
}

/* libaudit may be built without an architecture's tables. */
static bool has_tables(const struct arch *a)
{
	return audit_elf_to_machine(a->arch) == a->machine &&
	       audit_name_to_syscall("connect", a->machine) >= 0;
}

static void test_arch(const struct arch *a)
{
	int socketcall = audit_name_to_syscall("socketcall", a->machine);
	bool only = true;

	tap_ok(is(a->arch, a->socket, 2, EVENT_SOCKET, false) &&
	       is(a->arch, a->bind, 3, EVENT_BIND, false) &&
	       is(a->arch, a->connect, 3, EVENT_CONNECT, false) &&
	       is(a->arch, a->sendto, 3, EVENT_SEND, false) &&
	       is(a->arch, a->sendmsg, 3, EVENT_SEND, false) &&
	       is(a->arch, a->sendmmsg, 3, EVENT_SEND, false) &&
	       is(a->arch, a->accept, 3, a->accept < 0 ? EVENT_NONE : EVENT_ACCEPT, false) &&
	       is(a->arch, a->accept4, 3, EVENT_ACCEPT, false), "%s: the direct calls", a->name);
	for (int nr = -2; nr < 1024; nr++) {
		const char *name = audit_syscall_to_name(nr, a->machine);
		enum event_kind kind = nr < 0 ? EVENT_NONE : kind_of(name);
		bool through = nr >= 0 && name && !strcmp(name, "socketcall");

		/* 9 is no number of any call of ours behind socketcall. */
		only = is(a->arch, nr, 9, kind, through) && only;
	}
	tap_ok(only, "%s: and no others, by libaudit's table", a->name);
	tap_ok((socketcall >= 0) == a->socketcall, "%s: %s socketcall", a->name,
	       a->socketcall ? "has" : "has no");
	if (socketcall < 0)
		return;
	only = true;
	for (uint64_t a0 = 0; a0 < 64; a0++) {
		/* linux/net.h; 9 (SYS_SEND) and 12 (SYS_RECVFROM), above all, are not ours. */
		static const enum event_kind kinds[64] = {
			[1] = EVENT_SOCKET, [2] = EVENT_BIND,	 [3] = EVENT_CONNECT,
			[5] = EVENT_ACCEPT, [18] = EVENT_ACCEPT, [11] = EVENT_SEND,
			[16] = EVENT_SEND,  [20] = EVENT_SEND,
		};

		only = is(a->arch, socketcall, a0, kinds[a0], true) && only;
	}
	tap_ok(only && is(a->arch, socketcall, 1ULL << 32 | SYS_CONNECT, EVENT_NONE, true),
	       "%s: behind socketcall, by linux/net.h", a->name);
}

/* As the kernel's own tables have them: arch/mips/kernel/syscalls, asm-generic/unistd.h. */
static const struct other {
	const char *name;
	uint32_t arch;
	int socket, bind, connect, sendto, sendmsg, sendmmsg, accept, accept4, execve, clone;
} others[] = {
#define GENERIC 198, 200, 203, 206, 211, 269, 202, 242, 221, 220
	{ "riscv64", 0xc00000f3, GENERIC },
	{ "riscv32", 0x400000f3, GENERIC },
	{ "loongarch64", 0xc0000102, GENERIC },
	{ "openrisc", 92, GENERIC },
	{ "csky", 0x400000fc, GENERIC },
	{ "nios2", 0x40000071, GENERIC },
	{ "arc", 0x400000c3, GENERIC },
	{ "hexagon", 164, GENERIC },
#define O32 4183, 4169, 4170, 4180, 4179, 4343, 4168, 4334, 4011, 4120
	{ "mips", 0x00000008, O32 },
	{ "mipsel", 0x40000008, O32 },
#define N64 5040, 5048, 5041, 5043, 5045, 5302, 5042, 5293, 5057, 5055
	{ "mips64", 0x80000008, N64 },
	{ "mips64el", 0xc0000008, N64 },
#define N32 6040, 6048, 6041, 6043, 6045, 6307, 6042, 6297, 6057, 6055
	{ "mipsn32", 0xa0000008, N32 },
	{ "mipsn32el", 0xe0000008, N32 },
	{ "armeb", 0x00000028, 281, 282, 283, 290, 296, 374, 285, 366, 11, 120 },
};

static void test_other(const struct other *a)
{
	bool o32 = (a->arch & 0xbfffffff) == 8;

	tap_ok(is(a->arch, a->socket, 2, EVENT_SOCKET, false) &&
	       is(a->arch, a->bind, 3, EVENT_BIND, false) &&
	       is(a->arch, a->connect, 3, EVENT_CONNECT, false) &&
	       is(a->arch, a->sendto, 3, EVENT_SEND, false) &&
	       is(a->arch, a->sendmsg, 3, EVENT_SEND, false) &&
	       is(a->arch, a->sendmmsg, 3, EVENT_SEND, false) &&
	       is(a->arch, a->accept, 3, EVENT_ACCEPT, false) &&
	       is(a->arch, a->accept4, 3, EVENT_ACCEPT, false) &&
	       is(a->arch, a->execve, 3, EVENT_EXEC, false) &&
	       is(a->arch, a->clone, 3, EVENT_FORK, false) &&
	       is(a->arch, 435, 3, strncmp(a->name, "mips", 4) ? EVENT_FORK : EVENT_NONE, false) &&
	       is(a->arch, a->socket - 1, 3, EVENT_NONE, false),
	       "%s: its calls", a->name);
	tap_ok(!syscall_classify(a->arch, 1, 0).unknown &&
	       is(a->arch, 4102, SYS_CONNECT, o32 ? EVENT_CONNECT : EVENT_NONE, o32),
	       "%s: is known, and %s socketcall", a->name, o32 ? "has" : "has no");
}

static bool is_unknown(uint32_t arch)
{
	struct syscall_class c = syscall_classify(arch, 42, 3);

	return c.unknown && c.kind == EVENT_NONE;
}

int main(void)
{
	static const uint32_t unknown[] = { 0, 1, 0xffffffff, 0xc0000000, 0x4000ffff, 0xdeadbeef };
	bool none = true;

	for (size_t i = 0; i < sizeof(arches) / sizeof(arches[0]); i++) {
		if (has_tables(&arches[i]))
			test_arch(&arches[i]);
		else
			tap_ok(true, "%s # SKIP libaudit has no tables of it", arches[i].name);
	}
	tap_ok(is(AUDIT_ARCH_I386, 102, SYS_CONNECT, EVENT_CONNECT, true),
	       "i386: socketcall is 102");
	tap_ok(is(AUDIT_ARCH_X86_64, 102, SYS_CONNECT, EVENT_NONE, false),
	       "x86_64: 102 is another call");
	tap_ok(is(AUDIT_ARCH_X86_64, 0x40000000 | 42, 3, EVENT_NONE, false),
	       "x86_64: x32's numbers are not taken for others");
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		for (int nr = -1; nr < 512; nr++)
			none = is(unknown[i], nr, SYS_CONNECT, EVENT_NONE, false) && none;
	tap_ok(none, "architectures that there are not");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		test_other(&others[i]);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		none = is_unknown(unknown[i]) && none;
	tap_ok(none && is_unknown(AUDIT_ARCH_SPARC64) && is_unknown(AUDIT_ARCH_XTENSA) &&
	       !syscall_classify(AUDIT_ARCH_X86_64, 42, 3).unknown,
	       "what nobody has the numbers of is said to be unknown");
	/* More of them than are remembered: the answers stay right. */
	for (size_t i = 0; i < 100; i++)
		none = is(arches[0].arch, 42, 0, EVENT_CONNECT, false) &&
		       is(0xd0000000 + (uint32_t)i, 42, 0, EVENT_NONE, false) && none;
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof(arches) / sizeof(arches[0]); i++)
			if (has_tables(&arches[i]))
				none = is(arches[i].arch, arches[i].connect, 0, EVENT_CONNECT,
					  false) && none;
	tap_ok(none, "several architectures in turns");
	tap_ok(syscall_classify_uring(16).kind == EVENT_CONNECT &&
	       syscall_classify_uring(16).uring &&
	       syscall_classify_uring(9).kind == EVENT_SEND &&
	       syscall_classify_uring(48).kind == EVENT_SEND &&
	       syscall_classify_uring(56).kind == EVENT_BIND &&
	       syscall_classify_uring(13).kind == EVENT_NONE &&
	       syscall_classify_uring(UINT64_MAX).kind == EVENT_NONE, "operations of io_uring");
	return tap_done();
}
