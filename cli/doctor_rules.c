/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger doctor: our audit rules, and those of others. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "look.h"

#define RULES_DIR "/etc/audit/rules.d"
#define NATIVE	  ((int)sizeof(long) * 8)

static bool known(const struct doctor *d, struct finding *f)
{
	if (d->audit.rc == 0)
		return true;
	finding_say(f, FINDING_UNKNOWN, d->audit.rc == -EPERM ? DOCTOR_AS_ROOT : NULL,
		    d->audit.rc == -EPERM ? "only root may ask for the audit rules"
					  : "the audit rules cannot be read");
	return false;
}

/*
 * Shows each rule of the files in rules.d until each() gives true back; then `path` is that file.
 * False: it never did.
 */
static bool rules_on_disk(const struct doctor *d, char *path, size_t size,
			  bool (*each)(const struct audit_rule *r, void *arg), void *arg)
{
	char dir_path[4096], *text;
	struct audit_rules rules;
	struct dirent *entry;
	bool found = false;
	DIR *dir = NULL;
	int rc;

	if (look_path(d->root, RULES_DIR, dir_path, sizeof(dir_path)))
		dir = opendir(dir_path);
	while (dir && !found && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (len < 7 || strcmp(entry->d_name + len - 6, ".rules"))
			continue;
		snprintf(path, size, RULES_DIR "/%s", entry->d_name);
		text = look_file(d->root, path, &rc);
		if (!text || audit_rules_read(&rules, text, d->config.audit_key))
			continue;
		for (size_t i = 0; i < rules.count && !found; i++)
			found = each(&rules.rule[i], arg);
		audit_rules_release(&rules);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool is_task_never(const struct audit_rule *r, void *arg)
{
	(void)arg;
	return !r->always && !strcmp(r->list, "task");
}

static void check_task_never(const struct doctor *d, struct finding *f)
{
	const struct audit_rule *loaded = NULL;
	char path[512];
	bool on_disk = rules_on_disk(d, path, sizeof(path), is_task_never, NULL);

	for (size_t i = 0; i < d->rules.count && !loaded; i++)
		if (is_task_never(&d->rules.rule[i], NULL))
			loaded = &d->rules.rule[i];
	if (loaded) {
		finding_say(f, loaded->fields ? FINDING_WARNING : FINDING_FAILED,
			    "auditctl -d task,never",
			    "a rule '-a task,never' ends the auditing of "
			    "%s that begins from now on%s%s",
			    loaded->fields ? "some processes" : "every process",
			    on_disk ? "; it comes from " : "", on_disk ? path : "");
		if (on_disk)
			finding_mend(f, "take '-a task,never' out of %s; augenrules --load", path);
	} else if (on_disk) {
		finding_say(f, FINDING_WARNING, NULL,
			    "%s has a rule '-a task,never': once it is "
			    "loaded no new process is audited",
			    path);
		finding_mend(f, "take '-a task,never' out of %s", path);
	} else if (known(d, f)) {
		finding_say(f, FINDING_OK, NULL, "no rule '-a task,never' ends the auditing");
	}
}

/* A rule of ours takes the call to that family, in that table. */
static bool covered(const struct audit_rules *rules, const char *call, int arch, const char *family)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct audit_rule *r = &rules->rule[i];
		const struct audit_field *f =
			audit_rule_field(r, strcmp(call, "socket") ? "saddr_fam" : "a0");

		if (!r->ours || !r->always || !audit_rule_takes(r, call, arch))
			continue;
		if (!f || strtol(f->value, NULL, 0) == strtol(family, NULL, 0) ||
		    !strcmp(f->value, strcmp(family, "2") ? "inet6" : "inet"))
			return true;
	}
	return false;
}

static bool count_ours(const struct audit_rule *r, void *arg)
{
	*(size_t *)arg += r->ours && r->always;
	return false;
}

