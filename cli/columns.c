/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chosen columns. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "columns.h"

#define PAGE_WIDTH 78

static int find_name(const char *name, size_t len, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strlen(names[i]) == len && !strncasecmp(names[i], name, len))
			return i;
	return -1;
}

int columns_choose(struct columns *c, const char *list, const char *const *names, int count)
{
	if (*list == '+')
		list++;
	else
		c->count = 0;
	for (;;) {
		size_t len = strcspn(list, ",");
		int i = find_name(list, len, names, count);

		if (i < 0 || c->count == COLUMNS_MAX)
			return -EINVAL;
		c->index[c->count++] = i;
		if (!list[len])
			return 0;
		list += len + 1;
	}
}

void columns_all(struct columns *c, int count)
{
	for (c->count = 0; c->count < count && c->count < COLUMNS_MAX; c->count++)
		c->index[c->count] = c->count;
}

void columns_in_capitals(const char **names, int count, char upper[COLUMNS_MAX][COLUMN_NAME_MAX])
{
	for (int i = 0; i < count; i++) {
		snprintf(upper[i], COLUMN_NAME_MAX, "%s", names[i]);
		for (char *p = upper[i]; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		names[i] = upper[i];
	}
}

void columns_help(const char *const *names, int count)
{
	int at = printf("\nColumns:");

	for (int i = 0; i < count; i++) {
		if (at + (int)strlen(names[i]) + 2 > PAGE_WIDTH)
			at = printf("\n  ") - 1;
		at += printf(" %s%s", names[i], i + 1 < count ? "," : ".");
	}
	putchar('\n');
}
