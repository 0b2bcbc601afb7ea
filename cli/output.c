/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows for people and for scripts.  A table learns its widths from the rows that it can hold back.
 * On a terminal too narrow for them times lose their year and what is behind the second, then a row
 * takes several lines, or the widest columns give way: a cut text ends in "…", and no address is
 * cut where a row may take several lines.  Output into a pipe is never cut.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "columns.h"
#include "layout.h"
#include "output.h"
#include "style.h"

#define HELD_ROWS 256

static const struct style plain;

struct output {
	FILE *out;
	const struct style *style;
	enum format format;
	struct columns chosen;	/* none: all that a row has */
	int columns;
	char **names;
	struct layout layout;	/* of a table */
	bool *number;		/* aligned to the right */
	bool header_done;
	bool may_fold;
	bool short_times;	/* because of that */
	char **held;		/* HELD_ROWS * columns texts; NULL: unknown */
	size_t *held_len;
	int rows;
};

int format_parse(const char *name, enum format *f)
{
	static const char *const names[] = { "table", "json", "csv" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name))
			continue;
		*f = (enum format)i;
		return 0;
	}
	return -EINVAL;
}

static void complain(void)
{
	fputs("sockledger: out of memory\n", stderr);
}

struct output *output_new(FILE *out, enum format format, const char *const *names, int columns)
{
	struct output *o = calloc(1, sizeof(*o));
	size_t n = (size_t)columns, cells = format == FORMAT_TABLE ? HELD_ROWS * n : 1;
	bool whole;

	if (!o) {
		complain();
		return NULL;
	}
	o->out = out;
	o->style = &plain;
	o->format = format;
	o->columns = columns;
	o->names = calloc(n + 1, sizeof(*o->names));
	o->layout = (struct layout){ .columns = columns, .names = o->names,
				     .width = calloc(n + 1, sizeof(*o->layout.width)),
				     .start = calloc(n + 1, sizeof(*o->layout.start)),
				     .begins = calloc(n + 1, sizeof(*o->layout.begins)) };
	o->number = calloc(n + 1, sizeof(*o->number));
	o->held = calloc(cells, sizeof(*o->held));
	o->held_len = calloc(cells, sizeof(*o->held_len));
	whole = o->names && o->layout.width && o->layout.start && o->layout.begins &&
		o->number && o->held && o->held_len;
	for (size_t i = 0; whole && i < n; i++) {
		o->names[i] = strdup(names[i]);
		whole = o->names[i] != NULL;
		o->number[i] = true;
	}
	if (whole)
		return o;
	complain();
	output_end(o);
	return NULL;
}

struct output *output_new_chosen(FILE *out, enum format format, const char *const *names,
				 const struct columns *chosen)
{
	const char *shown[COLUMNS_MAX];
	struct output *o;

	for (int i = 0; i < chosen->count; i++)
		shown[i] = names[chosen->index[i]];
	o = output_new(out, format, shown, chosen->count);
	if (o)
		o->chosen = *chosen;
	return o;
}

void output_set_style(struct output *o, const struct style *style)
{
	if (o)
		o->style = style;
}

void output_may_fold(struct output *o)
{
	if (o)
		o->may_fold = true;
}

