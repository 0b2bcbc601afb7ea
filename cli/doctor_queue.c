/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger doctor: the queue, its rules, what the kernel has for it, the trace. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "look.h"

#define QUEUES_FILE "/proc/net/netfilter/nfnetlink_queue"
#define NO_QUEUE    "no queue is configured"

static bool no_queue(const struct doctor *d, struct finding *f)
{
	if (d->config.queue >= 0)
		return false;
	finding_say(f, FINDING_OK, NULL, NO_QUEUE);
	return true;
}

/* The part whose rules are up; NULL: none is.  IPv4 stands for both of iptables. */
static const struct firewall_part *part_up(const struct doctor *d)
{
	for (int i = 0; i < FIREWALL_PARTS; i++)
		if (d->firewall.part[i].up)
			return &d->firewall.part[i];
	return NULL;
}

/* No rules are seen: because there are none, or because we may not look? */
static void say_none_up(const struct doctor *d, struct finding *f)
{
	const struct firewall_part *part = d->firewall.part;
	int looked = 0;

	for (int i = 0; i < FIREWALL_PARTS; i++) {
		looked += part[i].rc == 0;
		if (part[i].rc != -EPERM)
			continue;
		finding_say(f, FINDING_UNKNOWN, DOCTOR_AS_ROOT,
			    "only root may ask for the firewall rules");
		return;
	}
	if (!looked)
		finding_say(f, FINDING_UNKNOWN, "apt-get install iptables",
			    "neither iptables nor nft can be asked: %s", part[FIREWALL_IPV4].why);
	else if (d->config.queue < 0)
		finding_say(f, FINDING_OK, NULL,
			    NO_QUEUE ": connections are recorded, and none is "
				     "decided on");
	else
		finding_say(f, FINDING_FAILED, "sockledger-queue up",
			    "the rules that put packets "
			    "into the queue are not up, so %s",
			    d->config.enforce ? "the policy decides on nothing"
					      : "no packet is seen");
}

#define PUT_UP_AGAIN "sockledger-queue down && sockledger-queue up"

static void check_rules(const struct doctor *d, struct finding *f)
{
	const struct firewall_part *up = part_up(d), *v4 = &d->firewall.part[FIREWALL_IPV4];
	const struct firewall_part *v6 = &d->firewall.part[FIREWALL_IPV6];
	const struct config *c = &d->config;
	bool nft = up == &d->firewall.part[FIREWALL_NFT];

	if (!up)
		say_none_up(d, f);
	else if (c->queue < 0)
		finding_say(f, FINDING_WARNING,
			    nft ? "sockledger-queue down --backend nftables"
				: "sockledger-queue down",
			    "rules put packets into the queue %" PRId64
			    ", and the configuration has no queue: they %s",
			    up->first, up->bypass ? "pass unseen" : "are dropped");
	else if (up->first != c->queue || up->last != c->queue_last)
		finding_say(f, FINDING_FAILED, PUT_UP_AGAIN,
			    "the rules use the queues %" PRId64 " to %" PRId64
			    ", and sockledgerd reads %" PRId64 " to %" PRId64,
			    up->first, up->last, c->queue, c->queue_last);
	else if (!nft && v4->up != v6->up && !v4->rc && !v6->rc)
		finding_say(f, FINDING_FAILED, PUT_UP_AGAIN, "the rules are up for IPv%d alone",
			    v4->up ? 4 : 6);
	else if (up->mark >= 0 && up->mark != c->mark)
		finding_say(f, FINDING_FAILED, PUT_UP_AGAIN,
			    "the rules go by the mark 0x%" PRIx64
			    ", and sockledgerd sets 0x%" PRIx64,
			    (uint64_t)up->mark, (uint64_t)c->mark);
	else
		finding_say(f, FINDING_OK, NULL,
			    "the rules put new connections into the queue; "
			    "while nobody reads it they %s",
			    up->bypass ? "pass" : "are dropped");
}

/* A table of nftables' own has its own chain at that place, which each packet goes through. */
#define BESIDE_A_QUEUE \
	"OPTIONS=\"--backend nftables\" in /etc/default/sockledger-queue; " \
	"systemctl restart sockledger-queue"

