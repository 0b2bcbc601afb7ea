/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ClickHouse by its HTTP interface: each batch is one INSERT of compressed JSON lines.  The table
 * keeps the newest version of a row, so a batch that is sent again changes nothing.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <zlib.h>

#include "collector.h"

#define ANSWER_BYTES 2048
#define CONNECT_S 10
/* Nine tenths of what the highest level saves, in a third of its time. */
#define LEVEL 3
#define GZIP_WINDOW (15 + 16)	/* zlib: the largest window, with gzip's head */

struct state {
	CURL *curl;
	struct curl_slist *headers;
	char *password;
	int end;
	bool ended;
	char answer[ANSWER_BYTES];
	size_t answer_len;
	unsigned char *packed;
	size_t packed_size;
	char error[CURL_ERROR_SIZE];
};

static size_t on_answer(char *data, size_t one, size_t n, void *arg)
{
	struct state *s = arg;
	size_t room = sizeof(s->answer) - 1 - s->answer_len, len = one * n;

	if (len < room)
		room = len;
	memcpy(s->answer + s->answer_len, data, room);
	s->answer_len += room;
	s->answer[s->answer_len] = '\0';
	return len;
}

/* libcurl asks once a second at least. */
static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct state *s = arg;
	struct pollfd fd = { .fd = s->end, .events = POLLIN };

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	s->ended = poll(&fd, 1, 0) > 0;
	return s->ended;
}

static bool is_name(const char *s)
{
	size_t n = 0;

	for (; s[n]; n++)
		if (!isalnum((unsigned char)s[n]) && s[n] != '_')
			return false;
	return n > 0 && n < 64 && !isdigit((unsigned char)s[0]);
}

/* The URL with its query; "" with what is wrong in why. */
static char *make_url(const char *given, char *place, size_t size, char *why)
{
	CURLU *u = curl_url();
	char *path = NULL, *password = NULL, *query = NULL, *url = NULL, *shown = NULL;
	char database[80] = "sockledger", text[256];
	bool good = u && !curl_url_set(u, CURLUPART_URL, given, 0);

	if (u)
		snprintf(why, COLLECTOR_WHY, "'%s' is no URL", given);
	if (good && !curl_url_get(u, CURLUPART_PASSWORD, &password, 0)) {
		snprintf(why, COLLECTOR_WHY, "a password in the URL can be read by every user: it"
			 " belongs into a file, for --password-file");
		good = false;
	}
	if (good && !curl_url_get(u, CURLUPART_QUERY, &query, 0)) {
		snprintf(why, COLLECTOR_WHY, "the URL has a query, which is ours to write");
		good = false;
	}
	if (good && !curl_url_get(u, CURLUPART_PATH, &path, 0) && strcmp(path, "/")) {
		size_t len = strlen(path);

		if (path[len - 1] == '/')
			path[len - 1] = '\0';
		snprintf(database, sizeof(database), "%s", path + 1);
		good = is_name(database);
		snprintf(why, COLLECTOR_WHY, "'%.64s' is no name of a database", path + 1);
	}
	snprintf(text, sizeof(text), "query=INSERT INTO %s.rows FORMAT JSONEachRow", database);
	if (good && (curl_url_set(u, CURLUPART_PATH, database, 0) ||
		     curl_url_get(u, CURLUPART_URL, &shown, 0) ||
		     (size_t)snprintf(place, size, "clickhouse %s", shown) >= size))
		good = false;
	if (good && (curl_url_set(u, CURLUPART_PATH, "/", 0) ||
		     curl_url_set(u, CURLUPART_QUERY, text, CURLU_APPENDQUERY | CURLU_URLENCODE) ||
		     curl_url_set(u, CURLUPART_QUERY, "input_format_skip_unknown_fields=1",
				  CURLU_APPENDQUERY | CURLU_URLENCODE) ||
		     curl_url_get(u, CURLUPART_URL, &url, 0)))
		url = NULL;
	curl_free(path);
	curl_free(password);
	curl_free(query);
	curl_free(shown);
	curl_url_cleanup(u);
	return url;
}

