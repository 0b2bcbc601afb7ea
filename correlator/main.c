/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledgerd: follows the cache and keeps the ledger.
 *
 *   cache --follow--> struct event --observer--> struct connection --recorder's thread--> ledger
 *                                     \-- names of users, program of the parent: here
 *   queue --nfqueue--> packet --judge--> verdict, and a row likewise
 *
 * Packets come first: the cache waits while any are there.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "db.h"
#include "diag.h"
#include "follow.h"
#include "judge.h"
#include "log.h"
#include "nfqueue.h"
#include "observe.h"
#include "policy.h"
#include "policy_file.h"
#include "procfs.h"
#include "recorder.h"
#include "signals.h"
#include "sockdiag.h"
#include "users.h"

#define LAST_COMMIT_MS 10000
#define LAST_FOLLOW_NS 5000000000LL
#define FRESH_US (10 * TIME_US_PER_S)

struct daemon {
	struct config config;
	const char *config_path;	/* NULL: the default one */
	struct follow *follow;
	struct observer *observer;
	struct recorder *recorder;
	struct users *users;
	struct procfs *procfs;
	struct nfqueue *queue;		/* NULL: nothing is decided, all is observed */
	struct sockdiag *sockdiag;
	struct judge *judge;
	bool once;		/* end when all that is there has been followed */
	struct signals signals;
};

static const char usage_text[] =
	"Usage: sockledgerd [-c FILE] [-f] [-1]\n"
	"Turns the audit events of the cache into the ledger of connections.\n"
	"\n"
	"  -c, --config FILE   configuration instead of " SYSCONFDIR "/sockledger/sockledger.conf\n"
	"  -f, --foreground    stay in the foreground, messages to stderr\n"
	"  -1, --once          end when everything in the cache has been followed\n"
	"  -t, --test          check the configuration and exit\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version\n";

static int64_t on_begin(void *arg, const char *epoch)
{
	struct daemon *d = arg;

	return recorder_follow(d->recorder, epoch);
}

/* What the event does not say and this host can. */
static void complete(struct daemon *d, struct connection *c, int64_t arrival_us)
{
	bool fresh = arrival_us - c->time_us < FRESH_US &&
		     clock_now_us() - c->time_us < FRESH_US;

	if (c->text[CONNECTION_NODE].data)
		return;		/* another host's: neither users nor processes are ours */
	c->text[CONNECTION_NODE] = text_of(d->config.node);
	c->start_us = procfs_start_us(d->procfs, c->start_ticks);
	if (fresh)
		c->text[CONNECTION_PARENT_EXE] = procfs_exe(d->procfs, c->ppid, c->time_us);
}

static void name_users(struct daemon *d, struct connection *c, char *user, size_t size)
{
	int64_t now = clock_mono_ns();
	struct text name;

	if (!c->text[CONNECTION_USER].data) {
		name = users_name(d->users, c->uid, now);
		snprintf(user, size, "%.*s", (int)name.len, name.data ? name.data : "");
		if (name.data)
			c->text[CONNECTION_USER] = text_of(user);
	}
	if (!c->text[CONNECTION_LOGIN_USER].data)
		c->text[CONNECTION_LOGIN_USER] = users_name(d->users, c->auid, now);
}

static void on_event(void *arg, const struct event *e, bool replay)
{
	struct daemon *d = arg;
	struct outcome out;
	char user[256];
	bool local = !e->text[EVENT_NODE].data;

	observer_event(d->observer, e, replay, &out);
	switch (out.kind) {
	case OUTCOME_NEW:
		complete(d, &out.connection, e->arrival_us);
		if (local)
			name_users(d, &out.connection, user, sizeof(user));
		recorder_add(d->recorder, e->seq, &out.connection);
		break;
	case OUTCOME_AGAIN:
		recorder_again(d->recorder, e->seq, out.id, out.result);
		break;
	case OUTCOME_CONFIRM:
		complete(d, &out.connection, e->arrival_us);
		if (local)
			name_users(d, &out.connection, user, sizeof(user));
		recorder_confirm(d->recorder, e->seq, &out.connection, out.amended);
		break;
	case OUTCOME_PROTOCOL:
		recorder_set_protocol(d->recorder, e->seq, out.id, out.protocol);
		break;
	case OUTCOME_NONE:
		break;
	}
}

