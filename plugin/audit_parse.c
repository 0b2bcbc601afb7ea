/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event through libauparse.  libauparse gets a whole event at a time and is flushed after it,
 * because then the event comes back from the same call (by itself libauparse returns an event only
 * when a line of the next one follows).  The code walks the fields once, without libauparse's
 * interpretations, which would cost more than all other work.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <auparse.h>
#include <linux/audit.h>
#include <sys/socket.h>

#include "assemble.h"
#include "audit_parse.h"
#include "config.h"
#include "protocol.h"
#include "sockaddr.h"

/* An audit message is at most 8970 bytes; decoded hex takes half of it. */
#define SCRATCH_BYTES (4 * 8970)
#ifndef AUDIT_URINGOP		/* linux/audit.h before Linux 5.16 */
#define AUDIT_URINGOP 1336
#endif
/* What libauparse takes at once, for an event as large as the assembler lets it get. */
#define RESERVE_BYTES ((size_t)1024 * 1024)
#define SOCK_TYPE_BITS 0xf	/* SOCK_TYPE_MASK in linux/net.h: the rest are flags */

/* More than anybody keeps of it (PROCESS_TEXT_BYTES): so it is cut where it is kept. */
#define COMMAND_BYTES (PROCESS_TEXT_BYTES + 64)

/* The command line of EXECVE records, its arguments with blanks between. */
struct command {
	char text[COMMAND_BYTES];
	size_t len;
	uint64_t next, piece;	/* which argument comes next, and which piece of the last one */
	bool over;		/* the next one did not come, or has no room */
};

struct audit_parser {
	auparse_state_t *au;
	/* of the event under way */
	const struct assembled *assembled;
	const char *audit_key;
	struct event *event;
	bool seen, key_ours, number_bad, exit_seen, label_seen;
	bool has_address;
	enum sockaddr_result address;
	struct endpoint to;
	uint64_t args[3];	/* of the call itself, or of its SOCKETCALL */
	struct command command;	/* of EXECVE */
	char scratch[SCRATCH_BYTES];
	size_t used;
	/* libauparse does not look whether it got the memory that it asked for, and crashes where
	 * it did not (parse_up_record() in ellist.c).  So this much is there before it begins, and
	 * is freed for as long as it works. */
	void *reserve;
};

/* Decimal, with a sign; strtoll() costs more than libauparse does for a whole field. */
static int64_t parse_number(struct audit_parser *p, const char *value)
{
	bool negative = *value == '-';
	const char *digits = value + negative, *c = digits;
	int64_t n = 0;

	for (; *c >= '0' && *c <= '9' && c - digits < 18; c++)
		n = n * 10 + (*c - '0');
	if (*c || c == digits)
		p->number_bad = true;
	return negative ? -n : n;
}

static uint64_t parse_hex(struct audit_parser *p, const char *value)
{
	const char *c = value;
	uint64_t n = 0;

	for (; c - value < 16; c++) {
		if (*c >= '0' && *c <= '9')
			n = n << 4 | (uint64_t)(*c - '0');
		else if (*c >= 'a' && *c <= 'f')
			n = n << 4 | (uint64_t)(*c - 'a' + 10);
		else
			break;
	}
	if (*c || c == value)
		p->number_bad = true;
	return n;
}

/* Ids are 32 bits, and all ones is "unset"; old kernels wrote -1. */
static int64_t parse_id(struct audit_parser *p, const char *value)
{
	int64_t n;

	if (value[0] == 'u' || value[0] == '-')
		return -1;
	n = parse_number(p, value);
	if (n < 0 || n > UINT32_MAX)
		p->number_bad = true;
	return n == UINT32_MAX ? -1 : n;
}

static int64_t parse_pid(struct audit_parser *p, const char *value)
{
	int64_t n = parse_number(p, value);

	if (n < 0 || n > INT32_MAX)
		p->number_bad = true;
	return n;
}

/* A copy: libauparse gives the field's memory back with the event. */
static struct text keep(struct audit_parser *p, struct text t)
{
	char *to = p->scratch + p->used;

	if (t.len > sizeof(p->scratch) - p->used)
		t.len = sizeof(p->scratch) - p->used;
	memcpy(to, t.data, t.len);
	p->used += t.len;
	return (struct text){ to, t.len };
}

static struct text parse_text(struct audit_parser *p, struct text t)
{
	char *to = p->scratch + p->used;
	long n;

	if (t.len >= 2 && t.data[0] == '"' && t.data[t.len - 1] == '"')
		t = (struct text){ t.data + 1, t.len - 2 };
	else if ((n = hex_decode(t, (unsigned char *)to, sizeof(p->scratch) - p->used)) >= 0) {
		p->used += (size_t)n;
		return (struct text){ to, (size_t)n };
	}
	return keep(p, t);
}

