/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger: the command for users and scripts.  The table of commands is the help. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "diag.h"
#include "ship_usage.h"
#include "text.h"

#define FORMAT_HELP "      --format FORMAT      table (default), json (an object a line) or csv\n"
#define OUTPUT_HELP "  -o, --output LIST        columns: a,b; +a,b: behind the usual ones\n"

#define FILTERS_HELP \
	"      --since TIME         RFC 3339 or its beginning (UTC), 'today', 'yesterday'," \
	" @SECONDS\n" \
	"                           since 1970, or an age: 90s, 10m, 2h, 1d, 1w\n" \
	"      --until TIME\n" \
	"      --proto PROTO        tcp, udp, ... or a number\n" \
	"      --src ADDR[/BITS]    address or network; --dst likewise\n" \
	"      --dst ADDR[/BITS]\n" \
	"      --sport PORT[-PORT]  port, its name, or a range; --dport likewise\n" \
	"      --dport PORT[-PORT]\n" \
	"      --exe PATH           path, a pattern with * and ?, or the last part of a path\n" \
	"      --comm NAME          name or pattern\n" \
	"      --pid PID\n" \
	"      --user USER          name or uid\n" \
	"      --login-user USER    who logged in (also after sudo): name or auid\n" \
	"      --direction DIR      out, in or forward\n" \
	"      --certainty HOW      certain, inferred or unknown\n" \
	"      --verdict VERDICT    accept, drop, reject or observed\n" \
	"      --node NAME          host that the record is from\n" \
	"      --limit N            the newest N of them\n" \
	"      --follow             go on with new ones as they come\n"

#define NO_ROW "no connection fits"
#define NOTHING_THEN "nothing in that time; without --since that is the last day"

