/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROC_ENRICH_H
#define SOCKLEDGER_PROC_ENRICH_H

#include <limits.h>
#include <stdint.h>

struct event;
struct peek;

/*
 * Adds to an event what /proc says of its process when the record arrives, because the process may
 * be gone a millisecond later: which socket the fd is, when it started, its network namespace and
 * control group, its directory, its whole command line.
 */
#define PROC_ENRICH_PROCESSES 64

/* A process with a kept directory, which still stands for it after its pid was given away. */
struct proc_enrich_process {
	int64_t pid, start_ticks;
	int dir, cgroup;	/* descriptors of /proc/PID and its cgroup; dir -1: none */
};

struct proc_enrich {
	int proc;		/* directory fd of /proc */
	int64_t tick_us;	/* a clock tick of /proc/PID/stat */
	int64_t pidns;		/* the pid namespace that numbers /proc; -1: unknown */
	int64_t root_mount;	/* proc_exe_root_mount() */
	struct proc_enrich_process process[PROC_ENRICH_PROCESSES];	/* by pid */
	char scratch[24 * 1024], exe[PATH_MAX], comm[32];
	struct peek *peek;	/* NULL: it looks itself */
};

enum proc_enrich_result {
	PROC_ENRICH_READ,		/* the event has the fields that /proc could tell */
	PROC_ENRICH_GONE,		/* no such process, or another one under its pid */
	PROC_ENRICH_UNREADABLE,		/* the process lets nobody look, or not in time */
	PROC_ENRICH_OLD,		/* the record is old: /proc was not read */
};

/* proc_path is "/proc", or a test's stand-in.  0 or -errno. */
int proc_enrich_init(struct proc_enrich *w, const char *proc_path);
/*
 * From here on lookers look, and who reads waits some milliseconds for them at most (peek.h).  The
 * texts are good until the next call all the same.  0 or -errno.
 */
int proc_enrich_start_lookers(struct proc_enrich *w);
/* After confine(). */
void proc_enrich_renew_lookers(struct proc_enrich *w);
void proc_enrich_release(struct proc_enrich *w);

/*
 * Fills in an event of this host; its new texts belong to w until the next call.  A fork's result
 * stays only where /proc shows that the number is one of ours: in a pid namespace of its own a
 * process is told the child's number there, which may be any.
 */
enum proc_enrich_result proc_enrich_read(struct proc_enrich *w, struct event *e, int64_t now_us);
/* Without asking for the process: its program's path, where the file was removed or replaced; and
 * a fork's child is not known. */
void proc_enrich_name(struct event *e);

#endif
