/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_URING_RULES_H
#define SOCKLEDGER_URING_RULES_H

/*
 * Loads the audit rules for io_uring's connect() with this key: by the kernel's own list for them
 * (since Linux 5.16), which auditctl has words for since audit 3.1 alone.  Rules that are there
 * already stay.  Says what it did, or why not; an exit status.
 */
int uring_rules_load(const char *key);

#endif
