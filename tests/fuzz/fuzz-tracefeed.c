/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes as a page of trace_pipe_raw, with the formats of tests/fuzz/tracing; the corpus has real
 * pages, cut off behind their last event.  The page ends before memory that may not be read, for
 * libtraceevent is not built with a sanitizer.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "trace.h"
#include "tracefeed.h"

#define PAGE_MAX 65536

static uint8_t *end_of_memory(void)
{
	static uint8_t *end;
	size_t guard = (size_t)sysconf(_SC_PAGESIZE);

	if (!end) {
		end = mmap(NULL, PAGE_MAX + guard, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		FUZZ_CHECK(end != MAP_FAILED);
		end += PAGE_MAX;
		FUZZ_CHECK(!mprotect(end, guard, PROT_NONE));
	}
	return end;
}

static struct tracefeed *feed(void)
{
	static struct tracefeed *t;
	const char *srcdir = getenv("srcdir");
	char path[4096];

	if (t)
		return t;
	snprintf(path, sizeof(path), "%s/tests/fuzz/tracing", srcdir ? srcdir : ".");
	FUZZ_CHECK(!tracefeed_open_formats(path, &t));
	return t;
}

static void each(const struct trace_event *e, void *arg)
{
	int64_t *events = arg;

	FUZZ_CHECK(e->kind <= TRACE_EXEC_DONE);
	FUZZ_CHECK(e->src.port >= 0 && e->src.port <= 65535 && e->dst.port <= 65535);
	FUZZ_CHECK(e->kind != TRACE_EXEC_DONE || strlen(e->name) < 256);
	++*events;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tracefeed *t = feed();
	size_t room = (size + 7) & ~(size_t)7;
	uint8_t *page = end_of_memory() - room;
	int64_t events = 0, before = tracefeed_events(t);

	if (size > PAGE_MAX)
		return 0;
	memset(page, 0, room);
	memcpy(page, data, size);
	tracefeed_page(t, page, size, each, &events);
	tracefeed_drain(t, each, &events);
	FUZZ_CHECK(tracefeed_events(t) - before == events);
	/* Each takes at least a word and its head. */
	FUZZ_CHECK(events <= (int64_t)size / 8);
	return 0;
}
