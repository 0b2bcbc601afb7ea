/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger doctor: sockledgerd, the cache, the ledger, their space, the clock. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "db.h"
#include "doctor.h"
#include "health.h"
#include "ledger.h"
#include "look.h"
#include "text.h"

#define LAG_US	       300000 /* how long the ledger may stand still while events wait */
#define CLOCK_SLACK_US (60 * TIME_US_PER_S)
#define NO_LEDGER      "the ledger cannot be read"

static void check_daemon(const struct doctor *d, struct finding *f)
{
	if (d->daemon)
		finding_say(f, FINDING_OK, NULL, "sockledgerd runs (process %d)", d->daemon);
	else
		finding_say(f, FINDING_FAILED,
			    "systemctl enable --now sockledgerd; "
			    "journalctl -u sockledgerd",
			    "sockledgerd does not run: records wait in the cache%s",
			    d->config.queue >= 0 ? ", and packets are not decided on" : "");
}

/* Whether systemd starts it at a boot; without systemd nobody knows. */
static void check_boot(const struct doctor *d, struct finding *f)
{
	static const char *const units[] = { "auditd", "sockledgerd" };
	char path[4096], name[256];
	struct stat st;

	finding_say(f, FINDING_OK, NULL, "no systemd is seen to run");
	if (!look_path(d->root, "/run/systemd/system", path, sizeof(path)) || stat(path, &st))
		return;
	finding_say(f, FINDING_OK, NULL, "auditd and sockledgerd are started at every boot");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		snprintf(name, sizeof(name),
			 "/etc/systemd/system/multi-user.target.wants/%s.service", units[i]);
		if (!look_path(d->root, name, path, sizeof(path)) || !lstat(path, &st))
			continue;
		finding_say(f, FINDING_WARNING, NULL,
			    "%s is not started at a boot: nothing is recorded then", units[i]);
		finding_mend(f, "systemctl enable %s", units[i]);
		return;
	}
}

/* An upgrade puts another file there: who runs the former one is older than the rest. */
static int exe_of(const struct doctor *d, int pid, bool *replaced)
{
	static const char gone[] = " (deleted)";
	char name[64], path[4096], link[4096];
	ssize_t n;

	*replaced = false;
	snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	if (!pid || !look_path(d->root, name, path, sizeof(path)))
		return 0;
	n = readlink(path, link, sizeof(link));
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	*replaced = text_ends_with((struct text){ link, (size_t)n }, gone);
	return 0;
}

static void check_programs(const struct doctor *d, struct finding *f)
{
	bool daemon, plugin;

	if (exe_of(d, d->daemon, &daemon) || exe_of(d, d->plugin, &plugin))
		finding_say(f, FINDING_UNKNOWN, DOCTOR_AS_ROOT,
			    "only root may see which program a process of root runs");
	else if (daemon)
		finding_say(f, FINDING_WARNING, "systemctl restart sockledgerd",
			    "sockledgerd runs from a file that was replaced since: it is older "
			    "than what is installed");
	else if (plugin)
		finding_say(f, FINDING_WARNING, "service auditd restart",
			    "the plugin runs from a file that was replaced since: it is older than "
			    "what is installed");
	else
		finding_say(f, FINDING_OK, NULL, "what runs is what is installed");
}

/* Events wait, and none of them is taken. */
static void check_following(const struct doctor *d, struct finding *f)
{
	struct timespec pause = { .tv_nsec = LAG_US * 1000 };
	struct health before, after;

	health_read(&before, d->ledger, d->cache);
	if (before.lag < 0) {
		finding_say(f, FINDING_UNKNOWN, NULL,
			    "whether the ledger follows the cache: one of them cannot be read");
		return;
	}
	if (before.lag > 0)
		nanosleep(&pause, NULL);
	health_read(&after, d->ledger, d->cache);
	if (before.lag > 0 && after.lag >= before.lag)
		finding_say(f, FINDING_FAILED,
			    "journalctl -u sockledgerd; systemctl restart "
			    "sockledgerd",
			    "%" PRId64 " events wait in the cache, and sockledgerd "
			    "takes none of them",
			    after.lag);
	else
		finding_say(f, FINDING_OK, NULL,
			    "the ledger follows the cache (%" PRId64 " events to go)",
			    after.lag < 0 ? 0 : after.lag);
}

