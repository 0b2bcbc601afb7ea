/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICING_H
#define SOCKLEDGER_POLICING_H

/* Policies and connections from words, for tests of policies. */
#include <stdlib.h>
#include <string.h>

#include "complaints.h"
#include "policy.h"

/* Reads a policy; what was complained of is in `complaints`, without the file's name. */
__attribute__((unused))
static int parse(const char *text, size_t len, unsigned int *count, struct policy **p)
{
	struct diags d = complaints_begin();
	int rc = policy_parse("p", text, len, &d, p);

	*count = complaints_end(&d, "p");
	return rc;
}

static enum direction direction_of(const char *value)
{
	return (enum direction)direction_parse(value);
}

static struct process_facts facts;
static struct forefathers forefathers;

/* "/a,-/b,?": programs of its forefathers, the parent first; -: the trace did not see it start the
 * next one; ?: unknown; +: and others, which are unknown. */
static void set_forefathers(struct connection *c, char *value)
{
	static struct forefather by[8];
	char *save;

	forefathers = (struct forefathers){ .by = by, .whole = true };
	for (char *k = strtok_r(value, ",", &save); k; k = strtok_r(NULL, ",", &save)) {
		bool then = *k != '-';

		k += !then;
		if (*k == '+')
			forefathers.whole = false;
		else if (*k == '?')
			by[forefathers.count++] = (struct forefather){ .seen = EXE_TOLD };
		else
			by[forefathers.count++] = (struct forefather){
				.exe = text_of(k), .seen = EXE_HERE, .then = then };
	}
	facts.forefathers = &forefathers;
	c->facts = &facts;
}

/* "?": it is not known. */
static void set_iface(struct connection *c, struct text *to, const char *value)
{
	*to = *value == '?' ? TEXT_NONE : text_of(value);
	facts.asks_ifaces = true;
	c->facts = &facts;
}

/* "_" for a blank; "?": it could not be read. */
static void set_cmdline(struct connection *c, char *value)
{
	for (char *at = value; (at = strchr(at, '_'));)
		*at = ' ';
	c->process.cmdline = *value == '?' ? TEXT_NONE : text_of(value);
	facts.asks_cmdline = true;
	c->facts = &facts;
}

/* A byte: what its file's hash consists of; "?": it could not be read. */
static void set_hash(struct connection *c, const char *value)
{
	static unsigned char hash[32];

	memset(hash, (int)strtol(value, NULL, 16), sizeof(hash));
	facts.sha256 = *value == '?' ? NULL : hash;
	c->facts = &facts;
}

/* "1,2": these are all its groups; "?": they could not be read. */
static void set_groups(struct connection *c, const char *value)
{
	static uint32_t groups[8];

	facts.groups = *value == '?' ? NULL : groups;
	facts.group_count = 0;
	while (facts.groups && *value) {
		groups[facts.group_count++] = (uint32_t)atoi(value);
		value += strcspn(value, ",");
		value += *value == ',';
	}
	c->facts = &facts;
}

/* One "key=value" of a connection. */
static void set(struct connection *c, const char *key, char *value)
{
	const struct {
		const char *key;
		struct text *text;
	} texts[] = {
		{"exe", &c->process.exe},
		{"comm", &c->process.comm},
		{"user", &c->process.user},
		{"login", &c->process.login_user},
		{"parent", &c->text[CONNECTION_PARENT_EXE]},
		{"unit", &c->text[CONNECTION_UNIT]},
		{"container", &c->text[CONNECTION_CONTAINER]},
		{"node", &c->text[CONNECTION_NODE]},
		{"name", &c->text[CONNECTION_DST_NAME]},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(key, texts[i].key))
			*texts[i].text = text_of(value);
	if (!strcmp(key, "exe"))
		c->process.exe_seen = EXE_HERE;
	else if (!strcmp(key, "parent"))
		c->parent_seen = EXE_HERE;
	else if (!strcmp(key, "seen"))
		c->process.exe_seen = atoi(value);
	else if (!strcmp(key, "parentseen"))
		c->parent_seen = atoi(value);
	else if (!strcmp(key, "loginproven"))
		c->login_proven = *value == '1';
	else if (!strcmp(key, "parentthen"))
		c->parent_then = *value == '1';
	else if (!strcmp(key, "uid"))
		c->process.uid = atoll(value);
	else if (!strcmp(key, "gid"))
		c->process.gid = atoll(value);
	else if (!strcmp(key, "groups"))
		set_groups(c, value);
	else if (!strcmp(key, "hash"))
		set_hash(c, value);
	else if (!strcmp(key, "verified"))
		facts.verified = *value == '1';
	else if (!strcmp(key, "nameby"))
		c->dst_name_by = (enum name_by)atoi(value);
	else if (!strcmp(key, "cmdline"))
		set_cmdline(c, value);
	else if (!strcmp(key, "fathers"))
		set_forefathers(c, value);
	else if (!strcmp(key, "iface"))
		set_iface(c, &facts.iface_out, value);
	else if (!strcmp(key, "ifacein"))
		set_iface(c, &facts.iface_in, value);
	else if (!strcmp(key, "auid"))
		c->process.auid = atoll(value);
	else if (!strcmp(key, "proto"))
		protocol_parse(value, &c->protocol);
	else if (!strcmp(key, "direction"))
		c->direction = direction_of(value);
	else if (!strcmp(key, "src"))
		endpoint_parse(value, &c->src);
	else if (!strcmp(key, "dst"))
		endpoint_parse(value, &c->dst);
	else if (!strcmp(key, "certainty"))
		c->certainty = (enum certainty)certainty_parse(value);
	else if (!strcmp(key, "unreadable"))
		c->unreadable = *value == '1';
	else if (!strcmp(key, "reason"))
		c->text[CONNECTION_REASON] = text_of(value);
}

/* "key=value key=value ..." in buf, which the connection borrows from.  Certain if not said. */
static void describe(struct connection *c, char *buf)
{
	char *save;

	connection_init(c);
	facts = (struct process_facts){ .groups = NULL };
	c->certainty = CERTAINTY_CERTAIN;
	c->parent_then = c->login_proven = true;
	for (char *word = strtok_r(buf, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *equals = strchr(word, '=');

		*equals = '\0';
		set(c, word, equals + 1);
	}
}

#define CURL "exe=/usr/bin/curl comm=curl uid=1000 user=alice auid=1001 login=bob " \
	     "parent=/bin/bash unit=session-3.scope container=web node=here proto=tcp " \
	     "src=10.0.0.1:40000 dst=192.0.2.1:443"

#endif