static size_t real_text(double real, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%.15g", real);

	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

void output_json(FILE *out, const struct cell *c)
{
	char buf[40];

	switch (c->kind) {
	case CELL_NULL:
		fputs("null", out);
		break;
	case CELL_INTEGER:
		fprintf(out, "%" PRId64, c->integer);
		break;
	case CELL_REAL:
		/* JSON has no infinity. */
		if (!isfinite(c->real) || !real_text(c->real, buf, sizeof(buf)))
			fputs("null", out);
		else
			fputs(buf, out);
		break;
	case CELL_TEXT:
		text_print_json(out, c->text);
		break;
	}
}

static void json_row(struct output *o, const struct cell *cells)
{
	for (int i = 0; i < o->columns; i++) {
		fputs(i ? ", " : "{", o->out);
		text_print_json(o->out, text_of(o->names[i]));
		fputs(": ", o->out);
		output_json(o->out, &cells[i]);
	}
	fputs(o->columns ? "}\n" : "{}\n", o->out);
}

/* The text of a cell; buf holds a number's text. */
static struct text cell_text(const struct cell *c, char buf[40])
{
	switch (c->kind) {
	case CELL_INTEGER:
		snprintf(buf, 40, "%" PRId64, c->integer);
		return text_of(buf);
	case CELL_REAL:
		return (struct text){ buf, real_text(c->real, buf, 40) };
	case CELL_TEXT:
		return c->text;
	default:
		return TEXT_NONE;
	}
}

static void csv_row(struct output *o, const struct cell *cells)
{
	char buf[40];

	for (int i = 0; i < o->columns; i++) {
		if (i)
			fputc(',', o->out);
		text_print_csv(o->out, cell_text(&cells[i], buf));
	}
	fputc('\n', o->out);
}

static void csv_header(struct output *o)
{
	if (o->header_done)
		return;
	o->header_done = true;
	for (int i = 0; i < o->columns; i++) {
		if (i)
			fputc(',', o->out);
		text_print_csv(o->out, text_of(o->names[i]));
	}
	fputc('\n', o->out);
}

static size_t shown_width(struct text t)
{
	static FILE *nowhere;

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	return nowhere ? text_print(nowhere, t, 0) : t.len;
}

/* Returns 0 where the output is not a terminal and is not cut. */
static size_t terminal_width(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)))
		return 0;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

/* "2026-11-21T23:13:12.423000+01:00" as "11-21 23:13:12+01": the zone says which time it is. */
#define SHORT_TIME 14
static void shorten_time(char *time, size_t *len)
{
	size_t zone = 5 + SHORT_TIME;

	if (!time || *len < zone || time[4] != '-' || time[13] != ':')
		return;
	memmove(time, time + 5, SHORT_TIME);
	time[5] = ' ';
	while (zone < *len && !strchr("Z+-", time[zone]))
		zone++;
	*len -= zone;
	memmove(time + SHORT_TIME, time + zone, *len);
	*len += SHORT_TIME;
	if (*len > 3 + SHORT_TIME && !memcmp(time + *len - 3, ":00", 3))
		*len -= 3;
}

static void shorten_times(struct output *o)
{
	o->short_times = true;
	for (int i = 0; i < o->columns; i++)
		for (int row = 0; layout_is_time(o->names[i]) && row < o->rows; row++)
			shorten_time(o->held[row * o->columns + i],
				     &o->held_len[row * o->columns + i]);
}

/* What each column would like. */
static void measure(struct output *o)
{
	size_t *width = o->layout.width;

	for (int i = 0; i < o->columns; i++) {
		width[i] = strlen(o->names[i]);
		for (int row = 0; row < o->rows; row++) {
			int at = row * o->columns + i;
			size_t w = shown_width((struct text){ o->held[at], o->held_len[at] });

			if (w > width[i])
				width[i] = w;
		}
	}
}

static void learn_widths(struct output *o)
{
	o->layout.limit = terminal_width(o->out);
	measure(o);
	if (o->layout.limit && layout_wants_short_times(&o->layout)) {
		shorten_times(o);
		measure(o);
	}
	layout_fit(&o->layout, o->may_fold);
}

static void pad(FILE *out, size_t n)
{
	while (n--)
		fputc(' ', out);
}

/* Cut in its middle, where it is wider.  How wide it is then. */
static size_t print_path(FILE *out, struct text t, size_t width)
{
	size_t head = width / 2, tail = width - head, shown;
	struct text end = t;

	if (!width || shown_width(t) <= width)
		return text_print(out, t, 0);
	shown = text_print(out, t, head);	/* with its "…" */
	/* A character has four bytes at most, and a byte that is none four columns. */
	if (end.len > 4 * tail)
		end = (struct text){ t.data + t.len - 4 * tail, 4 * tail };
	while (end.len && (shown_width(end) > tail || (*end.data & 0xc0) == 0x80)) {
		end.data++;
		end.len--;
	}
	return shown + text_print(out, end, 0);
}

/* From the position at to where the cell of a column begins: beneath, where the row has no room
 * for it, or where what stands before it is wider than its column. */
static size_t go_to_cell(const struct output *o, int column, size_t at, size_t width)
{
	const struct layout *l = &o->layout;
	size_t start = l->start[column];

	if (!column)
		return 0;
	if (!l->limit || (!l->begins[column] && !o->may_fold)) {
		pad(o->out, LAYOUT_GAP);
		return at + LAYOUT_GAP;
	}
	if (start + width > l->limit)
		start = l->limit > width ? l->limit - width : 0;
	if (l->begins[column] || at + LAYOUT_GAP > start) {
		fputc('\n', o->out);
		at = 0;
	}
	pad(o->out, start - at);
	return start;
}

