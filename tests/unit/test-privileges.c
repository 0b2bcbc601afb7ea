/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities that are given up: in /proc/self/status, and for what is started afterwards. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

int main(void)
{
	uint64_t before = status("CapPrm");

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
