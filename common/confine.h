/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CONFINE_H
#define SOCKLEDGER_CONFINE_H

/*
 * Leaves to this process, all its threads and all that they start from now on, the system calls
 * that both daemons need and those that `more` names (the last is NULL).  Processes that it has
 * started before keep theirs.  Every other call fails with ENOSYS, as in a kernel that does not
 * have it, because a library may try it and have another way; one that only foreign code would
 * make, execve() for example, ends the process with SIGSYS.  What stands in the way is logged, and
 * then nothing is taken.
 */
void confine(const char *const *more);

#endif
