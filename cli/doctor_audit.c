/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger doctor: the kernel's audit. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "look.h"

/* Debian's own rules file sets it so. */
#define BACKLOG_SMALL INT64_C(8192)

/* False where the kernel's audit could not be asked; then that is said. */
static bool known(const struct doctor *d, struct finding *f)
{
	switch (d->audit.rc) {
	case 0:
		return true;
	case -EPERM:
		finding_say(f, FINDING_UNKNOWN, DOCTOR_AS_ROOT,
			    "only root may ask the kernel's audit");
		break;
	case -ENOENT:
		finding_say(f, FINDING_UNKNOWN, "apt-get install auditd", "%s", d->audit.why);
		break;
	default:
		finding_say(f, FINDING_UNKNOWN, NULL, "auditctl says: %s", d->audit.why);
		break;
	}
	return false;
}

/* The kernel's command line has this word. */
static bool booted_with(const struct doctor *d, const char *wanted)
{
	char word[256], *text;
	const char *at;
	bool found = false;
	int rc;

	text = look_file(d->root, "/proc/cmdline", &rc);
	for (at = text; at && look_word(&at, word, sizeof(word));)
		found |= !strcmp(word, wanted);
	free(text);
	return found;
}

static void check_audit(const struct doctor *d, struct finding *f)
{
	if (booted_with(d, "audit=0") || booted_with(d, "audit=off"))
		finding_say(f, FINDING_FAILED,
			    "take audit=0 off the kernel's command line, and boot",
			    "the kernel was booted with audit=0, so it records nothing");
	else if (!known(d, f))
		/* Without audit at all there is nothing to record. */
		f->state = d->audit.rc == -EIO ? FINDING_FAILED : f->state;
	else if (d->audit.enabled == 0)
		finding_say(f, FINDING_FAILED, "auditctl -e 1",
			    "audit is switched off in the kernel, so it records nothing");
	else
		finding_say(f, FINDING_OK, NULL, "the kernel's audit is on");
}

static void check_locked(const struct doctor *d, struct finding *f)
{
	size_t ours = 0;

	if (!known(d, f))
		return;
	for (size_t i = 0; i < d->rules.count; i++)
		ours += d->rules.rule[i].ours && d->rules.rule[i].always;
	if (d->audit.enabled != 2)
		finding_say(f, FINDING_OK, NULL, "the audit rules can be changed");
	else if (ours)
		finding_say(f, FINDING_OK, NULL,
			    "the audit rules are locked until the next boot, with ours in them");
	else
		finding_say(f, FINDING_FAILED,
			    "augenrules --check, put 30-sockledger.rules before the file with "
			    "'-e 2', and boot",
			    "the audit rules are locked until the next boot (-e 2), without ours");
}

static void check_backlog(const struct doctor *d, struct finding *f)
{
	int64_t limit = d->audit.backlog_limit, now = d->audit.backlog;

	if (!known(d, f))
		return;
	if (limit > 0 && now * 10 >= limit * 9)
		finding_say(f, FINDING_FAILED, NULL,
			    "the kernel's backlog is full (%" PRId64 " of %" PRId64
			    " records wait): auditd does not keep up",
			    now, limit);
	else if (limit > 0 && limit < BACKLOG_SMALL)
		finding_say(f, FINDING_WARNING, NULL,
			    "the kernel's backlog holds %" PRId64
			    " records: a storm of connections fills it, and then each call waits, "
			    "or its record is lost",
			    limit);
	else
		finding_say(f, FINDING_OK, NULL, "the kernel's backlog holds %" PRId64 " records",
			    limit);
	if (f->state != FINDING_OK)
		finding_mend(f,
			     "auditctl -b %" PRId64 ", and the same -b in a file of "
			     "/etc/audit/rules.d",
			     limit < BACKLOG_SMALL ? BACKLOG_SMALL : 4 * limit);
}

static void check_lost(const struct doctor *d, struct finding *f)
{
	if (!known(d, f))
		return;
	if (d->audit.lost > 0)
		finding_say(f, FINDING_WARNING, "auditctl -b 65536; auditctl --reset-lost",
			    "the kernel has lost %" PRId64
			    " audit records since the boot, or since "
			    "its count was reset",
			    d->audit.lost);
	else
		finding_say(f, FINDING_OK, NULL, "the kernel has lost no audit record");
}

