/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines to events.
 *
 *   line --> type of no use to us? ------------------------> skipped_record
 *        --> [open event of the same stamp, or a new one]
 *                |  SYSCALL says: not one of ours ---------> skipped_syscall (rest is swallowed)
 *                |  all that it needs is there, and its end
 *                v
 *            deliver()
 *
 * PROCTITLE is not among the lines handed over: it has one field, and a quarter of libauparse's
 * time went into it (bench/ingest: 330 instead of 430 thousand events a second).
 *
 * An operation of io_uring has a URINGOP instead of a SYSCALL, or in front of that of the call that
 * submitted it; of several in one call the kernel keeps one address, the last one's.
 *
 * An event ends with EOE, which auditd sends to plugins but does not write to disk, or with
 * PROCTITLE, which the kernel writes last; whichever comes first, once the rest is there.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"
#include "counters.h"
#include "failures.h"

#define OPEN_MAX_EVENTS 128
/* Four records of at most 8970 bytes (MAX_AUDIT_MESSAGE_LENGTH, libaudit.h). */
#define EVENT_BYTES_MAX ((size_t)40 * 1024)
/* A command line may have hundreds of records: with so many bytes the others are left out. */
#define MORE_BYTES_MAX ((size_t)10 * 1024)
#define EVENT_BYTES_KEPT ((size_t)4 * 1024)
#define WAIT_NS 2000000000LL
/* The kernel cuts at 128 bytes (MAX_PROCTITLE_AUDIT_LEN), twice that in hex; plus quotes. */
#define PROCTITLE_TEXT_MAX 264

/* Separates an ENRICHED record's own fields from their interpretations (libaudit.h). */
#define AUDIT_INTERP_SEPARATOR 0x1d

enum record {
	R_SYSCALL = 1, R_SOCKADDR = 2, R_SOCKETCALL = 4, R_PROCTITLE = 8, R_EOE = 16,
	R_URINGOP = 32,
	/* These say more, and no event needs them. */
	R_CWD = 64, R_EXECVE = 128,
	R_MORE = R_CWD | R_EXECVE,
};

static const struct {
	struct text type;
	enum record record;
} used_types[] = {
#define TYPE(name, record) { { name, sizeof(name) - 1 }, record }
	TYPE("SYSCALL", R_SYSCALL),	TYPE("SOCKADDR", R_SOCKADDR),
	TYPE("PROCTITLE", R_PROCTITLE), TYPE("EOE", R_EOE),
	TYPE("SOCKETCALL", R_SOCKETCALL), TYPE("URINGOP", R_URINGOP),
	TYPE("CWD", R_CWD),		TYPE("EXECVE", R_EXECVE),
	/* As auditd writes them where it is older than they. */
	TYPE("UNKNOWN[1327]", R_PROCTITLE), TYPE("UNKNOWN[1336]", R_URINGOP),
#undef TYPE
};

struct open_event {
	struct stamp stamp;
	char node[256];		/* what stamp.node points to */
	struct syscall_class class;
	unsigned int have;	/* enum record */
	bool foreign;		/* another program's event: its lines are swallowed */
	bool overflow, no_memory;
	int64_t touched_ns;
	char *text;
	size_t len, size;
	char title[PROCTITLE_TEXT_MAX];
	size_t title_len;
};

struct assembler {
	struct counters *counters;
	assembled_fn *deliver;
	void *arg;
	/* open[0] is the oldest; the slots behind `used` keep their memory for the next events */
	struct open_event *open[OPEN_MAX_EVENTS];
	unsigned int used;
};

struct assembler *assembler_new(struct counters *counters, assembled_fn *deliver, void *arg)
{
	struct assembler *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->counters = counters;
	a->deliver = deliver;
	a->arg = arg;
	for (int i = 0; i < OPEN_MAX_EVENTS; i++) {
		a->open[i] = calloc(1, sizeof(*a->open[i]));
		if (a->open[i])
			continue;
		assembler_free(a);
		return NULL;
	}
	return a;
}

void assembler_free(struct assembler *a)
{
	if (!a)
		return;
	for (int i = 0; i < OPEN_MAX_EVENTS; i++) {
		if (a->open[i])
			free(a->open[i]->text);
		free(a->open[i]);
	}
	free(a);
}

static enum record record_of(struct text type)
{
	for (size_t i = 0; i < sizeof(used_types) / sizeof(used_types[0]); i++)
		if (text_equal(type, used_types[i].type))
			return used_types[i].record;
	return 0;
}

static struct open_event *find_event(struct assembler *a, const struct stamp *stamp,
				     unsigned int *index)
{
	for (unsigned int i = a->used; i-- > 0;) {
		if (!stamp_same_event(&a->open[i]->stamp, stamp))
			continue;
		*index = i;
		return a->open[i];
	}
	return NULL;
}

/* The records that an event waits for. */
static unsigned int needs(const struct open_event *e)
{
	enum event_kind kind = e->class.kind;
	bool address = kind != EVENT_NONE && kind != EVENT_SOCKET && kind != EVENT_EXEC &&
		       kind != EVENT_FORK;

	if (e->class.uring)
		return R_URINGOP | R_SOCKADDR;
	return R_SYSCALL | (address ? R_SOCKADDR : 0u) | (e->class.socketcall ? R_SOCKETCALL : 0);
}

