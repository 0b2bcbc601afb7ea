/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lock.h"

int lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;
	int rc = pthread_mutexattr_init(&attributes);

	if (rc)
		return -rc;
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	rc = pthread_mutex_init(lock, &attributes);
	if (rc)
		rc = pthread_mutex_init(lock, NULL);
	pthread_mutexattr_destroy(&attributes);
	return -rc;
}
