/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kind of collector a URL means. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector.h"

#define PLACE_BYTES 2048

struct collector {
	const struct collector_ops *ops;
	void *state;
	char place[PLACE_BYTES];
};

int collector_open(const struct collector_options *o, struct collector **out,
		   char why[COLLECTOR_WHY])
{
	static const struct {
		const char *scheme;
		const struct collector_ops *ops;
	} kinds[] = {
		{ "http://", &clickhouse }, { "https://", &clickhouse },
		{ "postgresql://", &postgres }, { "postgres://", &postgres },
	};
	struct collector *c = calloc(1, sizeof(*c));
	int rc = c ? -EINVAL : -ENOMEM;

	snprintf(why, COLLECTOR_WHY, "%s", c ? "a collector's URL begins with http://, https:// or"
		 " postgresql://" : "out of memory");
	for (size_t i = 0; c && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strncmp(o->url, kinds[i].scheme, strlen(kinds[i].scheme)))
			continue;
		c->ops = kinds[i].ops;
		snprintf(why, COLLECTOR_WHY, "out of memory");
		rc = c->ops->open(o, &c->state, c->place, sizeof(c->place), why);
	}
	if (!rc) {
		*out = c;
		return 0;
	}
	free(c);
	return rc;
}

void collector_close(struct collector *c)
{
	if (!c)
		return;
	c->ops->close(c->state);
	free(c);
}

const char *collector_place(const struct collector *c)
{
	return c->place;
}

enum sent collector_send(struct collector *c, const char *lines, size_t len,
			 char why[COLLECTOR_WHY])
{
	why[0] = '\0';
	return c->ops->send(c->state, lines, len, why);
}

char *collector_password(const char *path)
{
	FILE *in = fopen(path, "re");
	char line[1024];
	char *copy = NULL;

	if (!in)
		return NULL;
	errno = ENODATA;
	if (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\r\n")] = '\0';
		copy = strdup(line);
	}
	explicit_bzero(line, sizeof(line));
	fclose(in);
	return copy;
}
