/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person has changed, read again: the configuration, and the policy that it names.  With a
 * mistake in either the old one stays, and all mistakes are logged.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "diag.h"
#include "failures.h"
#include "judge.h"
#include "log.h"
#include "parts.h"
#include "policy.h"
#include "policy_file.h"
#include "queue_threads.h"
#include "reload.h"
#include "trusted.h"
#include "user_names.h"

/* How long a policy waits for the users that it names. */
#define USERS_MS 1000
/* How often to look whether a list has changed. */
#define LISTS_NS 1000000000LL
/* Mistakes of one file that are told one by one. */
#define COMPLAINTS_MAX 1000

/* A person's mistakes in a file, on their way to the log: kept until all are known, because the log
 * takes whole lines. */
struct complaints {
	struct diags diags;
	char *text;
	size_t len;
};

/* Without memory for them the mistakes are counted all the same. */
static void complaints_open(struct complaints *c)
{
	*c = (struct complaints){ .text = NULL };
	c->diags.out = open_memstream(&c->text, &c->len);
}

/* Logs them, as many as a log should get at once. */
static void complaints_log(struct complaints *c)
{
	unsigned int lines = 0;
	char *rest = NULL;

	if (c->diags.out)
		fclose(c->diags.out);
	for (char *line = c->text ? strtok_r(c->text, "\n", &rest) : NULL;
	     line && lines < COMPLAINTS_MAX; line = strtok_r(NULL, "\n", &rest), lines++)
		log_error("%s", line);
	if (lines < c->diags.count)
		log_error("and %u more", c->diags.count - lines);
	free(c->text);
}

struct policy *reload_read_policy(const struct config *c)
{
	struct complaints complaints;
	struct policy *policy = NULL;
	int rc;

	complaints_open(&complaints);
	rc = strcmp(c->policy, "none") ? policy_read(c->policy, &complaints.diags, &policy) :
					 policy_parse("none", "", 0, &complaints.diags, &policy);
	complaints_log(&complaints);
	FAILS(POLICY_BAD);
	if (rc)
		log_error("the policy '%s' cannot be used: %u mistakes", c->policy,
			  complaints.diags.count);
	else if (policy_needs_names(policy) && !c->names)
		log_warn("rules of the policy '%s' ask for names of destinations: they never "
			 "match, because 'names' is off", c->policy);
	return rc ? NULL : policy;
}

static int64_t number_of(void *users, const char *name, bool group)
{
	return user_names_number(users, name, group);
}

/* Parked packets have their deadlines meanwhile. */
static void wait_for_users(struct parts *p)
{
	for (int i = 0; i < USERS_MS && !user_names_settled(p->users); i++) {
		queue_threads_lock(p->queue_threads);
		if (p->judge)
			judge_poll(p->judge);
		queue_threads_unlock(p->queue_threads);
		poll(NULL, 0, 1);
	}
}

void reload_number_users(struct parts *p, struct policy *policy)
{
	/* The first time asks, the second one has the answers. */
	policy_number_users(policy, number_of, p->users);
	wait_for_users(p);
	policy_number_users(policy, number_of, p->users);
	if (!policy_needs_user_names(policy))
		return;
	user_names_want_all(p->users);
	wait_for_users(p);
}

void reload_users(struct parts *p)
{
	user_names_changed(p->users);
	queue_threads_lock(p->queue_threads);
	if (p->in_force)
		policy_number_users(p->in_force, number_of, p->users);
	queue_threads_unlock(p->queue_threads);
}

static void reload_policy(struct parts *p, const struct config *fresh)
{
	struct policy *policy = reload_read_policy(fresh);

	if (!policy)
		return;
	reload_number_users(p, policy);
	queue_threads_lock(p->queue_threads);
	judge_set_policy(p->judge, policy);
	p->in_force = policy;
	p->config->enforce = fresh->enforce;
	p->config->park_us = fresh->park_us;
	queue_threads_unlock(p->queue_threads);
	log_info("the policy '%s' was read again", fresh->policy);
}

static void take_lists(struct parts *p)
{
	struct complaints complaints;
	struct list_files *lists;
	int rc;

	complaints_open(&complaints);
	rc = list_files_read(p->in_force, p->config->policy, &complaints.diags, &lists);
	complaints_log(&complaints);
	FAILS(POLICY_BAD);
	if (rc) {
		log_error("the policy's lists have %u mistakes: what they were stays",
			  complaints.diags.count);
		return;
	}
	queue_threads_lock(p->queue_threads);
	list_files_swap(lists, p->in_force);
	judge_policy_changed(p->judge);
	queue_threads_unlock(p->queue_threads);
	list_files_free(lists);
	log_info("the policy's lists were read again");
}

int reload_lists(struct parts *p)
{
	struct lists_watch *w = &p->lists;
	int64_t now_ns = clock_mono_ns();
	uint64_t stamp;

	if (!p->in_force || !policy_list_count(p->in_force))
		return -1;
	if (now_ns < w->due_ns)
		return clock_poll_ms(w->due_ns - now_ns);
	w->due_ns = now_ns + LISTS_NS;
	stamp = list_files_stamp(p->in_force);
	/* One that is being written has another stamp at the next look. */
	if (stamp == w->seen && stamp != w->tried && stamp != list_files_stamp_read(p->in_force)) {
		w->tried = stamp;
		take_lists(p);
	}
	w->seen = stamp;
	return clock_poll_ms(LISTS_NS);
}

void reload(struct parts *p, const char *config_path)
{
	const struct config *now = p->config;
	struct complaints complaints;
	struct config fresh;
	int rc;

	if (config_init(&fresh))
		return;
	complaints_open(&complaints);
	rc = config_load(&fresh, config_path, &complaints.diags);
	if (!rc && !trusted_config(&fresh, config_path, &complaints.diags))
		rc = -EPERM;
	complaints_log(&complaints);
	if (rc) {
		FAILS(CONFIG_BAD);
		log_error("the configuration has %u mistakes and was not taken over",
			  complaints.diags.count);
	} else {
		if (strcmp(fresh.cache, now->cache) || strcmp(fresh.ledger, now->ledger) ||
		    fresh.queue != now->queue || fresh.trace != now->trace)
			log_warn("'cache', 'ledger', 'queue' and 'trace' are changed by a restart, "
				 "not by a reload");
		if (p->judge)
			reload_policy(p, &fresh);
	}
	config_release(&fresh);
}