static void say_hidden(const struct firewall_part *p, const char *table, struct finding *f)
{
	const char *some = p->before_all ? "all" : "some";

	if (p->before[0] && p->before_queues)
		finding_say(f, p->before_all ? FINDING_FAILED : FINDING_WARNING, BESIDE_A_QUEUE,
			    "a rule before ours hands %s packets to another queue, and what passes "
			    "there never comes to ours (%s): %s",
			    some, table, p->before);
	else if (p->before[0])
		finding_say(f, p->before_all ? FINDING_FAILED : FINDING_WARNING,
			    "sockledger-queue down, take that rule away, sockledger-queue up",
			    "a rule before ours accepts %s packets, and hides them from the queue "
			    "(%s): %s",
			    some, table, p->before);
	else
		finding_say(f, FINDING_WARNING, BESIDE_A_QUEUE,
			    "a rule behind ours hands packets to another queue, where what ours "
			    "lets pass never comes (%s): %s",
			    table, p->behind);
}

static void check_order(const struct doctor *d, struct finding *f)
{
	if (no_queue(d, f))
		return;
	finding_say(f, FINDING_OK, NULL, "no rule is seen that accepts packets before ours");
	for (int i = 0; i < FIREWALL_PARTS; i++) {
		const struct firewall_part *p = &d->firewall.part[i];

		if (p->rc == -EPERM)
			finding_say(f, FINDING_UNKNOWN, DOCTOR_AS_ROOT,
				    "only root may ask for the firewall rules");
		if (!p->before[0] && !p->behind[0])
			continue;
		say_hidden(p, i == FIREWALL_IPV6 ? "ip6tables -t mangle" : "iptables -t mangle", f);
		return;
	}
}

static void check_marks(const struct doctor *d, struct finding *f)
{
	if (no_queue(d, f))
		return;
	finding_say(f, FINDING_OK, NULL, "no other rule is seen to set marks of ours");
	for (int i = 0; i < FIREWALL_PARTS; i++) {
		const struct firewall_part *p = &d->firewall.part[i];

		if (p->rc == -EPERM)
			finding_say(f, FINDING_UNKNOWN, DOCTOR_AS_ROOT,
				    "only root may ask for the firewall rules");
		if (!p->marker[0])
			continue;
		finding_say(f, FINDING_WARNING,
			    "mark = two bits that nobody else sets, in "
			    "sockledger.conf; systemctl restart sockledgerd; " PUT_UP_AGAIN,
			    "another rule sets marks that are ours (0x%" PRIx64 "): %s",
			    (uint64_t)d->config.mark, p->marker);
		return;
	}
}

/* What another rule puts into our queue is asked about, as if ours had. */
static void check_others(const struct doctor *d, struct finding *f)
{
	if (no_queue(d, f))
		return;
	finding_say(f, FINDING_OK, NULL, "no other rule is seen that uses our queues");
	for (int i = 0; i < FIREWALL_PARTS; i++) {
		const struct firewall_part *p = &d->firewall.part[i];

		if (p->rc == -EPERM)
			finding_say(f, FINDING_UNKNOWN, DOCTOR_AS_ROOT,
				    "only root may ask for the firewall rules");
		if (!p->other[0])
			continue;
		finding_say(f, FINDING_WARNING,
			    "queue = other numbers, in sockledger.conf; systemctl restart "
			    "sockledgerd; " PUT_UP_AGAIN,
			    "another rule puts packets into a queue of ours, and waits there for "
			    "another program's verdict: %s",
			    p->other);
		return;
	}
}

/* Each queue of ours has a reader, and no queue of ours is another program's. */
static void check_reader(const struct doctor *d, struct finding *f)
{
	const struct config *c = &d->config;
	int64_t seen = 0, all = c->queue_last - c->queue + 1;
	struct look_process p;
	char word[32], *text;
	int rc;

	if (no_queue(d, f))
		return;
	text = look_file(d->root, QUEUES_FILE, &rc);
	if (!text && rc != -ENOENT) {
		finding_say(f, FINDING_UNKNOWN, rc == -EACCES ? DOCTOR_AS_ROOT : NULL,
			    QUEUES_FILE ": %s", strerror(-rc));
		return;
	}
	for (const char *line = text; line; line = look_next_line(line)) {
		const char *at = line;
		int64_t column[3] = {-1, 0, 0};

		for (int i = 0; i < 3 && look_word(&at, word, sizeof(word)); i++)
			column[i] = strtoll(word, NULL, 10);
		if (column[0] < c->queue || column[0] > c->queue_last)
			continue;
		seen++;
		/* The port is the process of the reader, or a number that is no process. */
		if (!look_process(d->root, (int)column[1], &p) || !strcmp(p.comm, "sockledgerd"))
			continue;
		finding_say(f, FINDING_FAILED,
			    "queue = other numbers, in sockledger.conf; systemctl "
			    "restart sockledgerd; " PUT_UP_AGAIN,
			    "the queue %" PRId64 " is read by '%s' (process %d)", column[0], p.comm,
			    p.pid);
		free(text);
		return;
	}
	free(text);
	if (seen < all)
		finding_say(f, FINDING_FAILED, "systemctl restart sockledgerd",
			    "%" PRId64 " of the %" PRId64 " queues have no reader", all - seen,
			    all);
	else
		finding_say(f, FINDING_OK, NULL, "the queue is read");
}