static void clickhouse_close(void *arg)
{
	struct state *s = arg;

	if (!s)
		return;
	curl_easy_cleanup(s->curl);
	curl_slist_free_all(s->headers);
	if (s->password)
		explicit_bzero(s->password, strlen(s->password));
	free(s->password);
	free(s->packed);
	free(s);
	curl_global_cleanup();
}

static bool set_options(struct state *s, const struct collector_options *o, const char *url)
{
	static const char *const lines[] = { "Content-Encoding: gzip", "Expect:",
					     "Content-Type: application/x-ndjson" };
	CURL *c = s->curl;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct curl_slist *longer = curl_slist_append(s->headers, lines[i]);

		if (!longer)
			return false;
		s->headers = longer;
	}
	return !curl_easy_setopt(c, CURLOPT_URL, url) &&
	       !curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !curl_easy_setopt(c, CURLOPT_HTTPHEADER, s->headers) &&
	       !curl_easy_setopt(c, CURLOPT_USERAGENT, "sockledger/" PACKAGE_VERSION) &&
	       !curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(c, CURLOPT_POST, 1L) &&
	       !curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) &&
	       !curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)o->timeout_s) &&
	       !curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->error) &&
	       !curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_answer) &&
	       !curl_easy_setopt(c, CURLOPT_WRITEDATA, s) &&
	       !curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) &&
	       !curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) &&
	       !curl_easy_setopt(c, CURLOPT_XFERINFODATA, s) &&
	       (!o->ca || !curl_easy_setopt(c, CURLOPT_CAINFO, o->ca)) &&
	       (!o->cert || !curl_easy_setopt(c, CURLOPT_SSLCERT, o->cert)) &&
	       (!o->key || !curl_easy_setopt(c, CURLOPT_SSLKEY, o->key)) &&
	       (!s->password || !curl_easy_setopt(c, CURLOPT_PASSWORD, s->password));
}

/* libcurl says of none which of them it could not read. */
static bool can_read_files(const struct collector_options *o, char *why)
{
	const char *const files[] = { o->ca, o->cert, o->key };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!files[i] || !access(files[i], R_OK))
			continue;
		snprintf(why, COLLECTOR_WHY, "cannot read '%s': %s", files[i], strerror(errno));
		return false;
	}
	return true;
}

static int clickhouse_open(const struct collector_options *o, void **state, char *place,
			   size_t size, char why[COLLECTOR_WHY])
{
	struct state *s;
	char *url = NULL;
	bool good;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->end = o->end;
	url = make_url(o->url, place, size, why);
	good = url && can_read_files(o, why);
	if (good && o->password_file) {
		s->password = collector_password(o->password_file);
		if (!s->password)
			snprintf(why, COLLECTOR_WHY, "cannot read the password from '%s': %s",
				 o->password_file, strerror(errno));
		good = s->password != NULL;
	}
	if (good) {
		s->curl = curl_easy_init();
		snprintf(why, COLLECTOR_WHY, "libcurl does not take the options");
		good = s->curl && set_options(s, o, url);
	}
	curl_free(url);
	if (good) {
		*state = s;
		return 0;
	}
	clickhouse_close(s);
	return -EINVAL;
}

/* The lines compressed, in s->packed; 0: memory is short. */
static size_t pack(struct state *s, const char *lines, size_t len)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)lines,
		       .avail_in = (unsigned int)len };
	size_t need;
	int rc;

	if (len > UINT32_MAX / 2 || deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, 9,
						  Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	need = deflateBound(&z, len);
	if (need > s->packed_size) {
		free(s->packed);
		s->packed = malloc(need);
		s->packed_size = s->packed ? need : 0;
	}
	z.next_out = s->packed;
	z.avail_out = (unsigned int)s->packed_size;
	rc = s->packed ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
	deflateEnd(&z);
	return rc == Z_STREAM_END ? z.total_out : 0;
}

/* The number of ClickHouse's error; 0: the answer is of another server, or of a proxy before it. */
static long error_code(const char *answer)
{
	const char *at = strstr(answer, "Code: ");

	return at ? strtol(at + 6, NULL, 10) : 0;
}

