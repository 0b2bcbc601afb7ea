/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the columns of a table stand on a terminal. */
#include <strings.h>

#include "columns.h"
#include "layout.h"

#define COLUMN_MIN 4
#define READABLE 16
/* "192.168.100.200:65535": a longer one, of IPv6, takes room from its own row alone. */
#define ADDRESS 21
#define INDENT 4

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool is_one_of(const char *column, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcasecmp(column, names[i]))
			return true;
	return false;
}

bool layout_is_time(const char *column)
{
	static const char *const names[] = { "time", "log_time", "start_time", "end_time", "first",
					     "last" };

	return is_one_of(column, names, COUNT(names));
}

bool layout_is_path(const char *column)
{
	static const char *const names[] = { "program", "exe", "parent_exe", "cwd" };

	return is_one_of(column, names, COUNT(names));
}

bool layout_is_address(const char *column)
{
	static const char *const names[] = { "source", "destination", "src", "dst" };

	return is_one_of(column, names, COUNT(names));
}

/* The narrowest in which a column can be read. */
static size_t readable(const struct layout *l, int i)
{
	size_t most = layout_is_time(l->names[i]) ? l->width[i] :
		      layout_is_address(l->names[i]) ? ADDRESS : READABLE;

	return l->width[i] < most ? l->width[i] : most;
}

bool layout_wants_short_times(const struct layout *l)
{
	size_t sum = 0;

	for (int i = 0; i < l->columns; i++)
		sum += (i ? LAYOUT_GAP : 0) + readable(l, i);
	return sum > l->limit;
}

static size_t wants(const struct layout *l, const size_t *wish, int i)
{
	return (wish[i] - l->width[i]) * (layout_is_address(l->names[i]) ? l->limit : 1);
}

/* What is left of a line, to those of its columns from one to below another that want it most, and
 * to addresses first. */
static void share_out(struct layout *l, const size_t *wish, int from, int to, size_t used)
{
	while (used < l->limit) {
		int most = from;

		for (int i = from; i < to; i++)
			if (wants(l, wish, i) > wants(l, wish, most))
				most = i;
		if (!wants(l, wish, most))
			return;
		l->width[most]++;
		used++;
	}
}

static void set_starts(struct layout *l)
{
	size_t at = 0;

	for (int i = 0; i < l->columns; i++) {
		if (l->begins[i])
			at = INDENT;
		l->start[i] = at;
		at += l->width[i] + LAYOUT_GAP;
	}
}

/* As many columns on each line as can be read there. */
static void fold(struct layout *l)
{
	size_t wish[COLUMNS_MAX], at = 0;
	int from = 0;

	for (int i = 0; i < l->columns; i++) {
		wish[i] = l->width[i];
		l->width[i] = readable(l, i);
	}
	for (int i = 0; i < l->columns; i++) {
		size_t gap = i > from ? LAYOUT_GAP : 0;

		if (i > from && at + gap + l->width[i] > l->limit) {
			share_out(l, wish, from, i, at);
			l->begins[i] = true;
			from = i;
			at = INDENT;
			gap = 0;
		}
		at += gap + l->width[i];
	}
	share_out(l, wish, from, l->columns, at);
}

/* Half a time says nothing, and half an address less, so they give way late. */
static size_t gives(const struct layout *l, int i)
{
	bool late = layout_is_time(l->names[i]) || layout_is_address(l->names[i]);

	return l->width[i] / (late ? 2 : 1);
}

static void cut(struct layout *l, size_t sum)
{
	while (sum > l->limit) {
		int widest = -1;

		for (int i = 0; i < l->columns; i++)
			if (l->width[i] > COLUMN_MIN &&
			    (widest < 0 || gives(l, i) > gives(l, widest)))
				widest = i;
		if (widest < 0)
			break;
		l->width[widest]--;
		sum--;
	}
}

void layout_fit(struct layout *l, bool may_fold)
{
	size_t sum = 0;

	for (int i = 0; i < l->columns; i++)
		sum += (i ? LAYOUT_GAP : 0) + l->width[i];
	if (l->limit && sum > l->limit) {
		if (may_fold && l->columns <= COLUMNS_MAX)
			fold(l);
		else
			cut(l, sum);
	}
	set_starts(l);
}