/* One of the two databases. */
static void say_database(struct finding *f, const char *what, const char *path, int rc,
			 const char *maker)
{
	if (!rc) {
		finding_say(f, FINDING_OK, NULL, "the %s can be read", what);
		return;
	}
	finding_say(f, rc == -EACCES ? FINDING_UNKNOWN : FINDING_FAILED,
		    rc == -EACCES ? DOCTOR_AS_ROOT : NULL,
		    "the %s '%s' cannot be read: %s", what, path, db_strerror(rc));
	if (rc == -ENOENT)
		finding_mend(f, "%s", maker);
	else if (rc == -EPROTO)
		finding_mend(f, "install the version of sockledger that made it");
	else if (rc == -EOPNOTSUPP)
		finding_mend(f, "restart who writes it: systemctl restart sockledgerd, for the"
			     " cache service auditd restart");
	else if (rc != -EACCES)
		finding_mend(f, "mv '%s' '%s.old'; systemctl restart sockledgerd", path, path);
}

static void check_cache(const struct doctor *d, struct finding *f)
{
	struct health h;

	health_read(&h, d->ledger, d->cache);
	say_database(f, "cache", d->cache, h.cache_rc,
		     "service auditd reload: the plugin makes it");
}

static void check_ledger(const struct doctor *d, struct finding *f)
{
	struct health h;

	health_read(&h, d->ledger, d->cache);
	say_database(f, "ledger", d->ledger, h.ledger_rc,
		     "systemctl start sockledgerd: it makes it");
}

static void check_ledger_whole(const struct doctor *d, struct finding *f)
{
	struct sqlite3 *db;
	char why[256];
	int rc = ledger_open_read(d->ledger, &db);

	if (rc) {
		say_database(f, "ledger", d->ledger, rc,
			     "systemctl start sockledgerd: it makes it");
		return;
	}
	rc = db_whole(db, why, sizeof(why));
	db_close(db);
	if (!rc) {
		finding_say(f, FINDING_OK, NULL, "the ledger is whole: all its rows and indexes");
		return;
	}
	finding_say(f, rc == -EUCLEAN ? FINDING_FAILED : FINDING_UNKNOWN, NULL,
		    "the ledger '%s' is not whole: %s", d->ledger, why);
	finding_mend(f, "mv '%s' '%s.old'; systemctl restart sockledgerd: a new one is begun."
		     "  'sqlite3 %s.old .recover' tells what can be saved", d->ledger, d->ledger,
		     d->ledger);
}

static void check_lost(const struct doctor *d, struct finding *f)
{
	struct health h;

	health_read(&h, d->ledger, d->cache);
	if (h.lost)
		finding_say(f, FINDING_WARNING,
			    "sockledger stats | grep lost; INSTALL tells of "
			    "each",
			    "lost were %s", h.words);
	else if (h.cache_rc && h.ledger_rc)
		finding_say(f, FINDING_UNKNOWN, NULL,
			    "what was lost: neither cache nor ledger can be read");
	else
		finding_say(f, FINDING_OK, NULL, "nothing was lost that cache and ledger know of");
}

/* Since the ledger was made, as what was lost. */
static void check_late(const struct doctor *d, struct finding *f)
{
	struct health h;

	health_read(&h, d->ledger, d->cache);
	if (h.ledger_rc) {
		finding_say(f, FINDING_UNKNOWN, NULL, "whether verdicts are late: %s", NO_LEDGER);
		return;
	}
	if (!h.late) {
		finding_say(f, FINDING_OK, NULL, "no verdict was late");
		return;
	}
	finding_say(f, FINDING_WARNING, NULL,
		    "%" PRId64 " of %" PRId64 " verdicts took longer than %g ms: their packets "
		    "waited",
		    h.late, h.verdicts, (double)d->config.late_us / 1000);
	finding_mend(f, "journalctl -u sockledgerd tells when.  Packets that wait for proof are "
		     "late where park is longer than late_verdict, in sockledger.conf%s",
		     d->config.trace ? ""
				     : "; and without the trace one process can hold up all "
				       "others: trace = yes");
}

static void check_frozen(const struct doctor *d, struct finding *f)
{
	struct health h;

	health_read(&h, d->ledger, d->cache);
	if (h.ledger_rc)
		finding_say(f, FINDING_UNKNOWN, NULL,
			    "whether processes can be looked at: %s", NO_LEDGER);
	else if (h.overdue)
		finding_say(f, FINDING_WARNING,
			    "journalctl -u sockledgerd | grep 'let nobody look' names one; end "
			    "it, or its user",
			    "%" PRId64 " times a process kept who looked at it waiting: on "
			    "purpose, so as not to be named, or because the host is short of "
			    "memory",
			    h.overdue);
	else
		finding_say(f, FINDING_OK, NULL, "no process kept who looked at it waiting");
}

