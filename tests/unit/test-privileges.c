/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities that are given up: in /proc/self/status, and for what is started afterwards. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privileges.h"
#include "tap.h"

#define KEPT (PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_SYS_NICE))

/* A line of the status of this process: "CapEff", "CapBnd", ... */
static uint64_t status(const char *name)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	uint64_t n = UINT64_MAX;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			sscanf(line + strlen(name) + 1, "%" SCNx64, &n);
	if (f)
		fclose(f);
	return n;
}

/* What is to be kept, so that what is started would have it. */
static bool make_ambient(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data))
		return false;
	data[0].inheritable |= 1U << CAP_SYS_NICE;
	return !syscall(SYS_capset, &head, data) &&
	       !prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_NICE, 0, 0);
}

int main(void)
{
	uint64_t before = status("CapPrm");

	if (before & PRIVILEGE(CAP_SYS_NICE))
		tap_ok(make_ambient() && status("CapInh") && status("CapAmb"),
		       "what is started would have one");
	else
		tap_note("ambient ones: not tried without CAP_SYS_NICE");
	tap_ok(!privileges_keep(KEPT), "all but two are given up");
	tap_ok(status("CapEff") == (before & KEPT) && status("CapPrm") == (before & KEPT),
	       "what is left are those of the two that were there");
	tap_ok(!status("CapInh") && !status("CapAmb"), "nothing is inherited");
	tap_ok(status("NoNewPrivs") == 1, "nothing new can come");
	if (before & PRIVILEGE(CAP_SETPCAP))
		tap_ok(!status("CapBnd"), "and the bounding set is empty");
	else
		tap_note("the bounding set: not tried without CAP_SETPCAP");
	tap_ok(!privileges_keep(0) && !status("CapPrm") && !privileges_keep(KEPT) &&
	       !status("CapPrm"), "what was given up does not come back");
	return tap_done();
}
