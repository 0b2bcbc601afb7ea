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
	{ "writers", check_writers },
	{ NULL, NULL },
};
