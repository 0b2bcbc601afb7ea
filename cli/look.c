/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at a host: files, the output of programs, processes. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "look.h"

#define FILE_BYTES   ((size_t)1 << 20)
#define OUTPUT_BYTES ((size_t)8 << 20)
#define RUN_MS	     10000

bool look_path(const char *root, const char *path, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s%s", root, path);

	return n >= 0 && (size_t)n < size;
}

/* Reads up to max bytes; a pipe for RUN_MS at most.  NULL and *rc where that fails. */
static char *read_to_end(int fd, size_t max, bool is_pipe, int *rc)
{
	char *text = NULL;
	size_t len = 0, size = 0;
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;
		int left;

		if (len + 1 >= size) {
			size_t more = size ? 2 * size : 8192;
			char *grown = realloc(text, more);

			if (!grown) {
				*rc = -ENOMEM;
				break;
			}
			text = grown;
			size = more;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = RUN_MS - (int)(now.tv_sec - start.tv_sec) * 1000;
		if (is_pipe && poll(&p, 1, left > 0 ? left : 0) <= 0) {
			*rc = -ETIME;
			break;
		}
		n = len < max ? read(fd, text + len, size - len - 1) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		*rc = n < 0 ? -errno : 0;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (*rc) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

char *look_file(const char *root, const char *path, int *rc)
{
	char whole[4096], *text;
	int fd;

	*rc = -ENAMETOOLONG;
	if (!look_path(root, path, whole, sizeof(whole)))
		return NULL;
	/* O_NONBLOCK: a pipe without a writer would block here. */
	fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		*rc = -errno;
		return NULL;
	}
	text = read_to_end(fd, FILE_BYTES, false, rc);
	close(fd);
	return text;
}

bool look_setting(const char *root, const char *path, char first)
{
	int rc;
	char *text = look_file(root, path, &rc);
	bool is = text && text[0] == first;

	free(text);
	return is;
}

static bool find_program(const char *root, const char *name, char *buf, size_t size)
{
	static const char *const dirs[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		int n = snprintf(buf, size, "%s%s/%s", root, dirs[i], name);

		if (n > 0 && (size_t)n < size && !access(buf, X_OK))
			return true;
	}
	return false;
}

/* In the child: both outputs go into the pipe, and nothing of our environment goes along. */
static void become(const char *path, const char *const argv[], int out)
{
	static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
						  NULL};
	int null = open("/dev/null", O_RDONLY);

	if (null >= 0)
		dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	execve(path, (char *const *)argv, (char *const *)environment);
	_exit(127);
}

static void first_line(const char *text, char *buf, size_t size)
{
	snprintf(buf, size, "%.*s", (int)strcspn(text, "\n"), text);
}

char *look_run(const char *root, const char *const argv[], int *rc, char *why, size_t why_size)
{
	char path[4096], *text;
	int out[2], status = 0;
	pid_t child;

	snprintf(why, why_size, "'%s' is not installed", argv[0]);
	*rc = -ENOENT;
	if (!find_program(root, argv[0], path, sizeof(path)))
		return NULL;
	snprintf(why, why_size, "'%s' cannot be run", argv[0]);
	*rc = -EIO;
	if (pipe2(out, O_CLOEXEC))
		return NULL;
	child = fork();
	if (child == 0)
		become(path, argv, out[1]);
	close(out[1]);
	text = child < 0 ? NULL : read_to_end(out[0], OUTPUT_BYTES, true, rc);
	close(out[0]);
	if (child > 0) {
		if (!text)
			kill(child, SIGKILL);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (!text) {
		if (*rc == -ETIME)
			snprintf(why, why_size, "'%s' does not come to an end", argv[0]);
		return NULL;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		if (*text)
			first_line(text, why, why_size);
		free(text);
		*rc = geteuid() ? -EPERM : -EIO;
		return NULL;
	}
	return text;
}

const char *look_next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end && end[1] ? end + 1 : NULL;
}

bool look_word(const char **at, char *buf, size_t size)
{
	const char *p = *at + strspn(*at, " \t");
	size_t len = strcspn(p, " \t\n");

	*at = p + len;
	snprintf(buf, size, "%.*s", (int)len, p);
	return len > 0;
}

bool look_value(const char *text, const char *key, char *buf, size_t size)
{
	size_t key_len = strlen(key);
	bool found = false;

	/* The last one counts. */
	for (const char *line = text; line; line = look_next_line(line)) {
		const char *p = line + strspn(line, " \t");
		size_t len;

		if (strncasecmp(p, key, key_len) || !strchr(" \t=", p[key_len]) || !p[key_len])
			continue;
		p += key_len;
		p += strspn(p, " \t");
		if (*p == '=')
			p += 1 + strspn(p + 1, " \t");
		len = strcspn(p, "\n");
		while (len && isspace((unsigned char)p[len - 1]))
			len--;
		snprintf(buf, size, "%.*s", (int)len, p);
		found = true;
	}
	return found;
}

int64_t look_number(const char *text, const char *key)
{
	char value[64], *end;
	int64_t n;

	if (!look_value(text, key, value, sizeof(value)))
		return -1;
	errno = 0;
	n = strtoll(value, &end, 10);
	return errno || end == value ? -1 : n;
}

bool look_process(const char *root, int pid, struct look_process *p)
{
	char path[64], value[64], *text;
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = look_file(root, path, &rc);
	if (!text)
		return false;
	*p = (struct look_process){.pid = pid,
				   .parent = (int)look_number(text, "PPid:"),
				   .uid = look_number(text, "Uid:")};
	if (look_value(text, "Name:", value, sizeof(value)))
		snprintf(p->comm, sizeof(p->comm), "%.15s", value);
	free(text);
	return true;
}

bool look_processes(const char *root, bool (*each)(const struct look_process *p, void *arg),
		    void *arg)
{
	char path[4096];
	struct dirent *entry;
	struct look_process p;
	bool found = false;
	DIR *dir;

	if (!look_path(root, "/proc", path, sizeof(path)))
		return false;
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		int pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid > 0 && look_process(root, pid, &p))
			found = each(&p, arg);
	}
	closedir(dir);
	return found;
}
