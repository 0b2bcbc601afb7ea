/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which socket a record speaks of.
 *
 * A record names a process and a descriptor.  Sockets are remembered by both, and by inode where
 * the plugin could still read it.  A child may use its parent's socket, and a program one that was
 * passed to it.
 *
 *   I1  An entry answers only for the process that made it, or for its child: where both starts
 *       are known they must be equal, otherwise parent or program must be.
 *   I2  Where both inodes are known they must be equal; or the descriptor is the process's own.
 *       What accept() returns is neither, whatever had that number before.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "event.h"
#include "sockets.h"

struct sock_key sockets_key(const struct event *e, int64_t pid)
{
	return (struct sock_key){ .node = text_hash_of(e->node), .pid = pid, .fd = e->fd };
}

uint64_t sockets_program(const struct event *e)
{
	return text_identity(e->process.exe);
}

/* I1, for the process itself. */
static bool same_process(const struct sock *s, const struct event *e)
{
	if (s->start_ticks >= 0 && e->process.start_ticks >= 0)
		return s->start_ticks == e->process.start_ticks;
	return s->ppid == e->process.ppid || s->exe == sockets_program(e);
}

/* I2. */
static bool same_inode(const struct sock *s, const struct event *e)
{
	return s->inode < 0 || e->inode < 0 || s->inode == e->inode;
}

static struct sock *touch(struct socktable *t, struct sock *s, const struct event *e)
{
	if (s->start_ticks < 0)
		s->start_ticks = e->process.start_ticks;
	/* Inodes are unique on one host only. */
	if (e->inode >= 0 && !s->key.node)
		socktable_set_inode(t, s, e->inode);
	s->serial = e->serial;
	s->time_us = e->time_us;
	return s;
}

struct sock *sockets_put(struct socktable *t, const struct event *e)
{
	struct sock_key key = sockets_key(e, e->process.pid);
	struct sock *s = socktable_put(t, &key);

	s->ppid = e->process.ppid;
	s->exe = sockets_program(e);
	s->family = (int)e->family;
	s->type = (int)e->type;
	s->protocol = (int)e->protocol;
	return touch(t, s, e);
}

struct sock *sockets_find(struct socktable *t, const struct event *e, bool *late)
{
	struct sock_key key = sockets_key(e, e->process.pid);
	struct sock_key parent = sockets_key(e, e->process.ppid);
	struct sock *s = socktable_find(t, &key), *mine;

	*late = false;
	mine = s && same_process(s, e) ? s : NULL;
	if (mine && same_inode(mine, e))
		return touch(t, mine, e);
	/*
	 * Inherited or passed: the socket keeps its properties, but its flows are another
	 * process's.
	 */
	s = key.node ? NULL : socktable_find_inode(t, e->inode);
	/*
	 * The process's own descriptor, with an unknown inode: the plugin looked late, and saw what
	 * the descriptor had become by then.  The records' order counts, not the inode.
	 */
	if (!s && mine) {
		*late = true;
		mine->bound.port = -1;
		return touch(t, mine, e);
	}
	if (!s) {
		s = socktable_find(t, &parent);
		if (s && !same_inode(s, e))
			s = NULL;
	}
	if (s) {
		struct sock of_parent = *s;

		mine = sockets_put(t, e);
		mine->type = of_parent.type;
		mine->protocol = of_parent.protocol;
		mine->bound = of_parent.bound;
		return mine;
	}
	return sockets_put(t, e);
}

struct sock *sockets_find_seen(struct socktable *t, const struct event *e, bool *late)
{
	struct sock *s = sockets_find(t, e, late);

	if (e->protocol >= 0 && s->protocol >= 0 && s->protocol != e->protocol)
		*late = true;	/* closed, and another socket was in its place before the plugin
				 * looked */
	else if (e->protocol >= 0 && !*late)
		s->protocol = (int)e->protocol;
	return s;
}

bool sockets_comes_late(const struct sock *s, const struct event *e)
{
	return s && same_process(s, e) && (int32_t)(e->serial - s->serial) < 0 &&
	       e->time_us <= s->time_us;
}

struct sock *sockets_put_accepted(struct socktable *t, const struct event *e,
				 const struct endpoint *local)
{
	struct sock_key key = sockets_key(e, e->process.pid);
	struct sock *s = socktable_find(t, &key);

	if (!sockets_comes_late(s, e))
		s = sockets_put(t, e);
	s->type = SOCK_STREAM;
	if (s->protocol < 0)
		s->protocol = IPPROTO_TCP;
	s->bound = *local;
	return s;
}
