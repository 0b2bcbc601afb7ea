/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROC_EXE_H
#define SOCKLEDGER_PROC_EXE_H

#include <stdbool.h>

struct text;

/*
 * The program's path where its file was removed while the program runs, or another file was put
 * there, as an update does.  The kernel then writes " (deleted)" behind the path, in /proc/PID/exe
 * and in audit records.  A file may also be called so.
 */

/*
 * Takes the suffix off *exe, which /proc/PID/exe says, where it is the kernel's.  process: the
 * process's directory below dir, "." for dir itself.  True: the file was removed or replaced.
 */
bool proc_exe_strip(int dir, const char *process, struct text *exe);

/*
 * The same for a process that is gone, of which a record has *exe.  It can only be told that no
 * file is called so now, which is less: who made a file of that name and removed it again could
 * have made one without the suffix as well.
 */
bool proc_exe_strip_gone(struct text *exe);

#endif