static struct text parse_string(struct audit_parser *p, const char *value)
{
	if ((value[0] == '(' || value[0] == '?') &&
	    (!strcmp(value, "(null)") || !strcmp(value, "(none)") || !strcmp(value, "?")))
		return TEXT_NONE;
	return parse_text(p, text_of(value));
}

/* PROCTITLE separates the arguments by NUL, and the kernel cuts it at 128 bytes. */
static struct text parse_cmdline(struct audit_parser *p, struct text title)
{
	struct text t;
	char *bytes;

	if (!title.data || text_equal(title, text_of("(null)")))
		return TEXT_NONE;
	t = parse_text(p, title);
	bytes = p->scratch + p->used - t.len;
	while (t.len && bytes[t.len - 1] == '\0')
		t.len--;
	for (size_t i = 0; i < t.len; i++)
		if (bytes[i] == '\0')
			bytes[i] = ' ';
	return t;
}

static void parse_key(struct audit_parser *p, const char *value)
{
	size_t len = strlen(value);

	/* libauparse turns one field with several keys into several fields, each in quotes. */
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"' &&
	    config_takes_key(p->audit_key, value + 1, len - 2))
		p->key_ours = true;
}

static void syscall_field(struct audit_parser *p, const char *name, const char *value)
{
	struct event *e = p->event;

	/* The kernel writes the label as it is (audit_log_task_context() in audit.c), and behind it
	 * the key alone.  A user can choose a label: AppArmor's of a program in complain mode has
	 * the program's path. */
	if (p->label_seen && name[0] != 'k')
		return;
	switch (name[0]) {
	case 'a':
		if (name[1] >= '0' && name[1] <= '2' && !name[2]) {
			if (!p->assembled->class.socketcall)
				p->args[name[1] - '0'] = parse_hex(p, value);
		} else if (!strcmp(name, "auid")) {
			e->process.auid = parse_id(p, value);
		}
		break;
	case 'c':
		if (!strcmp(name, "comm"))
			e->process.comm = parse_string(p, value);
		break;
	case 'e':
		if (!strcmp(name, "exit")) {
			e->exit = machine_result(p->assembled->class.machine,
						 parse_number(p, value));
			p->exit_seen = true;
		} else if (!strcmp(name, "exe")) {
			e->process.exe = parse_string(p, value);
		} else if (!strcmp(name, "euid")) {
			e->process.euid = parse_id(p, value);
		}
		break;
	case 'f':
		if (!strcmp(name, "fsuid"))
			e->process.fsuid = parse_id(p, value);
		break;
	case 'g':
		if (!strcmp(name, "gid"))
			e->process.gid = parse_id(p, value);
		break;
	case 'k':
		if (!strcmp(name, "key"))
			parse_key(p, value);
		break;
	case 'p':
		if (!strcmp(name, "pid"))
			e->process.pid = parse_pid(p, value);
		else if (!strcmp(name, "ppid"))
			e->process.ppid = parse_pid(p, value);
		break;
	case 's':
		if (!strcmp(name, "ses")) {
			e->process.session = parse_id(p, value);
		} else if (!strcmp(name, "subj")) {
			e->process.label = keep(p, text_of(value));	/* never in hex */
			p->label_seen = true;
		}
		break;
	case 'u':
		if (!strcmp(name, "uid"))
			e->process.uid = parse_id(p, value);
		break;
	default:
		break;
	}
}

/* NAME="value" in the interpretations that an ENRICHED record carries behind its own fields. */
static struct text enriched(struct audit_parser *p, const char *interpretations, const char *name)
{
	size_t len = strlen(name);
	const char *at = interpretations, *end;

	while ((at = strstr(at, name)) != NULL) {
		/* "AUID" also ends in "UID": the name must begin here. */
		if ((at == interpretations || at[-1] == ' ' || at[-1] == '\x1d') && at[len] == '=')
			break;
		at += len;
	}
	if (!at || at[len + 1] != '"')
		return TEXT_NONE;
	at += len + 2;
	end = strchr(at, '"');
	if (!end || !strncmp(at, "unset\"", 6) || !strncmp(at, "unknown(", 8) ||
	    (size_t)(end - at) > sizeof(p->scratch) - p->used)
		return TEXT_NONE;
	memcpy(p->scratch + p->used, at, (size_t)(end - at));
	p->used += (size_t)(end - at);
	return (struct text){ p->scratch + p->used - (end - at), (size_t)(end - at) };
}

