/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has been known of a process before, and whether it is still true. */
#include "clock.h"
#include "host.h"
#include "known.h"
#include "observe.h"
#include "proc.h"
#include "procfs.h"
#include "proctable.h"
#include "tasks.h"

bool known_is_of_now(const struct host *h, const struct known_process *known, int64_t slack_us)
{
	int64_t changed_ns;

	if (!h->tracefs || !known || known->mono_ns < h->complete_since_ns)
		return false;
	changed_ns = tasks_changed_ns(h->tasks, known->process.pid);
	if (changed_ns <= 0)
		return changed_ns == 0;
	return known->mono_ns > changed_ns + slack_us * 1000;
}

bool known_would_last(const struct host *h, int64_t pid)
{
	int64_t changed_ns = h->tracefs ? tasks_changed_ns(h->tasks, pid) : -1;

	return changed_ns >= 0 && clock_mono_ns() > changed_ns + PROC_SLACK_US * 1000;
}

bool known_is_current(const struct host *h, const struct known_process *known)
{
	return known && known->process.netns > 0 && known->process.start_ticks >= 0 &&
	       known->process.exe_seen != EXE_TOLD &&
	       known_is_of_now(h, known, PROC_SLACK_US);
}

int64_t known_user(const struct host *h, int64_t pid, int64_t likely)
{
	const struct known_process *known = observer_who(h->observer, pid);
	int64_t uid = -1, alive;

	if (known_is_of_now(h, known, -KNOWN_STEP_US))
		uid = process_socket_user(&known->process);
	alive = uid >= 0 && uid == likely ? uid : procfs_user(h->procfs, pid, likely);
	return alive >= 0 ? alive : uid;
}

int64_t known_netns(const struct host *h, int64_t pid)
{
	const struct known_process *known = observer_who(h->observer, pid);

	return known_is_current(h, known) ? known->process.netns : -1;
}
