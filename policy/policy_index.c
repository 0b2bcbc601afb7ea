/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules by the program that they name.  A rule is `of programs` if it says `exe` with paths alone,
 * no patterns, and no `not`.  Such a rule applies
 *
 *   where the program's path is known to be ours    if it is one of these paths
 *   otherwise                                       if it denies: it may be one of them
 *
 * so it is left out wherever else policy_match.c would say no, or would not let pass.
 */
#include <stdlib.h>

#include "policy_index.h"
#include "policy_rule.h"

struct policy_index_entry {
	uint64_t hash;		/* of a path that the rule names */
	uint32_t rule;
};

struct policy_index {
	/* Rules by number: those that are not of programs; the same and those that deny. */
	uint32_t *general, *unsure;
	size_t general_count, unsure_count;
	struct policy_index_entry *by_path;	/* by hash, then by rule */
	size_t path_count;
};

/* The match that names the rule's programs; NULL: it is not of programs. */
static const struct match *match_of_programs(const struct policy *p, const struct rule *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct match *m = &p->matches[r->first + i];
		size_t n = 0;

		if (m->kind != MATCH_EXE || m->negated)
			continue;
		while (n < m->count && p->values[m->first + n].word == PROGRAM_PATH &&
		       !p->values[m->first + n].pattern)
			n++;
		if (n == m->count)
			return m;
	}
	return NULL;
}

static int compare_entries(const void *a, const void *b)
{
	const struct policy_index_entry *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static void add_path(struct policy_index *index, struct text path, size_t rule)
{
	index->by_path[index->path_count++] =
		(struct policy_index_entry){ text_hash_of(path), (uint32_t)rule };
}

static void add_rule(struct policy_index *index, const struct policy *p, size_t rule)
{
	const struct rule *r = &p->rules[rule];
	const struct match *m = match_of_programs(p, r);

	if (!m)
		index->general[index->general_count++] = (uint32_t)rule;
	if (!m || !rule_lets_pass(r))
		index->unsure[index->unsure_count++] = (uint32_t)rule;
	for (size_t i = 0; m && i < m->count; i++) {
		const struct value *v = &p->values[m->first + i];

		add_path(index, v->text, rule);
		if (v->real)
			add_path(index, text_of(v->real), rule);
	}
}

/* A rule may name a program twice. */
static void leave_out_doubles(struct policy_index *index)
{
	size_t count = 0;

	for (size_t i = 0; i < index->path_count; i++)
		if (!count || compare_entries(&index->by_path[count - 1], &index->by_path[i]))
			index->by_path[count++] = index->by_path[i];
	index->path_count = count;
}

static size_t count_paths(const struct policy *p)
{
	size_t paths = 0;

	for (size_t rule = 0; rule < p->rule_count; rule++) {
		const struct match *m = match_of_programs(p, &p->rules[rule]);

		paths += m ? 2 * m->count : 0;
	}
	return paths;
}

void policy_index_make(struct policy *p)
{
	struct policy_index *index;
	size_t paths = count_paths(p);

	policy_index_free(p);
	index = calloc(1, sizeof(*index));
	if (!index)
		return;
	p->index = index;
	index->general = calloc(p->rule_count + 1, sizeof(*index->general));
	index->unsure = calloc(p->rule_count + 1, sizeof(*index->unsure));
	index->by_path = calloc(paths + 1, sizeof(*index->by_path));
	if (!index->general || !index->unsure || !index->by_path) {
		policy_index_free(p);
		return;
	}
	for (size_t rule = 0; rule < p->rule_count; rule++)
		add_rule(index, p, rule);
	qsort(index->by_path, index->path_count, sizeof(*index->by_path), compare_entries);
	leave_out_doubles(index);
}

void policy_index_free(struct policy *p)
{
	if (!p->index)
		return;
	free(p->index->general);
	free(p->index->unsure);
	free(p->index->by_path);
	free(p->index);
	p->index = NULL;
}

/* The first entry whose hash is not below this one. */
static const struct policy_index_entry *find_hash(const struct policy_index *index, uint64_t hash)
{
	size_t low = 0, high = index->path_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->by_path[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return &index->by_path[low];
}

void policy_candidates_begin(const struct policy *p, const struct connection *c,
			     struct policy_candidates *k)
{
	const struct policy_index *index = p->index;
	uint64_t hash;

	*k = (struct policy_candidates){ .count = index ? 0 : p->rule_count };
	if (!index)
		return;
	if (!c->process.exe.data || !exe_is_ours(c->process.exe_seen)) {
		k->of_all = index->unsure;
		k->of_all_end = index->unsure + index->unsure_count;
		return;
	}
	k->of_all = index->general;
	k->of_all_end = index->general + index->general_count;
	hash = text_hash_of(c->process.exe);
	k->of_program = k->of_program_end = find_hash(index, hash);
	while (k->of_program_end < index->by_path + index->path_count &&
	       k->of_program_end->hash == hash)
		k->of_program_end++;
}

size_t policy_candidates_next(struct policy_candidates *k)
{
	bool all = k->of_all < k->of_all_end, program = k->of_program < k->of_program_end;

	if (all && (!program || *k->of_all < k->of_program->rule))
		return *k->of_all++;
	if (program)
		return k->of_program++->rule;
	return k->next < k->count ? k->next++ : SIZE_MAX;
}
