/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the packet's socket was made by the program that holds it, where nothing tells who sent.
 * A socket is made by socket() alone, whose record the kernel writes before anything can be sent by
 * it.  So who holds another program's socket, because it is what that process has executed, or its
 * child, or was passed it, is told from who holds its own.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "ask.h"
#include "clock.h"
#include "event.h"
#include "host.h"
#include "inquiry.h"
#include "makers.h"
#include "observe.h"
#include "proc.h"
#include "procfs.h"
#include "sockdiag.h"

/* The record of one that was there already, if it has one, has come by then. */
#define SETTLED_NS 1000000000LL

static void on_old_socket(const struct sock_entry *s, void *arg)
{
	struct host *h = arg;

	makers_old(observer_makers(h->observer), s->inode, s->uid, clock_mono_ns());
}

void ask_note_record(struct host *h, const struct event *e)
{
	if (!event_is_of_socket(e->kind))
		return;
	if (!h->records_came && !h->tracefs) {
		sockdiag_each(h->sockdiag, IPPROTO_UDP, on_old_socket, h);
		sockdiag_each(h->sockdiag, IPPROTO_UDPLITE, on_old_socket, h);
	}
	h->records_came = true;
	h->makers_came |= e->kind == EVENT_SOCKET && e->family != AF_PACKET;
}

/* The plugin saw the socket, and the file that its process ran. */
static enum maker_word by_file(const struct maker *k, const struct process *now)
{
	if (k->exe_seen == EXE_TOLD || k->exe_inode <= 0 || now->exe_inode <= 0)
		return MAKER_UNKNOWN;
	return k->exe_inode == now->exe_inode && k->exe_dev == now->exe_dev ? MAKER_ITSELF :
									      MAKER_ANOTHER;
}

/* It saw neither: then it is the very process, which was there before the call, and the path that
 * the record tells is one of our root, as the process still is. */
static bool is_of_process(struct host *h, const struct maker *k, const struct process *now)
{
	return k->pid == now->pid && k->exe == text_identity(now->exe) &&
	       exe_is_ours(now->exe_seen) && now->start_ticks >= 0 &&
	       procfs_start_us(h->procfs, now->start_ticks) <= k->time_us + PROC_SLACK_US &&
	       procfs_has_our_users(h->procfs, now->pid);
}

enum maker_word ask_maker(struct host *h, const struct inquiry *q, const struct process *now)
{
	int64_t inode = q->testimony.socket.inode;
	const struct maker *k = makers_find(observer_makers(h->observer), inode, q->answer.pid,
					    q->answer.fd);

	if (k && k->inode > 0 && k->pid >= 0)
		return by_file(k, now);
	if (!k || (k->pid < 0 ? clock_mono_ns() - k->since_ns <= SETTLED_NS :
				!is_of_process(h, k, now)))
		return MAKER_UNKNOWN;
	return MAKER_ITSELF;
}
