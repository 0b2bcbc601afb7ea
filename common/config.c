/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger.conf: one table of keys, read with located diagnostics. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "diag.h"
#include "tuple.h"

enum value_kind { VALUE_PATH, VALUE_WORD, VALUE_COUNT, VALUE_BYTES, VALUE_AGE, VALUE_QUEUE,
		  VALUE_MARK, VALUE_YES, VALUE_MODE, VALUE_BOOST, VALUE_EACH };

static const struct key {
	const char *name;
	enum value_kind kind;
	size_t offset;
	const char *preset;	/* the default, as the file would say it */
	int64_t min, max;	/* numbers: in the field's unit; words: their length */
	bool none;		/* a limit that may be absent: 0 */
} keys[] = {
#define KEY(name, kind, field, preset, min, max) \
	{ name, kind, offsetof(struct config, field), preset, min, max, false }
/* One of a few words, or a path. */
#define WORD(key, value, field, usual) \
	{ .name = key, .kind = value, .offset = offsetof(struct config, field), .preset = usual }
#define LIMIT(name, kind, field, preset, min, max) \
	{ name, kind, offsetof(struct config, field), preset, min, max, true }
	WORD("cache", VALUE_PATH, cache, RUNSTATEDIR "/sockledger/cache.db"),
	WORD("ledger", VALUE_PATH, ledger, LOCALSTATEDIR "/lib/sockledger/ledger.db"),
	/* The kernel takes keys of up to 256 bytes (AUDIT_MAX_KEY_LEN, linux/audit.h). */
	KEY("audit_key", VALUE_WORD, audit_key, "sockledger", 1, 128),
	KEY("node", VALUE_WORD, node, NULL, 1, 255),
	KEY("cache_rows", VALUE_COUNT, cache_rows, "500000", 1000, 100000000),
	KEY("cache_bytes", VALUE_BYTES, cache_bytes, "128M", 1024 * 1024, 1LL << 40),
	KEY("cache_age", VALUE_AGE, cache_age_us, "1d", 60 * TIME_US_PER_S,
	    366 * 86400 * TIME_US_PER_S),
	LIMIT("ledger_rows", VALUE_COUNT, ledger_rows, "none", 1000, 1LL << 40),
	LIMIT("ledger_bytes", VALUE_BYTES, ledger_bytes, "8G", 16 << 20, 1LL << 44),
	LIMIT("ledger_age", VALUE_AGE, ledger_age_us, "none", 3600 * TIME_US_PER_S,
	      36500LL * 86400 * TIME_US_PER_S),
	KEY("buffer", VALUE_BYTES, buffer_bytes, "6M", 256 * 1024, 1LL << 30),
	WORD("queue", VALUE_QUEUE, queue, "off"),
	KEY("queue_max", VALUE_COUNT, queue_max, "4096", 1, 1000000),
	WORD("fail_open", VALUE_YES, fail_open, "yes"),
	KEY("mark", VALUE_MARK, mark, "0x30000", 0, UINT32_MAX),
	KEY("park", VALUE_AGE, park_us, "5ms", 0, TIME_US_PER_S),
	KEY("late_verdict", VALUE_AGE, late_us, "50ms", 0, 60 * TIME_US_PER_S),
	WORD("each_datagram", VALUE_EACH, each_datagram, "auto"),
	WORD("mode", VALUE_MODE, enforce, "observe"),
	WORD("policy", VALUE_PATH, policy, "none"),
	KEY("priority_boost", VALUE_BOOST, priority_boost, "auto", 0, 20),
	WORD("trace", VALUE_YES, trace, "yes"),
	WORD("names", VALUE_YES, names, "no"),
	KEY("names_group", VALUE_COUNT, names_group, "53", 0, 65535),
	KEY("trace_buffer", VALUE_BYTES, trace_bytes, "1M", 4 * 1024, 1LL << 30),
#undef KEY
#undef WORD
#undef LIMIT
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))
#define LINE_CHARS 4096
#define QUEUES_MAX 64

static void *field(struct config *c, const struct key *key)
{
	return (char *)c + key->offset;
}

static int set_text(struct config *c, const struct key *key, const char *value, const char **why)
{
	/* Only the policy's path may be left out. */
	bool none = !strcmp(key->name, "policy") && !strcmp(value, "none");
	char **at = field(c, key), *copy;

	if (key->kind == VALUE_PATH && !none && (value[0] != '/' || strlen(value) >= PATH_MAX)) {
		*why = "must be an absolute path";
		return -EINVAL;
	}
	if (key->kind == VALUE_WORD &&
	    ((int64_t)strlen(value) < key->min || (int64_t)strlen(value) > key->max)) {
		*why = "is too long";
		return -EINVAL;
	}
	copy = strdup(value);
	if (!copy) {
		*why = "does not fit into memory";
		return -ENOMEM;
	}
	free(*at);
	*at = copy;
	return 0;
}