static void on_position(void *arg, uint64_t seq)
{
	struct daemon *d = arg;

	recorder_position(d->recorder, seq);
}

static void on_missed(void *arg, int64_t rows)
{
	struct daemon *d = arg;

	log_warn("%lld rows left the cache before they could be read", (long long)rows);
	recorder_missed(d->recorder, rows);
}

static const struct follow_ops follow_ops = {
	.begin = on_begin, .event = on_event, .position = on_position, .missed = on_missed,
};

/* The policy of the configuration; NULL with everything told where it cannot be had. */
static struct policy *read_policy(const struct config *c, FILE *complaints)
{
	struct diags diags = { .out = complaints };
	struct policy *policy = NULL;
	int rc = strcmp(c->policy, "none") ? policy_load(c->policy, &diags, &policy) :
					     policy_parse("none", "", 0, &diags, &policy);

	if (rc)
		log_error("the policy '%s' cannot be used: %u mistakes", c->policy, diags.count);
	return rc ? NULL : policy;
}

static void reload(struct daemon *d)
{
	struct diags diags = { .out = NULL };
	struct policy *policy;
	struct config fresh;

	if (config_init(&fresh))
		return;
	if (config_load(&fresh, d->config_path, &diags)) {
		log_error("the configuration has %u mistakes and was not taken over; see them with "
			  "'sockledgerd --test'", diags.count);
	} else {
		if (strcmp(fresh.cache, d->config.cache) || strcmp(fresh.ledger, d->config.ledger) ||
		    fresh.queue != d->config.queue)
			log_warn("'cache', 'ledger' and 'queue' are changed by a restart, not by a "
				 "reload");
		policy = d->judge ? read_policy(&fresh, NULL) : NULL;
		if (policy) {
			judge_set_policy(d->judge, policy);
			d->config.enforce = fresh.enforce;
			d->config.park_us = fresh.park_us;
			log_info("the policy '%s' was read again", fresh.policy);
		}
	}
	config_release(&fresh);
}

static void on_packet(const struct nfqueue_packet *p, void *arg)
{
	struct daemon *d = arg;

	judge_packet(d->judge, p);
}

/* Everything that waits in the queue.  Milliseconds until a parked packet wants another look. */
static int take_packets(struct daemon *d)
{
	int rc;

	if (!d->queue)
		return -1;
	do {
		rc = nfqueue_read(d->queue, on_packet, d);
	} while (rc > 0);
	judge_publish(d->judge);
	if (rc < 0)
		log_error("cannot read the queue: %s", strerror(-rc));
	return judge_turn(d->judge);
}

