/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A processor's trace buffer, mapped or read.
 *
 * The kernel writes into a ring of pages.  The reader has one page besides, and exchanges it for
 * the oldest page of the ring after reading it.  A reader that has caught up has the page that the
 * kernel is writing.
 *
 *   I1  The kernel goes on to the next page when an event does not fit on this one, and marks the
 *       rest of this one as used (kernel/trace/ring_buffer.c, rb_reset_tail()).  So a page with
 *       room is the one that is being written, and no later page has events.  Only where the page
 *       has no room, or nothing yet, the reader must ask the kernel.
 *   I2  The kernel writes to the reader's page again only after the reader gave it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tracefs.h>

#include "tracebuf.h"

/* linux/trace_mmap.h of Linux 6.10, which older distributions do not have. */
#define GET_READER _IO('R', 0x20)

struct map_head {
	uint32_t head_bytes, struct_bytes;
	uint32_t page_bytes, pages;
	struct {
		uint64_t lost;
		uint32_t page, read;
	} reader;
	uint64_t flags;
	uint64_t entries, overrun, read;
	uint64_t reserved[2];
};

/* The size of the shortest event: a page with less room than that is full (RB_EVNT_MIN_SIZE). */
#define EVENT_BYTES_MIN 8

struct tracebuf {
	struct tracefs_cpu *cpu;	/* NULL where it is mapped */
	int fd;
	const struct map_head *head;
	size_t head_bytes;
	const uint8_t *pages;
	uint32_t page, page_bytes, page_count;	/* page: the reader's */
	size_t taken;			/* of its bytes */
	uint64_t begun_ns, taken_ns;	/* the page's time, and that of the last event that was
					 * taken */
	uint64_t overrun;
	bool lost;
};

static void unmap(struct tracebuf *b)
{
	if (b->pages)
		munmap((void *)b->pages, (size_t)b->page_bytes * b->page_count);
	if (b->head)
		munmap((void *)b->head, b->head_bytes);
	if (b->fd >= 0)
		close(b->fd);
	b->pages = NULL;
	b->head = NULL;
	b->fd = -1;
}

static const void *map(int fd, size_t bytes, size_t at)
{
	const void *at_memory = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, (off_t)at);

	return at_memory == MAP_FAILED ? NULL : at_memory;
}

/* Whether this code can handle the buffer that the kernel describes. */
static bool is_sound(const struct tracebuf *b)
{
	const struct map_head *h = b->head;

	return h->struct_bytes >= sizeof(*h) && h->head_bytes >= sizeof(*h) &&
	       h->page_bytes > TRACEBUF_HEAD && h->page_bytes <= TRACEBUF_BYTES_MAX &&
	       h->pages && h->reader.page < h->pages;
}

