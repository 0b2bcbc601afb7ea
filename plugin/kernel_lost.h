/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_KERNEL_LOST_H
#define SOCKLEDGER_KERNEL_LOST_H

#include <stdint.h>

/*
 * Asks the kernel how many audit records it had to drop (struct audit_status.lost).  -errno where
 * the kernel refuses.  Waits for the kernel's answer: milliseconds.
 */
int64_t kernel_lost(void);

#endif