/* What the value says goes behind what is there. */
static void add_to_command(struct audit_parser *p, const char *value)
{
	struct command *c = &p->command;
	size_t used = p->used;
	struct text t = parse_text(p, text_of(value));

	if (t.len > sizeof(c->text) - c->len) {
		t.len = sizeof(c->text) - c->len;
		c->over = true;
	}
	memcpy(c->text + c->len, t.data, t.len);
	c->len += t.len;
	p->used = used;
}

/*
 * A field of EXECVE: a0="ls", or in pieces a1_len=9000 a1[0]=... a1[1]=... (audit_log_execve_info()
 * in auditsc.c).  What is out of order ends the command line: it would be another one.
 */
static void execve_field(struct audit_parser *p, const char *name, const char *value)
{
	struct command *c = &p->command;
	char *end;
	uint64_t arg, piece = 0;

	if (name[0] != 'a' || name[1] < '0' || name[1] > '9')
		return;
	arg = strtoull(name + 1, &end, 10);
	if (*end == '[')
		piece = strtoull(end + 1, &end, 10);
	else if (*end)
		return;		/* a1_len */
	if (arg == c->next && piece == 0) {
		if (arg && c->len < sizeof(c->text))
			c->text[c->len++] = ' ';
		c->next++;
		c->piece = 0;
	} else if (arg + 1 != c->next || piece != c->piece + 1) {
		c->over = true;
	} else {
		c->piece = piece;
	}
	if (!c->over)
		add_to_command(p, value);
}

static void record_field(struct audit_parser *p, int type, const char *name, const char *value)
{
	switch (type) {
	case AUDIT_SYSCALL:
	case AUDIT_URINGOP:
		syscall_field(p, name, value);
		break;
	case AUDIT_SOCKADDR:
		if (strcmp(name, "saddr"))
			break;
		/*
		 * The kernel keeps one address a call.  For sendmmsg() it is the last one that the
		 * kernel looked at (__audit_sockaddr() in auditsc.c).
		 */
		p->has_address = true;
		p->address = sockaddr_decode(text_of(value), p->assembled->class.machine,
					     &p->to);
		break;
	case AUDIT_SOCKETCALL:
		if (p->assembled->class.socketcall && name[0] == 'a' && name[1] >= '0' &&
		    name[1] <= '2' && !name[2])
			p->args[name[1] - '0'] = parse_hex(p, value);
		break;
	case AUDIT_CWD:
		if (!strcmp(name, "cwd"))
			p->event->process.cwd = parse_string(p, value);
		break;
	case AUDIT_EXECVE:
		execve_field(p, name, value);
		break;
	default:
		break;
	}
}

static void on_parsed(auparse_state_t *au, auparse_cb_event_t what, void *arg)
{
	struct audit_parser *p = arg;

	if (what != AUPARSE_CB_EVENT_READY || p->seen || auparse_first_record(au) <= 0)
		return;
	/* After an error libauparse may still have lines of an earlier event. */
	if (auparse_get_serial(au) != p->assembled->stamp.serial)
		return;
	p->seen = true;
	do {
		int type = auparse_get_type(au);
		const char *more;

		auparse_first_field(au);
		do {
			const char *name = auparse_get_field_name(au);
			const char *value = auparse_get_field_str(au);

			if (name && value)
				record_field(p, type, name, value);
		} while (auparse_next_field(au) > 0);
		more = type == AUDIT_SYSCALL ? auparse_get_record_interpretations(au) : NULL;
		if (more) {
			p->event->process.user = enriched(p, more, "UID");
			p->event->process.login_user = enriched(p, more, "AUID");
		}
	} while (auparse_next_record(au) > 0);
}

struct audit_parser *audit_parser_new(void)
{
	struct audit_parser *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->au = auparse_init(AUSOURCE_FEED, NULL);
	if (!p->au) {
		free(p);
		return NULL;
	}
	auparse_set_escape_mode(p->au, AUPARSE_ESC_RAW);
	auparse_add_callback(p->au, on_parsed, p, NULL);
	return p;
}

void audit_parser_free(struct audit_parser *p)
{
	if (!p)
		return;
	auparse_destroy(p->au);
	free(p->reserve);
	free(p);
}

static bool has_reserve(struct audit_parser *p)
{
	if (!p->reserve)
		p->reserve = malloc(RESERVE_BYTES);
	return p->reserve;
}

/* The event's lines, through libauparse to on_parsed(). */
static bool feed(struct audit_parser *p, const char *lines, size_t len)
{
	bool fed;

	free(p->reserve);
	p->reserve = NULL;
	fed = !auparse_feed(p->au, lines, len) && !auparse_flush_feed(p->au);
	has_reserve(p);
	return fed && p->seen;
}

