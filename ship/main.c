/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledger-ship: sends the ledger's rows to a collector of many hosts.  It reads the ledger and
 * writes nothing but its own position.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "collector.h"
#include "config.h"
#include "diag.h"
#include "log.h"
#include "schema.h"
#include "ship_usage.h"
#include "shipper.h"
#include "signals.h"

#define USAGE_STATUS 2
#define MOST_ROWS 100000
#define MOST_BYTES ((size_t)64 << 20)

static const char usage[] =
	"Usage: sockledger-ship " SHIP_ARGUMENTS "\n"
	"Sends the ledger's rows to a database that collects those of many hosts.\n\n"
	SHIP_OPTIONS
	"  -c, --config FILE        configuration instead of " SYSCONFDIR
	"/sockledger/sockledger.conf\n"
	"      --ledger FILE        ledger instead of the configured one\n"
	"  -h, --help               this text\n"
	"  -V, --version            the version\n\n"
	"Exit status: 0 done, 2 wrong usage, 3 rows could not be sent: nothing is lost.\n";

struct asked {
	struct collector_options collector;
	const char *state, *config, *ledger, *schema;
	int rows;
	int64_t delay_us;
	bool once;
};

/* A time in whole seconds or less, up to an hour. */
static bool read_time(const char *text, int64_t least_us, int64_t *us)
{
	return !duration_parse(text, us) && *us >= least_us && *us <= 3600 * TIME_US_PER_S;
}

static bool read_option(struct asked *a, int option, const char *value)
{
	int64_t us;
	char *end;
	long n;

	switch (option) {
	case 'R':
		errno = 0;
		n = strtol(value, &end, 10);
		a->rows = (int)n;
		return !errno && !*end && end != value && n >= 1 && n <= MOST_ROWS;
	case 'D':
		return read_time(value, 0, &a->delay_us);
	default:
		if (!read_time(value, TIME_US_PER_S, &us))
			return false;
		a->collector.timeout_s = (int)(us / TIME_US_PER_S);
		return true;
	}
}

/* -1: go on; else the exit status. */
static int read_options(struct asked *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },
		{ "once", no_argument, NULL, '1' },
		{ "schema", required_argument, NULL, 's' },
		{ "state", required_argument, NULL, 'S' },
		{ "password-file", required_argument, NULL, 'p' },
		{ "ca", required_argument, NULL, 'C' },
		{ "cert", required_argument, NULL, 'e' },
		{ "key", required_argument, NULL, 'k' },
		{ "rows", required_argument, NULL, 'R' },
		{ "delay", required_argument, NULL, 'D' },
		{ "timeout", required_argument, NULL, 'T' },
		{ "config", required_argument, NULL, 'c' },
		{ "ledger", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		const char **to = option == 't' ? &a->collector.url :
				  option == 's' ? &a->schema :
				  option == 'S' ? &a->state :
				  option == 'p' ? &a->collector.password_file :
				  option == 'C' ? &a->collector.ca :
				  option == 'e' ? &a->collector.cert :
				  option == 'k' ? &a->collector.key :
				  option == 'c' ? &a->config :
				  option == 'l' ? &a->ledger : NULL;

		if (to) {
			*to = optarg;
		} else if (option == '1') {
			a->once = true;
		} else if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		} else if (option == 'V') {
			puts("sockledger-ship " PACKAGE_VERSION);
			return 0;
		} else if (option == '?') {
			fputs("Try 'sockledger ship --help'.\n", stderr);
			return USAGE_STATUS;
		} else if (!read_option(a, option, optarg)) {
			log_error("'%s' is no value that this option can have", optarg);
			return USAGE_STATUS;
		}
	}
	if (optind < argc || (!a->schema && !a->collector.url)) {
		log_error(optind < argc ? "unexpected argument '%s'" : "where to? --to URL%s",
			  optind < argc ? argv[optind] : "");
		return USAGE_STATUS;
	}
	return -1;
}

static int open_position(struct position_file *f, const struct asked *a,
			 const struct collector *c, struct position *p)
{
	int rc = position_open(f, a->state, collector_place(c), p);

	if (rc == -EBUSY)
		log_error("another program has '%s', and sends what this one would", a->state);
	else if (rc == -EEXIST)
		log_error("'%s' tells how far another collector is, not '%s': --state names"
			  " another file", a->state, collector_place(c));
	else if (rc == -EUCLEAN)
		log_error("'%s' is no position of sockledger-ship, or damaged: without it all"
			  " rows are sent again, which does no harm", a->state);
	else if (rc)
		log_error("cannot open '%s': %s", a->state, strerror(-rc));
	return rc;
}

static int run(struct asked *a, const struct config *config)
{
	struct shipper s = { .ledger = a->ledger ? a->ledger : config->ledger,
			     .node = config->node, .most = a->rows, .bytes = MOST_BYTES,
			     .settle_us = a->delay_us, .once = a->once };
	struct position_file file;
	struct signals signals;
	char why[COLLECTOR_WHY];
	int64_t sent, amended;
	int status, rc;

	if (signals_open(&signals))
		return SHIP_FAILED;
	a->collector.end = s.end = signals.end;
	rc = collector_open(&a->collector, &s.collector, why);
	if (rc) {
		log_error("%s", why);
		signals_close(&signals);
		return rc == -ENOMEM ? SHIP_FAILED : USAGE_STATUS;
	}
	status = open_position(&file, a, s.collector, &s.position) ? SHIP_FAILED : SHIPPED;
	if (!status) {
		s.file = &file;
		sent = s.position.sent;
		amended = s.position.amended;
		status = shipper_run(&s);
		log_info("%" PRId64 " rows and %" PRId64 " amendments were sent",
			 s.position.sent - sent, s.position.amended - amended);
		position_close(&file);
	}
	collector_close(s.collector);
	signals_close(&signals);
	return status;
}

int main(int argc, char **argv)
{
	struct asked a = { .state = SHIP_STATE, .rows = 10000, .delay_us = 3 * TIME_US_PER_S,
			   .collector = { .timeout_s = 60 } };
	struct diags d = { .out = stderr };
	struct config config;
	int status;

	log_open("sockledger-ship", false);
	status = read_options(&a, argc, argv);
	if (status >= 0)
		return status;
	if (a.schema) {
		if (schema_print(stdout, a.schema) && !fflush(stdout))
			return 0;
		log_error("there are schemas of clickhouse and postgresql");
		return USAGE_STATUS;
	}
	if (!a.ledger)
		a.ledger = getenv("SOCKLEDGER_LEDGER");
	if (config_init(&config)) {
		log_error("out of memory");
		return SHIP_FAILED;
	}
	/* With a ledger given there is no need for a configuration. */
	status = (!a.ledger || a.config) && config_load(&config, a.config, &d) ? USAGE_STATUS :
										 run(&a, &config);
	config_release(&config);
	return status;
}
