/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a collector has a ledger's rows. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "outfile.h"
#include "position.h"

#define HEAD "sockledger-ship 1 "
#define LINE_MAX_BYTES 4096

static const struct {
	const char *name;
	size_t at;
} fields[] = {
#define FIELD(name) { #name, offsetof(struct position, name) }
	FIELD(ledger), FIELD(restarts), FIELD(id), FIELD(time_us), FIELD(change), FIELD(trimmed),
	FIELD(sent), FIELD(amended), FIELD(missed),
#undef FIELD
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static int64_t *field(struct position *p, size_t i)
{
	return (int64_t *)(void *)((char *)p + fields[i].at);
}

/* Every field stands in the file once, in this order. */
static int read_fields(FILE *in, struct position *p)
{
	char name[32];
	int64_t value;

	for (size_t i = 0; i < FIELDS; i++) {
		if (fscanf(in, "%31s %" SCNd64, name, &value) != 2 ||
		    strcmp(name, fields[i].name) || value < 0)
			return -EUCLEAN;
		*field(p, i) = value;
	}
	return 0;
}

static int read_file(const char *path, const char *collector, struct position *p)
{
	FILE *in = fopen(path, "re");
	char line[LINE_MAX_BYTES];
	int rc = -EUCLEAN;

	if (!in)
		return errno == ENOENT ? 0 : -errno;
	if (fgets(line, sizeof(line), in) && !strncmp(line, HEAD, strlen(HEAD))) {
		line[strcspn(line, "\n")] = '\0';
		rc = strcmp(line + strlen(HEAD), collector) ? -EEXIST : read_fields(in, p);
	}
	fclose(in);
	return rc;
}

int position_open(struct position_file *f, const char *path, const char *collector,
		  struct position *p)
{
	char lock[PATH_MAX];
	int rc;

	*p = (struct position){ .id = 0 };
	*f = (struct position_file){ path, collector, -1 };
	if (strlen(collector) + strlen(HEAD) + 2 > LINE_MAX_BYTES || strchr(collector, '\n') ||
	    (size_t)snprintf(lock, sizeof(lock), "%s.lock", path) >= sizeof(lock))
		return -ENAMETOOLONG;
	f->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->lock < 0)
		return -errno;
	rc = flock(f->lock, LOCK_EX | LOCK_NB) ? -errno : read_file(path, collector, p);
	if (rc)
		position_close(f);
	return rc == -EWOULDBLOCK ? -EBUSY : rc;
}

void position_close(struct position_file *f)
{
	if (f->lock >= 0)
		close(f->lock);
	f->lock = -1;
}

int position_save(const struct position_file *f, const struct position *p)
{
	struct position copy = *p;
	struct outfile file;
	int rc = outfile_begin(&file, f->path, 0600);

	if (rc)
		return rc;
	fprintf(file.out, HEAD "%s\n", f->collector);
	for (size_t i = 0; i < FIELDS; i++)
		fprintf(file.out, "%s %" PRId64 "\n", fields[i].name, *field(&copy, i));
	return outfile_commit(&file);
}
