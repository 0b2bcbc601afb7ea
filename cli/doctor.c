/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the checks of `sockledger doctor` look at, read once. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "doctor.h"
#include "look.h"

void finding_say(struct finding *f, enum finding_state state, const char *mend, const char *fmt,
		 ...)
{
	va_list ap;

	f->state = state;
	snprintf(f->mend, sizeof(f->mend), "%s", mend ? mend : "");
	va_start(ap, fmt);
	vsnprintf(f->sentence, sizeof(f->sentence), fmt, ap);
	va_end(ap);
}

void finding_mend(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->mend, sizeof(f->mend), fmt, ap);
	va_end(ap);
}

/* Without the file that is there by default, the defaults hold. */
static int read_config(struct doctor *d, const char *path)
{
	bool given = path != NULL;
	char *text = NULL;
	size_t size = 0;
	struct diags diags = { .out = open_memstream(&text, &size) };

	if (!diags.out)
		return -ENOMEM;
	if (given)
		snprintf(d->config_path, sizeof(d->config_path), "%s", path);
	else
		look_path(d->root, config_default_path(), d->config_path, sizeof(d->config_path));
	d->config_rc = config_load(&d->config, d->config_path, &diags);
	fclose(diags.out);
	if (d->config_rc == -ENOENT && !given)
		d->config_rc = 0;
	snprintf(d->mistake, sizeof(d->mistake), "%.*s", text ? (int)strcspn(text, "\n") : 0, text);
	free(text);
	return d->config_rc == -ENOMEM ? -ENOMEM : 0;
}

static int read_audit(struct doctor *d)
{
	static const char *const status[] = { "auditctl", "-s", NULL };
	static const char *const list[] = { "auditctl", "-l", NULL };
	struct audit_state *a = &d->audit;
	char *text = look_run(d->root, status, &a->rc, a->why, sizeof(a->why));

	if (!text)
		return a->rc == -ENOMEM ? -ENOMEM : 0;
	a->enabled = look_number(text, "enabled");
	a->failure = look_number(text, "failure");
	a->pid = look_number(text, "pid");
	a->rate_limit = look_number(text, "rate_limit");
	a->backlog_limit = look_number(text, "backlog_limit");
	a->lost = look_number(text, "lost");
	a->backlog = look_number(text, "backlog");
	free(text);
	text = look_run(d->root, list, &a->rc, a->why, sizeof(a->why));
	return text ? audit_rules_read(&d->rules, text, d->config.audit_key) : 0;
}

/* auditd's configuration is where its -c says, else in /etc/audit. */
static void find_auditd_dir(struct doctor *d)
{
	char path[64], *text, *word, *end;
	int rc;

	strcpy(d->auditd_dir, "/etc/audit");
	snprintf(path, sizeof(path), "/proc/%d/cmdline", d->auditd);
	text = d->auditd ? look_file(d->root, path, &rc) : NULL;
	/* Arguments end in a 0 byte each; behind all of them look_file() put another one. */
	for (word = text; word && *word; word = end + 1) {
		end = word + strlen(word);
		if (!strcmp(word, "-c") && end[1] == '/')
			snprintf(d->auditd_dir, sizeof(d->auditd_dir), "%s", end + 1);
	}
	free(text);
}

static bool on_process(const struct look_process *p, void *arg)
{
	struct doctor *d = arg;

	/* Anyone may call a process so: these run as root. */
	if (p->uid)
		return false;
	if (!strcmp(p->comm, "auditd") && !d->auditd)
		d->auditd = p->pid;
	if (!strcmp(p->comm, "sockledgerd"))
		d->daemon = p->pid;
	if (!strcmp(p->comm, "audisp-sockledg"))
		d->plugin = p->pid;
	return false;
}

static void read_processes(struct doctor *d)
{
	struct look_process p;

	if (d->audit.rc == 0 && d->audit.pid > 0 && look_process(d->root, (int)d->audit.pid, &p) &&
	    !strcmp(p.comm, "auditd"))
		d->auditd = p.pid;
	look_processes(d->root, on_process, d);
}

int doctor_open(struct doctor *d, const char *root, const char *config_path, const char *ledger,
		bool firewall)
{
	char path[640];
	int rc;

	*d = (struct doctor){ .root = root };
	rc = config_init(&d->config);
	if (!rc)
		rc = read_config(d, config_path);
	if (!rc)
		rc = read_audit(d);
	if (rc) {
		doctor_close(d);
		return -ENOMEM;
	}
	d->other_ledger = ledger && *ledger;
	if (d->other_ledger)
		snprintf(d->ledger, sizeof(d->ledger), "%s", ledger);
	else
		look_path(root, d->config.ledger, d->ledger, sizeof(d->ledger));
	look_path(root, d->config.cache, d->cache, sizeof(d->cache));
	read_processes(d);
	find_auditd_dir(d);
	snprintf(path, sizeof(path), "%s/auditd.conf", d->auditd_dir);
	d->auditd_conf = look_file(root, path, &d->auditd_conf_rc);
	if (firewall)
		firewall_look(&d->firewall, root, d->config.mark, d->config.queue,
			      d->config.queue_last);
	return 0;
}

void doctor_close(struct doctor *d)
{
	config_release(&d->config);
	audit_rules_release(&d->rules);
	free(d->auditd_conf);
}
