/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the programs, to stderr or syslog. */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "log.h"
#include "text.h"

static struct {
	const char *name;
	bool to_syslog;
} sink = { .name = "sockledger" };

void log_open(const char *name, bool to_syslog)
{
	sink.name = name;
	sink.to_syslog = to_syslog;
	if (to_syslog)
		openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

__attribute__((format(printf, 2, 0)))
static void log_at(int priority, const char *fmt, va_list ap)
{
	char line[1024], shown[4 * sizeof(line)];

	/* It may name a file or quote a server: a message is one line, harmless to a terminal. */
	vsnprintf(line, sizeof(line), fmt, ap);
	text_show(text_of(line), shown, sizeof(shown));
	if (sink.to_syslog)
		syslog(priority, "%s", shown);
	else
		fprintf(stderr, "%s: %s\n", sink.name, shown);
}

#define LOG_FUNCTION(name, priority)				\
	void name(const char *fmt, ...)				\
	{							\
		va_list ap;					\
								\
		va_start(ap, fmt);				\
		log_at(priority, fmt, ap);			\
		va_end(ap);					\
	}

LOG_FUNCTION(log_error, LOG_ERR)
LOG_FUNCTION(log_warn, LOG_WARNING)
LOG_FUNCTION(log_info, LOG_INFO)
