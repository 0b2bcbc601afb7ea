/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_RING_H
#define SOCKLEDGER_RING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A bounded queue of variable-sized records between one producing and one consuming thread.  The
 * producer never waits: ring_reserve() tells it where there is no room.  Records are laid out one
 * behind the other, aligned for a pointer, and stay where they are until the consumer releases
 * them, so that it may work on many and give them back together (after a commit).
 */
struct ring;

/* A ring of bytes (rounded up to a page; at least two).  NULL with errno set. */
struct ring *ring_new(size_t bytes);
void ring_free(struct ring *r);

/* Whether a record of len bytes can ever have room. */
bool ring_fits(const struct ring *r, size_t len);
/* Producer: room for a record of len bytes, or NULL.  Nothing is seen before ring_publish(). */
void *ring_reserve(struct ring *r, size_t len);
void ring_publish(struct ring *r);
/* Producer: publishes one of many records and wakes nobody; call ring_notify_waiter() after the
 * last. */
void ring_publish_batched(struct ring *r);
void ring_notify_waiter(struct ring *r);
/* Producer: wakes the consumer although there is no new record, because a flag has changed. */
void ring_notify(struct ring *r);

/* Consumer: the next record behind those already taken, or NULL. */
void *ring_take(struct ring *r, size_t *len);
/* Consumer: gives the room of everything taken back to the producer. */
void ring_release(struct ring *r);
/* Consumer: undoes ring_take() for all that was not released, so that it comes again. */
void ring_rewind(struct ring *r);
/* Consumer: waits for a record or a wake, at most timeout_ms (-1: for ever). */
void ring_wait(struct ring *r, int timeout_ms);
/* Consumer, to wait for other things as well: poll ring_fd() between ring_prepare_wait() and
 * ring_finish_wait(), and tell the latter whether it was readable.  ring_prepare_wait() returns
 * false where a record is there already: do not wait then. */
int ring_fd(const struct ring *r);
bool ring_prepare_wait(struct ring *r);
void ring_finish_wait(struct ring *r, bool readable);

/* Either: true where nothing published is unreleased. */
bool ring_empty(const struct ring *r);

#endif
