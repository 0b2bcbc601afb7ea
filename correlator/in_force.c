/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy that the judge decides by, and what it wants to know of a process. */
#include <string.h>

#include "ancestry.h"
#include "ask.h"
#include "clock.h"
#include "config.h"
#include "describe.h"
#include "host.h"
#include "in_force.h"
#include "inquiry.h"
#include "procfs.h"

void in_force_set(struct in_force *f, struct policy *policy)
{
	policy_free(f->policy);
	*f = (struct in_force){
		.policy = policy,
		.needs_full_process = policy_needs_full_process(policy),
		.needs_user_names = policy_needs_user_names(policy),
		.needs_process = policy_needs_process(policy),
		.needs_groups = policy_needs_groups(policy),
		.needs_hashes = policy_needs_hashes(policy),
		.needs_cmdline = policy_needs_cmdline(policy),
		.needs_forefathers = policy_needs_forefathers(policy),
		.needs_ifaces = policy_needs_ifaces(policy),
		.ends = policy_ends(policy),
	};
}

void in_force_release(struct in_force *f)
{
	policy_free(f->policy);
	f->policy = NULL;
}

bool in_force_pass_time(struct in_force *f)
{
	bool any = f->ends && policy_pass_time(f->policy, clock_now_us(), clock_boot_ns() / 1000);

	if (any)
		f->ends = policy_ends(f->policy);
	return any;
}

enum verdict in_force_verdict(const struct policy_answer *a)
{
	return a->observe ? VERDICT_ACCEPT : a->verdict;
}

bool in_force_passes(const struct in_force *f, const struct config *config,
		     const struct connection *packet)
{
	static const enum certainty sure[] = { CERTAINTY_UNKNOWN, CERTAINTY_CERTAIN };
	struct policy_answer a;
	struct connection c;

	if (!config->enforce)
		return true;
	if (f->needs_process)
		return false;
	c = *packet;
	c.text[CONNECTION_NODE] = text_of(config->node);
	for (int i = 0; i < 2; i++) {
		c.certainty = sure[i];
		policy_decide(f->policy, &c, &a);
		if (in_force_verdict(&a) != VERDICT_ACCEPT)
			return false;
	}
	return true;
}

static void ask_groups(const struct host *h, const struct connection *c,
		       const struct process_snapshot *p, struct in_force_facts *to)
{
	int count = -1;

	/* Of one that is gone, or is another program by now, /proc does not tell. */
	if (p->alive || p->whole)
		count = procfs_groups(h->procfs, c->process.pid, c->process.start_ticks,
				      to->groups, IN_FORCE_GROUPS);
	if (count >= 0) {
		to->facts.groups = to->groups;
		to->facts.group_count = (size_t)count;
	}
}

/* True: it is being found out. */
static bool ask_hash(const struct host *h, const struct connection *c, struct in_force_facts *to)
{
	enum hash_word word = HASH_NONE;

	if (h->hashes && c->process.pid > 0)
		word = file_hashes_of(h->hashes, &c->process, &to->hash);
	if (word == HASH_KNOWN) {
		to->facts.sha256 = to->hash.sha256;
		to->facts.verified = to->hash.verified;
	}
	return word == HASH_WANTED;
}

static const struct forefathers *ask_forefathers(struct host *h, const struct connection *c)
{
	static const struct forefathers unknown;

	return h->ancestry && c->process.pid > 0 ? ancestry_ask(h->ancestry, h, c) : &unknown;
}

static void ask_ifaces(const struct host *h, const struct inquiry *q, struct in_force_facts *to)
{
	to->facts.asks_ifaces = true;
	if (!h->links)
		return;
	to->facts.iface_in = links_name(h->links, q->in, to->iface_in);
	to->facts.iface_out = links_name(h->links, q->out, to->iface_out);
}

/* c's facts are `to` from here on.  True: the verdict hangs on what is in the program's file, which
 * is being found out. */
static bool ask_facts(const struct in_force *f, struct host *h, const struct inquiry *q,
		      struct connection *c, const struct process_snapshot *p,
		      struct in_force_facts *to)
{
	struct policy_answer any;
	bool waits = false;

	if (!f->needs_groups && !f->needs_hashes && !f->needs_cmdline && !f->needs_forefathers &&
	    !f->needs_ifaces)
		return false;
	memset(&to->facts, 0, sizeof(to->facts));
	to->facts.asks_cmdline = f->needs_cmdline;
	if (f->needs_forefathers)
		to->facts.forefathers = ask_forefathers(h, c);
	if (f->needs_ifaces)
		ask_ifaces(h, q, to);
	if (f->needs_groups)
		ask_groups(h, c, p, to);
	if (f->needs_hashes)
		waits = ask_hash(h, c, to);
	c->facts = &to->facts;
	return waits && policy_decide_with_gaps(f->policy, c, POLICY_GAP_HASH, &any);
}

/* Where the packet passes by what its process is, and that one only holds the socket: true, and *a
 * is what holds whoever made the call.  The user is the socket's. */
static bool doubts(const struct in_force *f, const struct inquiry *q, const struct connection *c,
		   struct policy_answer *a)
{
	struct connection held = *c;
	struct policy_answer doubted;

	if (!q->answer.only_holder || in_force_verdict(a) != VERDICT_ACCEPT)
		return false;
	held.only_holder = true;
	if (q->packet.process.uid >= 0 && q->packet.process.uid != c->process.uid) {
		held.process.uid = q->packet.process.uid;
		held.process.user = TEXT_NONE;
	}
	policy_decide(f->policy, &held, &doubted);
	if (doubted.verdict == a->verdict && doubted.observe == a->observe)
		return false;
	*a = doubted;
	return true;
}

static bool ask_policy(const struct in_force *f, struct host *h, const struct inquiry *q,
		       struct connection *c, const struct process_snapshot *p,
		       struct in_force_facts *to, struct policy_answer *a)
{
	bool wants_hash;

	c->evidence = q->answer.evidence;
	c->certainty = q->answer.certainty;
	wants_hash = ask_facts(f, h, q, c, p, to);
	policy_decide(f->policy, c, a);
	return wants_hash;
}

void in_force_decide(const struct in_force *f, struct host *h, struct inquiry *q,
		     struct connection *c, const struct process_snapshot *p,
		     struct in_force_facts *to, struct policy_answer *a,
		     struct in_force_wants *wants)
{
	bool has_proof = inquiry_has_proof(q);	/* else there is none to wait for */

	wants->hash = ask_policy(f, h, q, c, p, to, a);
	if (a->wants_certain && has_proof) {
		ask_proof(h, q);
		wants->hash = ask_policy(f, h, q, c, p, to, a);
	}
	wants->proof = a->wants_certain && has_proof;
	wants->call = doubts(f, q, c, a);
	wants->reason = !wants->call ? NULL :
			q->answer.others_socket ? "others-socket" : "no-record";
	wants->call &= !q->answer.others_socket;
}

bool in_force_decide_late(const struct in_force *f, const struct connection *c,
			  struct policy_answer *a)
{
	unsigned int gaps = POLICY_GAP_GROUPS | POLICY_GAP_HASH | POLICY_GAP_ANCESTORS |
			    POLICY_GAP_IFACE;

	if (!c->process.cmdline.data)
		gaps |= POLICY_GAP_CMDLINE;
	if (!c->text[CONNECTION_DST_NAME].data)
		gaps |= POLICY_GAP_NAME;
	return !policy_decide_with_gaps(f->policy, c, gaps, a);
}
