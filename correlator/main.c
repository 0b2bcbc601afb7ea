/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledgerd: follows the cache, answers packets, and keeps the ledger.  daemon.c says how. */
#include <malloc.h>

#include "daemon.h"
#include "privileges.h"
#include "program.h"
#include "tracefeed.h"

static const char usage_text[] =
	"Usage: sockledgerd [-c FILE] [-f1t]\n"
	"Turns the audit events of the cache into the ledger of connections.\n"
	"\n"
	"  -c, --config FILE   configuration instead of " SYSCONFDIR "/sockledger/sockledger.conf\n"
	"  -f, --foreground    stay in the foreground, messages to stderr\n"
	"  -1, --once          end when everything in the cache has been followed\n"
	"  -t, --test          check the configuration and exit\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version\n";

/*
 * What each is for, and what is missing without it:
 * CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH: /proc/PID/exe, fd and ns of other users' processes, which
 * have no program without them.  CAP_NET_ADMIN: the queue, conntrack's marks and sock_diag.
 * CAP_SYS_NICE: the priority of the threads that answer packets, and of the lookers.
 * Files are root's own: ledger, cache, the trace's instance.
 */
#define KEPT (PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH) | \
	      PRIVILEGE(CAP_NET_ADMIN) | PRIVILEGE(CAP_SYS_NICE))

/* Tracefs is mounted where nobody has yet, and that takes CAP_SYS_ADMIN. */
static void mount_trace(const struct config *c)
{
	if (c->trace && c->queue >= 0)
		tracefeed_prepare();
}

/* glibc gives every thread a heap of its own, each with its own free space.  That is meant for
 * threads which allocate all the time, and those that answer packets hardly do.  And once a large
 * piece was freed, as each start does, it keeps twice as much free space for ever. */
static void use_little_heap(void)
{
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_TRIM_THRESHOLD, 128 * 1024);
#endif
}

int main(int argc, char **argv)
{
	struct program program = {
		.name = "sockledgerd",
		.usage = usage_text,
		.has_once = true,
		.goes_background = true,
		.privileges = KEPT,
		.before_dropping = mount_trace,
	};
	int rc;

	use_little_heap();
	rc = program_begin(&program, argc, argv);
	if (rc == PROGRAM_RUNS) {
		rc = daemon_run(&program);
		program_end(&program);
	}
	return rc;
}
