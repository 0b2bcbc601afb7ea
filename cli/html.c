/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pieces of a page: see html.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "html.h"

/* Columns of a text that is shown: a name may have 4 kB. */
#define TEXT_COLUMNS 200
/* The chart's own units. */
#define CHART_WIDTH 720
#define CHART_HEIGHT 180
#define CHART_LEFT 56
#define CHART_BOTTOM 24
#define CHART_LABELS 6
#define CHART_LABEL 66	/* so wide is one of them */

static const char style[] =
	":root{color-scheme:light dark;--text:#1a202c;--dim:#5a6472;--line:#d5dae1;--page:#fff;"
	"--passed:#2b6cb0;--denied:#c2410c}"
	"@media(prefers-color-scheme:dark){:root{--text:#e6eaf0;--dim:#a3adba;--line:#39424e;"
	"--page:#14181d;--passed:#63a4e8;--denied:#fb923c}}"
	"@media print{:root{--text:#000;--dim:#444;--line:#bbb;--page:#fff;--passed:#2b6cb0;"
	"--denied:#c2410c}section{break-inside:avoid}}"
	"body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--page);"
	"max-width:62rem;margin:0 auto;padding:1rem}"
	"h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}"
	"p{margin:.25rem 0}.dim{color:var(--dim)}"
	".figures{display:flex;flex-wrap:wrap;gap:1rem 2rem;margin:1rem 0}"
	".figures b{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums}"
	".scroll{overflow-x:auto}"
	"table{border-collapse:collapse;width:100%}"
	"th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line);"
	"overflow-wrap:anywhere;vertical-align:top}"
	"th{color:var(--dim);font-weight:600}"
	"th.n,td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;"
	"width:11rem;padding-right:0}"
	".bar{display:inline-block;height:.6rem;margin-left:.5rem;width:5rem}"
	".bar i{display:block;height:100%;background:var(--passed)}"
	"@media(max-width:30rem){th.n,td.n{width:auto}.bar{display:none}}"
	"svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--dim)}"
	".passed{fill:var(--passed)}.denied{fill:var(--denied)}.grid{stroke:var(--line)}"
	".key{display:inline-block;width:.7rem;height:.7rem;margin:0 .35rem 0 .9rem}"
	"summary{cursor:pointer;color:var(--dim)}";

void html_text(FILE *out, struct text t)
{
	char *shown = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&shown, &len);

	if (f) {
		text_print(f, t, TEXT_COLUMNS);
		fclose(f);
	}
	for (size_t i = 0; shown && i < len; i++) {
		switch (shown[i]) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(shown[i], out);
		}
	}
	free(shown);
}

void html_begin(FILE *out, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
	      out);
	html_text(out, text_of(title));
	fprintf(out, "</title>\n<style>%s</style></head>\n<body><main><section><h1>", style);
	html_text(out, text_of(title));
	fputs("</h1>\n", out);
}

void html_end(FILE *out)
{
	fputs("</section></main></body></html>\n", out);
}

void html_section(FILE *out, const char *heading)
{
	fputs("</section>\n<section><h2>", out);
	html_text(out, text_of(heading));
	fputs("</h2>\n", out);
}

void html_figure(FILE *out, int64_t number, const char *what)
{
	fprintf(out, "<span><b>%" PRId64 "</b> ", number);
	html_text(out, text_of(what));
	fputs("</span>\n", out);
}

/* The smallest of 1, 2, 5, 10, 20, 50, ... that is not below n. */
static int64_t round_up(int64_t n)
{
	static const int64_t steps[] = { 1, 2, 5 };

	for (int64_t ten = 1; ten <= INT64_MAX / 100; ten *= 10)
		for (int i = 0; i < 3; i++)
			if (steps[i] * ten >= n)
				return steps[i] * ten;
	return n;
}

static double height(int64_t n, int64_t most)
{
	return (double)n * (CHART_HEIGHT - CHART_BOTTOM - 8) / (double)most;
}

static void rectangle(FILE *out, const char *class, double x, double y, double w, double h)
{
	if (h > 0)
		fprintf(out, "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\""
			" height=\"%.2f\"/>", class, x, y, w, h);
}

static void one_column(FILE *out, const struct html_column *c, int64_t most, double x, double width)
{
	double floor = CHART_HEIGHT - CHART_BOTTOM;
	double passed = height(c->passed, most), denied = height(c->denied, most);

	fputs("<g><title>", out);
	html_text(out, text_of(c->label));
	fprintf(out, ": %" PRId64 " passed, %" PRId64 " denied</title>", c->passed, c->denied);
	rectangle(out, "passed", x, floor - passed, width, passed);
	rectangle(out, "denied", x, floor - passed - denied, width, denied);
	fputs("</g>", out);
}