/*
 * An event without these records is useless.  A send over a connected socket has no address, nor
 * has accept(fd, NULL, NULL).  Our rules leave such events out; other rules do not, and auditctl's
 * change of the audit rules is such an event.  audit_parse() finds out whose rule wrote it.
 */
static unsigned int must_have(const struct open_event *e)
{
	bool optional = e->class.kind == EVENT_SEND || e->class.kind == EVENT_ACCEPT ||
			e->class.uring;

	return needs(e) & ~(optional ? R_SOCKADDR : 0u);
}

static void close_event(struct assembler *a, unsigned int index)
{
	struct open_event *e = a->open[index];

	a->used--;
	memmove(&a->open[index], &a->open[index + 1],
		(a->used - index) * sizeof(struct open_event *));
	a->open[a->used] = e;
	if (e->size > EVENT_BYTES_KEPT) {
		free(e->text);
		e->text = NULL;
		e->size = 0;
	}
}

/* The event has ended, or it is too old to wait for. */
static void finish_event(struct assembler *a, unsigned int index)
{
	struct open_event *e = a->open[index];
	struct assembled whole = {
		.stamp = e->stamp, .class = e->class, .lines = e->text, .len = e->len,
	};

	if (e->title_len)
		whole.proctitle = (struct text){ e->title, e->title_len };

	count_add(a->counters, COUNT_EVENTS, 1);
	FAILS(RECORD_MISSING);
	if (e->foreign)
		count_add(a->counters, COUNT_SKIPPED_SYSCALL, 1);
	else if (!(e->have & (R_SYSCALL | R_URINGOP)))
		count_add(a->counters, COUNT_ORPHAN, 1);
	else if (e->overflow)
		count_add(a->counters, e->no_memory ? COUNT_LOST_MEMORY : COUNT_BAD_EVENT, 1);
	else if ((e->have & must_have(e)) != must_have(e))
		count_add(a->counters, COUNT_INCOMPLETE, 1);
	else
		a->deliver(&whole, a->arg);
	close_event(a, index);
}

static struct open_event *begin(struct assembler *a, const struct stamp *stamp)
{
	struct open_event *e;

	if (a->used == OPEN_MAX_EVENTS)
		finish_event(a, 0);
	e = a->open[a->used++];
	e->stamp = *stamp;
	e->stamp.type = TEXT_NONE;	/* the type is the line's, not the event's, and it is
					 * borrowed */
	if (stamp->node.data) {
		memcpy(e->node, stamp->node.data, stamp->node.len);
		e->stamp.node.data = e->node;
	}
	e->class = (struct syscall_class){ .kind = EVENT_NONE };
	e->have = 0;
	e->foreign = e->overflow = e->no_memory = false;
	e->len = e->title_len = 0;
	return e;
}

static void append(struct open_event *e, const char *line, size_t len)
{
	if (e->overflow || e->len + len + 1 > EVENT_BYTES_MAX) {
		e->overflow = true;
		return;
	}
	if (e->len + len + 1 > e->size) {
		size_t size = e->size ? e->size : EVENT_BYTES_KEPT / 2;
		char *text;

		while (size < e->len + len + 1)
			size *= 2;
		text = realloc(e->text, size);
		if (!text) {
			FAILS(NO_MEMORY);
			e->overflow = e->no_memory = true;
			return;
		}
		e->text = text;
		e->size = size;
	}
	memcpy(e->text + e->len, line, len);
	e->text[e->len + len] = '\n';
	e->len += len + 1;
}

/*
 * Keeps "proctitle=VALUE", which an ENRICHED record continues with more.  Drops a title longer than
 * the kernel writes.
 */
static void keep_title(struct open_event *e, const char *line, size_t len, size_t body)
{
	static const char name[] = "proctitle=";
	const char *value = line + body, *end = line + len, *more;

	if (len - body < sizeof(name) - 1 || memcmp(value, name, sizeof(name) - 1))
		return;
	value += sizeof(name) - 1;
	more = memchr(value, AUDIT_INTERP_SEPARATOR, (size_t)(end - value));
	if (more)
		end = more;
	if ((size_t)(end - value) > sizeof(e->title))
		return;
	e->title_len = (size_t)(end - value);
	memcpy(e->title, value, e->title_len);
}

/*
 * Reads the hex or decimal digits at *p, and moves *p past them.  False where there are none, or
 * too many.
 */
static bool read_digits(const char **p, const char *end, int base, uint64_t *n)
{
	const char *from = *p;
	uint64_t value = 0;

	for (; *p < end; (*p)++) {
		int c = tolower((unsigned char)**p);
		int digit = c >= '0' && c <= '9' ? c - '0' : base == 16 && c >= 'a' && c <= 'f' ?
			    c - 'a' + 10 : -1;

		if (digit < 0)
			break;
		value = value * (unsigned int)base + (unsigned int)digit;
	}
	*n = value;
	return *p > from && *p - from <= 16;
}

