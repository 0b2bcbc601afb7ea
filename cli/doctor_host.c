/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger doctor: configuration and policy, and who may write them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "diag.h"
#include "doctor.h"
#include "look.h"
#include "policy.h"
#include "policy_file.h"

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

/*
 * Another than root can write it, or put another one in its place; absent is nobody's.  `part`, of
 * `size` bytes: which file or directory that is.
 */
static bool others_write(const struct doctor *d, const char *path, uid_t root, char *part,
			 size_t size)
{
	struct stat st;
	size_t skip = strncmp(path, d->root, strlen(d->root)) ? 0 : strlen(d->root);

	snprintf(part, size, "%s", path);
	for (;;) {
		char *slash;
		bool sticky;

		if (!stat(part, &st)) {
			/* In a directory such as /tmp others cannot replace what root has. */
			sticky = S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX;
			if (st.st_uid != root || (st.st_mode & 022 && !sticky))
				return true;
		}
		slash = strrchr(part, '/');
		if (!slash || (size_t)(slash - part) <= skip)
			return false;
		*slash = '\0';
	}
}

static void check_writers(const struct doctor *d, struct finding *f)
{
	char root[4096], policy[4096], rules[4096], culprit[4096];
	const char *paths[] = { d->config_path, d->ledger, d->cache, rules, policy };
	struct stat st;

	/* The owner of the tree stands for root. */
	if (!look_path(d->root, "/", root, sizeof(root)) || stat(root, &st) ||
	    !look_path(d->root, "/etc/audit/rules.d/30-sockledger.rules", rules, sizeof(rules)) ||
	    !look_path(d->root, d->config.policy, policy, sizeof(policy)))
		return;
	if (!has_policy(d))
		policy[0] = '\0';
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!paths[i][0] || (paths[i] == d->ledger && d->other_ledger) ||
		    !others_write(d, paths[i], st.st_uid, culprit, sizeof(culprit)))
			continue;
		finding_say(f, FINDING_FAILED, NULL, "another than root owns %s, or can write it",
			    culprit);
		finding_mend(f, "chown root: '%s'; chmod go-w '%s'", culprit, culprit);
		return;
	}
	finding_say(f, FINDING_OK, NULL,
		    "root alone can write configuration, policy, rules, cache and ledger");
}

const struct check doctor_host_checks[] = {
	{ "config", check_config },
	{ "policy", check_policy },
	{ "writers", check_writers },
	{ NULL, NULL },
};