static void check_rules(const struct doctor *d, struct finding *f)
{
	const char *key = d->config.audit_key;
	size_t loaded = 0, on_disk = 0;
	char path[512];
	bool packets = d->config.queue >= 0 && d->config.trace;

	if (!known(d, f))
		return;
	for (size_t i = 0; i < d->rules.count; i++)
		count_ours(&d->rules.rule[i], &loaded);
	rules_on_disk(d, path, sizeof(path), count_ours, &on_disk);
	if (!loaded)
		finding_say(f, FINDING_FAILED,
			    on_disk ? "augenrules --load"
				    : "install 30-sockledger.rules into " RULES_DIR
				      "; augenrules --load",
			    "no audit rule with the key '%s' is loaded, so nothing is recorded%s",
			    key, on_disk ? "" : "; none is in " RULES_DIR " either");
	else if (packets && covered(&d->rules, "execve", NATIVE, "2") &&
		 !covered(&d->rules, "connect", NATIVE, "2") &&
		 !covered(&d->rules, "connect", NATIVE, "10"))
		finding_say(f, FINDING_OK, NULL,
			    "%zu rules with the key '%s' are loaded, for programs alone: queue and "
			    "trace tell of connections", loaded, key);
	else if (!covered(&d->rules, "connect", NATIVE, "2") ||
		 !covered(&d->rules, "connect", NATIVE, "10"))
		finding_say(f, FINDING_FAILED, "augenrules --load",
			    "the rules with the key '%s' do not record connect() to IPv4 and IPv6",
			    key);
	else if (NATIVE == 64 && !covered(&d->rules, "connect", 32, "2"))
		finding_say(f, FINDING_WARNING, "augenrules --load",
			    "32-bit calls are not recorded: a program that makes one (int 0x80) is "
			    "not seen");
	else if (!packets && !covered(&d->rules, "socket", NATIVE, "2"))
		finding_say(f, FINDING_WARNING, "augenrules --load, with 30-sockledger.rules",
			    "socket() is not recorded, and there is no queue with a trace: rows do "
			    "not have the protocol of processes that are gone");
	else if (loaded < on_disk)
		finding_say(f, FINDING_WARNING, "augenrules --load",
			    "%zu of the %zu rules in " RULES_DIR " are loaded", loaded, on_disk);
	else
		finding_say(f, FINDING_OK, NULL, "%zu rules with the key '%s' are loaded", loaded,
			    key);
}

struct has_key {
	const char *key;
};

static bool is_of_key(const struct audit_rule *r, void *arg)
{
	const struct has_key *h = arg;

	return r->key && !strcmp(r->key, h->key);
}

/* Where a rule of theirs comes from, and how both get the event. */
static void mend_theirs(const struct doctor *d, struct finding *f, const struct audit_rule *theirs)
{
	struct has_key h = { theirs->key };
	char path[512];

	if (theirs->key && rules_on_disk(d, path, sizeof(path), is_of_key, &h))
		finding_mend(f,
			     "add '-k %.*s' to their rule in %s; augenrules --load.  Or take their "
			     "events: audit_key = %s,%s in sockledger.conf; service auditd reload",
			     (int)config_own_key(d->config.audit_key), d->config.audit_key, path,
			     d->config.audit_key, theirs->key);
	else
		finding_mend(f, "have 30-sockledger.rules loaded before it (auditctl -l shows the "
				"order)");
}

/* The worst that rules of others before ours do. */
static void check_before(const struct doctor *d, struct finding *f)
{
	const struct audit_rule *worst = NULL;
	enum audit_overlap most = OVERLAP_NONE;
	char call[64], worst_call[64] = "";

	if (!known(d, f))
		return;
	for (size_t i = 0; i < d->rules.count; i++) {
		const struct audit_rule *ours = &d->rules.rule[i];

		for (size_t j = 0; j < i && ours->ours && ours->always; j++) {
			const struct audit_rule *theirs = &d->rules.rule[j];
			enum audit_overlap overlap = audit_rule_overlap(theirs, ours);

			if (theirs->ours || overlap <= most ||
			    !audit_rule_common_call(theirs, ours, call, sizeof(call)))
				continue;
			most = overlap;
			worst = theirs;
			snprintf(worst_call, sizeof(worst_call), "%s", call);
		}
	}
	if (!worst) {
		finding_say(f, FINDING_OK, NULL, "no rule of others takes calls before ours");
		return;
	}
	finding_say(f, most == OVERLAP_ALL ? FINDING_FAILED : FINDING_WARNING, NULL,
		    "a rule %s%s%s stands before ours and takes %s of %s(): the kernel takes the "
		    "first rule that fits, so these are not in our ledger",
		    worst->key	    ? "with the key '"
		    : worst->always ? "without a key"
				    : "of 'never'",
		    worst->key ? worst->key : "", worst->key ? "'" : "",
		    most == OVERLAP_ALL ? "all" : "some", worst_call);
	mend_theirs(d, f, worst);
}