static const struct command commands[] = {
	{ "log", "[FILTER ...]", "list connections, oldest first",
	  FILTERS_HELP
	  OUTPUT_HELP FORMAT_HELP,
	  cmd_log,
	  .styled = true, .nothing = NO_ROW },
	{ "who", "[--at TIME] [--format FORMAT] PROTO SRC:SPORT DST:DPORT",
	  "name the process behind one connection",
	  "      --at TIME            when it was, written as for 'log' (UTC); default: now\n"
	  "      --format FORMAT      table (default) or json\n"
	  "An IPv6 address with a port is written [ADDR]:PORT; * stands for what is not known.\n",
	  cmd_who,
	  .styled = true },
	{ "explain", "[OPTION ...] [FILE ...]",
	  "name the processes behind the packets of a firewall's log",
	  "      --year YEAR          of stamps without one; default: the last that is not later\n"
	  "                           than the file\n"
	  "      --tz ZONE            of stamps without one: Europe/Warsaw, UTC, +01:00; default:\n"
	  "                           this host's\n"
	  "      --boot TIME          when the host was booted, of stamps since then; default:\n"
	  "                           this host's\n"
	  "      --host NAME          the host that the log is of; default: as each line says\n"
	  OUTPUT_HELP FORMAT_HELP
	  "FILE has lines of the kernel's LOG as syslog, journalctl or dmesg write them; without\n"
	  "it, and for -, they are read from stdin as they come.\n", cmd_explain,
	  .styled = true },
	{ "show", "[--format FORMAT] ID", "everything about one connection",
	  "      --format FORMAT      table (default) or json\n"
	  "ID is an audit_id, as 'who' and 'log --format json' have it, or a row's number.\n",
	  cmd_show,
	  .styled = true },
	{ "top", "[OPTION ...]", "who had the most connections, and where to",
	  "      --by WHAT[,WHAT]     program (default), user, dst, dport, verdict, certainty;\n"
	  "                           up to three of them\n"
	  "      --since TIME         written as for 'log', and rounded down to the hour (UTC);\n"
	  "                           default: 1d, a day ago\n"
	  "      --until TIME         the hour of it is the last one; default: now\n"
	  "      --verdict VERDICT    accept, drop, reject or observed\n"
	  "      --certainty HOW      certain, inferred or unknown\n"
	  "      --limit N            so many (20)\n"
	  "      --watch              shows it anew every two seconds, until q is typed\n"
	  OUTPUT_HELP FORMAT_HELP, cmd_top,
	  .styled = true, .nothing = NOTHING_THEN },
	{ "first", "[OPTION ...]",
	  "programs and destinations that were new",
	  "      --since TIME         not seen before it; written as for 'log'; default: 1d\n"
	  "      --kind KIND          program or destination; default: both\n"
	  OUTPUT_HELP FORMAT_HELP, cmd_first,
	  .styled = true, .nothing = NOTHING_THEN },
	{ "deps", "[OPTION ...]", "which user, unit and container depends on which service",
	  "      --since TIME         written as for 'log'; default: 1d\n"
	  "      --until TIME         default: now\n"
	  "      --user USER          name or uid\n"
	  "      --unit NAME          systemd unit\n"
	  "      --container NAME\n"
	  "      --limit N            those with the most connections (100)\n"
	  "      --format FORMAT      table (default), json, csv, or metrics for\n"
	  "                           Prometheus\n"
	  OUTPUT_HELP, cmd_deps,
	  .styled = true, .nothing = NOTHING_THEN },
	{ "report", "--html FILE [--since TIME] [--until TIME]",
	  "one page about a time, for a browser or a printer",
	  "      --html FILE          where to; - is stdout\n"
	  "      --since TIME         written as for 'log', and rounded down to the hour (UTC);\n"
	  "                           default: 7d\n"
	  "      --until TIME         the hour of it is the last one; default: now\n", cmd_report },
	{ "import", "[--key KEY] [--node NAME] FILE ...",
	  "bring audit logs of the past into the ledger",
	  "      --key KEY            of the audit rules whose events count; default: '*', all\n"
	  "      --node NAME          the host of records that name none; default: this one\n"
	  "FILE is audit.log as auditd writes it, also rotated and packed by gzip, xz or zstd, or"
	  " what\nausearch prints of raw records; - is stdin.  The oldest is read first.\n",
	  cmd_import },
	{ "ship", SHIP_ARGUMENTS, "send rows to a database that collects those of many hosts",
	  SHIP_OPTIONS, cmd_ship, .own_config = true },
	{ "sql", "[--format FORMAT] [QUERY]",
	  "read-only SQL over the ledger; QUERY from stdin if not given",
	  FORMAT_HELP
	  "The view 'connections' has a row per connection; 'timeline' also its time as a number,\n"
	  "for us('TIME'); 'hours' has counts.\n", cmd_sql,
	  .styled = true },
	{ "policy", "check FILE [--strict]\nexplain FILE [OPTION ...]\nsuggest [OPTION ...]\n"
	  "replay FILE [OPTION ...]\nstats [FILE] [OPTION ...]",
	  "check a policy, try it on the past, or have one suggested",
	  "'check' also warns of rules that are never reached:\n"
	  "      --strict             they count as mistakes\n"
	  "'explain' is told about the connection by these; what is not told is unknown:\n"
	  "      --exe PATH           program\n"
	  "      --comm NAME          the process's name\n"
	  "      --user USER          name or uid; --login-user likewise\n"
	  "      --login-user USER\n"
	  "      --group GROUP,...    all its groups, by name or gid\n"
	  "      --sha256 HEX         of the program's file, as sha256sum writes it\n"
	  "      --verified WORD      yes or no: the file is a package's, by dpkg\n"
	  "      --cmdline TEXT       its command line, with blanks between the arguments\n"
	  "      --parent PATH        the parent's program\n"
	  "      --ancestor PATH,...  all forefathers' programs, the parent's first\n"
	  "      --unit NAME          systemd unit\n"
	  "      --container NAME\n"
	  "      --proto PROTO        tcp, udp, ... or a number\n"
	  "      --direction DIR      out (default), in or forward\n"
	  "      --src ADDR           address; --dst likewise\n"
	  "      --dst ADDR\n"
	  "      --sport PORT         port; --dport likewise\n"
	  "      --dport PORT\n"
	  "      --name NAME          of the destination, as the process looked it up\n"
	  "      --iface NAME         interface that the packet leaves and came in by\n"
	  "      --node NAME          host\n"
	  "      --certainty HOW      certain (default where a process is told), inferred or\n"
	  "                           unknown\n"
	  "      --reason REASON      why no process is known: kernel, gone, raw ...\n"
	  "'suggest' writes a policy that lets pass what the ledger is certain of:\n"
	  "      --unit NAME          of this systemd unit alone, or a pattern\n"
	  "      --user USER          of this user alone\n"
	  "'replay' tells what FILE would have done to what the ledger has, 'stats' which rules\n"
	  "of FILE, or of the configured policy, decided; all three take:\n"
	  "      --since TIME         written as for 'log'\n"
	  "      --until TIME\n"
	  "'replay' also takes these, and ends with status 1 where something would be stopped:\n"
	  "      --rows               each connection instead of counts\n"
	  "      --all                also those that would pass, as they did\n"
	  "      --against FILE       the policy in force; default: the configured one\n"
	  "      --format FORMAT      table (default), json; of 'replay' and 'stats' csv\n"
	  "      --ledger FILE        ledger instead of the configured one\n",
	  cmd_policy, .no_ledger = true, .own_config = true },
	{ "export", "[FILTER ...] [--format FORMAT]",
	  "connections for other programs, in their formats",
	  FILTERS_HELP
	  "      --format FORMAT      jsonl (default), csv, ecs (Elastic Common Schema) or ocsf\n",
	  cmd_export, .nothing = NO_ROW },
	{ "sigma", "[OPTION ...]", "connections that rules of Sigma find suspicious",
	  "      --since TIME         written as for 'log'; default: 1d, a day ago\n"
	  "      --until TIME         default: now\n"
	  "      --level LEVEL        low, medium, high or critical: at least\n"
	  "      --rules              list the rules, and what which of them wants\n"
	  FORMAT_HELP, cmd_sigma, .nothing = NOTHING_THEN },
	{ "metrics", "[--output FILE]", "what 'stats' shows, for Prometheus",
	  "      --output FILE        write it there, for the textfile collector\n",
	  cmd_metrics },
	{ "stats", "[OPTION ...]", "what was seen, how sure it is, and what was lost",
	  OUTPUT_HELP FORMAT_HELP, cmd_stats,
	  .styled = true },
	{ "doctor", "[OPTION ...] [CHECK ...]",
	  "what stops sockledger from seeing or deciding, and what mends it",
	  "      --all                what is well, too; so also where a CHECK is named\n"
	  "      --root DIR           look at the system below DIR, by its own programs\n"
	  FORMAT_HELP
	  "Exit status: 0 nothing stops it, 1 something does, 3 something could not be looked "
	  "at.\n",
	  cmd_doctor, .own_config = true },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *out)
{
	fputs("Usage: sockledger [-c FILE] [--ledger FILE] COMMAND [ARGUMENT ...]\n"
	      "Tells which process opened a network connection, from the ledger.\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\n"
	      "  -c, --config FILE   configuration instead of " SYSCONFDIR
	      "/sockledger/sockledger.conf\n"
	      "      --ledger FILE   ledger instead of the configured one (or SOCKLEDGER_LEDGER)\n"
	      "  -h, --help          this text; 'sockledger COMMAND --help' for a command\n"
	      "  -V, --version       the version\n"
	      "\n"
	      "Exit status: 0 found or done, 1 nothing found, 2 wrong usage, 3 the data could not "
	      "be read.\n", out);
}

