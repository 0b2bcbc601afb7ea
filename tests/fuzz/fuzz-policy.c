/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a policy: either it is one, and gives every connection one answer that is its own,
 * or there is a line for each mistake and no policy. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "address_list.h"
#include "diag.h"
#include "fuzz.h"
#include "policy.h"

static void check_answer(const struct policy *p, const struct connection *c)
{
	struct policy_answer a, again;

	memset(&a, 0x5a, sizeof(a));
	policy_decide(p, c, &a);
	FUZZ_CHECK(a.verdict == VERDICT_ACCEPT || a.verdict == VERDICT_DROP ||
		   a.verdict == VERDICT_REJECT);
	FUZZ_CHECK(a.rule && *a.rule && a.line >= 0);
	for (const char *s = a.rule; *s; s++)
		FUZZ_CHECK(((unsigned char)*s >= 0x20 && *s != 0x7f) || *s == '\t');
	FUZZ_CHECK(!a.wants_certain || c->certainty != CERTAINTY_CERTAIN);
	if (!a.line)
		FUZZ_CHECK(a.verdict == policy_default(p, c->certainty != CERTAINTY_UNKNOWN));
	policy_decide(p, c, &again);
	FUZZ_CHECK(a.rule == again.rule && a.line == again.line && a.verdict == again.verdict);
}

static void check_policy(const struct policy *p)
{
	const unsigned char hash[32] = "0123456789abcdef0123456789abcde";
	const uint32_t groups[] = { 0, 100 };
	const struct forefather by = { .exe = text_of("/usr/bin/sh"), .seen = 1, .then = true };
	const struct forefathers forefathers = { .by = &by, .count = 1 };
	struct process_facts facts = { .groups = NULL };
	struct connection c;

	connection_init(&c);
	check_answer(p, &c);
	c.facts = &facts;
	check_answer(p, &c);
	facts = (struct process_facts){
		.groups = groups, .group_count = 2, .sha256 = hash, .asks_cmdline = true,
		.forefathers = &forefathers, .asks_ifaces = true, .iface_out = text_of("lo") };
	c.dst_name_by = NAME_BY_PROCESS;
	for (int i = 0; i < CONNECTION_TEXTS; i++)
		c.text[i] = text_of(i % 2 ? "/usr/bin/curl" : "x\xff");
	for (int i = 0; i < PROCESS_TEXTS; i++)
		c.process.text[i] = text_of(i % 2 ? "/usr/bin/curl" : "x\xff");
	c.process.uid = c.process.auid = 1000;
	c.protocol = 6;
	c.src = (struct endpoint){ { .family = AF_INET, .bytes = { 10, 0, 0, 1 } }, 40000 };
	c.dst = (struct endpoint){ { .family = AF_INET, .bytes = { 192, 0, 2, 1 } }, 443 };
	for (int d = DIRECTION_OUT; d <= DIRECTION_FORWARD; d++) {
		for (int h = CERTAINTY_UNKNOWN; h <= CERTAINTY_CERTAIN; h++) {
			c.direction = (enum direction)d;
			c.certainty = (enum certainty)h;
			check_answer(p, &c);
		}
	}
	c.dst.addr = (struct address){ .family = AF_INET6, .bytes = { [10] = 255, [11] = 255 } };
	c.process.exe = (struct text){ "", 0 };
	check_answer(p, &c);
}

/* Any bytes as a list: it has each address that it names. */
static void check_list(const char *data, size_t size)
{
	const struct address none = { .family = AF_INET };
	struct diags d = { .out = NULL };
	struct address_list *l;
	int rc = address_list_parse("list", data, size, &d, &l);

	FUZZ_CHECK(rc == (d.count ? -EINVAL : 0) && !l == (rc != 0));
	if (!l)
		return;
	address_list_contains(l, &none);
	FUZZ_CHECK(address_list_covers(l, l));
	address_list_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *told = NULL;
	size_t told_len = 0;
	struct diags d = { .out = open_memstream(&told, &told_len) };
	struct policy *p = (struct policy *)&d;
	unsigned int lines = 0;
	int rc;

	FUZZ_CHECK(d.out);
	rc = policy_parse("file", (const char *)data, size, &d, &p);
	fclose(d.out);
	FUZZ_CHECK(rc == (d.count ? -EINVAL : 0) && !p == (rc != 0));
	if (p)
		check_policy(p);
	policy_free(p);
	check_list((const char *)data, size);
	/* One line each, with its place, and nothing in it that a terminal obeys. */
	for (size_t i = 0; i < told_len; i++) {
		FUZZ_CHECK(((unsigned char)told[i] >= 0x20 && (unsigned char)told[i] < 0x7f) ||
			   told[i] == '\n');
		lines += told[i] == '\n';
		if (i == 0 || told[i - 1] == '\n')
			FUZZ_CHECK(told_len - i > 5 && !strncmp(told + i, "file:", 5));
	}
	FUZZ_CHECK(lines == d.count);
	free(told);
	return 0;
}
