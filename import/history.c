/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of a log: a hash by host, boot and pid, and a list by age.
 *
 *   fork ------> child: a copy of its parent, until it has a record of its own
 *   execve ----> program and command line are new
 *   any other -> the program is what the record says; a command line of another one is void
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "event.h"
#include "history.h"

#define RUNS_MAX 131072
#define BYTES_MAX ((size_t)64 * 1024 * 1024)
#define BUCKETS 65536u
/* Hosts share a count of boots where there are more of them: a pid is forgotten too often then. */
#define HOSTS 1024
/* The kernel cuts PROCTITLE at this length (MAX_PROCTITLE_AUDIT_LEN in kernel/auditsc.c). */
#define PROCTITLE_MAX 128
#define GENERATIONS 8
#define CHAIN_BYTES 2048
#define BETWEEN " < "
/* A serial so far behind the newest one, of a later time, is of another boot. */
#define LATER_US 1000000

enum { EXE, CMDLINE, TEXTS };

struct run {
	uint64_t key;		/* of host and boot */
	int64_t pid, ppid;
	/* A fork says that the pid is another process by now, and nothing has said which: or the
	 * number was one of another pid namespace, as that of any fork in a container. */
	bool doubtful;
	bool copy;		/* of its parent: it has no record of its own yet */
	size_t bytes;
	struct text text[TEXTS];	/* behind the structure */
	struct run *next, *newer, *older;
};

struct host {
	uint64_t boots;
	int64_t time_us;
	uint32_t serial;	/* the newest */
};

struct history {
	struct run *bucket[BUCKETS];
	struct run *newest, *oldest;
	size_t runs, bytes;
	struct host host[HOSTS];
	char chain[CHAIN_BYTES];
};

struct history *history_new(void)
{
	return calloc(1, sizeof(struct history));
}

void history_free(struct history *h)
{
	struct run *older;

	if (!h)
		return;
	for (struct run *r = h->newest; r; r = older) {
		older = r->older;
		free(r);
	}
	free(h);
}

static struct host *host_of(struct history *h, struct text node)
{
	return &h->host[text_hash_of(node) % HOSTS];
}

static uint64_t key_of(struct history *h, struct text node)
{
	uint64_t boots = host_of(h, node)->boots;

	return text_hash(text_hash_of(node), &boots, sizeof(boots));
}

static struct run **bucket_of(struct history *h, uint64_t key, int64_t pid)
{
	return &h->bucket[text_hash(key, &pid, sizeof(pid)) % BUCKETS];
}

static void unlink_run(struct history *h, struct run *r)
{
	struct run **at = bucket_of(h, r->key, r->pid);

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	*(r->newer ? &r->newer->older : &h->newest) = r->older;
	*(r->older ? &r->older->newer : &h->oldest) = r->newer;
	h->runs--;
	h->bytes -= r->bytes;
}

static void drop(struct history *h, struct run *r)
{
	unlink_run(h, r);
	free(r);
}

static void link_run(struct history *h, struct run *r)
{
	struct run **at = bucket_of(h, r->key, r->pid);

	r->next = *at;
	*at = r;
	r->newer = NULL;
	r->older = h->newest;
	*(h->newest ? &h->newest->newer : &h->oldest) = r;
	h->newest = r;
	h->runs++;
	h->bytes += r->bytes;
}

static struct run *find(struct history *h, uint64_t key, int64_t pid)
{
	struct run *r = *bucket_of(h, key, pid);

	while (r && (r->pid != pid || r->key != key))
		r = r->next;
	return r;
}

/* Takes the place of what is known of this pid.  from: as it shall be, its texts anybody's, also
 * those of the run that it replaces. */
static int put(struct history *h, const struct run *from)
{
	struct run *old = find(h, from->key, from->pid);
	size_t bytes = sizeof(*from) + texts_size(from->text, TEXTS);
	struct run *r = malloc(bytes);

	if (!r)
		return -ENOMEM;
	*r = *from;
	r->bytes = bytes;
	texts_move(r->text, TEXTS, (char *)(r + 1));
	if (old)
		drop(h, old);
	link_run(h, r);
	while (h->oldest != r && (h->runs > RUNS_MAX || h->bytes > BYTES_MAX))
		drop(h, h->oldest);
	return 0;
}