/* "0x" and a number of exactly two neighbouring bits. */
static int parse_mark(const char *value, int64_t *n)
{
	char *end;

	if (strncmp(value, "0x", 2) || !isxdigit((unsigned char)value[2]) || strlen(value) > 10)
		return -EINVAL;
	*n = strtoll(value, &end, 16);
	/* Zero also equals three times its lowest bit, so it is refused by itself. */
	return *end || !*n || *n != 3 * (*n & -*n) ? -EINVAL : 0;
}

/* One of two words. */
static int set_choice(struct config *c, const struct key *key, const char *value,
		      const char *const words[2], const char **why)
{
	*why = key->kind == VALUE_MODE ? "must be enforce or observe" : "must be yes or no";
	if (strcmp(value, words[0]) && strcmp(value, words[1]))
		return -EINVAL;
	*(bool *)field(c, key) = !strcmp(value, words[0]);
	return 0;
}

static int set_each(struct config *c, const struct key *key, const char *value, const char **why)
{
	static const char *const words[] = {
		[EACH_AUTO] = "auto", [EACH_NO] = "no", [EACH_YES] = "yes",
	};

	*why = "must be yes, no or auto";
	for (int64_t i = 0; i < (int64_t)(sizeof(words) / sizeof(words[0])); i++) {
		if (strcmp(value, words[i]))
			continue;
		*(int64_t *)field(c, key) = i;
		return 0;
	}
	return -EINVAL;
}

/* A number with an optional suffix k, M or G of 1024. */
static int parse_bytes(const char *value, int64_t *n)
{
	static const char suffixes[] = "kMG";
	const char *suffix;
	char *end;

	errno = 0;
	*n = strtoll(value, &end, 10);
	if (errno || end == value || !isdigit((unsigned char)*value))
		return -EINVAL;
	if (!*end)
		return 0;
	suffix = strchr(suffixes, *end);
	if (!suffix || end[1])
		return -EINVAL;
	return __builtin_mul_overflow(*n, 1LL << (10 * (suffix - suffixes + 1)), n) ? -EINVAL : 0;
}

static int set_number(struct config *c, const struct key *key, const char *value, const char **why)
{
	int64_t n;
	int bad;

	if (key->none && !strcmp(value, "none")) {
		*(int64_t *)field(c, key) = 0;
		return 0;
	}
	if (key->kind == VALUE_MARK) {
		*why = "must be two neighbouring bits as a hexadecimal number, such as 0x30000";
		bad = parse_mark(value, &n);
	} else if (key->kind == VALUE_AGE) {
		*why = "must be a number with one of the units us, ms, s, m, h, d";
		bad = duration_parse(value, &n);
	} else {
		*why = key->kind == VALUE_BYTES ? "must be a number, with k, M or G if need be" :
						  "must be a number";
		bad = parse_bytes(value, &n);
		if (!bad && key->kind != VALUE_BYTES &&
		    !isdigit((unsigned char)value[strlen(value) - 1]))
			bad = -EINVAL;
	}
	if (bad)
		return bad;
	if (n < key->min || n > key->max) {
		*why = "is out of range (see sockledger.conf(5))";
		return -ERANGE;
	}
	*(int64_t *)field(c, key) = n;
	return 0;
}

/* "off", "auto", N, or N:M. */
static int set_queues(struct config *c, const struct key *key, const char *value, const char **why)
{
	const char *colon = strchr(value, ':');
	int32_t first = -1, last = -1;
	char number[8];

	*why = "must be off, auto, a number from 0 to 65535, or a range of them as in 0:3";
	if (!strcmp(value, "auto")) {
		long processors = sysconf(_SC_NPROCESSORS_CONF);

		first = 0;
		last = processors < 2 ? 0 :
		       processors > QUEUES_MAX ? QUEUES_MAX - 1 : (int32_t)processors - 1;
	} else if (strcmp(value, "off")) {
		snprintf(number, sizeof(number), "%.*s",
			 (int)(colon ? colon - value : (ptrdiff_t)strlen(value)), value);
		if (port_parse(number, &first) || port_parse(colon ? colon + 1 : number, &last) ||
		    first > last || last - first >= QUEUES_MAX)
			return -EINVAL;
	}
	*(int64_t *)field(c, key) = first;
	c->queue_last = last;
	return 0;
}

/* Returns 0, or -errno with *why saying what is wrong with the value. */
static int set_value(struct config *c, const struct key *key, const char *value, const char **why)
{
	switch (key->kind) {
	case VALUE_PATH:
	case VALUE_WORD:
		return set_text(c, key, value, why);
	case VALUE_YES:
		return set_choice(c, key, value, (const char *const[]){ "yes", "no" }, why);
	case VALUE_MODE:
		return set_choice(c, key, value, (const char *const[]){ "enforce", "observe" },
				  why);
	case VALUE_EACH:
		return set_each(c, key, value, why);
	case VALUE_QUEUE:
		return set_queues(c, key, value, why);
	case VALUE_BOOST:
		if (strcmp(value, "realtime") && strcmp(value, "auto"))
			return set_number(c, key, value, why);
		*(int64_t *)field(c, key) = value[0] == 'a' ? PRIORITY_AUTO : PRIORITY_REALTIME;
		return 0;
	default:
		return set_number(c, key, value, why);
	}
}

