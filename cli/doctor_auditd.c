/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger doctor: auditd, its settings, and our plugin below it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "doctor.h"
#include "look.h"

#define QUEUE_SMALL 2000 /* what auditd takes where its file says nothing */
#define RELOAD	    "service auditd reload"

static void check_auditd(const struct doctor *d, struct finding *f)
{
	int64_t pid = d->audit.rc ? -1 : d->audit.pid;
	struct look_process p;

	if (pid > 0 && look_process(d->root, (int)pid, &p) && strcmp(p.comm, "auditd"))
		finding_say(f, FINDING_FAILED,
			    "systemctl stop that program; systemctl start auditd",
			    "the kernel gives its audit records to '%s' (process %" PRId64 "), not "
			    "to auditd",
			    p.comm, pid);
	else if (pid == 0)
		finding_say(f, FINDING_FAILED, "systemctl enable --now auditd",
			    "no audit daemon runs, so no record comes to sockledger");
	else if (d->auditd)
		finding_say(f, FINDING_OK, NULL, "auditd runs (process %d)", d->auditd);
	else if (pid > 0)
		finding_say(f, FINDING_UNKNOWN, NULL,
			    "an audit daemon has the number %" PRId64
			    ", which is not seen from here",
			    pid);
	else
		finding_say(f, FINDING_FAILED, "systemctl enable --now auditd",
			    "no auditd is seen to run");
}

/* False where auditd.conf cannot be read; then that is said. */
static bool have_conf(const struct doctor *d, struct finding *f)
{
	if (d->auditd_conf)
		return true;
	finding_say(f, FINDING_UNKNOWN,
		    d->auditd_conf_rc == -EACCES ? DOCTOR_AS_ROOT : NULL,
		    "cannot read %s/auditd.conf: %s", d->auditd_dir, strerror(-d->auditd_conf_rc));
	return false;
}

/* A setting of auditd.conf in lower case; `preset` where the file does not have it. */
static void setting(const struct doctor *d, const char *key, const char *preset, char *buf,
		    size_t size)
{
	if (!look_value(d->auditd_conf, key, buf, size))
		snprintf(buf, size, "%s", preset);
}

static void check_events(const struct doctor *d, struct finding *f)
{
	char local[64];

	if (!have_conf(d, f))
		return;
	setting(d, "local_events", "yes", local, sizeof(local));
	if (!strcasecmp(local, "no"))
		finding_say(
			f, FINDING_FAILED, "local_events = yes; service auditd restart",
			"%s/auditd.conf says local_events = no: auditd takes no records of this "
			"host",
			d->auditd_dir);
	else
		finding_say(f, FINDING_OK, NULL, "auditd takes this host's records");
}

static void check_format(const struct doctor *d, struct finding *f)
{
	char format[64];

	if (!have_conf(d, f))
		return;
	setting(d, "log_format", "RAW", format, sizeof(format));
	if (!strcasecmp(format, "RAW"))
		finding_say(f, FINDING_OK, NULL, "auditd writes records as they are");
	else if (!strcasecmp(format, "ENRICHED"))
		finding_say(f, FINDING_OK, NULL,
			    "auditd adds names to the records (ENRICHED): that costs it time, and "
			    "sockledger wants it for records of other hosts alone");
	else
		finding_say(
			f, FINDING_FAILED, "log_format = RAW; service auditd restart",
			"%s/auditd.conf says log_format = %s, which is neither RAW nor ENRICHED",
			d->auditd_dir, format);
}

static void check_depth(const struct doctor *d, struct finding *f)
{
	int64_t depth;

	if (!have_conf(d, f))
		return;
	depth = look_number(d->auditd_conf, "q_depth");
	if (depth >= 0 && depth < QUEUE_SMALL)
		finding_say(f, FINDING_WARNING, "q_depth = 2000 or more; " RELOAD,
			    "auditd holds %" PRId64 " records for its plugins (q_depth), and drops "
			    "the rest: a connection is four or five records",
			    depth);
	else
		finding_say(f, FINDING_OK, NULL, "auditd holds %" PRId64 " records for its plugins",
			    depth < 0 ? QUEUE_SMALL : depth);
}

static void check_overflow(const struct doctor *d, struct finding *f)
{
	char action[64];

	if (!have_conf(d, f))
		return;
	setting(d, "overflow_action", "SYSLOG", action, sizeof(action));
	if (!strcasecmp(action, "SUSPEND"))
		finding_say(f, FINDING_WARNING, "overflow_action = SYSLOG; " RELOAD,
			    "auditd gives its plugins nothing more after its queue was full once "
			    "(overflow_action = SUSPEND)");
	else if (!strcasecmp(action, "SINGLE") || !strcasecmp(action, "HALT"))
		finding_say(f, FINDING_WARNING, "overflow_action = SYSLOG; " RELOAD,
			    "auditd takes the host down when its queue is full "
			    "(overflow_action = %s)",
			    action);
	else
		finding_say(f, FINDING_OK, NULL, "auditd goes on when its queue was full");
}

