/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOOKS_H
#define SOCKLEDGER_LOOKS_H

struct looks;

/* What the correlator's lookers do (question.h).  path is "/proc", or a test's stand-in. */
void looks_of_procfs(struct looks *l, const char *path);

#endif
