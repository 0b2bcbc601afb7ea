/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger import: audit logs of the past into a ledger. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "db.h"
#include "import.h"
#include "progress.h"
#include "signals.h"

struct log_file {
	const char *path;	/* "-": stdin */
	int64_t first_us, bytes;
};

struct importing {
	struct signals signals;
	struct progress progress;
	int64_t bytes, done;	/* of all files; of those before the present one */
};

static const char *reason(int rc)
{
	switch (rc) {
	case -EBADMSG:
		return "what it is packed in is damaged; what came before that is imported";
	case -ENODATA:
		return "it ends too early; what it has is imported";
	case -EFBIG:
		return "to unpack it would take too much memory";
	default:
		return strerror(-rc);
	}
}

static int open_log(const char *path)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) :
				     fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* Waits for what comes first: more of the log, or a signal. */
static bool goes_on(void *arg, int fd, int64_t bytes)
{
	struct importing *i = arg;
	struct pollfd fds[] = {
		{ .fd = i->signals.end, .events = POLLIN }, { .fd = fd, .events = POLLIN },
	};

	progress_show(&i->progress, clock_mono_ns(), i->done + bytes, i->bytes);
	poll(fds, 2, -1);
	return !fds[0].revents;
}

/* The oldest log first; stdin, which cannot be looked at twice, is the newest. */
static int by_time(const void *a, const void *b)
{
	const struct log_file *x = a, *y = b;

	if (x->first_us != y->first_us)
		return x->first_us < y->first_us ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Looks into each file.  How many cannot be read; those are told, and have no path from here on. */
static int look_into(struct log_file *files, int count, struct importing *p)
{
	int failed = 0;

	for (int i = 0; i < count; i++) {
		struct log_file *f = &files[i];
		int fd = open_log(f->path);
		struct stat st;

		f->first_us = INT64_MAX;
		if (fd < 0) {
			cli_cannot_read("import", f->path, strerror(-fd));
			f->path = "";
			failed++;
			continue;
		}
		if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
			f->bytes = st.st_size;
			p->bytes += f->bytes;
			if (strcmp(f->path, "-"))
				f->first_us = import_first_us(fd);
		}
		close(fd);
	}
	qsort(files, (size_t)count, sizeof(*files), by_time);
	return failed;
}

static void tell_part(const char **head, int64_t n, const char *what)
{
	if (!n)
		return;
	printf("%s%" PRId64 " %s", *head, n, what);
	*head = ", ";
}

static void tell(const struct import_options *o, const int64_t *n)
{
	const char *left_out = "Left out: ", *lost = "Lost: ";
	int64_t rows = n[IMPORT_ADDED] + n[IMPORT_KNOWN];

	printf("%" PRId64 " lines: %" PRId64 " connections, %" PRId64 " of them new.\n",
	       n[IMPORT_LINES], rows, n[IMPORT_ADDED]);
	tell_part(&left_out, n[IMPORT_OTHER_KEY], "events of other rules");
	tell_part(&left_out, n[IMPORT_OTHER_CALL], "events of other calls or address families");
	tell_part(&left_out, n[IMPORT_REPEATED], "events that came twice");
	if (*left_out == ',')
		puts(".");
	tell_part(&lost, n[IMPORT_BAD], "lines or events that make no sense");
	tell_part(&lost, n[IMPORT_INCOMPLETE], "events of which a record is missing");
	tell_part(&lost, n[IMPORT_UNKNOWN_ARCH], "events of an architecture that is not known");
	if (*lost == ',')
		puts(".");
	if (!rows && n[IMPORT_OTHER_KEY])
		fprintf(stderr,
			"sockledger import: no rule has the key '%s': --key '*' takes all\n",
			o->key);
	else if (n[IMPORT_BAD] && n[IMPORT_BAD] >= n[IMPORT_LINES])
		fputs("sockledger import: there is no audit record in it; of ausearch it must be"
		      " --raw\n", stderr);
}

/* -EINTR: told to stop; 1: a log could not be read; other errors are the ledger's. */
static int take_logs(struct import *im, const struct log_file *files, int count,
		     struct importing *p)
{
	int rc = 0, ledger = 0;

	for (int i = 0; i < count && rc != -EINTR && !ledger; i++) {
		int fd = files[i].path[0] ? open_log(files[i].path) : 0, error;

		if (!files[i].path[0])
			continue;
		error = fd < 0 ? fd : import_log(im, fd, &ledger);
		progress_end(&p->progress);
		if (error && error != -EINTR)
			cli_cannot_read("import", files[i].path, reason(error));
		if (error)
			rc = error == -EINTR ? error : 1;
		if (fd >= 0)
			close(fd);
		p->done += files[i].bytes;
	}
	return ledger ? ledger : rc;
}

static int run(struct cli *cli, const struct import_options *asked, struct log_file *files,
	       int count)
{
	struct importing p = { .bytes = 0 };
	struct import_options o = *asked;
	int64_t counts[IMPORT_COUNT_COUNT] = { 0 };
	struct import *im;
	int rc = signals_open(&p.signals), failed, closed;

	progress_begin(&p.progress, progress_terminal(), clock_mono_ns());
	o.goes_on = goes_on;
	o.arg = &p;
	failed = look_into(files, count, &p);
	if (!rc)
		rc = import_open(cli->ledger, &o, &im);
	if (rc) {
		fprintf(stderr, "sockledger import: cannot write the ledger '%s': %s\n",
			cli->ledger, rc == -EBUSY ? "sockledgerd or another program writes it; stop"
			" that meanwhile, or name another one by --ledger" : db_strerror(rc));
		return CLI_UNREADABLE;
	}
	rc = take_logs(im, files, count, &p);
	closed = import_close(im, rc != -EINTR, counts);
	signals_close(&p.signals);
	tell(&o, counts);
	if (rc == -EINTR)
		fputs("sockledger import: stopped; what was read is in the ledger, and the same"
		      " command goes on from there\n", stderr);
	else if (rc < 0 || closed)
		fprintf(stderr, "sockledger import: cannot write the ledger '%s': %s\n",
			cli->ledger, db_strerror(rc < 0 ? rc : closed));
	if (rc || closed || failed)
		return CLI_UNREADABLE;
	return counts[IMPORT_ADDED] + counts[IMPORT_KNOWN] ? CLI_FOUND : CLI_NOTHING;
}

int cmd_import(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "node", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct import_options o = { .key = AUDIT_KEY_ANY, .node = cli->config.node };
	struct log_file *files;
	int option, count, rc;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			o.key = optarg;
			break;
		case 'n':
			o.node = optarg;
			break;
		case 'h':
			return cli_help(self);
		default:
			return cli_usage(self, "cannot go on");
		}
	}
	count = argc - optind;
	if (!count)
		return cli_usage(self, "which file?");
	if (!*o.key || !*o.node || strlen(o.node) > 255)
		return cli_usage(self, "a key or a node has a name");
	files = calloc((size_t)count, sizeof(*files));
	if (!files) {
		fputs("sockledger: out of memory\n", stderr);
		return CLI_UNREADABLE;
	}
	for (int i = 0; i < count; i++)
		files[i].path = argv[optind + i];
	rc = run(cli, &o, files, count);
	free(files);
	return rc;
}