int cli_usage(const struct command *self, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "sockledger %s: ", self->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry 'sockledger %s --help'.\n", self->name);
	return CLI_USAGE;
}

void cli_cannot_read(const char *command, const char *path, const char *why)
{
	fprintf(stderr, "sockledger %s: cannot read '", command);
	text_print(stderr, text_of(path), 0);
	fprintf(stderr, "': %s\n", why);
}

int cli_help(const struct command *self)
{
	const char *line = self->arguments;
	int len;

	/* A line of the synopsis for each of the forms. */
	for (const char *head = "Usage:"; ; head = "      ") {
		len = (int)strcspn(line, "\n");
		printf("%s sockledger %s %.*s\n", head, self->name, len, line);
		if (!line[len])
			break;
		line += len + 1;
	}
	printf("%c%s.\n\n%s%s%s"
	       "  -h, --help               this text\n",
	       self->summary[0] - 'a' + 'A', self->summary + 1, self->help,
	       self->styled ? STYLE_HELP : "", self->no_ledger ? "" :
	       "      --ledger FILE        ledger instead of the configured one\n");
	return CLI_FOUND;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/*
 * Takes --ledger and -c out of the arguments after the command, because they may stand on either
 * side.
 */
static int take_global_options(struct cli *cli, const struct command *command, int argc,
			       char **argv)
{
	int kept = 1, styled;

	for (int i = 1; i < argc; i++) {
		const char **to = NULL;
		const char *value = NULL;

		styled = command->styled ? style_option(&cli->style, argc, argv, &i) : 0;
		if (styled < 0)
			return -1;
		if (styled)
			continue;
		if (!strcmp(argv[i], "--ledger"))
			to = &cli->ledger;
		else if (!strcmp(argv[i], "--config") || !strcmp(argv[i], "-c"))
			to = &cli->config_path;
		else if (!strncmp(argv[i], "--ledger=", 9))
			to = &cli->ledger, value = argv[i] + 9;
		else if (!strncmp(argv[i], "--config=", 9))
			to = &cli->config_path, value = argv[i] + 9;
		if (!to) {
			argv[kept++] = argv[i];
			continue;
		}
		if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value)
			return -1;
		*to = value;
	}
	argv[kept] = NULL;
	return kept;
}

