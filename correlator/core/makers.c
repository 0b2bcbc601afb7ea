/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makers of sockets, found by the socket's inode; those whose socket nobody saw by process and
 * descriptor, of which there is one record at a time.
 */
#include <stdlib.h>

#include "event.h"
#include "makers.h"
#include "slots.h"
#include "text.h"

#ifndef MAKERS_MAX
#define MAKERS_MAX 8192
#endif

struct makers {
	struct slots *slots;
	struct maker at[MAKERS_MAX];
};

struct makers *makers_new(void)
{
	struct makers *m = calloc(1, sizeof(*m));

	if (m)
		m->slots = slots_new(MAKERS_MAX);
	if (m && !m->slots) {
		free(m);
		m = NULL;
	}
	return m;
}

void makers_free(struct makers *m)
{
	if (m)
		slots_free(m->slots);
	free(m);
}

static uint64_t hash_of_socket(int64_t inode)
{
	return text_hash(TEXT_HASH_SEED, &inode, sizeof(inode));
}

static uint64_t hash_of_descriptor(int64_t pid, int64_t fd)
{
	return text_hash(text_hash(TEXT_HASH_SEED, &pid, sizeof(pid)), &fd, sizeof(fd));
}

static uint32_t find_socket(const struct makers *m, int64_t inode)
{
	uint32_t n = inode > 0 ? slots_first(m->slots, hash_of_socket(inode)) : SLOT_NONE;

	while (n != SLOT_NONE && m->at[n].inode != inode)
		n = slots_next(m->slots, n);
	return n;
}

static uint32_t find_descriptor(const struct makers *m, int64_t pid, int64_t fd)
{
	uint32_t n = slots_first(m->slots, hash_of_descriptor(pid, fd));

	while (n != SLOT_NONE &&
	       (m->at[n].inode > 0 || m->at[n].pid != pid || m->at[n].fd != fd))
		n = slots_next(m->slots, n);
	return n;
}

static void put(struct makers *m, const struct maker *k, int64_t uid)
{
	uint64_t hash = k->inode > 0 ? hash_of_socket(k->inode) :
				       hash_of_descriptor(k->pid, k->fd);

	m->at[slots_add(m->slots, hash, uid)] = *k;
}

void makers_add(struct makers *m, const struct event *e)
{
	const struct process *p = &e->process;
	uint32_t old = find_descriptor(m, p->pid, e->fd);
	struct maker k = {
		.inode = e->inode > 0 ? e->inode : -1, .pid = p->pid, .fd = e->fd,
		.time_us = e->time_us, .exe = text_identity(p->exe), .exe_seen = p->exe_seen,
		.exe_dev = p->exe_dev, .exe_inode = p->exe_inode,
	};

	/* Records may come out of order. */
	if (old != SLOT_NONE && k.inode < 0 && m->at[old].time_us > k.time_us)
		return;
	if (old != SLOT_NONE)
		slots_remove(m->slots, old);
	old = find_socket(m, k.inode);
	if (old != SLOT_NONE)
		slots_remove(m->slots, old);
	put(m, &k, process_socket_user(p));
}

void makers_old(struct makers *m, int64_t inode, int64_t uid, int64_t now_ns)
{
	struct maker k = { .inode = inode, .pid = -1, .fd = -1, .since_ns = now_ns };

	if (inode > 0 && find_socket(m, inode) == SLOT_NONE)
		put(m, &k, uid);
}

const struct maker *makers_find(struct makers *m, int64_t inode, int64_t pid, int64_t fd)
{
	uint32_t n = find_socket(m, inode), later = find_descriptor(m, pid, fd);

	/* Numbers of sockets come again: of a later record at that descriptor nobody saw which. */
	if (n == SLOT_NONE || (later != SLOT_NONE && m->at[later].time_us > m->at[n].time_us))
		n = later;
	if (n == SLOT_NONE)
		return NULL;
	slots_renew(m->slots, n);
	return &m->at[n];
}
