/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROC_EXE_H
#define SOCKLEDGER_PROC_EXE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct process;
struct text;

/*
 * The program of a process: which file it is, and what its path is worth (enum exe_seen).  Nothing
 * here asks a file server, which may never answer.
 *
 * Where the file was removed while the program runs, or another file was put there, as an update
 * does, the kernel writes " (deleted)" behind the path, in /proc/PID/exe and in audit records.  A
 * file may also be called so.
 */

/*
 * process: the process's directory below dir, "." for dir itself.  Fills in exe, which stays in
 * buf, without the kernel's suffix, exe_seen and the file's numbers, and `replaced`.  A process
 * whose first thread has ended is asked by another thread.  root_mount: proc_exe_root_mount().
 * False: it runs no program any more, or is gone.
 */
bool proc_exe_read(int dir, const char *process, int64_t root_mount, char buf[PATH_MAX],
		   struct process *p);
/* The mount that is our root, which stays the same; -1: not known, or our root is not all of it. */
int64_t proc_exe_root_mount(void);

/*
 * Whether that path means the process's program in the process's own root, which a record's path is
 * of.
 */
bool proc_exe_is_called(int dir, const char *process, struct text exe, const struct process *p);

/* False where the process is in a user namespace of its own: whoever is in one has any root that it
 * likes. */
bool proc_exe_has_our_users(int dir, const char *process);

/*
 * Takes the suffix off *exe, which a record has of a process that is gone, where it is the
 * kernel's.  It can only be told that no file is called so now, which is less: who made a file of
 * that name and removed it again could have made one without the suffix as well.
 */
bool proc_exe_strip_gone(struct text *exe);

#endif