static int run_command(struct cli *cli, const struct command *command, int argc, char **argv)
{
	struct diags d = { .out = stderr };
	int rc;

	if (!cli->ledger || !*cli->ledger)
		cli->ledger = getenv("SOCKLEDGER_LEDGER");
	if (config_init(&cli->config)) {
		fputs("sockledger: out of memory\n", stderr);
		return CLI_UNREADABLE;
	}
	/* With a ledger given there is no need for a configuration. */
	if (!command->no_ledger && !command->own_config &&
	    (!cli->ledger || !*cli->ledger || cli->config_path) &&
	    config_load(&cli->config, cli->config_path, &d)) {
		config_release(&cli->config);
		return CLI_USAGE;
	}
	if (!command->own_config && (!cli->ledger || !*cli->ledger))
		cli->ledger = cli->config.ledger;
	rc = command->run(cli, command, argc, argv);
	errno = 0;
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "sockledger: cannot write the output%s%s\n", errno ? ": " : "",
			errno ? strerror(errno) : "");
		rc = CLI_UNREADABLE;
	}
	style_end(&cli->style);
	if (rc == CLI_NOTHING && command->nothing && isatty(STDERR_FILENO))
		fprintf(stderr, "sockledger %s: %s\n", command->name, command->nothing);
	config_release(&cli->config);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "ledger", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },	    { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct cli cli = { .ledger = NULL };
	const struct command *command;
	int option, count;

	while ((option = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			cli.config_path = optarg;
			break;
		case 'l':
			cli.ledger = optarg;
			break;
		case 'h':
			print_usage(stdout);
			return CLI_FOUND;
		case 'V':
			puts("sockledger " PACKAGE_VERSION);
			return CLI_FOUND;
		default:
			fputs("Try 'sockledger --help'.\n", stderr);
			return CLI_USAGE;
		}
	}
	if (optind == argc) {
		print_usage(stderr);
		return CLI_USAGE;
	}
	command = find_command(argv[optind]);
	if (!command) {
		fprintf(stderr, "sockledger: unknown command '%s'\nTry 'sockledger --help'.\n",
			argv[optind]);
		return CLI_USAGE;
	}
	argv += optind;
	argc -= optind;
	optind = 0;	/* glibc: restart getopt, and allow options after operands again */
	count = take_global_options(&cli, command, argc, argv);
	if (count < 0)
		return cli_usage(command, "an option lacks its value, or has one that it cannot"
				 " have");
	return run_command(&cli, command, count, argv);
}
