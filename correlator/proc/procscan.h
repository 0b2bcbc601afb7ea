/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROCSCAN_H
#define SOCKLEDGER_PROCSCAN_H

#include <stdbool.h>
#include <stdint.h>

struct procfs;

/*
 * Looks through the processes for sockets, in small pieces, the newest process first.
 */
struct procscan;

/* procfs stays borrowed.  NULL where memory is short. */
struct procscan *procscan_new(struct procfs *p);
void procscan_free(struct procscan *s);
/* Begins a search of all processes. */
void procscan_begin(struct procscan *s);
/*
 * Likewise, with all descriptors of each process at once, and at the end those of the processes and
 * threads that were started meanwhile, until there is none.
 */
void procscan_begin_thorough(struct procscan *s);
/* After the end of such a search: those that were started since, alone. */
void procscan_go_on(struct procscan *s);
/*
 * After the end of such a search: every process was looked at, and this is the pid namespace that
 * has all others in it.  *newest: the last pid that was given until then.
 */
bool procscan_saw_all(const struct procscan *s, int64_t *newest);
/* The last pid that was given to a process or thread; -1: unknown. */
int64_t procscan_newest_pid(const struct procfs *p);
/* Begins a search of the newest processes only, some dozens (/proc/loadavg names the newest). */
void procscan_newest(struct procscan *s);
/* Sockets: PROCFS_WANTED at most. */
struct procscan_wanted {
	const int64_t *inode;
	int count;
};
/*
 * Shows these for about budget_us, or until each() returns true.  Among the newest, id may be a
 * thread's: /proc hides threads from its list only.  False at the end of the search.
 */
bool procscan_step(struct procscan *s, int64_t budget_us, const struct procscan_wanted *wanted,
		   bool (*each)(int64_t inode, int64_t id, int64_t fd, void *arg), void *arg);

/* Shows every thread of the host in one go, for a start. */
void procscan_threads(struct procfs *p, void (*each)(int64_t tid, int64_t pid, void *arg),
		      void *arg);

#endif