static void chart_grid(FILE *out, int64_t most)
{
	for (int i = 0; i <= 2; i++) {
		double y = CHART_HEIGHT - CHART_BOTTOM - height(most * i / 2, most);

		fprintf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.2f\" y2=\"%.2f\"/>",
			CHART_LEFT, CHART_WIDTH, y, y);
		/* Half of 1 is no number of connections. */
		if (i != 1 || most % 2 == 0)
			fprintf(out, "<text x=\"%d\" y=\"%.2f\" text-anchor=\"end\">%" PRId64
				"</text>", CHART_LEFT - 6, y + 4, most * i / 2);
	}
}

static void chart_table(FILE *out, const char *what, const struct html_column *columns, int count)
{
	fputs("<details><summary>The numbers</summary><div class=\"scroll\"><table><thead><tr><th>",
	      out);
	html_text(out, text_of(what));
	fputs("</th><th class=\"n\">passed</th><th class=\"n\">denied</th></tr></thead><tbody>\n",
	      out);
	for (int i = 0; i < count; i++) {
		fputs("<tr><td>", out);
		html_text(out, text_of(columns[i].label));
		fprintf(out, "</td><td class=\"n\">%" PRId64 "</td><td class=\"n\">%" PRId64
			"</td></tr>\n", columns[i].passed, columns[i].denied);
	}
	fputs("</tbody></table></div></details>\n", out);
}

void html_chart(FILE *out, const char *what, const struct html_column *columns, int count)
{
	double width = (double)(CHART_WIDTH - CHART_LEFT) / (count ? count : 1);
	int every = (count + CHART_LABELS - 1) / CHART_LABELS;
	int64_t most = 1;

	for (int i = 0; i < count; i++)
		if (columns[i].passed + columns[i].denied > most)
			most = columns[i].passed + columns[i].denied;
	most = round_up(most);
	fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Connections by ",
		CHART_WIDTH, CHART_HEIGHT);
	html_text(out, text_of(what));
	fputs("; the numbers are in the table below\">", out);
	chart_grid(out, most);
	for (int i = 0; i < count; i++) {
		double x = CHART_LEFT + i * width;

		one_column(out, &columns[i], most, x, width * 0.85);
		if (i % every || x > CHART_WIDTH - CHART_LABEL)
			continue;
		fprintf(out, "<text x=\"%.2f\" y=\"%d\">", x, CHART_HEIGHT - 8);
		html_text(out, text_of(columns[i].label));
		fputs("</text>", out);
	}
	fputs("</svg>\n<p class=\"dim\">"
	      "<span class=\"key\" style=\"background:var(--passed)\"></span>passed"
	      "<span class=\"key\" style=\"background:var(--denied)\"></span>denied</p>\n", out);
	chart_table(out, what, columns, count);
}

void html_table_begin(FILE *out, const char *const *names, int columns)
{
	fputs("<div class=\"scroll\"><table><thead><tr>", out);
	for (int i = 0; i < columns; i++) {
		fprintf(out, "<th%s>", i == columns - 1 ? " class=\"n\"" : "");
		html_text(out, text_of(names[i]));
		fputs("</th>", out);
	}
	fputs("</tr></thead><tbody>\n", out);
}

static void html_cell(FILE *out, const struct cell *c)
{
	if (c->kind == CELL_TEXT)
		html_text(out, c->text);
	else if (c->kind == CELL_INTEGER)
		fprintf(out, "%" PRId64, c->integer);
	else
		fputs("<span class=\"dim\">" OUTPUT_UNKNOWN "</span>", out);
}

void html_table_row(FILE *out, const struct cell *cells, int columns, int64_t most)
{
	int64_t n = cells[columns - 1].integer;

	fputs("<tr>", out);
	for (int i = 0; i < columns - 1; i++) {
		fputs("<td>", out);
		html_cell(out, &cells[i]);
		fputs("</td>", out);
	}
	fprintf(out, "<td class=\"n\">%" PRId64 "<span class=\"bar\"><i style=\"width:%.1f%%\"></i>"
		"</span></td></tr>\n", n, most > 0 ? 100.0 * (double)n / (double)most : 0.0);
}

void html_table_end(FILE *out)
{
	fputs("</tbody></table></div>\n", out);
}