/* A part of the kernel that may be a module. */
struct part_of_kernel {
	const char *module, *file, *symbol, *without;
};

/* In a list of modules a name may have - for _, and stands behind a / or at a line's begin. */
static bool lists_module(const struct doctor *d, const char *path, const char *file)
{
	char *text;
	bool found;
	int rc;

	text = look_file(d->root, path, &rc);
	found = text && strstr(text, file);
	free(text);
	return found;
}

static bool has_symbol(const struct doctor *d, const char *symbol)
{
	char path[4096], line[512];
	bool found = false;
	FILE *in;

	if (!look_path(d->root, "/proc/kallsyms", path, sizeof(path)))
		return false;
	in = fopen(path, "re");
	while (in && !found && fgets(line, sizeof(line), in)) {
		char *name = strrchr(line, ' ');

		line[strcspn(line, "\t\n")] = '\0';
		found = name && !strcmp(name + 1, symbol);
	}
	if (in)
		fclose(in);
	return found;
}

static bool has_part(const struct doctor *d, const struct part_of_kernel *part)
{
	char release[128], path[256], *text;
	bool loads, found;
	int rc;

	if (has_symbol(d, part->symbol) || lists_module(d, "/proc/modules", part->module))
		return true;
	text = look_file(d->root, "/proc/sys/kernel/modules_disabled", &rc);
	loads = !text || *text != '1';
	free(text);
	text = look_file(d->root, "/proc/sys/kernel/osrelease", &rc);
	if (!text)
		return false;
	snprintf(release, sizeof(release), "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", release);
	found = lists_module(d, path, part->file);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	return found || (loads && lists_module(d, path, part->file));
}

/* Says so where the kernel lacks it. */
static bool lacks_part(const struct doctor *d, const struct part_of_kernel *part,
		       enum finding_state state, struct finding *f)
{
	if (has_part(d, part))
		return false;
	finding_say(f, state, NULL,
		    "the kernel has no %s, and loads no module of that name: %s", part->module,
		    part->without);
	finding_mend(f, "modprobe %s", part->module);
	return true;
}

/* By what the unit is told. */
static bool wants_nftables(const struct doctor *d)
{
	int rc;
	char *text = look_file(d->root, "/etc/default/sockledger-queue", &rc);
	bool wants = false;

	for (const char *line = text; line && !wants; line = look_next_line(line))
		wants = !strncmp(line, "OPTIONS=", 8) &&
			memmem(line, strcspn(line, "\n"), "nftables", 8);
	free(text);
	return wants;
}

static void check_kernel(const struct doctor *d, struct finding *f)
{
	static const struct part_of_kernel parts[] = {
		{"nfnetlink_queue", "/nfnetlink_queue.ko", "nfqnl_recv_config",
		 "there is no queue"},
		{"inet_diag", "/inet_diag.ko", "inet_diag_handler_cmd",
		 "no socket is found for a packet"},
	};

	/* What is up already has its own. */
	static const struct part_of_kernel rules[] = {
		{"xt_NFQUEUE", "/xt_NFQUEUE.ko", "nfqueue_tg_v3",
		 "iptables' rules cannot use a queue (--backend nftables may)"},
		{"nft_queue", "/nft_queue.ko", "nft_queue_eval",
		 "nftables' rules cannot use a queue (--backend iptables may)"},
	};

	if (no_queue(d, f))
		return;
	finding_say(f, FINDING_OK, NULL, "the kernel has what the queue wants");
	if (!part_up(d) && lacks_part(d, &rules[wants_nftables(d)], FINDING_FAILED, f))
		return;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (lacks_part(d, &parts[i], i ? FINDING_WARNING : FINDING_FAILED, f))
			return;
}

static void check_lockdown(const struct doctor *d, struct finding *f)
{
	char *text;
	int rc;

	text = look_file(d->root, "/sys/kernel/security/lockdown", &rc);
	if (text && strstr(text, "[confidentiality]"))
		finding_say(
			f, FINDING_WARNING, "lockdown=integrity on the kernel's command line",
			"the kernel is locked down (confidentiality): the trace is not to be had");
	else
		finding_say(f, FINDING_OK, NULL, "the kernel does not lock the trace");
	free(text);
}

#define TRACING "/sys/kernel/tracing"