/* Rules of others that ours leave nothing to. */
static void check_behind(const struct doctor *d, struct finding *f)
{
	const struct audit_rule *starved = NULL;
	char call[64];

	if (!known(d, f))
		return;
	for (size_t i = 0; i < d->rules.count && !starved; i++) {
		const struct audit_rule *theirs = &d->rules.rule[i];

		for (size_t j = 0; j < i && !starved && !theirs->ours && theirs->always; j++) {
			const struct audit_rule *ours = &d->rules.rule[j];

			if (ours->ours && ours->always &&
			    audit_rule_overlap(ours, theirs) != OVERLAP_NONE &&
			    audit_rule_common_call(ours, theirs, call, sizeof(call)))
				starved = theirs;
		}
	}
	if (!starved) {
		finding_say(f, FINDING_OK, NULL, "our rules take no calls from rules of others");
		return;
	}
	finding_say(f, FINDING_WARNING, NULL,
		    "our rules stand before a rule %s%s%s and take %s() "
		    "from it: its reader does not see these events",
		    starved->key ? "with the key '" : "without a key",
		    starved->key ? starved->key : "", starved->key ? "'" : "", call);
	mend_theirs(d, f, starved);
}

/* Record types that an event of ours needs must not be left out. */
static void check_exclude(const struct doctor *d, struct finding *f)
{
	static const char *const needed[] = { "SYSCALL", "SOCKADDR", "SOCKETCALL" };
	static const char *const numbers[] = { "1300", "1306", "1304" };

	if (!known(d, f))
		return;
	finding_say(f, FINDING_OK, NULL, "no record that we need is excluded");
	for (size_t i = 0; i < d->rules.count; i++) {
		const struct audit_rule *r = &d->rules.rule[i];
		const struct audit_field *type = audit_rule_field(r, "msgtype");

		/* One of some processes alone leaves the others. */
		if (strcmp(r->list, "exclude") ||
		    (type ? strcmp(type->op, "=") != 0 : r->fields > 0))
			continue;
		for (size_t j = 0; j < sizeof(needed) / sizeof(needed[0]); j++) {
			if (type && strcmp(type->value, needed[j]) &&
			    strcmp(type->value, numbers[j]))
				continue;
			finding_say(f, FINDING_FAILED, NULL,
				    "a rule excludes records of the type "
				    "%s, which every connection needs",
				    needed[j]);
			finding_mend(f,
				     "auditctl -d exclude,%s -F msgtype=%s, and take it out "
				     "of " RULES_DIR,
				     r->always ? "always" : "never", needed[j]);
			return;
		}
	}
}

/* 2: nobody can use it. */
static bool rings_are_off(const struct doctor *d)
{
	return look_setting(d->root, "/proc/sys/kernel/io_uring_disabled", '2');
}

/* What io_uring opens goes by a list of the kernel's of its own. */
static void check_rings(const struct doctor *d, struct finding *f)
{
	bool loaded = false;

	if (!known(d, f))
		return;
	for (size_t i = 0; i < d->rules.count; i++) {
		const struct audit_rule *r = &d->rules.rule[i];

		loaded |= r->always && r->ours && !strcmp(r->list, "io_uring");
	}
	if (loaded)
		finding_say(f, FINDING_OK, NULL, "rules for io_uring are loaded");
	else if (rings_are_off(d))
		finding_say(f, FINDING_OK, NULL, "io_uring is switched off");
	else if (d->config.queue >= 0)
		finding_say(f, FINDING_OK, NULL,
			    "what io_uring opens is seen by the queue; no audit rule records it");
	else
		finding_say(f, FINDING_WARNING, "audisp-sockledger --load-rules",
			    "no rule records what io_uring opens, and there is no queue: a program "
			    "that connects by it is not seen");
}

const struct check doctor_rule_checks[] = {
	{ "task-never", check_task_never }, { "rules", check_rules },
	{ "rules-before", check_before },	  { "rules-behind", check_behind },
	{ "rules-exclude", check_exclude }, { "rules-io-uring", check_rings }, { NULL, NULL },
};
