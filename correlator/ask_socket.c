/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet's socket, and the processes that hold it: those that were seen with it, those that
 * used sockets lately, and those that a search finds.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "ask.h"
#include "failures.h"
#include "holders.h"
#include "host.h"
#include "inquiry.h"
#include "observe.h"
#include "procfs.h"
#include "protocol.h"
#include "sockdiag.h"
#include "sole.h"

#define RECENT_MAX 4
/* Of one that may have it at another descriptor: so many are looked at. */
#define RECENT_LOOKS 32
/* A packet that waits for proof is asked about again after each. */
#define SOLE_FIRST_US 2000
#define SOLE_PIECE_US 500
/* As long as looking at so many descriptors may take. */
#define SHARING_NS 1000000LL
#define SHARING_PIECES 16

static int find_socket(struct host *h, const struct inquiry *q, bool widely,
		       struct sock_entry *found)
{
	const struct connection *c = &q->packet;
	bool in = c->direction == DIRECTION_IN, tcp = c->protocol == IPPROTO_TCP;
	const struct endpoint *local = in ? &c->dst : &c->src, *peer = in ? &c->src : &c->dst;
	struct sock_choice choice;
	int rc = sockdiag_ask(h->sockdiag, c->protocol, local, peer, inquiry_device(q),
			      tcp && !in ? SOCK_FIT_EXACT : SOCK_FIT_WILDCARD, found);

	/* The kernel walks all sockets for this. */
	if (rc == -ENOENT && widely && (in || !tcp)) {
		rc = sockdiag_by_port(h->sockdiag, c->protocol, local, peer,
				      inquiry_device(q), found, &choice);
		if (!rc && choice.alike > 1)
			rc = -EEXIST;	/* several share the port: no telling which */
	}
	return rc;
}

void ask_socket(struct host *h, struct inquiry *q, bool widely)
{
	struct connection *c = &q->packet;
	struct testimony *t = &q->testimony;
	struct sock_entry found;

	t->socket.asked = true;
	t->socket.widely |= widely;
	t->socket.inode = -1;
	if (c->direction == DIRECTION_FORWARD || c->src.port < 0 ||
	    find_socket(h, q, widely, &found))
		return;
	/* UDP's may have another's tuple: by IP_PKTINFO a socket sends from any address of the
	 * host's, and by SO_REUSEADDR several have the same port. */
	if (c->direction != DIRECTION_IN && c->process.uid >= 0 && found.uid != c->process.uid)
		return;
	t->socket.found = true;
	t->socket.inode = found.inode ? found.inode : -1;
	t->socket.uid = found.uid;
	t->socket.cookie = found.cookie;
	t->socket.resent = found.resent;
	if (c->process.uid < 0)
		c->process.uid = found.uid;
}

/* Its list of descriptors is looked through once, for all of them. */
const struct sock_entry *ask_held_one(struct host *h, int64_t pid, const struct sock_entry *sockets,
				      int count, bool *all)
{
	struct procfs_walk w = { .pid = { (int32_t)pid }, .left = 1, .seen_max = PROCFS_LOOKS };

	_Static_assert(SOCKDIAG_FOUND_MAX <= PROCFS_WANTED, "they have room");
	*all = true;
	for (int i = 0; i < count; i++)
		if (sockets[i].inode > 0)
			w.wanted[w.wanted_count++] = sockets[i].inode;
	if (pid < 0 || !w.wanted_count)
		return NULL;
	/* A piece is short where other programs have the processor. */
	for (int i = 0; i < SHARING_PIECES && w.left && !w.found_count; i++)
		procfs_walk(h->procfs, &w, SHARING_NS);
	for (int i = 0; w.found_count && i < count; i++)
		if (sockets[i].inode == w.found[0].inode)
			return &sockets[i];
	*all = !w.left && !w.cut;
	if (*all)
		return NULL;
	FAILS(SHARING_UNSEEN);
	h->unseen++;
	return NULL;
}

/* Of those at a port: not the packet's own socket, nor another user's. */
static int keep_others(const struct inquiry *q, const struct sock_entry *found, int count,
		       struct sock_entry *others)
{
	int kept = 0;

	for (int i = 0; i < count; i++)
		if (found[i].inode != q->testimony.socket.inode &&
		    (q->packet.process.uid < 0 || found[i].uid == q->packet.process.uid))
			others[kept++] = found[i];
	return kept;
}

bool ask_sharing(struct host *h, struct inquiry *q, int64_t pid)
{
	const struct connection *c = &q->packet;
	struct testimony *t = &q->testimony;
	struct sock_entry others[SOCKDIAG_FOUND_MAX];
	const struct sock_entry *found;
	bool all;
	int count;

	if (c->direction != DIRECTION_OUT || !protocol_is(c->protocol, PROTOCOL_DATAGRAMS) ||
	    c->src.port < 0 || pid < 0)
		return false;
	count = sockdiag_sharers(h->sockdiag, c->protocol, &c->src, &found);
	/* Who hides behind many is taken for one of them. */
	t->socket.shared |= count == SOCKDIAG_FOUND_MAX;
	count = count < 0 ? 0 : keep_others(q, found, count, others);
	found = ask_held_one(h, pid, others, count, &all);
	t->socket.shared |= found || !all;
	if (found) {
		t->socket.own_inode = found->inode;
		t->socket.own_cookie = found->cookie;
	}
	return t->socket.shared;
}

void ask_inode(struct host *h, struct inquiry *q)
{
	if (q->testimony.socket.inode < 0)
		ask_socket(h, q, q->answer.pid < 0);
}