void history_boot(struct history *h, struct text node)
{
	struct host *host = host_of(h, node);

	host->boots++;
	host->serial = 0;
}

/* Serials begin anew at a boot, and only then. */
static void look_for_boot(struct history *h, const struct event *e)
{
	struct host *host = host_of(h, e->node);

	if (e->serial < host->serial / 2 && e->time_us > host->time_us + LATER_US)
		history_boot(h, e->node);
	if (e->serial > host->serial)
		host->serial = e->serial;
	if (e->time_us > host->time_us)
		host->time_us = e->time_us;
}

static struct text cut(struct text t)
{
	if (t.len > PROCESS_TEXT_BYTES + 64)
		t.len = PROCESS_TEXT_BYTES + 64;	/* with a mark it is cut at the end */
	return t;
}

static int on_fork(struct history *h, const struct event *e, uint64_t key)
{
	struct run *old = find(h, key, e->exit), child = {
		.key = key, .pid = e->exit, .ppid = e->process.pid, .copy = true,
		.text = { [EXE] = e->process.exe, [CMDLINE] = cut(e->process.cmdline) },
	};

	if (e->exit <= 0 || e->exit > INT32_MAX)
		return 0;
	if (!old || old->copy)
		return put(h, &child);
	/* The child's own record may have come first. */
	old->doubtful |= old->ppid != e->process.pid;
	return 0;
}

static bool begins_with(struct text t, struct text with)
{
	return t.data && with.data && t.len >= with.len && !memcmp(t.data, with.data, with.len);
}

/* The record is of what is known, not of another program or process under that pid. */
static bool same_run(const struct run *r, const struct event *e)
{
	struct text title = e->process.cmdline;

	return text_equal(r->text[EXE], e->process.exe) &&
	       (!title.data || begins_with(r->text[CMDLINE], title));
}

int history_event(struct history *h, const struct event *e)
{
	struct run now = { .pid = e->process.pid, .ppid = e->process.ppid };
	uint64_t key;
	struct run *r;
	int rc = 0;

	look_for_boot(h, e);
	now.key = key = key_of(h, e->node);
	if (e->process.pid <= 0)
		return 0;
	r = find(h, key, e->process.pid);
	now.text[EXE] = e->process.exe;
	now.text[CMDLINE] = cut(e->process.cmdline);
	if (e->kind == EVENT_EXEC && e->exit < 0)
		return 0;
	if (r && e->kind != EVENT_EXEC && same_run(r, e)) {
		r->doubtful = r->copy = false;
		r->ppid = e->process.ppid;	/* its parent may have ended */
		unlink_run(h, r);
		link_run(h, r);
	} else {
		rc = put(h, &now);
	}
	return rc || e->kind != EVENT_FORK ? rc : on_fork(h, e, key);
}

static void fill_ancestors(struct history *h, struct connection *c, uint64_t key)
{
	size_t len = 0, gap = sizeof(BETWEEN) - 1;
	int64_t pid = c->process.ppid;

	for (int i = 0; i < GENERATIONS && pid > 0; i++) {
		const struct run *r = find(h, key, pid);
		struct text exe;

		if (!r || r->doubtful || !r->text[EXE].len)
			break;
		exe = r->text[EXE];
		if (len + gap + exe.len > sizeof(h->chain))
			break;
		if (i) {
			memcpy(h->chain + len, BETWEEN, gap);
			len += gap;
		} else {
			c->text[CONNECTION_PARENT_EXE] = exe;
		}
		memcpy(h->chain + len, exe.data, exe.len);
		len += exe.len;
		pid = r->ppid;
	}
	if (len)
		c->text[CONNECTION_ANCESTORS] = (struct text){ h->chain, len };
}

void history_fill(struct history *h, struct connection *c)
{
	uint64_t key = key_of(h, c->text[CONNECTION_NODE]);
	const struct run *r = find(h, key, c->process.pid);
	struct text title = c->process.cmdline;

	fill_ancestors(h, c, key);
	if (r && title.data && title.len >= PROCTITLE_MAX - 1 &&
	    begins_with(r->text[CMDLINE], title))
		c->process.cmdline = r->text[CMDLINE];
}
