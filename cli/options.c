/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that commands have alike, and the loop that reads a command's options. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdlib.h>

#include "cli.h"
#include "clock.h"
#include "options.h"
#include "tuple.h"

void asked_init(struct asked *a, int64_t before_us)
{
	*a = (struct asked){ .now_us = clock_now_us() };
	a->since_us = a->now_us - before_us;
	a->until_us = a->now_us;
}

int option_port(const char *text, int32_t *port)
{
	const struct servent *service = NULL;

	if (!port_parse(text, port))
		return 0;
	/* A name that begins as a number does is rather a number mistyped. */
	if (*text < '0' || *text > '9')
		service = getservbyname(text, NULL);
	if (!service)
		return -EINVAL;
	*port = ntohs((uint16_t)service->s_port);
	return 0;
}

/* False where the option cannot have the value. */
static bool take(struct asked *a, int option, const char *value)
{
	char *end;

	switch (option) {
	case ASKED_SINCE:
		return !time_parse(value, a->now_us, &a->since_us);
	case ASKED_UNTIL:
		a->ends = true;
		return !time_parse(value, a->now_us, &a->until_us);
	case ASKED_LIMIT:
		a->limit = strtoll(value, &end, 10);
		return a->limit > 0 && !*end;
	case ASKED_FORMAT:
		return !format_parse(value, &a->format);
	default:
		a->chosen = value;
		return true;
	}
}

int options_read(const struct command *self, const struct options *o, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, o->columns ? "ho:" : "h", o->table, NULL)) != -1) {
		if (option == 'h') {
			cli_help(self);
			if (o->columns)
				columns_help(o->columns, o->column_count);
			return CLI_FOUND;
		}
		if (option == '?')
			return cli_usage(self, "cannot go on");
		if (option == 'o' || (option >= ASKED_SINCE && option <= ASKED_OUTPUT) ?
			    take(o->asked, option, optarg) :
			    o->own(option, optarg, o->arg))
			continue;
		return cli_usage(self, "'%s' is no value that this option can have", optarg);
	}
	if (o->operands >= 0 && argc - optind > o->operands)
		return cli_usage(self, "unexpected argument '%s'", argv[optind + o->operands]);
	return -1;
}

bool asked_columns(const struct command *self, const struct asked *a, const char *const *names,
		   int count, struct columns *c)
{
	if (!a->chosen || !columns_choose(c, a->chosen, names, count))
		return true;
	cli_usage(self, "'%s' names a column that is none", a->chosen);
	return false;
}
