/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways through io_uring, by its system calls alone: see ways.c. */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "programs.h"
#include "ways.h"

/* Since Linux 6.11 (linux/io_uring.h). */
#define OP_BIND 56
#define OP_LISTEN 57
#define POLLER_IDLE_MS 1000

struct ring {
	int fd;
	bool polled;
	_Atomic unsigned int *sq_tail, *sq_flags, *cq_head, *cq_tail;
	unsigned int *sq_mask, *sq_array, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static void *map(int fd, size_t len, off_t offset)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static struct ring ring_new(unsigned int flags)
{
	struct io_uring_params p = { .flags = flags, .sq_thread_idle = POLLER_IDLE_MS };
	struct ring r = { .fd = (int)syscall(SYS_io_uring_setup, 4, &p),
			  .polled = flags & IORING_SETUP_SQPOLL };
	char *sq, *cq;

	if (r.fd < 0)
		exit(errno == ENOSYS || errno == EPERM ? WAY_NONE : 1);
	sq = map(r.fd, p.sq_off.array + p.sq_entries * sizeof(unsigned int), IORING_OFF_SQ_RING);
	cq = map(r.fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		 IORING_OFF_CQ_RING);
	r.sqes = map(r.fd, p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	r.sq_tail = (void *)(sq + p.sq_off.tail);
	r.sq_flags = (void *)(sq + p.sq_off.flags);
	r.sq_mask = (void *)(sq + p.sq_off.ring_mask);
	r.sq_array = (void *)(sq + p.sq_off.array);
	r.cq_head = (void *)(cq + p.cq_off.head);
	r.cq_tail = (void *)(cq + p.cq_off.tail);
	r.cq_mask = (void *)(cq + p.cq_off.ring_mask);
	r.cqes = (void *)(cq + p.cq_off.cqes);
	return r;
}

/* One operation from its beginning to its result. */
static int ring_do(struct ring *r, const struct io_uring_sqe *op)
{
	unsigned int tail = atomic_load(r->sq_tail), at = tail & *r->sq_mask, head, enter;
	int result;

	r->sqes[at] = *op;
	r->sq_array[at] = at;
	atomic_store(r->sq_tail, tail + 1);
	enter = IORING_ENTER_GETEVENTS;
	if (r->polled && (atomic_load(r->sq_flags) & IORING_SQ_NEED_WAKEUP))
		enter |= IORING_ENTER_SQ_WAKEUP;
	if (syscall(SYS_io_uring_enter, r->fd, r->polled ? 0 : 1, 1, enter, NULL, 0) < 0)
		die("io_uring_enter");
	head = atomic_load(r->cq_head);
	while (head == atomic_load(r->cq_tail))
		;
	result = r->cqes[head & *r->cq_mask].res;
	atomic_store(r->cq_head, head + 1);
	return result;
}

static struct io_uring_sqe op_address(int op, int fd, const struct sockaddr_in *to)
{
	return (struct io_uring_sqe){ .opcode = (uint8_t)op, .fd = fd,
				      .addr = (uint64_t)(uintptr_t)to, .off = sizeof(*to) };
}

static int ring_connect(const struct target *t, unsigned int setup, unsigned int flags, int type)
{
	struct ring r = ring_new(setup);
	struct io_uring_sqe op = op_address(IORING_OP_CONNECT,
					    way_socket(AF_INET, SOCK_STREAM | type, 0), &t->to);
	int result;

	op.flags = (uint8_t)flags;
	way_is_mine();
	result = ring_do(&r, &op);
	return result && result != -ECONNREFUSED;
}

int way_ring_connect(const struct target *t)
{
	return ring_connect(t, 0, 0, 0);
}

int way_ring_late(const struct target *t)
{
	return ring_connect(t, 0, 0, SOCK_NONBLOCK);
}

int way_ring_async(const struct target *t)
{
	return ring_connect(t, 0, IOSQE_ASYNC, 0);
}

int way_ring_polled(const struct target *t)
{
	return ring_connect(t, IORING_SETUP_SQPOLL, 0, 0);
}

int way_ring_sendmsg(const struct target *t)
{
	struct iovec iov = { (void *)WAY_BYTES, sizeof(WAY_BYTES) };
	struct msghdr m = { .msg_name = (void *)&t->to, .msg_namelen = sizeof(t->to),
			    .msg_iov = &iov, .msg_iovlen = 1 };
	struct io_uring_sqe op = { .opcode = IORING_OP_SENDMSG, .addr = (uint64_t)(uintptr_t)&m,
				   .len = 1 };
	struct ring r = ring_new(0);

	op.fd = way_socket(AF_INET, SOCK_DGRAM, 0);
	way_is_mine();
	return ring_do(&r, &op) < 0;
}

/* A send to an address, since Linux 6.0, which the kernel's audit leaves out. */
int way_ring_send(const struct target *t)
{
	struct io_uring_sqe op = { .opcode = IORING_OP_SEND, .len = sizeof(WAY_BYTES),
				   .addr = (uint64_t)(uintptr_t)WAY_BYTES,
				   .addr2 = (uint64_t)(uintptr_t)&t->to,
				   .addr_len = sizeof(t->to) };
	struct ring r = ring_new(0);
	int result;

	op.fd = way_socket(AF_INET, SOCK_DGRAM, 0);
	way_is_mine();
	result = ring_do(&r, &op);
	return result == -EDESTADDRREQ || result == -EINVAL ? WAY_NONE : result < 0;
}

/* A port of its own, by the ring; then a connection from there. */
int way_ring_bind(const struct target *t)
{
	struct sockaddr_in own = t->to;
	int fd = way_socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct io_uring_sqe op = op_address(OP_BIND, fd, &own);
	struct ring r = ring_new(0);
	int result;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	own.sin_port = htons((uint16_t)(ntohs(own.sin_port) + 1000));
	way_is_mine();
	result = ring_do(&r, &op);
	if (result == -EINVAL)
		return WAY_NONE;
	op = op_address(IORING_OP_CONNECT, fd, &t->to);
	result = ring_do(&r, &op);
	return result && result != -ECONNREFUSED;
}

/* What listens and accepts does it by the ring; its client is its child. */
int way_ring_accept(const struct target *t)
{
	int fd = way_socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct io_uring_sqe op = op_address(OP_BIND, fd, &t->to);
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	struct ring r = ring_new(0);
	int client;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ring_do(&r, &op) == -EINVAL)
		return WAY_NONE;
	op = (struct io_uring_sqe){ .opcode = OP_LISTEN, .fd = fd, .len = 4 };
	if (ring_do(&r, &op))
		die("listen");
	client = way_socket(AF_INET, SOCK_STREAM, 0);
	way_is_mine();
	if (connect(client, (const struct sockaddr *)&t->to, sizeof(t->to)))
		die("connect");
	op = (struct io_uring_sqe){ .opcode = IORING_OP_ACCEPT, .fd = fd,
				    .addr = (uint64_t)(uintptr_t)&peer,
				    .addr2 = (uint64_t)(uintptr_t)&len };
	return ring_do(&r, &op) < 0;
}
