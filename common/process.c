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

void process_take_exe(struct process *p, const struct process *from)
{
	p->exe = from->exe;
	p->replaced = from->replaced;
	p->exe_seen = from->exe_seen;
	p->exe_dev = from->exe_dev;
	p->exe_inode = from->exe_inode;
	p->exe_ctime = from->exe_ctime;
}

bool process_same_file(const struct process *a, const struct process *b)
{
	return a->exe_inode < 0 || b->exe_inode < 0 ||
	       (a->exe_inode == b->exe_inode && a->exe_dev == b->exe_dev);
}

const char *exe_seen_name(int64_t seen)
{
	static const char *const names[EXE_SEENS] = {
		[EXE_HERE] = "here", [EXE_REPLACED] = "replaced", [EXE_OTHER] = "other",
		[EXE_USERS] = "other", [EXE_UNREADABLE] = "unreadable",
	};

	return seen > 0 && seen < EXE_SEENS ? names[seen] : NULL;
}

bool process_cmdline_is_cut(struct text *cmdline)
{
	static const char mark[] = "…";
	enum { RECORD = 128 };

	if (text_ends_with(*cmdline, mark)) {
		cmdline->len -= sizeof(mark) - 1;
		return true;
	}
	return cmdline->len == RECORD || cmdline->len == RECORD - 1 ||
	       cmdline->len >= PROCESS_CMDLINE_BYTES - 1;
}