static bool skip(const char **p, const char *end, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(end - *p) < len || memcmp(*p, word, len))
		return false;
	*p += len;
	return true;
}

/*
 * Classifies the call of a SYSCALL record, which begins "arch=HEX syscall=NR".  Its first "a0=" is
 * the kernel's, because it stands before any text of the process's own (audit_log_exit() in
 * auditsc.c).
 */
static struct syscall_class classify(const char *line, size_t len, const struct stamp *stamp)
{
	const char *p = line + stamp->body, *end = line + len;
	uint64_t arch, nr, a0;

	if (!skip(&p, end, "arch=") || !read_digits(&p, end, 16, &arch) ||
	    !skip(&p, end, " syscall=") ||
	    !read_digits(&p, end, 10, &nr) || arch > UINT32_MAX || nr > INT32_MAX)
		return (struct syscall_class){ .kind = EVENT_NONE };
	p = memmem(p, (size_t)(end - p), " a0=", 4);
	if (!p || !skip(&p, end, " a0=") || !read_digits(&p, end, 16, &a0))
		return (struct syscall_class){ .kind = EVENT_NONE };
	return syscall_classify((uint32_t)arch, (int)nr, a0);
}

/* Operations of several kinds may be in one event: the last one of ours counts. */
static void take_uring(struct open_event *e, const char *line, size_t len, size_t body)
{
	const char *p = line + body;
	struct syscall_class class;
	uint64_t op;

	if (!skip(&p, line + len, "uring_op=") || !read_digits(&p, line + len, 10, &op))
		op = UINT64_MAX;
	class = syscall_classify_uring(op);
	if (class.kind != EVENT_NONE || !e->class.uring)
		e->class = class;
	e->foreign = e->class.kind == EVENT_NONE;
}

static void take_call(struct open_event *e, const char *line, size_t len, const struct stamp *stamp)
{
	struct syscall_class class = classify(line, len, stamp);

	if (e->class.uring) {
		e->class.machine = class.machine;
		return;
	}
	e->class = class;
	e->foreign = class.kind == EVENT_NONE && !class.unknown;
}

/* The kernel writes one.  Of a second one libauparse loses the first one's memory
 * (parse_up_record() in ellist.c, audit 3.0.9), so whoever writes a log could use all there is. */
static bool has_two_cwds(const char *line, size_t len, size_t body)
{
	const char *at = line + body, *end = line + len;
	int count = 0;

	for (; (at = memmem(at, (size_t)(end - at), "cwd=", 4)) != NULL; at += 4)
		if (at[-1] == ' ' || (at[-1] == '(' && at[-2] == ' '))
			count++;
	return count > 1;
}

void assembler_line(struct assembler *a, const struct stamp *stamp, const char *line, size_t len,
		    int64_t now_ns)
{
	struct open_event *e;
	enum record record = record_of(stamp->type);
	unsigned int index = 0;

	if (record == R_CWD && has_two_cwds(line, len, stamp->body))
		record = 0;

	e = record ? find_event(a, stamp, &index) : NULL;
	if (!e && (record & R_MORE)) {
		count_add(a->counters, COUNT_SKIPPED_RECORD, 1);
		return;
	}
	if (!e) {
		/* An EOE without an open event: PROCTITLE has completed that event already. */
		if (record == R_EOE)
			return;
		if (!record) {
			count_add(a->counters, COUNT_SKIPPED_RECORD, 1);
			return;
		}
		e = begin(a, stamp);
		index = a->used - 1;
	}
	e->touched_ns = now_ns;
	e->have |= record;
	if (record == R_SYSCALL)
		take_call(e, line, len, stamp);
	else if (record == R_URINGOP)
		take_uring(e, line, len, stamp->body);
	if (record == R_PROCTITLE)
		keep_title(e, line, len, stamp->body);
	else if (!e->foreign && record != R_EOE &&
		 (!(record & R_MORE) || e->len + len < MORE_BYTES_MAX))
		append(e, line, len);
	if (record == R_EOE ||
	    ((e->have & R_PROCTITLE) && (e->foreign || (e->have & needs(e)) == needs(e))))
		finish_event(a, index);
}

int assembler_age(struct assembler *a, int64_t now_ns)
{
	int64_t oldest = INT64_MAX;

	for (unsigned int i = a->used; i-- > 0;) {
		if (now_ns - a->open[i]->touched_ns >= WAIT_NS)
			finish_event(a, i);
		else if (a->open[i]->touched_ns < oldest)
			oldest = a->open[i]->touched_ns;
	}
	return oldest == INT64_MAX ? -1 : (int)((oldest + WAIT_NS - now_ns) / 1000000 + 1);
}

bool assembler_oldest(const struct assembler *a, uint32_t *serial)
{
	if (!a->used)
		return false;
	*serial = a->open[0]->stamp.serial;
	for (unsigned int i = 1; i < a->used; i++)
		if ((int32_t)(a->open[i]->stamp.serial - *serial) < 0)
			*serial = a->open[i]->stamp.serial;
	return true;
}

void assembler_flush(struct assembler *a)
{
	while (a->used)
		finish_event(a, 0);
}
