/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledger explain: lines of a firewall's log in, an answer for each out.  Lines that hold no
 * packet are passed over.  A line that somebody's mail program broke is put together again.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "explain.h"
#include "explain_row.h"
#include "json_line.h"
#include "lines.h"
#include "options.h"
#include "query.h"

#define PIECES_MAX 8		/* of a broken line */

struct run {
	struct query_db *db;
	struct explain_rules rules;
	struct asked asked;
	struct output *output;
	int64_t line, first;	/* numbers: the last line read, and the first of the pending one */
	char pending[LINES_MAX + 1];
	size_t pending_len;
	int pieces;
	bool cut;		/* the pending line is not whole */
	bool numeric;
	int64_t packets, named;
	char message[LINES_MAX], room[LINES_MAX];	/* of JSON */
	int64_t json_us;	/* dmesg -J: the time of the next message */
};

/* False where the ledger cannot be read. */
static bool answer_line(struct run *r, struct text line, const struct log_wrap *wrap)
{
	struct explained e;
	int rc = explain_line(r->db, &r->rules, line, wrap, &e);

	if (rc <= 0)
		return rc == 0;
	explain_row(r->output, r->asked.format, r->first, &e, r->numeric);
	r->packets++;
	if (e.found.count && answer_number(&e.found.found[0], "pid") >= 0)
		r->named++;
	explained_release(&e);
	return true;
}

static bool answer_pending(struct run *r)
{
	static const struct log_wrap none = { .at_us = -1, .host = TEXT_NONE };
	struct text line = { r->pending, r->pending_len };

	if (!r->pieces)
		return true;
	r->pieces = 0;
	return answer_line(r, line, &none);
}

/* Three centuries: what is more is no time since the start. */
#define UPTIME_MAX_S 1e10

/* "2236.618952", or microseconds. */
static int64_t since_boot_us(struct text t)
{
	char text[32];
	double seconds;

	if (!t.len || t.len >= sizeof(text))
		return -1;
	memcpy(text, t.data, t.len);
	text[t.len] = '\0';
	seconds = strtod(text, NULL);
	return seconds >= 0 && seconds <= UPTIME_MAX_S ? (int64_t)(seconds * TIME_US_PER_S) : -1;
}

static int64_t microseconds(struct text t)
{
	int64_t us = 0;

	if (!t.len || t.len > 17)
		return -1;
	for (size_t i = 0; i < t.len; i++) {
		if (t.data[i] < '0' || t.data[i] > '9')
			return -1;
		us = us * 10 + (t.data[i] - '0');
	}
	return us;
}

/*
 * A line of `journalctl -o json`; or one of `dmesg -J`, which has a member a line.  False where the
 * ledger cannot be read.
 */
static bool answer_json(struct run *r, struct json_line *j)
{
	struct log_wrap wrap = { .at_us = -1, .host = TEXT_NONE };
	struct text message = TEXT_NONE, name, value;
	char host[256];

	while (json_line_next(j, r->room, sizeof(r->room), &name, &value)) {
		if (!value.data)
			continue;
		if (text_equal(name, text_of("MESSAGE")) || text_equal(name, text_of("msg"))) {
			memcpy(r->message, value.data, value.len);
			message = (struct text){ r->message, value.len };
		} else if (text_equal(name, text_of("__REALTIME_TIMESTAMP"))) {
			wrap.at_us = microseconds(value);
		} else if (text_equal(name, text_of("_HOSTNAME")) && value.len < sizeof(host)) {
			memcpy(host, value.data, value.len);
			wrap.host = (struct text){ host, value.len };
		} else if (text_equal(name, text_of("time"))) {
			r->json_us = since_boot_us(value);
		}
	}
	if (!message.data)
		return true;
	if (wrap.at_us < 0 && r->json_us >= 0)
		wrap.at_us = r->rules.stamp.boot_us + r->json_us;
	r->json_us = -1;
	r->first = r->line;
	return answer_line(r, message, &wrap);
}

/* Appends a piece to the pending line, or begins one. */
static void add_piece(struct run *r, struct text line)
{
	struct packet_line parsed = { .cut = false };
	const char *why;
	size_t blank = r->pieces && r->pending_len < LINES_MAX;

	if (!r->pieces++) {
		r->pending_len = 0;
		r->first = r->line;
	}
	if (blank)
		r->pending[r->pending_len++] = ' ';
	if (line.len > LINES_MAX - r->pending_len)
		line.len = LINES_MAX - r->pending_len;
	memcpy(r->pending + r->pending_len, line.data, line.len);
	r->pending_len += line.len;
	line = (struct text){ r->pending, r->pending_len };
	if (packet_line_parse(line, &parsed, &why) == -ENOENT)
		r->pieces = 0;
	r->cut = parsed.cut;
}

static bool on_line(struct run *r, struct text line)
{
	struct json_line j;

	while (line.len && (line.data[line.len - 1] == '\r'))
		line.len--;
	if (r->pieces && r->pieces < PIECES_MAX && packet_line_continues(line)) {
		while (line.len && *line.data == ' ') {
			line.data++;
			line.len--;
		}
		add_piece(r, line);
		return true;
	}
	if (!answer_pending(r))
		return false;
	if (json_line_begin(&j, line) || (j.p < j.end && *j.p == '"'))
		return answer_json(r, &j);
	add_piece(r, line);
	return true;
}