static void check_trace(const struct doctor *d, struct finding *f)
{
	char path[4096], *mounts, *kinds;
	int rc;

	if (no_queue(d, f))
		return;
	if (!d->config.trace) {
		finding_say(f, FINDING_OK, NULL, "the trace is not wanted (trace = no)");
		return;
	}
	mounts = look_file(d->root, "/proc/mounts", &rc);
	kinds = look_file(d->root, "/proc/filesystems", &rc);
	if (!look_path(d->root, TRACING "/events/fib/fib_table_lookup", path, sizeof(path)))
		path[0] = '\0';
	if (kinds && !strstr(kinds, "\ttracefs\n"))
		finding_say(f, FINDING_WARNING, NULL,
			    "the kernel has no tracefs: processes that are "
			    "gone by the time their packet comes are named less often, and later");
	else if (!mounts || !strstr(mounts, " tracefs "))
		finding_say(f, FINDING_WARNING, "mount -t tracefs tracefs " TRACING,
			    "tracefs is not mounted: sockledgerd mounts it when it starts, if it "
			    "may");
	else if (!access(path, F_OK))
		finding_say(f, FINDING_OK, NULL,
			    "tracefs is mounted, with the events that are read");
	else if (errno == EACCES)
		finding_say(f, FINDING_UNKNOWN, DOCTOR_AS_ROOT,
			    "only root may look into tracefs");
	else
		finding_say(f, FINDING_WARNING, NULL,
			    "tracefs has no fib:fib_table_lookup: at best "
			    "a probe names who connects over TCP");
	free(mounts);
	free(kinds);
}

static bool host_forwards(const struct doctor *d)
{
	return look_setting(d->root, "/proc/sys/net/ipv4/ip_forward", '1') ||
	       look_setting(d->root, "/proc/sys/net/ipv6/conf/all/forwarding", '1');
}

/* What has no row although nothing is broken, because what sees it is off. */
static void check_unseen(const struct doctor *d, struct finding *f)
{
	const struct firewall_part *up = part_up(d);

	if (d->config.queue < 0) {
		finding_say(f, FINDING_WARNING, NULL,
			    "without the queue nothing tells of ICMP, of raw and of forwarded "
			    "packets, nor, without 32-sockledger-send.rules, of UDP that is sent "
			    "without connect(); in the mode observe the queue lets everything "
			    "pass");
		finding_mend(f,
			     "queue = auto in %s; systemctl restart sockledgerd; "
			     "systemctl enable --now sockledger-queue",
			     d->config_path);
	} else if (!d->config.trace) {
		finding_say(f, FINDING_WARNING, NULL,
			    "without the trace no sender of UDP and of ICMP is certain, and one "
			    "that is gone by the time its packet comes may have no name");
		finding_mend(f, "trace = yes in %s; systemctl restart sockledgerd", d->config_path);
	} else if (up && !up->forward && host_forwards(d)) {
		finding_say(f, FINDING_WARNING,
			    "OPTIONS=\"--forward\" in /etc/default/sockledger-queue; "
			    "systemctl restart sockledger-queue",
			    "this host forwards packets, as those of containers, and the rules of "
			    "the queue leave them out");
	} else {
		finding_say(f, FINDING_OK, NULL,
			    "queue and trace tell of UDP, ICMP, raw packets and io_uring");
	}
}

/* Nothing else puts the rules up after a boot. */
static void check_boot(const struct doctor *d, struct finding *f)
{
	static const char *const wanted[] = {"network-pre.target", "multi-user.target",
					     "sysinit.target"};
	char path[4096], name[256];
	struct stat st;

	if (no_queue(d, f))
		return;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		snprintf(name, sizeof(name),
			 "/etc/systemd/system/%s.wants/sockledger-queue.service", wanted[i]);
		if (!look_path(d->root, name, path, sizeof(path)) || lstat(path, &st))
			continue;
		finding_say(f, FINDING_OK, NULL, "the rules are put up at every boot");
		return;
	}
	finding_say(f, FINDING_WARNING, "systemctl enable sockledger-queue",
		    "nothing puts the queue's rules up after a boot%s",
		    d->config.enforce ? ": until then the policy decides on nothing" : "");
}

const struct check doctor_queue_checks[] = {
	{ "queue-rules", check_rules },
	{ "queue-order", check_order },
	{ "queue-marks", check_marks },
	{ "queue-others", check_others },
	{ "queue-reader", check_reader },
	{ "queue-kernel", check_kernel },
	{ "queue-boot", check_boot },
	{ "queue-unseen", check_unseen },
	{ "trace", check_trace },
	{ "lockdown", check_lockdown },
	{ NULL, NULL },
};
