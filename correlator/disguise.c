/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes of which the kernel says that they run another file than they do. */
#include "disguise.h"
#include "host.h"
#include "observe.h"
#include "process.h"
#include "proctable.h"
#include "tasks.h"

/* It was seen to run that file before anybody could have told the kernel so. */
static bool was_seen_before(const struct host *h, const struct process *p, int64_t since_ns)
{
	const struct known_process *known = observer_who(h->observer, p->pid);

	return known && known->mono_ns != INT64_MIN && known->mono_ns < since_ns &&
	       known->process.start_ticks >= 0 &&
	       known->process.start_ticks == p->start_ticks && p->exe_inode >= 0 &&
	       known->process.exe_inode >= 0 && process_same_file(&known->process, p);
}

static bool is_disguised(const struct host *h, const struct process *p, int64_t time_ns)
{
	struct text seen;
	int64_t since_ns;

	switch (tasks_disguise(h->tasks, p->pid, time_ns, &since_ns, &seen)) {
	case DISGUISE_NONE:
		return false;
	case DISGUISE_PERHAPS:
		return !(exe_is_ours(p->exe_seen) && seen.data && text_equal(seen, p->exe)) &&
		       !was_seen_before(h, p, since_ns);
	case DISGUISE_SURE:
		break;
	}
	return true;
}

bool disguise_take_off(const struct host *h, struct process *p, int64_t time_ns)
{
	/* What was given to execve() is no word of the kernel's. */
	if (!h->tracefs || p->pid < 0 || !is_disguised(h, p, time_ns))
		return false;
	p->exe = TEXT_NONE;
	p->exe_seen = EXE_UNREADABLE;
	p->exe_dev = p->exe_inode = p->exe_ctime = p->replaced = -1;
	return true;
}
