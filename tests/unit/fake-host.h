/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FAKE_HOST_H
#define SOCKLEDGER_FAKE_HOST_H

/*
 * A host that is made up, in place of the edge: processes with descriptors, the kernel's sockets,
 * its trace and its clock; and everything that the queue and the ledger were given.  One, in static
 * memory.
 */
#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "ctmark.h"
#include "deaths.h"
#include "sockmatch.h"
#include "trace.h"

#define FAKE_PROCESSES 64
#define FAKE_FDS 8
#define FAKE_THREADS 64
#define FAKE_SOCKETS 64
#define FAKE_TRACE 256
#define FAKE_DEATHS 64
#define FAKE_IDS (1024 * 1024 + 4096)
#define FAKE_ROWS 512
/* The network namespace of the queue, and of a process where nothing else is said. */
#define FAKE_NETNS 4026531840

struct fake_fd {
	int64_t fd, inode;
	bool calling;
};

struct fake_process {
	int64_t pid, ppid, start_ticks, netns, uid, auid;
	const char *exe;	/* NULL: the process has none any more */
	uint32_t groups[4];	/* beside the one with the user's number */
	int group_count;
	unsigned char hash;	/* each byte of its file's; 0: it cannot be had */
	bool hash_wanted;	/* ... not yet */
	int64_t exe_seen;	/* enum exe_seen; 0: EXE_HERE */
	struct fake_fd fd[FAKE_FDS];
	int fds;
	bool alive;
	bool own_users;		/* in a user namespace of its own */
	bool frozen;		/* who looks at what it is in is kept waiting, and gives up */
	bool crowded;		/* it has more descriptors than are looked at */
};

struct fake_socket {
	int protocol;
	struct sock_entry entry;
	uint32_t device;	/* that it is bound to; 0: none */
	bool open;
};

struct fake_verdict {
	uint16_t count, queue;
	bool dropped;
	bool prompt;		/* no program had been asked for since the last one */
	uint32_t mark;
};

/* A row that the ledger was given. */
struct fake_row {
	const struct connection *connection;
	bool decided;		/* of a record's row; else it is a new one */
	bool proven, doubted;	/* since then */
	/* what it says by now, as far as packets' words go */
	int64_t pid;
	enum certainty certainty;
	bool was_certain;
	int64_t room[1024];	/* the connection with its texts */
};

extern struct fake_host {
	int64_t mono_ns, now_us;
	struct fake_process process[FAKE_PROCESSES];
	int processes;
	struct { int64_t tid, pid; } thread[FAKE_THREADS];
	int threads;
	struct fake_socket socket[FAKE_SOCKETS];
	int sockets;
	/* the trace that has not been drained */
	struct trace_event trace[FAKE_TRACE];
	int traced;
	struct trace_event late;	/* read one time later */
	bool has_late;
	int64_t overruns, lost;		/* lost: found out by the next drain */
	/* sockets of which the kernel says that they are dead */
	struct death death[FAKE_DEATHS];
	bool death_shown[FAKE_DEATHS];
	int deaths;
	bool deaths_lost;
	/* what came of it */
	struct ctmark ctmark;		/* the last one that was set or taken back */
	int64_t ctmarks;
	int64_t ended, ended_packets, ended_bytes;	/* flows; the last one's */
	int64_t rows, proven, listed, names, twice, verdicts;
	/* at a process's program or network, since the last verdict */
	int64_t looks;
	int64_t counter[64];
	const char *counter_name[64];
	bool verdicts_fail;
	/* that packets come in by: it leads to the namespace of its number, 1: out of the host */
	uint32_t link, in, out;
	bool hidden;		/* some process cannot be looked at */
	uint32_t ids;			/* above the highest that had a verdict */
	struct fake_verdict verdict[FAKE_IDS];
	struct fake_row row[FAKE_ROWS];		/* the newest, by rows % FAKE_ROWS */
} fake;

/* A host with nothing on it. */
void fake_reset(void);

/* A living process in program exe, begun a minute ago.  It replaces an earlier one of this pid. */
struct fake_process *fake_process(int64_t pid, int64_t ppid, int64_t uid, const char *exe);
/* What looking at it tells of its program's file. */
void fake_see(const struct fake_process *k, struct process *p);
/* Just now, instead. */
void fake_begin_now(struct fake_process *p);
/* NULL: there is none, or it is gone. */
struct fake_process *fake_find(int64_t pid);
/* The socket `inode` at this descriptor of a process. */
struct fake_fd *fake_hold(struct fake_process *p, int64_t fd, int64_t inode);
struct fake_fd *fake_fd_of(struct fake_process *p, int64_t fd);
/* A thread of a process besides its first. */
void fake_thread(int64_t tid, int64_t pid);
/* A socket for sock_diag. */
struct fake_socket *fake_socket(int protocol, const struct endpoint *local,
				const struct endpoint *peer, int64_t inode, int64_t uid);
/* Its time is now. */
void fake_trace(const struct trace_event *e);

/* NULL: it is not among the newest. */
struct fake_row *fake_row_of(uint64_t id);
/* The newest row; NULL: there was none. */
const struct fake_row *fake_last_row(void);
/* By the counter's name; -1: there is no such. */
int64_t fake_counter(const char *name);

#endif
