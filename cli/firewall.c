/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of sockledger-queue(8), as iptables-save and nft print them.  Neither is asked for a
 * table by name, because the older iptables makes a table that is asked for.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall.h"
#include "look.h"

static void keep_line(char *buf, size_t size, const char *line)
{
	line += strspn(line, " \t");
	snprintf(buf, size, "%.*s", (int)strcspn(line, "\n"), line);
}

/* What stands behind `word` in the line; NULL: it is not there. */
static const char *behind(const char *line, const char *word)
{
	const char *at = strstr(line, word), *end = line + strcspn(line, "\n");

	return at && at < end ? at + strlen(word) : NULL;
}

static bool begins(const char *line, const char *word)
{
	return !strncmp(line, word, strlen(word));
}

/* "0", "0:3" or "0-3". */
static void take_numbers(struct firewall_part *p, const char *at)
{
	char *end;

	if (!at || !isdigit((unsigned char)*at))
		return;
	p->first = p->last = strtoll(at, &end, 10);
	if ((*end == ':' || *end == '-') && isdigit((unsigned char)end[1]))
		p->last = strtoll(end + 1, NULL, 10);
}

/* A rule in a chain of ours. */
static void take_own_rule(struct firewall_part *p, const char *line)
{
	const char *mark = behind(line, "--mark ");

	if (behind(line, "-j NFQUEUE")) {
		take_numbers(p, behind(line, "--queue-num "));
		take_numbers(p, behind(line, "--queue-balance "));
		p->bypass |= behind(line, "--queue-bypass") != NULL;
	}
	if (mark && behind(line, "-m connmark")) {
		mark = behind(mark, "/");
		p->mark = mark ? strtoll(mark, NULL, 0) : -1;
	}
}

/* "-j CONNMARK --set-xmark VALUE/MASK": the bits of VALUE and MASK are changed. */
static void take_mark(struct firewall_part *p, const char *line, int64_t mark)
{
	const char *at = behind(line, "--set-xmark ");
	int64_t changes = UINT32_MAX;
	char *end;

	if (!behind(line, "-j CONNMARK"))
		return;
	if (at) {
		changes = strtoll(at, &end, 0);
		changes |= *end == '/' ? strtoll(end + 1, NULL, 0) : UINT32_MAX;
	} else {
		at = behind(line, "--save-mark");
		if (!at)
			return;
		at = behind(line, "--ctmask ");
		changes = at ? strtoll(at, NULL, 0) : UINT32_MAX;
	}
	if (changes & mark)
		keep_line(p->marker, sizeof(p->marker), line);
}

static void take_iptables(struct firewall_part *p, const char *text, int64_t mark)
{
	bool mangle = false;

	for (const char *line = text; line; line = look_next_line(line)) {
		if (*line == '*')
			mangle = begins(line, "*mangle");
		if (!mangle || !begins(line, "-A "))
			continue;
		if (begins(line, "-A SOCKLEDGER ")) {
			take_own_rule(p, line);
			continue;
		}
		take_mark(p, line, mark);
		if (!begins(line, "-A OUTPUT "))
			continue;
		if (behind(line, "-j SOCKLEDGER"))
			p->up = true;
		if (!p->up && behind(line, "-j ACCEPT") && !p->before_all) {
			p->before_all = begins(line, "-A OUTPUT -j ACCEPT");
			if (p->before_all || !p->before[0])
				keep_line(p->before, sizeof(p->before), line);
		}
	}
}

/* A rule of our table of nftables: "queue flags bypass to 0-3", or as older ones write it. */
static void take_nft_rule(struct firewall_part *p, const char *line)
{
	const char *queue = behind(line, "queue "), *mark = behind(line, "ct mark ");

	if (queue) {
		take_numbers(p, behind(queue, "to "));
		take_numbers(p, behind(queue, "num "));
		take_numbers(p, queue);
		p->bypass |= behind(queue, "bypass") != NULL;
	}
	if (mark && (mark = behind(mark, "0x")))
		p->mark = strtoll(mark, NULL, 16);
}

static void take_nft(struct firewall_part *p, const char *text)
{
	bool ours = false;

	for (const char *line = text; line; line = look_next_line(line)) {
		const char *p_line = line + strspn(line, " \t");

		if (begins(line, "table ")) {
			ours = begins(line, "table inet sockledger ");
		} else if (ours) {
			p->up |= begins(p_line, "type filter hook output priority mangle");
			take_nft_rule(p, p_line);
		} else if (begins(p_line, "ct mark set 0x") || behind(p_line, " ct mark set 0x")) {
			keep_line(p->marker, sizeof(p->marker), line);
		}
	}
}

void firewall_look(struct firewall *f, const char *root, int64_t mark)
{
	static const char *const programs[FIREWALL_PARTS][4] = {
		[FIREWALL_IPV4] = { "iptables-save" },
		[FIREWALL_IPV6] = { "ip6tables-save" },
		[FIREWALL_NFT] = { "nft", "list", "ruleset" },
	};

	for (int i = 0; i < FIREWALL_PARTS; i++) {
		struct firewall_part *p = &f->part[i];
		char *text;

		*p = (struct firewall_part){ .first = -1, .last = -1, .mark = -1 };
		text = look_run(root, programs[i], &p->rc, p->why, sizeof(p->why));
		if (!text)
			continue;
		if (i == FIREWALL_NFT)
			take_nft(p, text);
		else
			take_iptables(p, text, mark);
		free(text);
		/* Where there is no rule that accepts anything before ours, nothing is in the way.
		 */
		if (!p->up)
			p->before[0] = '\0';
	}
}