static void check_rate(const struct doctor *d, struct finding *f)
{
	if (!known(d, f))
		return;
	if (d->audit.rate_limit > 0)
		finding_say(f, FINDING_WARNING, "auditctl -r 0",
			    "the kernel drops what is more than %" PRId64 " audit records a second",
			    d->audit.rate_limit);
	else
		finding_say(f, FINDING_OK, NULL, "the kernel limits no rate of records");
}

static void check_failure(const struct doctor *d, struct finding *f)
{
	if (!known(d, f))
		return;
	if (d->audit.failure == 2)
		finding_say(f, FINDING_WARNING, "auditctl -f 1",
			    "the kernel panics when an audit record is lost (-f 2): a storm of "
			    "connections can take the host down");
	else
		finding_say(f, FINDING_OK, NULL, "a lost audit record does not stop the host");
}

struct age {
	const struct doctor *d;
	int64_t auditd_start;
	int64_t older;
};

/* Field 22 of stat; the name before it may hold blanks and brackets. */
static int64_t start_of(const struct doctor *d, int pid)
{
	char path[64], *text, *p;
	int64_t start = -1;
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = look_file(d->root, path, &rc);
	p = text ? strrchr(text, ')') : NULL;
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p)
		start = strtoll(p + 1, NULL, 10);
	free(text);
	return start;
}

static bool on_process(const struct look_process *p, void *arg)
{
	struct age *a = arg;
	int64_t start;

	/* Threads of the kernel are children of 2. */
	if (p->pid == 2 || p->parent == 2 || p->pid == a->d->auditd)
		return false;
	start = start_of(a->d, p->pid);
	a->older += start >= 0 && start < a->auditd_start;
	return false;
}

static void check_older(const struct doctor *d, struct finding *f)
{
	struct age a = { .d = d };

	if (booted_with(d, "audit=1")) {
		finding_say(f, FINDING_OK, NULL,
			    "audit is on since the boot (audit=1), so every process is audited");
		return;
	}
	a.auditd_start = d->auditd ? start_of(d, d->auditd) : -1;
	if (a.auditd_start < 0) {
		finding_say(f, FINDING_UNKNOWN, NULL,
			    "no auditd is seen to run, so nothing tells when audit began");
		return;
	}
	look_processes(d->root, on_process, &a);
	if (a.older)
		finding_say(f, FINDING_WARNING,
			    "add audit=1 to the kernel's command line, and boot",
			    "%" PRId64 " processes are older than auditd: the kernel audits none "
			    "that began before audit was first switched on",
			    a.older);
	else
		finding_say(f, FINDING_OK, NULL, "no process is older than auditd");
}

/* Who listens to audit's multicast group gets each record as well: journald, as Debian has it. */
static void check_listeners(const struct doctor *d, struct finding *f)
{
	char word[64], *text;
	int64_t first = 0;
	int rc, count = 0;

	text = look_file(d->root, "/proc/net/netlink", &rc);
	if (!text) {
		finding_say(f, FINDING_UNKNOWN, NULL, "/proc/net/netlink: %s", strerror(-rc));
		return;
	}
	/* sk Eth Pid Groups ...: protocol 9 is audit's, group 1 its log. */
	for (const char *line = text; line; line = look_next_line(line)) {
		const char *at = line;
		int64_t column[4] = { 0 };

		for (int i = 0; i < 4 && look_word(&at, word, sizeof(word)); i++)
			column[i] = strtoll(word, NULL, i == 3 ? 16 : 10);
		if (column[1] != 9 || !(column[3] & 1))
			continue;
		first = count++ ? first : column[2];
	}
	free(text);
	if (count)
		finding_say(f, FINDING_WARNING,
			    "systemctl mask --now systemd-journald-audit.socket && "
			    "systemctl restart systemd-journald",
			    "another program gets a copy of each audit record (process %" PRId64
			    "; journald does, by systemd-journald-audit.socket): each is written "
			    "once more",
			    first);
	else
		finding_say(f, FINDING_OK, NULL, "no other program gets a copy of the records");
}

const struct check doctor_audit_checks[] = {
	{ "audit", check_audit },
	{ "audit-locked", check_locked },
	{ "audit-backlog", check_backlog },
	{ "audit-lost", check_lost },
	{ "audit-rate", check_rate },
	{ "audit-failure", check_failure },
	{ "audit-listeners", check_listeners },
	{ "older-processes", check_older },
	{ NULL, NULL },
};