/* Control bytes of the answer are not for the journal. */
static void tell_answer(struct state *s, long status, const char *todo, char *why)
{
	for (size_t i = 0; i < s->answer_len; i++)
		if ((unsigned char)s->answer[i] < ' ' || s->answer[i] == 127 ||
		    (unsigned char)s->answer[i] >= 128)
			s->answer[i] = ' ';
	snprintf(why, COLLECTOR_WHY, "it answers %ld%s%.300s%s%s", status,
		 s->answer_len ? ": " : "", s->answer, *todo ? "; " : "", todo);
}

static enum sent read_answer(struct state *s, long status, char *why)
{
	long code = error_code(s->answer);

	if (status == 200 && !s->answer_len)
		return SENT;
	switch (code) {
	case 60:	/* no such table */
	case 81:	/* no such database */
		tell_answer(s, status, "'sockledger ship --schema clickhouse' prints what makes"
			    " the table", why);
		return SEND_REFUSED;
	case 16:	/* no such column */
		tell_answer(s, status, "the table is of another version: 'sockledger ship --schema"
			    " clickhouse' prints the present one", why);
		return SEND_REFUSED;
	case 192:	/* no such user */
	case 193:	/* wrong password */
	case 194:	/* a password is required */
	case 516:	/* authentication failed */
		status = 401;
		break;
	}
	if (status == 401 || status == 403) {
		tell_answer(s, status, "the user belongs into the URL (http://USER@HOST), the"
			    " password into a file for --password-file", why);
		return SEND_REFUSED;
	}
	if (status == 413) {
		tell_answer(s, status, "fewer rows are sent at once", why);
		return SEND_LESS;
	}
	if (status >= 500 || status == 408 || status == 429) {
		tell_answer(s, status, "", why);
		return SEND_LATER;
	}
	tell_answer(s, status, status == 200 ? "ClickHouse says nothing when it takes rows: is"
		    " it another server?" : "", why);
	return SEND_REFUSED;
}

static enum sent tell_error(struct state *s, CURLcode rc, char *why)
{
	const char *what = s->error[0] ? s->error : curl_easy_strerror(rc);
	long untrusted = 1;

	switch (rc) {
	case CURLE_PEER_FAILED_VERIFICATION:
		/* What is signed rightly and refused all the same has another name. */
		curl_easy_getinfo(s->curl, CURLINFO_SSL_VERIFYRESULT, &untrusted);
		snprintf(why, COLLECTOR_WHY, untrusted ? "its certificate is not trusted: %s; --ca"
			 " FILE names who signed it" : "its certificate is of another host: %s; the"
			 " URL has to name the host as its certificate does", what);
		return SEND_REFUSED;
	case CURLE_SSL_CACERT_BADFILE:
		snprintf(why, COLLECTOR_WHY, "cannot use the certificates of --ca: %s", what);
		return SEND_REFUSED;
	case CURLE_SSL_CERTPROBLEM:
		snprintf(why, COLLECTOR_WHY, "cannot use the certificate of --cert and --key: %s",
			 what);
		return SEND_REFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		snprintf(why, COLLECTOR_WHY, "it takes too long: %s", what);
		return SEND_LESS;
	default:
		snprintf(why, COLLECTOR_WHY, "%s", what);
		return SEND_LATER;
	}
}

static enum sent clickhouse_send(void *arg, const char *lines, size_t len,
				 char why[COLLECTOR_WHY])
{
	struct state *s = arg;
	size_t packed = pack(s, lines, len);
	long status = 0;
	CURLcode rc;

	if (!packed) {
		snprintf(why, COLLECTOR_WHY, "this host lacks the memory to compress them");
		return SEND_LESS;
	}
	s->answer_len = 0;
	s->answer[0] = s->error[0] = '\0';
	s->ended = false;
	curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, s->packed);
	curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)packed);
	rc = curl_easy_perform(s->curl);
	if (s->ended)
		return SEND_ENDED;
	if (rc)
		return tell_error(s, rc, why);
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	return read_answer(s, status, why);
}

const struct collector_ops clickhouse = { clickhouse_open, clickhouse_close, clickhouse_send };
