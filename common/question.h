/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_QUESTION_H
#define SOCKLEDGER_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"

/*
 * What is asked of a looker, and what it answers (peek.h says why there are lookers).
 *
 * What another process can do to who reads its /proc: tried on Linux 6.18 with
 * tests/helpers/freezer.c, or read in the kernel's source.
 *
 *   syscall, stack,     wait for exec_update_lock: a file that exec() closes holds it for as long
 *   wchan, environ,     as its file system likes, and any user may mount one of its own (FUSE)
 *   maps, io, auxv
 *   stat, exe, cwd,     likewise on 6.18; not on 6.1
 *   root, ns/, fd/N
 *   cmdline, environ,   wait for mmap_lock: mmap() over a page of such a file holds it as long
 *   maps, smaps
 *   fdinfo              of an epoll descriptor waits while that asks a file of such a file system,
 *                       and is not killed then: lookers do not read it
 *   task, fd            a list takes a microsecond or two for each thread and descriptor
 *   stat                of a process adds up its threads; task/PID/stat does not
 *
 * Not waiting are status, loginuid, sessionid, cgroup, comm, and the lists.  All of these waits end
 * with SIGKILL, but that for an epoll descriptor.
 *
 * Looking a path up takes as long as symbolic links in it make it (40 of them, each with thousands
 * of names): so a path that a process has given itself is looked up without following any.
 */
enum look_kind {
	LOOK_INODE,		/* number: of the socket at fd; -1: none */
	LOOK_HOLDERS,		/* data: who of these has the socket `number` (procfs.h) */
	LOOK_WALK,		/* data: likewise, of many (procfs.h) */
	LOOK_GLANCE,		/* process: which it is */
	LOOK_REST,		/* process: all else of the one with pid and start `number` */
	LOOK_NETNS,		/* number: network namespace of its thread `number`; -1: gone */
	LOOK_USERS,		/* found: it is in our user namespace */
	LOOK_RECORD,		/* data: an audit event, whose process is to be found */
};

struct look {
	enum look_kind kind;
	int64_t pid, fd, number;
	int64_t uid;		/* who is charged: the user whose packet asks; -1: its own */
	/* What it works on: `text` begins with these bytes. */
	const void *data;
	size_t len;
};

/* All texts of a process: two paths, two as long, and its name. */
#define LOOK_TEXT_MAX 16640

struct seen {
	/* Of several, the process that it is at: this one made it wait. */
	int64_t at;
	bool found;		/* LOOK_GLANCE, LOOK_RECORD: it is there; LOOK_USERS: yes */
	int64_t number;
	struct process process;
	const char *text;	/* it and all texts are good until the next question */
};

/*
 * Who looks.  Each looker opens the path for itself, in `size` bytes of its own, which are zero or
 * what the looker left there whose place it takes.  Neither may take a lock or allocate memory,
 * because a looker may be killed at any time.
 */
struct looks {
	const char *path;
	size_t size;
	bool (*open)(void *opened, const char *path);
	/* Into *a, which is empty, and text, which begins with the question's data. */
	void (*look)(void *opened, const struct look *q, struct seen *a,
		     char text[LOOK_TEXT_MAX]);
};

#endif
