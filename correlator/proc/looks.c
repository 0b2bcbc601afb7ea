/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the correlator's lookers do. */
#include <string.h>

#include "holders.h"
#include "question.h"
#include "looks.h"
#include "procfs.h"

static void look(void *opened, const struct look *q, struct seen *a, char text[LOOK_TEXT_MAX])
{
	struct procfs *p = opened;
	struct proc_texts *texts = (void *)text;

	_Static_assert(sizeof(*texts) <= LOOK_TEXT_MAX, "they have room");

	switch (q->kind) {
	case LOOK_INODE:
		a->number = procfs_inode(p, q->pid, q->fd);
		break;
	case LOOK_HOLDERS:
		look_at_holders(procfs_dir(p), procfs_calls(p), q->number, (void *)text,
				(int)(q->len / sizeof(struct procfs_holder)), &a->at);
		break;
	case LOOK_WALK:
		look_at_many(procfs_dir(p), (void *)text, q->number, &a->at);
		break;
	case LOOK_GLANCE:
		a->found = procfs_glance(p, q->pid, &a->process, texts);
		break;
	case LOOK_REST:
		a->process.pid = q->pid;
		a->process.start_ticks = q->number;
		procfs_rest(p, &a->process, texts);
		break;
	case LOOK_NETNS:
		a->number = procfs_netns(p, q->pid, q->number);
		break;
	case LOOK_USERS:
		a->found = procfs_has_our_users(p, q->pid);
		break;
	case LOOK_RECORD:
		break;
	}
}

void looks_of_procfs(struct looks *l, const char *path)
{
	*l = (struct looks){ .path = path, .size = procfs_size(), .open = procfs_open_in,
			     .look = look };
}