static void check_clock(const struct doctor *d, struct finding *f)
{
	struct health h;
	int64_t ahead;

	health_read(&h, d->ledger, d->cache);
	ahead = h.newest_us - clock_now_us();
	if (h.newest_us >= 0 && ahead > CLOCK_SLACK_US)
		finding_say(f, FINDING_WARNING, "timedatectl set-ntp true",
			    "the newest connection is %" PRId64 " seconds ahead of the clock: the "
			    "clock was set back, or another host's is wrong",
			    (int64_t)(ahead / TIME_US_PER_S));
	else
		finding_say(f, FINDING_OK, NULL, "no connection is ahead of the clock");
}

/*
 * Of this host the kernel is asked, which every time service tells (STA_UNSYNC); below a root there
 * is what systemd-timesyncd leaves.
 */
static bool is_synchronized(const struct doctor *d)
{
	struct timex kernel = { .modes = 0 };
	char path[4096];
	struct stat st;

	if (!*d->root)
		return adjtimex(&kernel) >= 0 && !(kernel.status & STA_UNSYNC);
	return look_path(d->root, "/run/systemd/timesync/synchronized", path, sizeof(path)) &&
	       !stat(path, &st);
}

static void check_clock_sync(const struct doctor *d, struct finding *f)
{
	if (is_synchronized(d))
		finding_say(f, FINDING_OK, NULL, "a time service keeps the clock");
	else
		finding_say(f, FINDING_WARNING, "timedatectl set-ntp true",
			    "no time service keeps the clock: the times of rows may be wrong, "
			    "and when a policy's rules end");
}

/* What is free on the file system where the database is, or will be; -1: unknown. */
static int64_t free_bytes(const char *path, int64_t *used)
{
	char dir[4096];
	struct statvfs fs;
	struct stat st;
	char *slash;

	*used = stat(path, &st) ? 0 : (int64_t)st.st_size;
	snprintf(dir, sizeof(dir), "%s", path);
	while ((slash = strrchr(dir, '/'))) {
		slash[slash == dir] = '\0';
		if (!statvfs(dir, &fs))
			return (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
		if (slash == dir)
			break;
	}
	return -1;
}

static void say_space(struct finding *f, const char *what, const char *path, int64_t limit,
		      const char *key)
{
	int64_t used, left = free_bytes(path, &used), wants = limit > used ? limit - used : 0;
	const int64_t mib = 1 << 20;

	if (left < 0)
		finding_say(f, FINDING_UNKNOWN, NULL, "how much room the %s has", what);
	else if (left < mib)
		finding_say(f, FINDING_FAILED, NULL, "the file system of the %s '%s' is full", what,
			    path);
	else if (limit && left < wants)
		finding_say(f, FINDING_WARNING, NULL,
			    "the %s may take %" PRId64 " MiB more (%s), "
			    "and its file system has %" PRId64 " MiB left",
			    what, wants / mib, key, left / mib);
	else if (!limit && left < 256 * mib)
		finding_say(f, FINDING_WARNING, NULL,
			    "the %s has no bound, and its file system has "
			    "%" PRId64 " MiB left",
			    what, left / mib);
	else
		finding_say(f, FINDING_OK, NULL, "the %s has room", what);
	if (f->state == FINDING_WARNING || f->state == FINDING_FAILED)
		finding_mend(f, "free space there, or set a smaller %s in sockledger.conf", key);
}

static void check_ledger_space(const struct doctor *d, struct finding *f)
{
	say_space(f, "ledger", d->ledger, d->config.ledger_bytes, "ledger_bytes");
}

static void check_cache_space(const struct doctor *d, struct finding *f)
{
	say_space(f, "cache", d->cache, d->config.cache_bytes, "cache_bytes");
}

const struct check doctor_data_checks[] = {
	{ "sockledgerd", check_daemon },
	{ "boot", check_boot },
	{ "programs", check_programs },
	{ "following", check_following },
	{ "cache", check_cache },
	{ "ledger", check_ledger },
	{ "lost", check_lost },
	{ "late", check_late },
	{ "frozen", check_frozen },
	{ "clock", check_clock },
	{ "clock-sync", check_clock_sync },
	{ "cache-space", check_cache_space },
	{ "ledger-space", check_ledger_space },
	{ "ledger-whole", check_ledger_whole, .takes_long = true },
	{ NULL, NULL },
};
