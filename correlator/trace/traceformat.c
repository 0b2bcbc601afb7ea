/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our tracepoints, and how to decode their records by the offsets in this kernel's format files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event-parse.h>

#include "traceformat.h"
#include "traceprobe.h"

#define FORMAT_BYTES 16384
/* TRACE_FLAG_HARDIRQ, _SOFTIRQ and _NMI of linux/trace_events.h. */
#define INTERRUPT_FLAGS (0x08 | 0x10 | 0x40)

enum field { F_PROTOCOL, F_SRC, F_DST, F_SRC6, F_DST6, F_SPORT, F_DPORT, F_SOCKET, F_OLD, F_NEW,
	     F_FAMILY, F_RESULT, F_CHILD, F_CLONE, F_NAME, F_SRC6_REST, F_DST6_REST, F_CAP,
	     F_LINK, FIELDS };

/*
 * Tracepoints that name the connecting thread, or our own probe where a kernel lacks one of them.
 */
enum when { ALWAYS, IF_THERE, TRACED, PROBED };

/*
 * A route for a packet of this host's own.  These tracepoints tell the ports of TCP and UDP alone,
 * and there is none where a raw socket sends these; without a protocol it is a question about who
 * may have sent a packet that came in.  Over IPv6 such a question has the packet's protocol, and no
 * ports (nft_fib6_eval(), ip6t_rpfilter), and there is one for each packet that comes in.
 */
#define SENDERS_LOOKUP(without_ports) \
	"iif==1 && (((sport!=0" without_ports ") && (proto==6 || proto==17)) || " \
	"(proto!=0 && proto!=6 && proto!=17))"

/* The fields of each tracepoint by name; NULL: the tracepoint has no such field. */
static const struct point {
	const char *system, *name, *filter;
	enum trace_kind kind;
	enum when when;
	int family;		/* the addresses' family; 0: a field has it */
	const char *field[FIELDS];
} points[] = {
	{ "fib", "fib_table_lookup", SENDERS_LOOKUP(" || dport==0"),
	  TRACE_LOOKUP, TRACED, AF_INET,
	  { [F_PROTOCOL] = "proto", [F_SRC] = "src", [F_DST] = "dst", [F_SPORT] = "sport",
	    [F_DPORT] = "dport", [F_LINK] = "oif" } },
	{ "fib6", "fib6_table_lookup", SENDERS_LOOKUP(""),
	  TRACE_LOOKUP, TRACED, AF_INET6,
	  { [F_PROTOCOL] = "proto", [F_SRC] = "src", [F_DST] = "dst", [F_SPORT] = "sport",
	    [F_DPORT] = "dport", [F_LINK] = "oif" } },
	{ "sock", "inet_sock_set_state", "newstate==2 || oldstate==2",
	  TRACE_STATE, TRACED, 0,
	  { [F_PROTOCOL] = "protocol", [F_SRC] = "saddr", [F_DST] = "daddr", [F_SRC6] = "saddr_v6",
	    [F_DST6] = "daddr_v6", [F_SPORT] = "sport", [F_DPORT] = "dport",
	    [F_SOCKET] = "skaddr", [F_OLD] = "oldstate", [F_NEW] = "newstate",
	    [F_FAMILY] = "family" } },
	{ TRACEPROBE_SYSTEM, TRACEPROBE_NAME, NULL, TRACE_STATE, PROBED, 0,
	  { [F_SRC] = "saddr", [F_DST] = "daddr", [F_SRC6] = "saddr6", [F_SRC6_REST] = "saddr6b",
	    [F_DST6] = "daddr6", [F_DST6_REST] = "daddr6b", [F_SPORT] = "sport",
	    [F_DPORT] = "dport", [F_FAMILY] = "family" } },
	/*
	 * Since Linux 6.3.  UDP's sends, and those over rtnetlink, which may ask for a route; of
	 * TCP's those that sent nothing (lookups.c, I5), but for a full buffer, and for connections
	 * that have ended (EAGAIN, EPIPE, ECONNRESET).
	 */
	{ "sock", "sock_send_length",
	  "(protocol==17 && (family==2 || family==10)) || (family==16 && protocol==0) || "
	  "(protocol==6 && ret<=0 && ret!=-11 && ret!=-32 && ret!=-104)",
	  TRACE_SEND, IF_THERE, 0,
	  { [F_PROTOCOL] = "protocol", [F_FAMILY] = "family", [F_RESULT] = "ret",
	    [F_SOCKET] = "sk" } },
	{ "task", "task_newtask", NULL, TRACE_TASK, ALWAYS, 0,
	  { [F_CHILD] = "pid", [F_CLONE] = "clone_flags" } },
	/* Since Linux 6.10. */
	{ "sched", "sched_prepare_exec", NULL, TRACE_EXEC_BEGIN, IF_THERE, 0, { NULL } },
	{ "sched", "sched_process_exec", NULL, TRACE_EXEC_DONE, ALWAYS, 0,
	  { [F_NAME] = "filename" } },
	/* Since Linux 6.14.  Whether it is granted does not matter: where it is not, another
	 * capability is asked for, which many ask for. */
	{ "capability", "cap_capable", "cap==40", TRACE_DISGUISE, IF_THERE, 0,
	  { [F_CAP] = "cap" } },
};

