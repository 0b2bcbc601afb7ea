/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PostgreSQL: each batch is one transaction, COPY into a temporary table and from there into the
 * rows, where the newer version stays.  Nothing here waits for the network without looking for the
 * signal to end.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "clock.h"
#include "collector.h"
#include "schema.h"

#define PIECE_BYTES 65536	/* of COPY at once */

struct state {
	PGconn *connection;	/* NULL: none */
	char *url, *password, *merge;
	int end, timeout_s;
	int64_t until_ns;	/* of the batch under way */
	bool ended, late;
};

/* Waits for the socket.  False: for too long, or told to end. */
static bool wait_for(struct state *s, short events)
{
	struct pollfd fds[2] = { { .fd = PQsocket(s->connection), .events = events },
				 { .fd = s->end, .events = POLLIN } };
	int64_t left = s->until_ns - clock_mono_ns();
	int n = left > 0 ? poll(fds, 2, clock_poll_ms(left)) : 0;

	s->ended = n > 0 && fds[1].revents;
	s->late = n == 0;
	return n > 0 && !s->ended;
}

static void disconnect(struct state *s)
{
	PQfinish(s->connection);
	s->connection = NULL;
}

/* The server's remarks, which may hold any bytes, are not for the journal. */
static void leave_out(void *arg, const PGresult *remark)
{
	(void)arg;
	(void)remark;
}

static bool connect_to(struct state *s)
{
	const char *const names[] = { "dbname", "password", "fallback_application_name", NULL };
	const char *const values[] = { s->url, s->password, "sockledger-ship", NULL };
	/* Without a password of ours the URL's, or the user's .pgpass, counts. */
	const char *const bare[] = { "dbname", "fallback_application_name", NULL };
	const char *const bare_values[] = { s->url, "sockledger-ship", NULL };
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	s->connection = s->password ? PQconnectStartParams(names, values, 1) :
				      PQconnectStartParams(bare, bare_values, 1);
	if (!s->connection || PQstatus(s->connection) == CONNECTION_BAD)
		return false;
	PQsetNoticeReceiver(s->connection, leave_out, NULL);
	while (status != PGRES_POLLING_OK) {
		if (status == PGRES_POLLING_FAILED ||
		    !wait_for(s, status == PGRES_POLLING_READING ? POLLIN : POLLOUT))
			return false;
		status = PQconnectPoll(s->connection);
	}
	return !PQsetnonblocking(s->connection, 1);
}

static bool flush(struct state *s)
{
	int left;

	while ((left = PQflush(s->connection)) == 1)
		if (!wait_for(s, POLLIN | POLLOUT) || !PQconsumeInput(s->connection))
			return false;
	return left == 0;
}

/* The next answer; NULL: there is none, or it did not come (s->ended, s->late). */
static PGresult *answer(struct state *s)
{
	while (PQisBusy(s->connection))
		if (!wait_for(s, POLLIN) || !PQconsumeInput(s->connection))
			return NULL;
	return PQgetResult(s->connection);
}

/* Where and what a server's error is; "": it is the connection's. */
struct fault {
	char state[6];
	char text[400];
};

static bool expect(struct state *s, ExecStatusType wanted, struct fault *f)
{
	PGresult *r = answer(s);
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	bool good = r && PQresultStatus(r) == wanted;

	if (!good) {
		snprintf(f->state, sizeof(f->state), "%s", state ? state : "");
		snprintf(f->text, sizeof(f->text), "%s", r ? PQresultErrorMessage(r) :
							  PQerrorMessage(s->connection));
	}
	PQclear(r);
	return good;
}

/* The last answer is behind that one. */
static bool has_ended(struct state *s)
{
	PGresult *r = answer(s);

	PQclear(r);
	return !r && !s->ended && !s->late;
}

static bool run(struct state *s, const char *sql, struct fault *f)
{
	if (!PQsendQuery(s->connection, sql) || !flush(s)) {
		snprintf(f->text, sizeof(f->text), "%s", PQerrorMessage(s->connection));
		return false;
	}
	return expect(s, PGRES_COMMAND_OK, f) && has_ended(s);
}

