/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_WITNESS_H
#define SOCKLEDGER_WITNESS_H

#include <stdint.h>

#include "event.h"

/*
 * What a process can still tell about itself in the moment its record arrives, and may be gone a
 * millisecond later: which socket the fd is, when it started, its network namespace and control
 * group, its directory, its whole command line.
 */
#define WITNESS_PROCESSES 64

/* A process that was asked before: its directory stands for it, whoever has its pid by now. */
struct witness_process {
	int64_t pid, start_ticks;
	int dir, cgroup;	/* descriptors of /proc/PID and its cgroup; dir -1: none */
};

struct witness {
	int proc;		/* directory fd of /proc */
	int64_t tick_us;	/* a clock tick of /proc/PID/stat */
	struct witness_process process[WITNESS_PROCESSES];	/* by pid */
	char scratch[24 * 1024];
};

enum witness_result {
	WITNESS_READ,		/* the fields that it could read are in the event */
	WITNESS_GONE,		/* no such process, or another one under its pid */
	WITNESS_OLD,		/* the record is not of this moment: nothing asked */
};

/* proc_path is "/proc", or a test's stand-in.  0 or -errno. */
int witness_init(struct witness *w, const char *proc_path);
void witness_release(struct witness *w);

/* For an event of this host; its new texts belong to w until the next call. */
enum witness_result witness_read(struct witness *w, struct event *e, int64_t now_us);

#endif
