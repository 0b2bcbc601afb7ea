/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person sees at a terminal, beyond the table itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "style.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"

/* The pager that a signal must not leave alone on the terminal. */
static volatile sig_atomic_t reading;

int style_option(struct style *s, int argc, char **argv, int *i)
{
	static const char *const when[] = { "auto", "always", "never" };
	const char *value;

	if (!strcmp(argv[*i], "--no-pager"))
		s->no_pager = true;
	else if (!strcmp(argv[*i], "--utc"))
		s->utc = true;
	else if (!strcmp(argv[*i], "--numeric"))
		s->numeric = true;
	else if (strcmp(argv[*i], "--color") && strncmp(argv[*i], "--color=", 8))
		return 0;
	else {
		value = argv[*i][7] ? argv[*i] + 8 : *i + 1 < argc ? argv[++*i] : "";
		for (int k = 0; k < 3; k++) {
			if (strcmp(value, when[k]))
				continue;
			s->when = k;
			return 1;
		}
		return -EINVAL;
	}
	return 1;
}

/* Set, and not empty. */
static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static bool is_installed(const char *program)
{
	const char *path = environment("PATH");
	char file[512];

	for (size_t len; path && *path; path += len + (path[len] == ':')) {
		len = strcspn(path, ":");
		snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, program);
		if (len && !access(file, X_OK))
			return true;
	}
	return false;
}

/* NULL: none. */
static const char *pager_command(void)
{
	const char *mine = getenv("SOCKLEDGER_PAGER"), *any = mine ? mine : getenv("PAGER");

	if (!any)
		return is_installed("less") ? "less" : NULL;
	return *any && strcmp(any, "cat") ? any : NULL;
}

/* Whoever pages gets a signal as well, and stays until its reader has seen enough. */
static void on_signal(int number)
{
	close(STDOUT_FILENO);
	if (reading)
		waitpid((pid_t)reading, NULL, 0);
	_exit(128 + number);
}

static void start_pager(struct style *s, const char *command)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t mine, before;
	int fd[2];

	fflush(stdout);
	if (pipe2(fd, O_CLOEXEC))
		return;
	/* A signal that comes meanwhile finds a pager to wait for. */
	sigemptyset(&mine);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaddset(&mine, ends[i]);
	sigprocmask(SIG_BLOCK, &mine, &before);
	s->pager = fork();
	if (s->pager == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		/* Ends at once where all fits the screen, leaves colours and the screen alone, and
		 * cuts long lines, which can be moved. */
		setenv("LESS", "FRSX", 0);
		if (dup2(fd[0], STDIN_FILENO) >= 0)
			execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (s->pager > 0 && dup2(fd[1], STDOUT_FILENO) >= 0) {
		reading = s->pager;
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			sigaction(ends[i], &action, NULL);
	} else {
		s->pager = 0;
	}
	/* Before a signal can come: the handler waits for who reads until nobody writes. */
	close(fd[0]);
	close(fd[1]);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void style_begin(struct style *s, bool table, bool long_output)
{
	bool person = table && isatty(STDOUT_FILENO);
	const char *term = getenv("TERM"), *command;

	s->color = table && (s->when == COLOR_ALWAYS ||
			     (s->when == COLOR_AUTO && person && !environment("NO_COLOR") &&
			      term && strcmp(term, "dumb")));
	s->local_time = person && !s->utc;
	s->names = person && !s->numeric;
	command = person && long_output && !s->no_pager ? pager_command() : NULL;
	if (command)
		start_pager(s, command);
}

void style_end(struct style *s)
{
	if (!s->pager)
		return;
	fflush(stdout);
	close(STDOUT_FILENO);
	while (waitpid(s->pager, NULL, 0) < 0 && errno == EINTR)
		;
	s->pager = 0;
	reading = 0;
}

struct text style_time(const struct style *s, struct text time, char buf[TIME_TEXT_MAX])
{
	int64_t us;
	time_t seconds;
	struct tm tm;
	char zone[8];

	if (!s->local_time || time.len < 20 || time.len >= TIME_TEXT_MAX ||
	    time.data[time.len - 1] != 'Z')
		return time;
	memcpy(buf, time.data, time.len);
	buf[time.len] = '\0';
	if (time_parse(buf, 0, &us))
		return time;
	seconds = (time_t)(us / TIME_US_PER_S);
	if (us < 0 || !localtime_r(&seconds, &tm) ||
	    !strftime(buf, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm) ||
	    strftime(zone, sizeof(zone), "%z", &tm) != 5)
		return time;
	/* As it can be given to --since: RFC 3339. */
	snprintf(buf + strlen(buf), TIME_TEXT_MAX - strlen(buf), ".%06d%.3s:%s",
		 (int)(us % TIME_US_PER_S), zone, zone + 3);
	return text_of(buf);
}

const char *style_port(const struct style *s, int port, const char *proto, char *buf, size_t size)
{
	const struct servent *service = NULL;

	if (s->names && proto)
		service = getservbyport(htons((uint16_t)port), proto);
	if (service)
		snprintf(buf, size, "%s", service->s_name);
	else
		snprintf(buf, size, "%d", port);
	return buf;
}

const char *style_value(const struct style *s, const char *column, struct text value)
{
	static const struct { const char *column, *value, *begin; } values[] = {
		{ "certainty", "certain", GREEN },  { "certainty", "inferred", YELLOW },
		{ "certainty", "unknown", RED },    { "verdict", "drop", RED },
		{ "verdict", "reject", RED },
	};

	if (!s->color)
		return "";
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (!strcasecmp(column, values[i].column) &&
		    text_equal(value, text_of(values[i].value)))
			return values[i].begin;
	return "";
}
