/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOCK_H
#define SOCKLEDGER_LOCK_H

#include <pthread.h>

/*
 * A lock for threads of different priorities: who waits for it lends its own to the holder, where
 * the C library and the kernel can do that.  0 or -errno.
 */
int lock_init(pthread_mutex_t *lock);

#endif