static int sooner(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

/* 0, or with --once an error that kept the cache from being read. */
static int run(struct daemon *d)
{
	struct pollfd fds[] = {
		{ .fd = follow_fd(d->follow), .events = POLLIN },
		{ .fd = d->signals.end, .events = POLLIN },
		{ .fd = d->signals.reload, .events = POLLIN },
		{ .fd = d->queue ? nfqueue_fd(d->queue) : -1, .events = POLLIN },
	};
	int more = 1, parked = -1;
	int64_t give_up;

	while (!fds[1].revents) {
		poll(fds, 4, more > 0 ? 0 : sooner(follow_timeout_ms(d->follow), parked));
		if (fds[2].revents) {
			signals_reload(&d->signals);
			reload(d);
		}
		take_packets(d);
		more = follow_turn(d->follow);
		parked = take_packets(d);
		if (d->once && more <= 0)
			return more;
	}
	/* What was committed before the signal is followed to its end, if that is near. */
	give_up = clock_mono_ns() + LAST_FOLLOW_NS;
	while (follow_turn(d->follow) > 0 && clock_mono_ns() < give_up)
		;
	return 0;
}

static bool start_queue(struct daemon *d)
{
	struct nfqueue_settings settings = {
		.number = (uint16_t)d->config.queue,
		.max_packets = (uint32_t)d->config.queue_max,
		.fail_open = d->config.fail_open,
	};
	struct judge_tools tools = {
		.config = &d->config, .procfs = d->procfs, .observer = d->observer,
		.recorder = d->recorder, .users = d->users,
	};
	struct policy *policy = read_policy(&d->config, stderr);
	int rc;

	if (!policy)
		return false;
	tools.sockdiag = d->sockdiag = sockdiag_open();
	rc = d->sockdiag ? nfqueue_open(&settings, &d->queue) : -errno;
	if (rc) {
		log_error("cannot open netfilter queue %d: %s", (int)d->config.queue,
			  rc == -EBUSY ? "another program has it" : strerror(-rc));
		policy_free(policy);
		return false;
	}
	tools.queue = d->queue;
	d->judge = judge_new(&tools, policy);
	if (!d->judge)
		policy_free(policy);
	return d->judge != NULL;
}

static bool start(struct daemon *d)
{
	int rc = recorder_start(d->config.ledger, d->config.buffer_bytes / 2, d->signals.end,
				&d->recorder);

	if (rc) {
		log_error("cannot open the ledger '%s' for writing: %s", d->config.ledger,
			  rc == -EBUSY ? "another program writes it (a second sockledgerd?)" :
					 db_strerror(rc));
		return false;
	}
	d->users = users_new();
	d->procfs = procfs_open("/proc");
	d->observer = observer_new(recorder_next_id(d->recorder));
	d->follow = follow_new(d->config.cache, &follow_ops, d);
	if (d->users && d->procfs && d->observer && d->follow)
		return d->config.queue < 0 || start_queue(d);
	log_error("cannot start: %s", strerror(errno));
	return false;
}

static int serve(struct daemon *d)
{
	int rc = 1;

	if (start(d)) {
		log_info("following the cache '%s' into the ledger '%s'", d->config.cache,
			 d->config.ledger);
		rc = run(d);
		if (rc)
			log_error("cannot read the cache '%s': %s", d->config.cache,
				  db_strerror(rc));
		rc = rc ? 1 : 0;
	}
	judge_free(d->judge);
	nfqueue_close(d->queue);
	sockdiag_close(d->sockdiag);
	if (d->recorder && recorder_stop(d->recorder, LAST_COMMIT_MS))
		rc = 1;
	follow_free(d->follow);
	observer_free(d->observer);
	procfs_close(d->procfs);
	users_free(d->users);
	signals_close(&d->signals);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "foreground", no_argument, NULL, 'f' },
		{ "once", no_argument, NULL, '1' },	    { "test", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },	    { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct daemon d = { 0 };
	struct diags diags = { .out = stderr };
	bool foreground = false, test = false;
	int option, rc;

	umask(027);
	if (signals_open(&d.signals)) {
		perror("sockledgerd: cannot take signals");
		return 1;
	}
	while ((option = getopt_long(argc, argv, "c:f1thV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			d.config_path = optarg;
			break;
		case 'f':
			foreground = true;
			break;
		case '1':
			d.once = true;
			break;
		case 't':
			test = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		case 'V':
			puts("sockledgerd " PACKAGE_VERSION);
			return 0;
		default:
			fputs("Try 'sockledgerd --help'.\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sockledgerd: unexpected argument '%s'\n", argv[optind]);
		return 2;
	}
	if (config_init(&d.config)) {
		fputs("sockledgerd: out of memory\n", stderr);
		return 1;
	}
	rc = config_load(&d.config, d.config_path, &diags);
	if (rc) {
		fputs("sockledgerd: configuration has mistakes: nothing was started\n", stderr);
		config_release(&d.config);
		return 2;
	}
	foreground = foreground || d.once;
	log_open("sockledgerd", !foreground && !test);
	if (!foreground && !test && daemon(0, 0)) {
		fprintf(stderr, "sockledgerd: cannot go into the background: %s\n",
			strerror(errno));
		rc = 1;
	}
	if (!rc && !test)
		rc = serve(&d);
	config_release(&d.config);
	return rc;
}
