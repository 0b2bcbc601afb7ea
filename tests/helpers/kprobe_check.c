/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probe at tcp_connect(), on a stand-in: uprobes read their arguments by the same code of the
 * kernel (kernel/trace/trace_probe.c), so that a function here, which is called with made-up
 * sockets, shows everything but whether the kernel's own sockets look like that.  Where the kernel
 * has kprobes, that as well.  As root.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "lookups.h"
#include "tap.h"
#include "trace.h"
#include "tracefeed.h"
#include "traceprobe.h"

#define BUFFER_BYTES 65536

/* The head of struct sock_common (include/net/sock.h). */
struct sock {
	uint8_t daddr[4], saddr[4];
	uint32_t hash;
	uint16_t dport, num, family;
	uint8_t rest[38];
	uint8_t daddr6[16], saddr6[16];
};
_Static_assert(offsetof(struct sock, family) == 16 && offsetof(struct sock, daddr6) == 56 &&
	       offsetof(struct sock, saddr6) == 72, "as in the kernel");

__attribute__((noinline))
static void stand_in(const struct sock *sk)
{
	__asm__ volatile("" : : "r"(sk) : "memory");
}

/* Where it lies in the file of this program. */
static int find_offset(struct dl_phdr_info *info, size_t size, void *arg)
{
	unsigned long *offset = arg, at = (unsigned long)stand_in - info->dlpi_addr;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && at >= p->p_vaddr && at - p->p_vaddr < p->p_filesz)
			*offset = at - p->p_vaddr + p->p_offset;
	}
	return 1;	/* the program itself comes first */
}

struct seen {
	int states, others;
	struct trace_event last;
};

static void on_event(const struct trace_event *e, void *arg)
{
	struct seen *s = arg;

	if (e->tid != gettid())
		return;
	if (e->kind != TRACE_STATE) {
		s->others++;
		return;
	}
	s->states++;
	s->last = *e;
}

static struct seen connect_by(struct tracefeed *t, const struct sock *sk)
{
	struct seen s = { 0 };

	stand_in(sk);
	tracefeed_drain(t, on_event, &s);
	return s;
}

static bool is_end(const struct endpoint *e, const char *text)
{
	struct endpoint wanted;

	return !endpoint_parse(text, &wanted) && e->port == wanted.port &&
	       address_equal(&e->addr, &wanted.addr);
}

static bool is_connect(const struct seen *s, const char *src, const char *dst)
{
	const struct trace_event *e = &s->last;

	return s->states == 1 && e->protocol == IPPROTO_TCP && e->old_state == TCP_CLOSE &&
	       e->new_state == TCP_SYN_SENT && is_end(&e->src, src) && is_end(&e->dst, dst);
}

static bool is_proof(const struct seen *s)
{
	struct lookups *l = lookups_new();
	struct lookup_owner owners[LOOKUP_OWNERS_MAX];
	struct connection c;
	bool more, good;

	connection_init(&c);
	c.protocol = IPPROTO_TCP;
	c.src = s->last.src;
	c.dst = s->last.dst;
	lookups_event(l, &s->last);
	good = lookups_take(l, &c, 0, s->last.time_ns, owners, &more) == 1 && !more &&
	       owners[0].tid == gettid() && owners[0].call && owners[0].exact;
	lookups_free(l);
	return good;
}

static void check_events(struct tracefeed *t)
{
	struct sock sk = {
		.daddr = { 192, 0, 2, 1 }, .saddr = { 198, 51, 100, 7 }, .dport = htons(443),
		.num = 40001, .family = AF_INET,
	};
	struct seen s = connect_by(t, &sk);

	tap_ok(is_connect(&s, "198.51.100.7:40001", "192.0.2.1:443"),
	       "a connect() over IPv4 is seen");
	tap_ok(is_proof(&s), "and is proof of the caller");
	sk.family = AF_INET6;
	inet_pton(AF_INET6, "2001:db8::1", sk.daddr6);
	inet_pton(AF_INET6, "2001:db8:a:b:c:d:e:f", sk.saddr6);
	s = connect_by(t, &sk);
	tap_ok(is_connect(&s, "[2001:db8:a:b:c:d:e:f]:40001", "[2001:db8::1]:443"), "over IPv6");
	tap_ok(is_proof(&s), "and is proof");
	inet_pton(AF_INET6, "::ffff:192.0.2.1", sk.daddr6);
	inet_pton(AF_INET6, "::ffff:198.51.100.7", sk.saddr6);
	s = connect_by(t, &sk);
	tap_ok(is_connect(&s, "198.51.100.7:40001", "192.0.2.1:443"),
	       "to an IPv4-mapped address: as it goes over the wire");
	sk.family = AF_UNIX;
	s = connect_by(t, &sk);
	tap_ok(!s.states, "another family's is not shown");
}

static bool file_has(const char *path, const char *what)
{
	char line[4096];
	FILE *f = fopen(path, "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, what) != NULL;
	if (f)
		fclose(f);
	return found;
}

int main(void)
{
	const char *uprobes = "/sys/kernel/tracing/uprobe_events";
	char where[PATH_MAX + 32], program[PATH_MAX] = "";
	struct traceprobe probe = { "uprobe_events", where };
	struct tracefeed *t;
	unsigned long offset = 0;
	int rc;

	if (access(uprobes, W_OK)) {
		puts("1..0 # SKIP no uprobes here");
		return 77;
	}
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		return 1;
	dl_iterate_phdr(find_offset, &offset);
	snprintf(where, sizeof(where), "%s:0x%lx", program, offset);

	rc = tracefeed_open_probe(BUFFER_BYTES, &probe, false, &t);
	if (tap_ok(!rc, "a probe can be read like a tracepoint")) {
		tap_ok(tracefeed_is_probe(t) &&
		       file_has(uprobes, "sockledger/connect"), "it is there");
		check_events(t);
		tracefeed_close(t);
	} else {
		tap_note("%s", strerror(-rc));
	}
	tap_ok(!file_has(uprobes, "sockledger/connect"), "and gone afterwards");

	rc = tracefeed_open_probe(BUFFER_BYTES, &probe, true, &t);
	tap_ok(rc == -EPROTO && !t, "one that does not see our own connections is not believed");
	tap_ok(!file_has(uprobes, "sockledger/connect"), "and is gone");

	rc = tracefeed_open_probe(BUFFER_BYTES, &traceprobe_connect, true, &t);
	if (access("/sys/kernel/tracing/kprobe_events", W_OK))
		tap_ok(rc == -ENOENT && !t, "without kprobes there is none at tcp_connect()");
	else
		tap_ok(!rc, "the one at tcp_connect() tells the truth of our own connections");
	tracefeed_close(t);
	return tap_done();
}