static void check_disk(const struct doctor *d, struct finding *f)
{
	static const char *const keys[] = {"disk_full_action", "disk_error_action",
					   "admin_space_left_action", "space_left_action"};
	char action[64];

	if (!have_conf(d, f))
		return;
	finding_say(f, FINDING_OK, NULL, "auditd does not take the host down for want of space");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		setting(d, keys[i], "", action, sizeof(action));
		if (strcasecmp(action, "SINGLE") && strcasecmp(action, "HALT"))
			continue;
		finding_say(f, FINDING_WARNING, NULL,
			    "auditd takes the host down when its log has "
			    "no room (%s = %s), and our rules make that log grow",
			    keys[i], action);
		finding_mend(f, "%s = SYSLOG, or write_logs = no; " RELOAD, keys[i]);
		return;
	}
}

static void plugin_path(const struct doctor *d, char *buf, size_t size)
{
	char dir[512] = "/etc/audit/plugins.d";

	if (d->auditd_conf)
		look_value(d->auditd_conf, "plugin_dir", dir, sizeof(dir));
	snprintf(buf, size, "%s/sockledger.conf", dir);
}

/* auditd starts only what root owns and nobody else can write. */
static bool can_start(const struct doctor *d, const char *program, struct finding *f)
{
	char path[4096], root[4096];
	struct stat st, above;

	if (!look_path(d->root, program, path, sizeof(path)) ||
	    !look_path(d->root, "/", root, sizeof(root)))
		return false;
	if (stat(path, &st)) {
		finding_say(f, FINDING_FAILED, "make install",
			    "auditd cannot start the plugin: %s: "
			    "%s",
			    program, strerror(errno));
	} else if (stat(root, &above) || st.st_uid != above.st_uid || st.st_mode & 022) {
		finding_say(f, FINDING_FAILED, NULL,
			    "auditd refuses to start %s, because another "
			    "than root owns it or can write it",
			    program);
		finding_mend(f, "chown root: %s; chmod 755 %s; service auditd restart", program,
			     program);
	} else {
		return true;
	}
	return false;
}

static void check_plugin_file(const struct doctor *d, struct finding *f)
{
	char path[600], value[512], *text;
	int rc;

	plugin_path(d, path, sizeof(path));
	text = look_file(d->root, path, &rc);
	/* Where auditd.conf may not be read it may name another directory. */
	if (!text && d->auditd_conf_rc == -EACCES)
		rc = -EACCES;
	if (!text) {
		finding_say(f, rc == -EACCES ? FINDING_UNKNOWN : FINDING_FAILED,
			    rc == -EACCES ? DOCTOR_AS_ROOT : "make install; " RELOAD,
			    "auditd's file for the plugin, %s: %s", path, strerror(-rc));
		return;
	}
	if (!look_value(text, "active", value, sizeof(value)) || strcasecmp(value, "yes")) {
		finding_say(f, FINDING_FAILED, NULL,
			    "%s does not say active = yes, so auditd does "
			    "not start the plugin",
			    path);
		finding_mend(f, "sed -i 's/^ *active.*/active = yes/' %s; " RELOAD, path);
	} else if (look_value(text, "format", value, sizeof(value)) &&
		   strcasecmp(value, "string")) {
		finding_say(f, FINDING_FAILED, NULL,
			    "%s says format = %s, and the plugin reads text", path, value);
		finding_mend(f, "sed -i 's/^ *format.*/format = string/' %s; " RELOAD, path);
	} else if (!look_value(text, "path", value, sizeof(value)) || *value != '/') {
		finding_say(f, FINDING_FAILED, "make install; " RELOAD, "%s names no program",
			    path);
	} else if (can_start(d, value, f)) {
		finding_say(f, FINDING_OK, NULL, "auditd is told to start the plugin");
	}
	free(text);
}

static void on_counter(const char *name, int64_t value, void *arg)
{
	if (!strcmp(name, "starts"))
		*(int64_t *)arg = value;
}

static void check_plugin(const struct doctor *d, struct finding *f)
{
	struct cache_reader *cache;
	int64_t starts = 0, most = -1;
	struct look_process p;

	if (d->plugin && look_process(d->root, d->plugin, &p)) {
		if (p.parent == d->auditd)
			finding_say(f, FINDING_OK, NULL, "the plugin runs (process %d)", d->plugin);
		else
			finding_say(f, FINDING_WARNING, "service auditd restart",
				    "the plugin runs (process %d), but auditd did not start it",
				    d->plugin);
		return;
	}
	if (!d->auditd) {
		finding_say(f, FINDING_FAILED, "systemctl enable --now auditd",
			    "the plugin does not run, because no auditd does");
		return;
	}
	if (d->auditd_conf)
		most = look_number(d->auditd_conf, "max_restarts");
	if (!cache_reader_open(d->cache, &cache)) {
		cache_reader_counters(cache, on_counter, &starts);
		cache_reader_close(cache);
	}
	if (starts > (most < 0 ? 10 : most))
		finding_say(f, FINDING_FAILED,
			    "service auditd restart; journalctl -t "
			    "audisp-sockledger",
			    "the plugin does not run: it has begun %" PRId64
			    " times, and auditd gives up on one that ends again and again",
			    starts);
	else
		finding_say(f, FINDING_FAILED,
			    "service auditd reload; journalctl -t "
			    "audisp-sockledger",
			    "auditd runs, and the plugin does not");
}

const struct check doctor_auditd_checks[] = {
	{ "auditd", check_auditd },
	{ "auditd-events", check_events },
	{ "auditd-format", check_format },
	{ "auditd-depth", check_depth },
	{ "auditd-overflow", check_overflow },
	{ "auditd-disk", check_disk },
	{ "plugin-file", check_plugin_file },
	{ "plugin", check_plugin },
	{ NULL, NULL },
};
