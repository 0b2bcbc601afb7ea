/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CONFIG_H
#define SOCKLEDGER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diags;

/* Events of every rule are ours. */
#define AUDIT_KEY_ANY "*"

/*
 * sockledger.conf: "key = value" lines as in auditd's own files, '#' begins a comment.  Every key
 * has a default, so a missing file is a valid configuration.  The struct owns the texts.
 */
struct config {
	char *cache;		/* absolute path of the cache database */
	char *ledger;		/* absolute path of the ledger database */
	/* the keys (-k) of audit rules that are taken, with commas between; or AUDIT_KEY_ANY */
	char *audit_key;
	char *node;		/* this host's name on rows */
	int64_t cache_rows;	/* rows kept in the cache */
	int64_t cache_bytes;	/* what they may take */
	int64_t cache_age_us;	/* how long the cache keeps a row after its arrival */
	/* What the ledger keeps; 0: all. */
	int64_t ledger_rows, ledger_bytes, ledger_age_us;
	int64_t buffer_bytes;	/* events held in memory while the cache cannot be written */
	int64_t queue, queue_last;	/* numbers of the netfilter queues; -1: none */
	int64_t queue_max;	/* packets that may wait in each of them */
	bool fail_open;		/* with the queue full: accept packets instead of dropping them */
	int64_t mark;		/* our two bits of packet and connection marks: decided, reject */
	int64_t park_us;	/* how long a packet may wait until its process is known */
	int64_t late_us;	/* a verdict that takes longer is counted as late */
	int64_t each_datagram;	/* enum each_datagram: which of a flow's come to the queue */
	bool enforce;		/* verdicts take effect; false: every packet passes */
	char *policy;		/* absolute path; "none": allow everything */
	int64_t priority_boost;	/* of the thread that answers packets: as in auditd.conf(5), or
				 * PRIORITY_REALTIME, PRIORITY_AUTO */
	bool names;		/* what the name service answered gives destinations their names */
	int64_t names_group;	/* of NFLOG, where copies of its messages come */
	bool trace;		/* read tracefs as well */
	int64_t trace_bytes;	/* the kernel's memory for the trace, for each processor */
};

enum each_datagram {
	EACH_AUTO,	/* under load the first ones, where any sender's would pass */
	EACH_NO,	/* the first ones */
	EACH_YES,
};

#define PRIORITY_REALTIME 99
#define PRIORITY_AUTO 98	/* real-time while many packets come */

/* All defaults.  0 or -ENOMEM. */
int config_init(struct config *c);
void config_release(struct config *c);

/*
 * Reads path over the defaults.  path NULL means the default file, which may be absent.  Every
 * mistake goes to d.  After a mistake c is as config_init() left it, and -EINVAL comes back.
 * -errno where the file cannot be read; d gets that complaint, too.
 */
int config_load(struct config *c, const char *path, struct diags *d);

/* The default configuration file's path. */
const char *config_default_path(void);

/* An audit rule's key is one of these, or any is. */
bool config_takes_key(const char *audit_key, const char *key, size_t len);
/* The first one: that of our own rules.  Returns its length. */
size_t config_own_key(const char *audit_key);

#endif