int config_init(struct config *c)
{
	char host[HOST_NAME_MAX + 1] = "localhost";
	const char *why;

	memset(c, 0, sizeof(*c));
	gethostname(host, sizeof(host) - 1);
	if (!host[0])
		strcpy(host, "localhost");
	for (size_t i = 0; i < KEYS; i++) {
		int rc = set_value(c, &keys[i], keys[i].preset ? keys[i].preset : host, &why);

		if (rc) {
			config_release(c);
			return rc;
		}
	}
	return 0;
}

void config_release(struct config *c)
{
	for (size_t i = 0; i < KEYS; i++) {
		char **at = field(c, &keys[i]);

		if (keys[i].kind != VALUE_PATH && keys[i].kind != VALUE_WORD)
			continue;
		free(*at);
		*at = NULL;
	}
}

const char *config_default_path(void)
{
	return SYSCONFDIR "/sockledger/sockledger.conf";
}

struct config_reader {
	const char *path;
	struct diags *diags;
	struct config *config;
	unsigned int line;
	unsigned int seen[KEYS];	/* the line that set the key; 0: no line did */
};

static char *skip_blanks(char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static void read_line(struct config_reader *r, char *line)
{
	char *name = skip_blanks(line), *name_end = name, *equals, *value, *end;
	const char *why = NULL;
	size_t i;

#define COMPLAIN(at, ...) \
	diag_at(r->diags, r->path, r->line, (unsigned int)((at) - line) + 1, __VA_ARGS__)
	if (!*name || *name == '#')
		return;
	while (isalnum((unsigned char)*name_end) || *name_end == '_')
		name_end++;
	equals = skip_blanks(name_end);
	if (name_end == name) {
		COMPLAIN(name, "a key was expected here, as in 'key = value'");
		return;
	}
	if (*equals != '=') {
		COMPLAIN(equals, "'=' was expected here, as in 'key = value'");
		return;
	}
	*name_end = '\0';
	value = skip_blanks(equals + 1);
	for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	for (i = 0; i < KEYS && strcmp(keys[i].name, name); i++)
		;
	if (i == KEYS) {
		COMPLAIN(name, "unknown key '%s'", name);
	} else if (!*value) {
		COMPLAIN(value, "'%s' has no value", name);
	} else if (r->seen[i]) {
		COMPLAIN(name, "'%s' was already set in line %u", name, r->seen[i]);
	} else {
		r->seen[i] = r->line;
		if (set_value(r->config, &keys[i], value, &why))
			COMPLAIN(value, "'%s' %s", name, why);
	}
#undef COMPLAIN
}

/* False where the line holds bytes that no text editor writes. */
static bool check_bytes(struct config_reader *r, const char *line, size_t len)
{
	if (len > LINE_CHARS) {
		diag_at(r->diags, r->path, r->line, LINE_CHARS, "line is too long");
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if ((c >= 0x20 && c != 0x7f) || c == '\t')
			continue;
		diag_at(r->diags, r->path, r->line, (unsigned int)i + 1,
			"control byte 0x%02x is not allowed here", c);
		return false;
	}
	return true;
}

static void read_file(struct config_reader *r, FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, f)) >= 0) {
		size_t len = (size_t)n;

		r->line++;
		if (len && line[len - 1] == '\n')
			len--;
		if (len && line[len - 1] == '\r')
			len--;
		line[len] = '\0';
		if (check_bytes(r, line, len))
			read_line(r, line);
	}
	free(line);
}

int config_load(struct config *c, const char *path, struct diags *d)
{
	struct config_reader r = {
		.path = path ? path : config_default_path(), .diags = d, .config = c,
	};
	unsigned int before = d->count;
	int rc;
	FILE *f = fopen(r.path, "re");

	if (!f) {
		rc = -errno;
		if (!path && rc == -ENOENT)
			return 0;
		diag_at(d, r.path, 1, 1, "cannot open it: %s", strerror(-rc));
		return rc;
	}
	read_file(&r, f);
	rc = ferror(f) ? -EIO : 0;
	if (rc)
		diag_at(d, r.path, r.line + 1, 1, "cannot read it: %s", strerror(-rc));
	fclose(f);
	if (d->count == before && !strcmp(c->cache, c->ledger))
		diag_at(d, r.path, r.line, 1, "'cache' and 'ledger' are the same file");
	if (d->count == before)
		return 0;
	config_release(c);
	if (config_init(c))
		return -ENOMEM;
	return rc ? rc : -EINVAL;
}

size_t config_own_key(const char *audit_key)
{
	return strcspn(audit_key, ",");
}

bool config_takes_key(const char *audit_key, const char *key, size_t len)
{
	const char *at = audit_key;

	if (!strcmp(audit_key, AUDIT_KEY_ANY))
		return true;
	for (;;) {
		size_t n = strcspn(at, ",");

		if (n && n == len && !memcmp(at, key, n))
			return true;
		if (!at[n])
			return false;
		at += n + 1;
	}
}
