/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DOCTOR_H
#define SOCKLEDGER_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "audit_rules.h"
#include "config.h"
#include "firewall.h"

/*
 * What stops sockledger from seeing or deciding.  A check looks at one thing and says one sentence.
 * Sentences may hold what the host's files say, with any byte: who prints them escapes it.
 */
enum finding_state { FINDING_OK, FINDING_WARNING, FINDING_FAILED, FINDING_UNKNOWN };

struct finding {
	enum finding_state state;
	char sentence[768];
	char mend[512]; /* the command, or what to do; empty: nothing */
};

/* What `auditctl -s` says.  -1: it did not say. */
struct audit_state {
	int rc;	       /* 0; else as look_run(), and nothing is known */
	char why[160]; /* what it said where it failed */
	int64_t enabled, failure, pid, rate_limit, backlog_limit, lost, backlog;
};

struct doctor {
	const char *root; /* put before all paths: "" for this host */
	struct config config;
	char config_path[4096];
	int config_rc;			/* of config_load() */
	char mistake[512];		/* its first complaint */
	char ledger[4096], cache[4096]; /* paths, behind root */
	bool other_ledger;		/* `ledger` is not the configured one */
	struct audit_state audit;
	struct audit_rules rules; /* empty where audit.rc is not 0 */
	int auditd;		  /* pid; 0: none runs, as far as can be seen */
	char auditd_dir[512];	  /* of its configuration, not behind root */
	char *auditd_conf;	  /* NULL: it cannot be read, because of: */
	int auditd_conf_rc;
	int daemon; /* sockledgerd's pid; 0: none */
	int plugin; /* likewise */
	struct firewall firewall;
};

struct check {
	const char *name;
	void (*look)(const struct doctor *d, struct finding *f);
	bool takes_long; /* it is made only where it is named */
};

/* What mends it that somebody else than root may not look. */
#define DOCTOR_AS_ROOT "sudo sockledger doctor"

/* By subject; the last one's name is NULL. */
extern const struct check doctor_audit_checks[];
extern const struct check doctor_rule_checks[];
extern const struct check doctor_auditd_checks[];
extern const struct check doctor_queue_checks[];
extern const struct check doctor_host_checks[];
extern const struct check doctor_data_checks[];

/* mend NULL: nothing is to be done. */
void finding_say(struct finding *f, enum finding_state state, const char *mend, const char *fmt,
		 ...) __attribute__((format(printf, 4, 5)));
void finding_mend(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reads what the checks look at, with the rules of the firewall or without.  0 or -ENOMEM. */
int doctor_open(struct doctor *d, const char *root, const char *config_path, const char *ledger,
		bool firewall);
void doctor_close(struct doctor *d);

#endif
