/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process as plain data. */
#include "process.h"

void process_init(struct process *p)
{
	*p = (struct process){ .pid = -1 };
	for (int i = 0; i < PROCESS_NUMBERS; i++)
		p->number[i] = -1;
}

int64_t process_socket_user(const struct process *p)
{
	return p->fsuid >= 0 ? p->fsuid : p->uid;
}
