/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit record of the packet's call, where it has come already. */
#include <errno.h>

#include "ask.h"
#include "host.h"
#include "inquiry.h"
#include "pairing.h"
#include "procfs.h"

static void take_record(struct host *h, struct inquiry *q, const struct half *r, enum record_by by)
{
	struct testimony *t = &q->testimony;

	t->record = (struct call_record){
		.row = r->id, .inode = r->inode, .uid = r->uid, .pid = (int32_t)r->pid,
		.fd = (int32_t)r->fd, .by = by, .attempted = true,
		.sends = r->sends, .done = !r->sends && !r->result,
		.success = !r->sends && !r->result,
		.began = r->result == -EINPROGRESS,
	};
	if (t->socket.inode > 0 && procfs_holds(h->procfs, r->pid, r->fd, t->socket.inode))
		testimony_add_holder(t, &(struct socket_holder){
			.pid = (int32_t)r->pid, .fd = (int32_t)r->fd, .source = FROM_CACHE });
}

/* The record's process holds the socket; or the socket is closed by now, and no process does. */
static bool may_be_callers(struct host *h, struct inquiry *q, const struct half *r)
{
	if (q->testimony.socket.inode < 0)
		return true;
	if (r->fd >= 0 && procfs_holds(h->procfs, r->pid, r->fd, q->testimony.socket.inode))
		return true;
	ask_socket(h, q, q->answer.pid < 0);
	return q->testimony.socket.inode < 0;
}

/* The record's descriptor is no socket any more, and the plugin did not see one there: the process
 * may hold the record's socket by another one (dup2). */
static bool may_have_moved(const struct host *h, const struct half *r)
{
	return r->inode < 0 && r->fd >= 0 && procfs_inode(h->procfs, r->pid, r->fd) < 0;
}

/* The named process's own record; else, where nobody is named or a mere holder, the record of the
 * packet's socket; else the oldest of that user to the same place. */
void ask_record(struct host *h, struct inquiry *q)
{
	const struct attribution *a = &q->answer;
	struct half r;

	q->testimony.record_asked_for = a->pid;
	if (a->pid >= 0 && pairing_find(h->pairing, &q->packet, a->pid, a->fd, &r)) {
		take_record(h, q, &r, RECORD_OF_PROCESS);
		return;
	}
	if (a->pid >= 0 && pairing_find(h->pairing, &q->packet, a->pid, -1, &r) &&
	    may_have_moved(h, &r)) {
		take_record(h, q, &r, RECORD_OF_PROCESS);
		return;
	}
	if (a->evidence & EVIDENCE_TRACE)
		return;
	if (pairing_find_socket(h->pairing, &q->packet, q->testimony.socket.inode, &r))
		take_record(h, q, &r, RECORD_OF_SOCKET);
	else if (a->evidence & EVIDENCE_PROC_SYSCALL)
		return;
	else if (pairing_find(h->pairing, &q->packet, -1, -1, &r) && may_be_callers(h, q, &r))
		take_record(h, q, &r, RECORD_OF_USER);
}

void ask_record_anew(struct inquiry *q)
{
	if (!q->answer.row)
		q->testimony.record_asked_for = RECORD_NOT_ASKED;
	inquiry_weigh(q);
}

bool ask_record_taken(const struct host *h, struct inquiry *q)
{
	struct call_record *r = &q->testimony.record;

	if (r->by == RECORD_NONE || r->taken || pairing_awaits(h->pairing, r->row))
		return false;
	r->taken = true;
	q->testimony.record_asked_for = RECORD_NOT_ASKED;
	inquiry_weigh(q);
	return true;
}

/* Of a mere holder's packet the call may have been of a process that has let go of the socket, or
 * is gone. */
void ask_last_record(struct host *h, struct inquiry *q)
{
	int64_t inode = q->testimony.socket.inode;
	struct half r;

	if (q->answer.row || (q->answer.pid >= 0 && !q->answer.only_holder) ||
	    (q->packet.process.uid < 0 && !q->testimony.socket.found) ||
	    !pairing_find(h->pairing, &q->packet, -1, -1, &r) ||
	    (inode > 0 && r.inode > 0 && r.inode != inode) ||
	    (q->answer.pid >= 0 && !may_have_moved(h, &r)))
		return;
	take_record(h, q, &r, RECORD_LAST);
	inquiry_weigh(q);
}