static bool put(struct state *s, const char *data, size_t len)
{
	int rc;

	while ((rc = PQputCopyData(s->connection, data, (int)len)) == 0)
		if (!flush(s))
			return false;
	return rc == 1 && flush(s);
}

static bool copy(struct state *s, const char *lines, size_t len, struct fault *f)
{
	/* JSON has neither of these bytes, so each line is one field. */
	bool good = PQsendQuery(s->connection, "COPY incoming FROM STDIN (FORMAT csv, QUOTE"
				" e'\\x01', DELIMITER e'\\x02', ENCODING 'UTF8')") && flush(s) &&
		    expect(s, PGRES_COPY_IN, f);
	size_t piece;

	for (; good && len; lines += piece, len -= piece) {
		piece = len < PIECE_BYTES ? len : PIECE_BYTES;
		good = put(s, lines, piece);
	}
	while (good) {
		int rc = PQputCopyEnd(s->connection, NULL);

		if (rc == 1)
			break;
		good = rc == 0 && flush(s);
	}
	return good && flush(s) && expect(s, PGRES_COMMAND_OK, f) && has_ended(s);
}

static enum sent tell(struct state *s, const struct fault *f, char *why)
{
	bool bad = s->connection && PQstatus(s->connection) == CONNECTION_BAD;
	const char *text = f->text[0] ? f->text : s->connection ? PQerrorMessage(s->connection) :
							      "out of memory";
	const char *todo = "";
	enum sent sent = SEND_LATER;
	char line[500];
	size_t n = 0;

	if (s->ended)
		return SEND_ENDED;
	if (s->late) {
		snprintf(why, COLLECTOR_WHY, "it takes longer than %d seconds", s->timeout_s);
		return SEND_LESS;
	}
	/* 42P01, 3F000: no such table, no such schema; 42703: no such column; 42501: no right. */
	if (!strcmp(f->state, "42P01") || !strcmp(f->state, "3F000"))
		todo = "; 'sockledger ship --schema postgresql' prints what makes the table";
	else if (!strcmp(f->state, "42703"))
		todo = "; the table is of another version: 'sockledger ship --schema postgresql'"
		       " prints the present one";
	else if (!strcmp(f->state, "42501"))
		todo = "; the user needs SELECT, INSERT and UPDATE of sockledger.connections,"
		       " USAGE of its schema, and TEMPORARY of the database";
	else if ((bad && PQconnectionNeedsPassword(s->connection)) ||
		 (bad && PQconnectionUsedPassword(s->connection) && strstr(text, "password")))
		todo = "; the password belongs into a file for --password-file";
	if (*todo || !strncmp(f->state, "22", 2) || !strncmp(f->state, "23", 2) ||
	    !strncmp(f->state, "42", 2))
		sent = SEND_REFUSED;
	/* Of several lines one: the log's. */
	for (; n < sizeof(line) - 1 && text[n]; n++)
		line[n] = (unsigned char)text[n] < ' ' || text[n] == 127 ? ' ' : text[n];
	while (n && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	snprintf(why, COLLECTOR_WHY, "%s%s", line, todo);
	return sent;
}

/* Whatever went wrong, the next batch begins with a new connection: nothing of this one is left. */
static enum sent postgres_send(void *arg, const char *lines, size_t len, char why[COLLECTOR_WHY])
{
	struct state *s = arg;
	struct fault f = { .state = "", .text = "" };
	enum sent sent;