#define POINTS (sizeof(points) / sizeof(points[0]))
#define CLONE_THREAD_FLAG 0x00010000
#define CLONE_VM_FLAG 0x00000100
#define CHECKPOINT_RESTORE 40

struct place {
	int offset, size;	/* size 0: there is no such field */
};

/* One tracepoint as this kernel has it. */
struct format {
	int id;
	struct place flags, pid, field[FIELDS];
};

struct traceformats {
	struct format format[POINTS];
	bool probe, only_four;
};

static struct place place_of(const struct tep_format_field *f)
{
	return f ? (struct place){ f->offset, f->size } : (struct place){ 0, 0 };
}

/* Parses the fields of the format file: libtraceevent's, of a handle that the caller frees. */
static struct tep_event *parse_format(struct tep_handle *tep, const char *tracing,
				      const struct point *p)
{
	char path[PATH_MAX], text[FORMAT_BYTES];
	ssize_t n, len = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/events/%s/%s/format", tracing, p->system, p->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	while ((n = read(fd, text + len, sizeof(text) - (size_t)len)) > 0)
		len += n;
	close(fd);
	if (n < 0 || len == sizeof(text) ||
	    tep_parse_event(tep, text, (unsigned long)len, p->system) != TEP_ERRNO__SUCCESS)
		return NULL;
	return tep_find_event_by_name(tep, p->system, p->name);
}

/* Joins an address of the probe's, which reads at most half of one at once. */
static bool join_halves(struct format *f, enum field first, enum field rest)
{
	if (f->field[first].offset + f->field[first].size != f->field[rest].offset)
		return false;
	f->field[first].size += f->field[rest].size;
	return true;
}

static int read_format(struct tep_handle *tep, const char *tracing, const struct point *p,
		       struct format *f)
{
	struct tep_event *e = parse_format(tep, tracing, p);

	if (!e)
		return p->when == IF_THERE ? 0 : -ENOENT;
	f->id = e->id;
	f->flags = place_of(tep_find_common_field(e, "common_flags"));
	f->pid = place_of(tep_find_common_field(e, "common_pid"));
	for (int n = 0; n < FIELDS; n++) {
		if (!p->field[n])
			continue;
		f->field[n] = place_of(tep_find_field(e, p->field[n]));
		if (!f->field[n].size)
			return -ENOENT;
	}
	if (p->when == PROBED && (!join_halves(f, F_SRC6, F_SRC6_REST) ||
				  !join_halves(f, F_DST6, F_DST6_REST)))
		return -ENOENT;
	return f->flags.size && f->pid.size ? 0 : -ENOENT;
}

/*
 * Not by tracefs_local_events_system(), because it also reads and sorts all symbols of the kernel.
 */
int traceformats_read(const char *tracing, bool probe, struct traceformats **out)
{
	struct traceformats *f = calloc(1, sizeof(*f));
	struct tep_handle *tep = tep_alloc();
	int rc = f && tep ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < POINTS; i++) {
		f->format[i].id = -1;
		if (points[i].when != (probe ? TRACED : PROBED))
			rc = read_format(tep, tracing, &points[i], &f->format[i]);
	}
	tep_free(tep);
	if (rc) {
		free(f);
		return rc;
	}
	f->probe = probe;
	*out = f;
	return 0;
}

void traceformats_free(struct traceformats *f)
{
	free(f);
}

void traceformats_only_four(struct traceformats *f)
{
	f->only_four = true;
}

bool traceformats_have(const struct traceformats *f, enum trace_kind kind)
{
	for (size_t i = 0; i < POINTS; i++)
		if (points[i].kind == kind && f->format[i].id >= 0)
			return true;
	return false;
}

int traceformats_each(const struct traceformats *f,
		      int (*each)(const struct tracepoint *p, void *arg), void *arg)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < POINTS; i++) {
		struct tracepoint p = { points[i].system, points[i].name, points[i].filter };

		if (f->format[i].id >= 0)
			rc = each(&p, arg);
	}
	return rc;
}