static int try_map(struct tracebuf *b, struct tracefs_instance *instance, int cpu)
{
	char name[64];

	snprintf(name, sizeof(name), "per_cpu/cpu%d/trace_pipe_raw", cpu);
	b->fd = tracefs_instance_file_open(instance, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (b->fd < 0)
		return -ENOENT;
	b->head_bytes = (size_t)sysconf(_SC_PAGESIZE);
	b->head = map(b->fd, b->head_bytes, 0);
	if (!b->head || !is_sound(b))
		return -ENODEV;
	b->page_bytes = b->head->page_bytes;
	b->page_count = b->head->pages;
	b->pages = map(b->fd, (size_t)b->page_bytes * b->page_count, b->head->head_bytes);
	if (!b->pages)
		return -ENODEV;
	b->page = b->head->reader.page;
	b->overrun = b->head->overrun;
	return 0;
}

int tracebuf_open(struct tracefs_instance *instance, int cpu, bool may_map, struct tracebuf **out)
{
	struct tracebuf *b = calloc(1, sizeof(*b));

	*out = NULL;
	if (!b)
		return -ENOMEM;
	b->fd = -1;
	if (!may_map || try_map(b, instance, cpu)) {
		unmap(b);
		b->cpu = tracefs_cpu_open(instance, cpu, true);
		if (!b->cpu || tracefs_cpu_read_size(b->cpu) > TRACEBUF_BYTES_MAX) {
			tracebuf_close(b);
			return -ENOENT;
		}
	}
	*out = b;
	return 0;
}

void tracebuf_close(struct tracebuf *b)
{
	if (!b)
		return;
	unmap(b);
	if (b->cpu)
		tracefs_cpu_close(b->cpu);
	free(b);
}

bool tracebuf_is_mapped(const struct tracebuf *b)
{
	return b->pages != NULL;
}

static const uint8_t *page_of(const struct tracebuf *b)
{
	return b->pages + (size_t)b->page_bytes * b->page;
}

/* The second word of the reader's page; the events that it counts can be read after this. */
static unsigned long commit_of(const struct tracebuf *b)
{
	const _Atomic unsigned long *commit =
		(const _Atomic unsigned long *)(page_of(b) + sizeof(uint64_t));

	return atomic_load_explicit(commit, memory_order_acquire);
}

static size_t room_of(const struct tracebuf *b)
{
	return b->page_bytes - TRACEBUF_HEAD;
}

static size_t bytes_of(const struct tracebuf *b, unsigned long commit)
{
	size_t bytes = commit & TRACEBUF_COMMIT;

	return bytes < room_of(b) ? bytes : room_of(b);
}

/*
 * Whether the kernel may have gone on to another page.  It marks lost events on a page when it
 * hands that over, so a marked page does not say.
 */
static bool may_be_full(const struct tracebuf *b, unsigned long commit)
{
	size_t bytes = bytes_of(b, commit);

	return !bytes || bytes + EVENT_BYTES_MIN > room_of(b) ||
	       (commit & (TRACEBUF_LOST | TRACEBUF_LOST_STORED));
}

static uint64_t begun(const struct tracebuf *b)
{
	uint64_t ns;

	memcpy(&ns, page_of(b), sizeof(ns));
	return ns;
}

/* Asks the kernel for the next page.  Returns how many bytes are on the page that we have then. */
static size_t turn_page(struct tracebuf *b)
{
	bool behind = b->head->reader.read < b->taken;

	/* If the kernel's read position is behind ours, the first call only moves that forward. */
	for (int i = 0; i < 1 + behind; i++) {
		if (ioctl(b->fd, GET_READER))
			break;
		b->lost |= b->head->overrun != b->overrun;
		b->overrun = b->head->overrun;
		if (b->head->reader.page != b->page && b->head->reader.page < b->page_count) {
			b->page = b->head->reader.page;
			b->taken = 0;
			break;
		}
	}
	return bytes_of(b, commit_of(b));
}

/* Copies the new part of the page, as a page of its own. */
static size_t copy_page(struct tracebuf *b, size_t bytes, uint8_t *to)
{
	uint64_t since_ns = b->taken ? b->taken_ns : begun(b);
	unsigned long word = (bytes - b->taken) | (b->lost ? TRACEBUF_LOST : 0);
	size_t size = bytes - b->taken;

	memcpy(to, &since_ns, sizeof(since_ns));
	memcpy(to + sizeof(since_ns), &word, sizeof(word));
	memcpy(to + TRACEBUF_HEAD, page_of(b) + TRACEBUF_HEAD + b->taken, size);
	b->begun_ns = begun(b);
	b->taken = bytes;
	b->lost = false;
	return TRACEBUF_HEAD + size;
}

static size_t take_mapped(struct tracebuf *b, uint8_t *page)
{
	unsigned long commit = commit_of(b);
	size_t bytes = bytes_of(b, commit);

	/* Another process emptied the buffer. */
	if (bytes < b->taken || (b->taken && begun(b) != b->begun_ns)) {
		b->lost = true;
		b->taken = 0;
	}
	if (bytes == b->taken && may_be_full(b, commit))
		bytes = turn_page(b);
	if (bytes > b->taken)
		return copy_page(b, bytes, page);
	/* Report a loss at once, even without events. */
	return b->lost ? copy_page(b, b->taken, page) : 0;
}

size_t tracebuf_take(struct tracebuf *b, void *page)
{
	int len;

	if (b->pages)
		return take_mapped(b, page);
	len = tracefs_cpu_read(b->cpu, page, true);
	return len > 0 ? (size_t)len : 0;
}

void tracebuf_taken(struct tracebuf *b, uint64_t time_ns)
{
	b->taken_ns = time_ns;
}