void ask_socket_again(struct host *h, struct inquiry *q)
{
	struct testimony *t = &q->testimony;
	const struct caller *k = &t->trace.by[q->answer.caller];
	struct socket_holder holder = { .pid = k->pid, .source = FROM_TRACE };

	/* It may have ended since it was asked for. */
	ask_socket(h, q, false);
	t->socket.again = true;
	if (t->socket.inode < 0 || k->place != PLACE_HERE)
		return;
	holder.fd = (int32_t)procfs_find_fd(h->procfs, k->pid, t->socket.inode, PROCFS_LOOKS);
	if (holder.fd >= 0)
		testimony_add_holder(t, &holder);
	else
		ask_sharing(h, q, k->pid);
}

static void add_holder(struct inquiry *q, const struct procfs_holder *k, enum source source)
{
	testimony_add_holder(&q->testimony, &(struct socket_holder){
		.pid = (int32_t)k->pid, .fd = (int32_t)k->fd, .source = source,
		.in_call = k->in_call });
}

bool ask_found_holder(struct host *h, struct inquiry *q, int64_t pid, int64_t fd,
		      enum source source)
{
	struct procfs_holder k = { .pid = pid, .fd = fd, .call = q->facts.blocks_caller };

	procfs_holders(h->procfs, q->testimony.socket.inode, &k, 1);
	if (k.fd >= 0)
		add_holder(q, &k, source);
	inquiry_weigh(q);
	return k.fd >= 0;
}

void ask_holder(struct host *h, struct inquiry *q)
{
	struct holder seen;

	q->testimony.holders.cache_asked = true;
	if (observer_holder(h->observer, q->testimony.socket.inode, &seen))
		ask_found_holder(h, q, seen.pid, seen.fd, FROM_CACHE);
}

/* Those that used a socket lately: the first that holds it, or is seen in the call.  That may be on
 * another descriptor than its last one. */
void ask_recent(struct host *h, struct inquiry *q)
{
	struct procfs_holder k[RECENT_MAX] = { 0 }, *best = NULL;
	struct holder recent[RECENT_MAX];
	int count = observer_recent(h->observer, q->packet.protocol, recent, RECENT_MAX);

	q->testimony.holders.recent_asked = true;
	for (int i = 0; i < count; i++) {
		k[i].pid = recent[i].pid;
		k[i].fd = recent[i].fd;
		k[i].call = q->facts.blocks_caller;
		k[i].looks = q->facts.blocks_caller ? RECENT_LOOKS : 0;
	}
	procfs_holders(h->procfs, q->testimony.socket.inode, k, count);
	for (int i = 0; i < count; i++) {
		if (k[i].fd < 0)
			continue;
		add_holder(q, &k[i], FROM_RECENT);
		if (!best || k[i].in_call)
			best = &k[i];
	}
	if (best)
		observer_learn(h->observer, q->testimony.socket.inode, best->pid, best->fd);
}

/* No other socket could have been chosen for the packet: several may share a port
 * (SO_REUSEPORT), and a program of theirs chooses (SO_ATTACH_REUSEPORT_EBPF). */
static bool is_only_socket(struct host *h, const struct inquiry *q, int64_t inode)
{
	const struct connection *c = &q->packet;
	struct sock_choice choice;
	struct sock_entry found;

	return !sockdiag_by_port(h->sockdiag, c->protocol, &c->dst, &c->src, inquiry_device(q),
				 &found, &choice) && choice.alike == 1 && found.inode == inode;
}

/* Does one process alone hold the socket that the packet is for? */
static void ask_sole(struct host *h, struct inquiry *q)
{
	struct testimony *t = &q->testimony;
	struct sole_answer a;

	if (!h->sole || t->socket.inode <= 0 || t->holders.sole_over)
		return;
	if (!t->holders.sole_wanted && !is_only_socket(h, q, t->socket.inode)) {
		t->holders.sole_wanted = t->holders.sole_over = true;
		return;
	}
	sole_ask(h->sole, t->socket.inode,
		 t->holders.sole_wanted ? SOLE_PIECE_US : SOLE_FIRST_US, &a);
	t->holders.sole_wanted = true;
	t->holders.sole_over = a.over;
	t->holders.sole = a.over && a.sure && a.count == 1;
	for (int i = 0; a.over && i < a.count; i++) {
		struct procfs_holder k = { .pid = a.holder[i].pid, .fd = a.holder[i].fd };

		procfs_holders(h->procfs, t->socket.inode, &k, 1);
		if (k.fd >= 0)
			add_holder(q, &k, FROM_PROC);
	}
	inquiry_weigh(q);
}

void ask_proof(struct host *h, struct inquiry *q)
{
	const struct attribution *a = &q->answer;
	int64_t inode = q->testimony.socket.inode, pid = a->pid;
	struct procfs_holder k = { .pid = pid, .fd = a->fd, .call = true,
				   .looks = a->fd < 0 ? PROCFS_LOOKS : 0 };

	if (q->packet.direction == DIRECTION_IN) {
		ask_sole(h, q);
		return;
	}
	if (pid < 0 || inode <= 0)
		return;
	if (q->threads.pid == pid)
		k.threads = q->threads.at;
	procfs_holders(h->procfs, inode, &k, 1);
	q->threads.pid = pid;
	q->threads.at = k.threads;
	/* That it only holds it has been said. */
	if (k.fd >= 0 && (a->fd < 0 || k.in_call))
		add_holder(q, &k, a->source);
	inquiry_weigh(q);
}

bool ask_sole_again(struct host *h, struct inquiry *q)
{
	if (!q->answer.sole_awaited)
		return false;
	ask_proof(h, q);
	return !q->answer.sole_awaited;
}