/* Returns the position behind it. */
static size_t table_cell(struct output *o, int column, struct text t, const char *begin, size_t at)
{
	/* Without a limit every text is written in full, also one that is wider than those that
	 * the widths were learned from. */
	const struct layout *l = &o->layout;
	size_t width = l->width[column], shown, most = l->limit ? width : 0;
	bool last = column == o->columns - 1 || l->begins[column + 1];

	if (most && o->may_fold && layout_is_address(o->names[column])) {
		shown = shown_width(t);
		at = go_to_cell(o, column, at, shown > width ? shown : width);
		most = 0;
	} else {
		at = go_to_cell(o, column, at, width);
	}
	if (o->number[column]) {
		shown = shown_width(t);
		if (shown < width)
			pad(o->out, width - shown);
	}
	fputs(begin, o->out);
	shown = layout_is_path(o->names[column]) ? print_path(o->out, t, most) :
						   text_print(o->out, t, most);
	fputs(*begin ? STYLE_END : "", o->out);
	if (!o->number[column] && !last && shown < width)
		pad(o->out, width - shown);
	return at + (shown < width ? width : shown);
}

static void table_flush(struct output *o)
{
	size_t place = 0;

	if (!o->header_done) {
		if (!o->rows)
			return;
		learn_widths(o);
		for (int i = 0; i < o->columns; i++)
			place = table_cell(o, i, text_of(o->names[i]),
					   o->style->color ? STYLE_HEAD : "", place);
		fputc('\n', o->out);
		o->header_done = true;
	}
	for (int row = 0; row < o->rows; row++) {
		for (int i = 0; i < o->columns; i++) {
			int at = row * o->columns + i;
			struct text t = { o->held[at], o->held_len[at] };

			place = table_cell(o, i, t.data ? t : text_of(OUTPUT_UNKNOWN),
					   style_value(o->style, o->names[i], t), place);
			free(o->held[at]);
			o->held[at] = NULL;
			o->held_len[at] = 0;
		}
		fputc('\n', o->out);
	}
	o->rows = 0;
}

static void table_row(struct output *o, const struct cell *cells)
{
	char buf[40], local[TIME_TEXT_MAX];

	for (int i = 0; i < o->columns; i++) {
		struct text t = cell_text(&cells[i], buf);
		int at = o->rows * o->columns + i;

		if (cells[i].kind == CELL_TEXT && !o->header_done)
			o->number[i] = false;
		if (!t.data)
			continue;
		if (layout_is_time(o->names[i]))
			t = style_time(o->style, t, local);
		o->held[at] = malloc(t.len + 1);
		/* A row without it would be another one. */
		if (!o->held[at]) {
			complain();
			exit(CLI_UNREADABLE);
		}
		memcpy(o->held[at], t.data, t.len);
		o->held_len[at] = t.len;
		if (o->short_times && layout_is_time(o->names[i]))
			shorten_time(o->held[at], &o->held_len[at]);
	}
	if (++o->rows == HELD_ROWS)
		table_flush(o);
}

void output_row(struct output *o, const struct cell *cells)
{
	struct cell row[COLUMNS_MAX];

	for (int i = 0; i < o->chosen.count; i++)
		row[i] = cells[o->chosen.index[i]];
	if (o->chosen.count)
		cells = row;
	switch (o->format) {
	case FORMAT_JSON:
		json_row(o, cells);
		break;
	case FORMAT_CSV:
		csv_header(o);
		csv_row(o, cells);
		break;
	case FORMAT_TABLE:
		table_row(o, cells);
		break;
	}
}

void output_flush(struct output *o)
{
	if (o->format == FORMAT_TABLE)
		table_flush(o);
	else if (o->format == FORMAT_CSV)
		csv_header(o);
	fflush(o->out);
}

void output_end(struct output *o)
{
	if (!o)
		return;
	if (o->held && o->names)
		output_flush(o);
	for (int i = 0; o->names && i < o->columns; i++)
		free(o->names[i]);
	free(o->names);
	free(o->layout.width);
	free(o->layout.start);
	free(o->layout.begins);
	free(o->number);
	free(o->held);
	free(o->held_len);
	free(o);
}
