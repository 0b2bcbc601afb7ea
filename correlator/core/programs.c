/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that were executed: a ring of the newest. */
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "programs.h"

#ifndef PROGRAMS
#define PROGRAMS 2048u
#endif
#define PATH_CHARS 100

struct program {
	char told[PATH_CHARS], path[PATH_CHARS];	/* empty: not known */
	bool here;
	int64_t seen, dev, inode, ctime, replaced;	/* inode -1: nobody saw the file */
};

struct programs {
	/* Number n is at n % PROGRAMS until a newer one takes its place. */
	struct program program[PROGRAMS];
	uint64_t newest;
};

struct programs *programs_new(void)
{
	return calloc(1, sizeof(struct programs));
}

void programs_free(struct programs *p)
{
	free(p);
}

void programs_forget(struct programs *p)
{
	p->newest = PROGRAM_NONE;
}

static bool fits(struct text path)
{
	return path.len && path.data[0] == '/' && path.len < PATH_CHARS;
}

static void keep(char *to, struct text path)
{
	memcpy(to, path.data, path.len);
	to[path.len] = '\0';
}

uint64_t programs_add(struct programs *p, struct text told, bool here)
{
	uint64_t number = ++p->newest;
	struct program *program = &p->program[number % PROGRAMS];

	*program = (struct program){ .here = here && fits(told), .inode = -1 };
	if (fits(told))
		keep(program->told, told);
	return number;
}

static const struct program *find(const struct programs *p, uint64_t program)
{
	return program != PROGRAM_NONE && program <= p->newest && p->newest - program < PROGRAMS ?
		       &p->program[program % PROGRAMS] : NULL;
}

bool programs_is_known(const struct programs *p, uint64_t program)
{
	return find(p, program) != NULL;
}

struct text programs_told(const struct programs *p, uint64_t program)
{
	const struct program *k = find(p, program);

	return text_of(k && k->told[0] ? k->told : NULL);
}

struct text programs_here(const struct programs *p, uint64_t program)
{
	const struct program *k = find(p, program);

	return text_of(k && k->here ? k->told : NULL);
}

void programs_see(struct programs *p, uint64_t program, const struct process *seen)
{
	struct program *k = (struct program *)find(p, program);

	if (!k || seen->exe_inode < 0 || !fits(seen->exe))
		return;
	keep(k->path, seen->exe);
	k->seen = seen->exe_seen;
	k->dev = seen->exe_dev;
	k->inode = seen->exe_inode;
	k->ctime = seen->exe_ctime;
	k->replaced = seen->replaced;
}

bool programs_file(const struct programs *p, uint64_t program, struct process *process)
{
	const struct program *k = find(p, program);

	if (!k || k->inode < 0)
		return false;
	process->exe = text_of(k->path);
	process->exe_seen = k->seen;
	process->exe_dev = k->dev;
	process->exe_inode = k->inode;
	process->exe_ctime = k->ctime;
	process->replaced = k->replaced;
	return true;
}
