/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages: a line each to stderr, with the program's name; none of them where syslog has them. */
#include <string.h>

#include "log.h"
#include "scratch.h"
#include "tap.h"

static FILE *sink;

/* What has come to stderr since the last call. */
static const char *told(void)
{
	static char text[4096];
	size_t n;

	fflush(stderr);
	n = fread(text, 1, sizeof(text) - 1, sink);
	text[n] = '\0';
	clearerr(sink);
	return text;
}

int main(void)
{
	char longest[2000], wanted[2100];

	scratch_make();
	if (!freopen(scratch_path("log"), "w", stderr))
		return 1;
	sink = fopen(scratch_path("log"), "re");
	if (!sink)
		return 1;
	log_warn("%d is %s", 1, "one");
	tap_ok(!strcmp(told(), "sockledger: 1 is one\n"), "before a name is given");
	log_open("name", false);
	log_error("a");
	log_warn("b");
	log_info("c");
	tap_ok(!strcmp(told(), "name: a\nname: b\nname: c\n"), "whatever its weight");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	log_info("%s", longest);
	snprintf(wanted, sizeof(wanted), "name: %.1023s\n", longest);
	tap_ok(!strcmp(told(), wanted), "one that is too long is cut off, and ends its line");
	log_warn("'%s': %s", "/tmp/\033[2J\xc2\x9b" "31m\xe2\x80\xae", "no\nname: forged\xff");
	tap_ok(!strcmp(told(), "name: '/tmp/\\x1b[2J\\xc2\\x9b31m\\xe2\\x80\\xae': no\\x0aname: "
		       "forged\\xff\n"), "what it quotes moves no cursor, and makes no line");
	log_open("sockledger-test", true);
	log_info("this is a test");
	tap_ok(!*told(), "what goes to syslog does not go to stderr");
	fclose(sink);
	return tap_done();
}