/* An unsigned number of the kernel's own byte order; 0 where it lies outside the record. */
static uint64_t read_number(const uint8_t *data, int size, struct place p)
{
	uint8_t one;
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	if (p.offset < 0 || p.size <= 0 || p.offset + p.size > size)
		return 0;
	switch (p.size) {
	case 1:
		memcpy(&one, data + p.offset, 1);
		return one;
	case 2:
		memcpy(&two, data + p.offset, 2);
		return two;
	case 4:
		memcpy(&four, data + p.offset, 4);
		return four;
	case 8:
		memcpy(&eight, data + p.offset, 8);
		return eight;
	default:
		return 0;
	}
}

static void address(struct endpoint *e, const uint8_t *data, int size, int family, struct place p)
{
	size_t len = family == AF_INET ? 4 : 16;

	memset(&e->addr, 0, sizeof(e->addr));
	if ((size_t)p.size != len || p.offset + p.size > size)
		return;
	e->addr.family = (uint8_t)family;
	memcpy(e->addr.bytes, data + p.offset, len);
	address_unmap(&e->addr);
}

/* Copies a string from another place of the record: offset and length in one word (__data_loc). */
static void copy_name(char to[TRACEFORMAT_NAME_CHARS], const uint8_t *data, int size,
		      struct place p)
{
	uint64_t loc = read_number(data, size, p);
	size_t at = loc & 0xffff, len = loc >> 16;

	to[0] = '\0';
	/*
	 * A name that is too long counts as none, because a part of a path could be another
	 * program's path.
	 */
	if (at + len > (size_t)size || len > TRACEFORMAT_NAME_CHARS || !len)
		return;
	memcpy(to, data + at, len);
	to[len - 1] = '\0';
}

/*
 * The probe fires where a socket goes from TCP_CLOSE to TCP_SYN_SENT.  No interrupt connects, but
 * the probe's breakpoint makes its event look like an interrupt's (irqentry_nmi_enter()).
 */
static bool complete_probe(const struct traceformats *f, struct trace_event *e)
{
	if (e->family != AF_INET && (e->family != AF_INET6 || f->only_four))
		return false;
	e->interrupt = false;
	e->protocol = IPPROTO_TCP;
	e->old_state = TCP_CLOSE;
	e->new_state = TCP_SYN_SENT;
	e->dst.port = ntohs((uint16_t)e->dst.port);
	return true;
}

static bool decode(const struct traceformats *all, size_t point, const uint8_t *data, int size,
		   struct trace_event *e, char name[TRACEFORMAT_NAME_CHARS])
{
	const struct format *f = &all->format[point];
	const struct point *p = &points[point];
	int family = p->family;

	*e = (struct trace_event){
		.kind = p->kind,
		.tid = (int32_t)read_number(data, size, f->pid),
		.interrupt = read_number(data, size, f->flags) & INTERRUPT_FLAGS,
		.other = (int32_t)read_number(data, size, f->field[F_CHILD]),
		.thread = read_number(data, size, f->field[F_CLONE]) & CLONE_THREAD_FLAG,
		.same_memory = read_number(data, size, f->field[F_CLONE]) & CLONE_VM_FLAG,
		.protocol = (int)read_number(data, size, f->field[F_PROTOCOL]),
		.src.port = (int32_t)read_number(data, size, f->field[F_SPORT]),
		.dst.port = (int32_t)read_number(data, size, f->field[F_DPORT]),
		.link = (uint32_t)read_number(data, size, f->field[F_LINK]),
		.socket = read_number(data, size, f->field[F_SOCKET]),
		.old_state = (int)read_number(data, size, f->field[F_OLD]),
		.new_state = (int)read_number(data, size, f->field[F_NEW]),
		.family = (int)read_number(data, size, f->field[F_FAMILY]),
		.result = (int32_t)read_number(data, size, f->field[F_RESULT]),
	};
	if (p->kind == TRACE_EXEC_DONE) {
		copy_name(name, data, size, f->field[F_NAME]);
		e->name = name;
	}
	if (p->kind == TRACE_DISGUISE &&
	    read_number(data, size, f->field[F_CAP]) != CHECKPOINT_RESTORE)
		return false;
	if (p->kind == TRACE_STATE)
		family = e->family;
	if (p->kind == TRACE_LOOKUP || p->kind == TRACE_STATE) {
		bool six = p->kind == TRACE_STATE && family == AF_INET6;

		address(&e->src, data, size, family, f->field[six ? F_SRC6 : F_SRC]);
		address(&e->dst, data, size, family, f->field[six ? F_DST6 : F_DST]);
	}
	return p->when != PROBED || complete_probe(all, e);
}

bool traceformats_decode(const struct traceformats *f, const void *record, int size,
			 struct trace_event *e, char name[TRACEFORMAT_NAME_CHARS])
{
	uint16_t id;

	if (size < (int)sizeof(id))
		return false;
	memcpy(&id, record, sizeof(id));	/* common_type, the first of every record */
	for (size_t i = 0; i < POINTS; i++)
		if (f->format[i].id == id)
			return decode(f, i, record, size, e, name);
	return false;
}
