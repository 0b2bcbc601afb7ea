/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte order, errors and kinds of sockets by the architecture of a record. */
#include <errno.h>
#include <sys/socket.h>

#include "machine.h"
#include "tap.h"

static const struct {
	const char *name;
	uint32_t arch;
	bool big, mips;
} arches[] = {
	{ "x86_64", 0xc000003e, false, false },	  { "i386", 0x40000003, false, false },
	{ "aarch64", 0xc00000b7, false, false },  { "arm", 0x40000028, false, false },
	{ "armeb", 0x00000028, true, false },	  { "ppc", 0x00000014, true, false },
	{ "ppc64", 0x80000015, true, false },	  { "ppc64le", 0xc0000015, false, false },
	{ "s390", 0x00000016, true, false },	  { "s390x", 0x80000016, true, false },
	{ "sparc64", 0x8000002b, true, false },	  { "parisc", 0x0000000f, true, false },
	{ "riscv64", 0xc00000f3, false, false },  { "hexagon", 0x000000a4, false, false },
	{ "mips", 0x00000008, true, true },	  { "mipsel", 0x40000008, false, true },
	{ "mips64", 0x80000008, true, true },	  { "mips64el", 0xc0000008, false, true },
	{ "mipsn32", 0xa0000008, true, true },	  { "mipsn32el", 0xe0000008, false, true },
};

static const int mips_errors[][2] = {
	{ 150, EINPROGRESS }, { 149, EALREADY }, { 133, EISCONN }, { 128, ENETUNREACH },
	{ 146, ECONNREFUSED }, { 145, ETIMEDOUT }, { 124, EAFNOSUPPORT }, { 95, ENOTSOCK },
};

int main(void)
{
	static const unsigned char bytes[] = { 0x12, 0x34 };
	struct machine ours = machine_of(0xc000003e), mips = machine_of(8);
	bool same = true;

	for (size_t i = 0; i < sizeof(arches) / sizeof(arches[0]); i++) {
		struct machine m = machine_of(arches[i].arch);

		tap_ok(m.big_endian == arches[i].big && m.mips == arches[i].mips, "%s",
		       arches[i].name);
	}
	tap_ok(machine_number16(ours, bytes) == 0x3412 && machine_number16(mips, bytes) == 0x1234,
	       "numbers of two bytes");
	for (int i = -4095; i < 4096; i++)
		same = machine_result(ours, i) == i && same;
	tap_ok(same, "results of an architecture with the usual errors");
	/* arch/mips/include/uapi/asm/errno.h */
	for (size_t i = 0; i < sizeof(mips_errors) / sizeof(mips_errors[0]); i++)
		same = machine_result(mips, -mips_errors[i][0]) == -mips_errors[i][1] && same;
	tap_ok(same, "mips: errors");
	tap_ok(machine_result(mips, 150) == 150 && machine_result(mips, 0) == 0 &&
	       machine_result(mips, -EPERM) == -EPERM && machine_result(mips, -512) == -512,
	       "mips: what is no error, and those that are the same");
	tap_ok(machine_socket_type(mips, 1) == SOCK_DGRAM &&
	       machine_socket_type(mips, 2) == SOCK_STREAM &&
	       machine_socket_type(mips, 3) == SOCK_RAW &&
	       machine_socket_type(ours, 1) == SOCK_STREAM, "kinds of sockets");
	return tap_done();
}
