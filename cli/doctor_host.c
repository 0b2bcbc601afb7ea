/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger doctor: configuration and policy, and who may write them. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "diag.h"
#include "doctor.h"
#include "look.h"
#include "policy.h"
#include "policy_file.h"
#include "trusted.h"

static void check_config(const struct doctor *d, struct finding *f)
{
	if (d->config_rc == -EACCES) {
		finding_say(f, FINDING_UNKNOWN, DOCTOR_AS_ROOT,
			    "%s is for root alone; what follows takes the defaults for it",
			    d->config_path);
	} else if (d->config_rc) {
		finding_say(f, FINDING_FAILED, NULL, "the configuration has a mistake: %s",
			    d->mistake);
		finding_mend(f, "correct it; sockledgerd --test -c %s", d->config_path);
	} else {
		finding_say(f, FINDING_OK, NULL, "the configuration has no mistake");
	}
}

/* The policy's first mistake, in `mistake`. */
static int read_policy(const char *path, char *mistake, size_t size)
{
	struct policy *policy = NULL;
	char *text = NULL;
	size_t len = 0;
	struct diags diags = { .out = open_memstream(&text, &len) };
	int rc;

	if (!diags.out)
		return -ENOMEM;
	rc = policy_read(path, &diags, &policy);
	fclose(diags.out);
	snprintf(mistake, size, "%.*s", text ? (int)strcspn(text, "\n") : 0, text);
	free(text);
	policy_free(policy);
	return rc;
}

static bool has_policy(const struct doctor *d)
{
	return strcmp(d->config.policy, "none") != 0;
}

static void check_policy(const struct doctor *d, struct finding *f)
{
	char path[4096], mistake[512];
	int rc;

	if (!has_policy(d)) {
		if (d->config.queue >= 0 && d->config.enforce)
			finding_say(f, FINDING_WARNING, "policy = FILE, in sockledger.conf",
				    "verdicts count (mode = enforce), but there is no policy: "
				    "everything is allowed");
		else
			finding_say(f, FINDING_OK, NULL, "no policy is configured");
		return;
	}
	if (!look_path(d->root, d->config.policy, path, sizeof(path)))
		return;
	rc = read_policy(path, mistake, sizeof(mistake));
	if (rc == -EACCES) {
		finding_say(f, FINDING_UNKNOWN, DOCTOR_AS_ROOT, "%s is for root alone",
			    d->config.policy);
	} else if (rc) {
		finding_say(f, FINDING_FAILED, NULL, "the policy has a mistake: %s", mistake);
		finding_mend(f,
			     "correct it; sockledger policy check %s; systemctl reload "
			     "sockledgerd",
			     d->config.policy);
	} else {
		finding_say(f, FINDING_OK, NULL, "the policy has no mistake");
	}
}

struct nobody {
	const struct doctor *d;
	char name[128]; /* the first that nobody has */
	bool group;
	size_t count;
};

/* -1: nobody has the name.  Below a root its own files tell; of this host all that it asks. */
static int64_t number_of(void *arg, const char *name, bool group)
{
	struct nobody *n = arg;
	size_t len = strlen(name);
	const struct passwd *user;
	const struct group *g;
	int64_t number = -1;
	char *text;
	int rc;

	if (!*n->d->root) {
		user = group ? NULL : getpwnam(name);
		g = group ? getgrnam(name) : NULL;
		number = user ? (int64_t)user->pw_uid : g ? (int64_t)g->gr_gid : -1;
	} else {
		text = look_file(n->d->root, group ? "/etc/group" : "/etc/passwd", &rc);
		for (const char *line = text; line && number < 0; line = look_next_line(line))
			if (!strncmp(line, name, len) && line[len] == ':')
				number = 0;
		free(text);
	}
	if (number < 0 && !n->count++) {
		snprintf(n->name, sizeof(n->name), "%s", name);
		n->group = group;
	}
	return number;
}

/* A rule that names somebody who is not there decides nothing, and a denial is none. */
static void check_names(const struct doctor *d, struct finding *f)
{
	struct diags diags = { .out = NULL };
	struct nobody nobody = { .d = d };
	struct policy *policy = NULL;
	char path[4096];

	finding_say(f, FINDING_OK, NULL, "no policy is configured");
	if (!has_policy(d) || !look_path(d->root, d->config.policy, path, sizeof(path)))
		return;
	if (policy_read(path, &diags, &policy)) {
		finding_say(f, FINDING_UNKNOWN, NULL,
			    "which users and groups the policy names: it cannot be read");
		return;
	}
	policy_number_users(policy, number_of, &nobody);
	policy_free(policy);
	if (!nobody.count) {
		finding_say(f, FINDING_OK, NULL, "every user and group of the policy is there");
		return;
	}
	finding_say(f, FINDING_WARNING, NULL,
		    "the policy names the %s '%s', whom nobody here is%s: such a rule fits nobody",
		    nobody.group ? "group" : "user", nobody.name,
		    nobody.count > 1 ? ", and others" : "");
	finding_mend(f, "getent %s '%s'; correct %s; systemctl reload sockledgerd",
		     nobody.group ? "group" : "passwd", nobody.name, d->config.policy);
}

static void check_writers(const struct doctor *d, struct finding *f)
{
	char root[4096], policy[4096], rules[4096];
	const char *files[] = { d->config_path, rules, policy };
	const char *databases[] = { d->cache, d->other_ledger ? "" : d->ledger };
	struct distrust why;
	struct stat st;
	bool good = true;

	/* The owner of the tree stands for root. */
	if (!look_path(d->root, "/", root, sizeof(root)) || stat(root, &st) ||
	    !look_path(d->root, "/etc/audit/rules.d/30-sockledger.rules", rules, sizeof(rules)) ||
	    !look_path(d->root, d->config.policy, policy, sizeof(policy)))
		return;
	if (!has_policy(d))
		policy[0] = '\0';
	for (size_t i = 0; good && i < sizeof(files) / sizeof(files[0]); i++)
		good = !files[i][0] || trusted_path(files[i], st.st_uid, &why);
	for (size_t i = 0; good && i < sizeof(databases) / sizeof(databases[0]); i++)
		good = !databases[i][0] || trusted_database(databases[i], st.st_uid, &why);
	if (!good) {
		finding_say(f, FINDING_FAILED, NULL, "%s: %s", why.path, why.what);
		finding_mend(f, "%s '%s'", why.how, why.path);
		return;
	}
	finding_say(f, FINDING_OK, NULL,
		    "root alone can write configuration, policy, rules, cache and ledger");
}

const struct check doctor_host_checks[] = {
	{ "config", check_config },
	{ "policy", check_policy },
	{ "policy-names", check_names },
	{ "writers", check_writers },
	{ NULL, NULL },
};