/*
 * The kernel tells neither the descriptor of an operation nor what came of it: `exit` is 0 for each
 * that has ended, -EAGAIN for one that goes on, and beside it stands that of the call that
 * submitted them.
 */
static enum audit_result interpret_uring(struct audit_parser *p)
{
	struct event *e = p->event;

	e->exit = e->kind == EVENT_CONNECT ? -EINPROGRESS : 0;
	if (!p->has_address)
		return AUDIT_NO_ADDRESS;
	if (p->address == SOCKADDR_BAD)
		return AUDIT_BAD_ADDRESS;
	if (p->address != SOCKADDR_INET)
		return AUDIT_OTHER_FAMILY;
	e->family = p->to.addr.family;
	e->addr = p->to.addr;
	e->port = p->to.port;
	return AUDIT_OURS;
}

/* Interprets the arguments by the kind of call. */
static enum audit_result interpret_args(struct audit_parser *p)
{
	struct event *e = p->event;

	e->kind = p->assembled->class.kind;
	if (e->kind == EVENT_SOCKET) {
		e->family = (int32_t)p->args[0];
		e->type = machine_socket_type(p->assembled->class.machine,
					      (int64_t)(p->args[1] & SOCK_TYPE_BITS));
		e->protocol = (int32_t)p->args[2];
		/* Of a packet socket it is the kind of frames that it gets. */
		if (e->family == AF_PACKET)
			e->protocol = -1;
		else if (e->protocol == 0)
			e->protocol = protocol_default((int)e->type);
		if (e->exit >= 0)
			e->fd = e->exit;
		if (e->family != AF_INET && e->family != AF_INET6 && e->family != AF_PACKET)
			return AUDIT_OTHER_FAMILY;
		return AUDIT_OURS;
	}
	if (p->assembled->class.uring)
		return interpret_uring(p);
	if (e->kind == EVENT_EXEC || e->kind == EVENT_FORK)
		return AUDIT_OURS;
	if (!p->has_address && (e->kind == EVENT_SEND || e->kind == EVENT_ACCEPT))
		return AUDIT_NO_ADDRESS;
	if (!p->has_address || p->address == SOCKADDR_BAD)
		return AUDIT_BAD_ADDRESS;
	/*
	 * An IPv4 socket sends to AF_UNSPEC as to AF_INET (udp_sendmsg(), raw_sendmsg()), and is
	 * bound to it where the address is any (__inet_bind()).
	 */
	if (p->address != SOCKADDR_INET &&
	    !(p->address == SOCKADDR_UNSPEC && (e->kind == EVENT_SEND || e->kind == EVENT_BIND)))
		return AUDIT_OTHER_FAMILY;
	/* accept() returned a new socket; the call was of the one that was listened on. */
	if (e->kind != EVENT_ACCEPT)
		e->fd = (int32_t)p->args[0];
	else
		e->listener = (int32_t)p->args[0];
	if (e->kind == EVENT_ACCEPT && e->exit >= 0)
		e->fd = e->exit;
	e->family = p->to.addr.family;
	e->addr = p->to.addr;
	e->port = p->to.port;
	return AUDIT_OURS;
}

enum audit_result audit_parse(struct audit_parser *p, const struct assembled *a,
				const char *audit_key, struct event *e)
{
	bool any;

	if (!has_reserve(p))
		return AUDIT_NO_MEMORY;
	event_init(e);
	p->assembled = a;
	p->audit_key = audit_key;
	p->event = e;
	p->seen = p->key_ours = p->number_bad = p->exit_seen = p->label_seen = false;
	p->has_address = false;
	memset(p->args, 0, sizeof(p->args));
	p->used = 0;
	p->command.len = 0;
	p->command.next = p->command.piece = 0;
	p->command.over = false;
	if (!feed(p, a->lines, a->len))
		return AUDIT_BAD;
	any = !strcmp(audit_key, AUDIT_KEY_ANY);
	/* Of an architecture that nobody knows only an address tells a call of ours. */
	if (any ? a->class.unknown && !p->has_address : !p->key_ours)
		return AUDIT_OTHER_KEY;
	if (a->class.unknown)
		return AUDIT_UNKNOWN_ARCH;
	if (p->number_bad || (!p->exit_seen && !a->class.uring) || e->process.pid < 0)
		return AUDIT_BAD;
	e->time_us = a->stamp.time_us;
	e->serial = a->stamp.serial;
	e->node = a->stamp.node;
	e->process.cmdline = parse_cmdline(p, a->proctitle);
	/* PROCTITLE is cut short, and a failed execve() has the new command line and the old
	 * program. */
	if (p->command.len && a->class.kind == EVENT_EXEC && e->exit >= 0)
		e->process.cmdline = (struct text){ p->command.text, p->command.len };
	return interpret_args(p);
}
