/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SCRATCH_H
#define SOCKLEDGER_SCRATCH_H

/* A directory of a test's own, and a seed for what it makes up. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char scratch_dir[256];
static uint64_t scratch_state;

__attribute__((unused))
static void scratch_remove(void)
{
	char command[320];

	snprintf(command, sizeof(command), "rm -rf '%s'", scratch_dir);
	if (system(command))
		fprintf(stderr, "cannot remove '%s'\n", scratch_dir);
}

/* Makes the directory, which goes when the program ends. */
__attribute__((unused))
static void scratch_make(void)
{
	const char *where = getenv("TMPDIR");

	snprintf(scratch_dir, sizeof(scratch_dir), "%s/sockledger-test.XXXXXX",
		 where ? where : "/tmp");
	if (!mkdtemp(scratch_dir)) {
		perror("mkdtemp");
		exit(1);
	}
	atexit(scratch_remove);
}

/* The path of a file in it; good until the fourth call from now. */
__attribute__((unused))
static const char *scratch_path(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", scratch_dir, name);
	return path;
}

/* Likewise; makes the directories that it is in. */
__attribute__((unused))
static const char *scratch_way(const char *name)
{
	const char *path = scratch_path(name);
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = part + strlen(scratch_dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(part, 0700);
		*slash = '/';
	}
	return path;
}

/* The seed: first argument, else SEED, else the time; printed, so that a failure can be had again.
 */
__attribute__((unused))
static void scratch_seed(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : getenv("SEED");

	scratch_state =
		text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
	printf("# seed %llu\n", (unsigned long long)scratch_state);
}

/* splitmix64 */
__attribute__((unused))
static uint64_t scratch_random(void)
{
	uint64_t z = scratch_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

#endif