	s->ended = s->late = false;
	s->until_ns = clock_mono_ns() + s->timeout_s * 1000000000LL;
	if (s->connection || (connect_to(s) &&
			      run(s, "SET client_encoding = 'UTF8'", &f) &&
			      run(s, "CREATE TEMPORARY TABLE incoming (line json) ON COMMIT DELETE"
				     " ROWS", &f)))
		if (run(s, "BEGIN", &f) && copy(s, lines, len, &f) && run(s, s->merge, &f) &&
		    run(s, "COMMIT", &f))
			return SENT;
	sent = tell(s, &f, why);
	disconnect(s);
	return sent;
}

static void put_list(FILE *out, const char *before, bool keys)
{
	const char *comma = "";

	for (int i = 0; i < schema_column_count; i++) {
		if (schema_columns[i].key && !keys)
			continue;
		fprintf(out, "%s%s\"%s\"", comma, before, schema_columns[i].name);
		comma = ", ";
	}
}

static char *make_merge(void)
{
	char *sql = NULL;
	size_t len;
	FILE *out = open_memstream(&sql, &len);

	if (!out)
		return NULL;
	fputs("INSERT INTO sockledger.connections AS c (", out);
	put_list(out, "", true);
	fputs(") SELECT ", out);
	put_list(out, "r.", true);
	fputs(" FROM incoming, json_populate_record(NULL::sockledger.connections, line) r"
	      " ON CONFLICT (time, ledger, id) DO UPDATE SET (", out);
	put_list(out, "", false);
	fputs(") = ROW(", out);
	put_list(out, "excluded.", false);
	fputs(") WHERE c.version < excluded.version", out);
	if (fclose(out)) {
		free(sql);
		return NULL;
	}
	return sql;
}

static void postgres_close(void *arg)
{
	struct state *s = arg;

	if (!s)
		return;
	disconnect(s);
	if (s->password)
		explicit_bzero(s->password, strlen(s->password));
	free(s->password);
	free(s->merge);
	free(s->url);
	free(s);
}

/* The parts of the URL that tell one database from another. */
static bool read_url(const char *url, char *place, size_t size, char *why)
{
	char *error = NULL;
	PQconninfoOption *parts = PQconninfoParse(url, &error);
	const char *host = "", *port = "", *name = "", *user = "";
	bool good = parts != NULL;

	if (!good)
		snprintf(why, COLLECTOR_WHY, "%.500s", error ? error : "out of memory");
	for (PQconninfoOption *p = parts; good && p->keyword; p++) {
		if (!p->val)
			continue;
		if (!strcmp(p->keyword, "host"))
			host = p->val;
		else if (!strcmp(p->keyword, "port"))
			port = p->val;
		else if (!strcmp(p->keyword, "dbname"))
			name = p->val;
		else if (!strcmp(p->keyword, "user"))
			user = p->val;
		else if (!strcmp(p->keyword, "password")) {
			snprintf(why, COLLECTOR_WHY, "a password in the URL can be read by every"
				 " user: it belongs into a file, for --password-file");
			good = false;
		}
	}
	if (good && (size_t)snprintf(place, size, "postgresql %s@%s:%s/%s", user, host, port,
				     name) >= size) {
		snprintf(why, COLLECTOR_WHY, "the URL is too long");
		good = false;
	}
	PQconninfoFree(parts);
	PQfreemem(error);
	return good;
}

static int postgres_open(const struct collector_options *o, void **state, char *place, size_t size,
			 char why[COLLECTOR_WHY])
{
	struct state *s;
	bool good;

	if (o->ca || o->cert || o->key) {
		snprintf(why, COLLECTOR_WHY, "PostgreSQL's certificates stand in the URL:"
			 " ?sslmode=verify-full&sslrootcert=FILE");
		return -EINVAL;
	}
	if (!read_url(o->url, place, size, why))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->end = o->end;
	s->timeout_s = o->timeout_s;
	s->url = strdup(o->url);
	s->merge = make_merge();
	if (o->password_file) {
		s->password = collector_password(o->password_file);
		if (!s->password)
			snprintf(why, COLLECTOR_WHY, "cannot read the password from '%s': %s",
				 o->password_file, strerror(errno));
	}
	if (s->url && s->merge && (s->password || !o->password_file)) {
		*state = s;
		return 0;
	}
	good = s->url && s->merge;
	postgres_close(s);
	return good ? -EINVAL : -ENOMEM;
}

const struct collector_ops postgres = { postgres_open, postgres_close, postgres_send };