/* Exit status. */
static int read_lines(struct run *r, int fd, const char *name)
{
	struct lines *l = malloc(sizeof(*l));
	struct text line;
	int rc = l ? 0 : -ENOMEM;
	bool good = true;

	if (l)
		lines_init(l, fd);
	while (!rc && good && (rc = lines_next(l, &line)) > 0) {
		rc = 0;
		r->line++;
		good = on_line(r, line);
		if (good && !lines_ready(l)) {
			good = r->cut || answer_pending(r);
			output_flush(r->output);
		}
		if (ferror(stdout))
			break;
	}
	good = good && answer_pending(r);
	free(l);
	if (rc < 0)
		cli_cannot_read("explain", name, strerror(-rc));
	return rc < 0 || !good ? CLI_UNREADABLE : CLI_FOUND;
}

/* A line of a file was not written after the file's end was. */
static int read_file(struct run *r, const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), status;
	struct stat st;

	if (fd < 0) {
		cli_cannot_read("explain", path, strerror(errno));
		return CLI_UNREADABLE;
	}
	r->line = 0;
	r->rules.stamp.newest_us = clock_now_us();
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    st.st_mtim.tv_sec * TIME_US_PER_S < r->rules.stamp.newest_us)
		r->rules.stamp.newest_us = st.st_mtim.tv_sec * TIME_US_PER_S;
	status = read_lines(r, fd, path);
	if (!is_stdin)
		close(fd);
	return status;
}

/* A name of the zone database, or an offset: "+01:00".  False where it is neither. */
static bool set_zone(const char *zone)
{
	char path[128], tz[32];
	int hours, minutes, end = 0;

	if (!strcmp(zone, "UTC"))
		return !setenv("TZ", "UTC0", 1);
	if ((*zone == '+' || *zone == '-') &&
	    sscanf(zone + 1, "%2d:%2d%n", &hours, &minutes, &end) == 2 && !zone[1 + end] &&
	    hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60) {
		/* POSIX counts to the west. */
		snprintf(tz, sizeof(tz), "<ZONE>%c%02d:%02d", *zone == '+' ? '-' : '+', hours,
			 minutes);
		return !setenv("TZ", tz, 1);
	}
	if (!*zone || *zone == '/' || *zone == '.' || strstr(zone, "..") ||
	    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone) >= (int)sizeof(path) ||
	    access(path, R_OK))
		return false;
	return !setenv("TZ", zone, 1);
}

static int64_t boot_us(void)
{
	return clock_now_us() - clock_mono_ns() / 1000;
}

static int explain(struct cli *cli, const struct command *self, struct run *r, int file_count,
		   char **files)
{
	const char *names[COLUMNS_MAX];
	char upper[COLUMNS_MAX][COLUMN_NAME_MAX], standard_input[] = "-";
	struct columns columns;
	int status = CLI_FOUND, count = explain_names(r->asked.format, names, &columns);

	if (!asked_columns(self, &r->asked, names, count, &columns))
		return CLI_USAGE;
	if (r->asked.format == FORMAT_TABLE)
		columns_in_capitals(names, count, upper);
	r->numeric = cli->style.numeric;
	r->db = query_open(cli->ledger);
	if (!r->db)
		return CLI_UNREADABLE;
	/* Not into a pager: an answer is there as soon as its line. */
	style_begin(&cli->style, r->asked.format == FORMAT_TABLE, false);
	r->output = output_new_chosen(stdout, r->asked.format, names, &columns);
	output_set_style(r->output, &cli->style);
	if (!r->output)
		status = CLI_UNREADABLE;
	for (int i = 0; i < (file_count ? file_count : 1) && status == CLI_FOUND; i++)
		status = read_file(r, file_count ? files[i] : standard_input);
	output_end(r->output);
	query_close(r->db);
	if (status == CLI_FOUND && !r->packets)
		fputs("sockledger explain: there is no packet in any line\n", stderr);
	return status != CLI_FOUND ? status : r->named ? CLI_FOUND : CLI_NOTHING;
}

/* False where the option cannot have the value. */
static bool take(int option, const char *value, void *arg)
{
	struct run *r = arg;
	char *end;
	long year;

	switch (option) {
	case 'y':
		year = strtol(value, &end, 10);
		r->rules.stamp.year = (int)year;
		return !*end && year >= 1970 && year <= 9999;
	case 'z':
		r->rules.zone_told = true;
		return set_zone(value) &&
		       snprintf(r->rules.zone, sizeof(r->rules.zone), "%s", value) > 0;
	case 'b':
		r->rules.boot_told = true;
		return !time_parse(value, clock_now_us(), &r->rules.stamp.boot_us);
	default:
		r->rules.host = value;
		return true;
	}
}

int cmd_explain(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option table[] = {
		OPTION_FORMAT, OPTION_OUTPUT,
		{ "year", required_argument, NULL, 'y' },
		{ "tz", required_argument, NULL, 'z' },
		{ "boot", required_argument, NULL, 'b' },
		{ "host", required_argument, NULL, 'n' },
		OPTION_HELP,
	};
	struct run *r = calloc(1, sizeof(*r));
	const char *names[COLUMNS_MAX];
	struct columns usual;
	const struct options options = { table, r ? &r->asked : NULL, take, r, -1, names,
					 explain_names(FORMAT_JSON, names, &usual) };
	int status;

	if (!r)
		return CLI_UNREADABLE;
	r->json_us = -1;
	r->rules.stamp.boot_us = boot_us();
	status = options_read(self, &options, argc, argv);
	tzset();
	if (!r->rules.zone_told)
		snprintf(r->rules.zone, sizeof(r->rules.zone), "%s", tzname[0]);
	if (status < 0)
		status = explain(cli, self, r, argc - optind, argv + optind);
	free(r);
	return status;
}
