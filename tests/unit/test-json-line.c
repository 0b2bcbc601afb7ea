/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of a flat JSON object, and what is none. */
#include <stdio.h>

#include "json_line.h"
#include "tap.h"

/* "name=value;name=value;", "~" for a value that is nothing; behind it "!" where it did not end
 * with its bracket. */
static const char *read_all(const char *text, size_t size, char *buf, size_t buf_size)
{
	struct json_line j;
	struct text name, value;
	char room[256];
	size_t at = 0;

	buf[0] = '\0';
	if (!json_line_begin(&j, text_of(text)))
		return "none";
	while (json_line_next(&j, room, size, &name, &value))
		at += (size_t)snprintf(buf + at, buf_size - at, "%.*s=%.*s;", (int)name.len,
				       name.data, value.data ? (int)value.len : 1,
				       value.data ? value.data : "~");
	snprintf(buf + at, buf_size - at, "%s", j.p < j.end && *j.p == '}' ? "" : "!");
	return buf;
}

int main(void)
{
	static const struct { const char *text, *wanted; } rows[] = {
		{ "", "none" },
		{ "[1]", "none" },
		{ "{}", "" },
		{ " {\"a\":\"b\"}", "a=b;" },
		{ "{ \"a\" : 1 , \"b\" : -2.5e3 , \"c\" : null, \"d\":true}",
		  "a=1;b=-2.5e3;c=~;d=true;" },
		{ "{\"a\":[73,78,61]}", "a=IN=;" },
		{ "{\"a\":[]}", "a=;" },
		{ "{\"a\":[256]}", "a=~;" },
		{ "{\"a\":[-1,2],\"b\":3}", "a=~;b=3;" },
		{ "{\"a\":[\"x\",\"y]\"],\"b\":3}", "a=~;b=3;" },
		{ "{\"a\":[[1]],\"b\":3}", "!" },
		{ "{\"a\":{\"b\":1}}", "!" },
		{ "{\"a\\\"b\":\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a\"b=\\/\b\f\n\r\t;" },
		{ "{\"a\":\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"}", "a=A\u00e9\u20ac\U0001f600;" },
		{ "{\"a\":\"\\u004\"}", "!" },
		{ "{\"a\":\"\\x41\"}", "!" },
		{ "{\"a\":\"b", "!" },
		{ "{\"a\":\"b\\", "!" },
		{ "{\"a\"", "!" },
		{ "{\"a\":", "!" },
		{ "{\"a\":[1", "!" },
		{ "{\"a\":[1,", "!" },
		{ "{a:1}", "!" },
	};
	char buf[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = read_all(rows[i].text, 256, buf, sizeof(buf));

		if (!tap_ok(!strcmp(got, rows[i].wanted), "%s", rows[i].text))
			tap_note("got %s", got);
	}
	tap_ok(!strcmp(read_all("{\"a\":\"12345\"}", 6, buf, sizeof(buf)), "a=12345;"),
	       "room for just as much");
	tap_ok(!strcmp(read_all("{\"a\":\"12345\"}", 5, buf, sizeof(buf)), "!"), "no room");
	return tap_done();
}
