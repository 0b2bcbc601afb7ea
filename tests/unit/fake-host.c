/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host that is made up: implements the headers of the edge and clock.h by the tables of
 * fake-host.h.  Linked in place of libedge.a and of clock.o.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "ctmark.h"
#include "deaths.h"
#include "event.h"
#include "fake-host.h"
#include "file_hash.h"
#include "holders.h"
#include "links.h"
#include "nfqueue.h"
#include "procfs.h"
#include "procscan.h"
#include "ledger_change.h"
#include "ledger_sink.h"
#include "sockdiag.h"
#include "tracefeed.h"
#include "user_names.h"

#define TICK_US 10000
#define BOOT_US 1600000000000000LL

struct fake_host fake;

int64_t clock_boot_ns(void)
{
	return clock_mono_ns();
}

int64_t clock_mono_ns(void)
{
	return fake.mono_ns;
}

int64_t clock_now_us(void)
{
	return fake.now_us;
}

void fake_reset(void)
{
	/* Clear the verdicts that were given, and not all, because there is room for very many. */
	memset(fake.verdict, 0, fake.ids * sizeof(fake.verdict[0]));
	memset(&fake, 0, offsetof(struct fake_host, verdict));
	fake.mono_ns = 1000000000000LL;
	fake.now_us = BOOT_US + 1000000000LL;
}

static struct fake_process *slot_of(int64_t pid)
{
	for (int i = 0; i < fake.processes; i++)
		if (fake.process[i].pid == pid)
			return &fake.process[i];
	return NULL;
}

struct fake_process *fake_process(int64_t pid, int64_t ppid, int64_t uid, const char *exe)
{
	struct fake_process *p = slot_of(pid);

	if (!p && fake.processes == FAKE_PROCESSES)
		abort();
	if (!p)
		p = &fake.process[fake.processes++];
	*p = (struct fake_process){
		.pid = pid, .ppid = ppid, .uid = uid, .auid = uid, .exe = exe, .netns = FAKE_NETNS,
		.alive = true,
		.start_ticks = (fake.now_us - BOOT_US - 60000000) / TICK_US,
	};
	return p;
}

void fake_begin_now(struct fake_process *p)
{
	p->start_ticks = (fake.now_us - BOOT_US) / TICK_US;
}

struct fake_process *fake_find(int64_t pid)
{
	struct fake_process *p = slot_of(pid);

	return p && p->alive ? p : NULL;
}

struct fake_fd *fake_fd_of(struct fake_process *p, int64_t fd)
{
	for (int i = 0; p && i < p->fds; i++)
		if (p->fd[i].fd == fd)
			return &p->fd[i];
	return NULL;
}

struct fake_fd *fake_hold(struct fake_process *p, int64_t fd, int64_t inode)
{
	struct fake_fd *f = fake_fd_of(p, fd);

	if (!f && p->fds == FAKE_FDS)
		abort();
	if (!f)
		f = &p->fd[p->fds++];
	*f = (struct fake_fd){ .fd = fd, .inode = inode };
	return f;
}

void fake_thread(int64_t tid, int64_t pid)
{
	if (fake.threads == FAKE_THREADS)
		abort();
	fake.thread[fake.threads].tid = tid;
	fake.thread[fake.threads++].pid = pid;
}

struct fake_socket *fake_socket(int protocol, const struct endpoint *local,
				const struct endpoint *peer, int64_t inode, int64_t uid)
{
	struct fake_socket *s = &fake.socket[fake.sockets];

	if (fake.sockets++ == FAKE_SOCKETS)
		abort();
	*s = (struct fake_socket){
		.protocol = protocol, .open = true,
		.entry = { .local = *local, .peer = *peer, .inode = inode, .uid = uid,
			   .cookie = (uint64_t)inode },
	};
	return s;
}

/* The trace. */

void fake_trace(const struct trace_event *e)
{
	if (fake.traced == FAKE_TRACE)
		abort();
	fake.trace[fake.traced] = *e;
	fake.trace[fake.traced].time_ns = fake.mono_ns;
	fake.trace[fake.traced].order = fake.traced;
	fake.traced++;
}

void tracefeed_drain(struct tracefeed *t, void (*each)(const struct trace_event *e, void *arg),
		     void *arg)
{
	(void)t;
	for (int i = 0; i < fake.traced; i++)
		each(&fake.trace[i], arg);
	fake.traced = 0;
	if (fake.has_late)
		fake.trace[fake.traced++] = fake.late;
	fake.has_late = false;
	fake.overruns += fake.lost;
	fake.lost = 0;
}

int64_t tracefeed_events(const struct tracefeed *t)
{
	(void)t;
	return 0;
}

int64_t tracefeed_overruns(const struct tracefeed *t)
{
	(void)t;
	return fake.overruns;
}

/* The queue. */

static int answer(struct packet_id id, bool dropped, uint32_t mark)
{
	struct fake_verdict *v;

	if (id.id >= FAKE_IDS)
		abort();
	v = &fake.verdict[id.id];
	if (id.id >= fake.ids)
		fake.ids = id.id + 1;
	fake.verdicts++;
	if (v->count++)
		fake.twice++;
	v->queue = id.queue;
	v->dropped = dropped;
	v->mark = mark;
	v->prompt = !fake.looks;
	fake.looks = 0;
	return fake.verdicts_fail ? -ENOENT : 0;
}

int nfqueue_accept(struct nfqueue *q, struct packet_id id)
{
	(void)q;
	return answer(id, false, 0);
}

int nfqueue_accept_marked(struct nfqueue *q, struct packet_id id, uint32_t mark)
{
	(void)q;
	return answer(id, false, mark);
}

int nfqueue_accept_decided(struct nfqueue *q, struct packet_id id, const struct ctmark *m)
{
	(void)q;
	ctmarks_set(NULL, m);
	return answer(id, false, 0);
}

/* Conntrack's marks. */

void ctmarks_set(struct ctmarks *c, const struct ctmark *m)
{
	(void)c;
	fake.ctmark = *m;
	fake.ctmarks++;
}

/* Sockets that have died since. */

int deaths_fd(const struct deaths *d)
{
	(void)d;
	return -1;
}

int deaths_show(struct deaths *d, enum death_kind kind,
		void (*each)(const struct death *death, void *arg), void *arg)
{
	int lost = fake.deaths_lost && kind == DEATHS_UDP ? -ENOBUFS : 0;

	(void)d;
	if (lost)
		fake.deaths_lost = false;
	for (int i = 0; i < fake.deaths; i++) {
		bool udp = fake.death[i].protocol != IPPROTO_TCP;

		if (udp == (kind == DEATHS_UDP) && !fake.death_shown[i]) {
			fake.death_shown[i] = true;
			each(&fake.death[i], arg);
		}
	}
	return lost;
}

int nfqueue_drop(struct nfqueue *q, struct packet_id id)
{
	(void)q;
	return answer(id, true, 0);
}

void nfqueue_losses(struct nfqueue *q, struct nfqueue_losses *l)
{
	(void)q;
	*l = (struct nfqueue_losses){ .overruns = 4711 };
}

/* The kernel's sockets. */

static struct sock_choice choose(int protocol, const struct endpoint *local,
				 const struct endpoint *peer, uint32_t device,
				 struct sock_entry *found)
{
	struct sock_entry of_protocol[FAKE_SOCKETS];
	struct sock_choice choice;
	int count = 0;

	for (int i = 0; i < fake.sockets; i++)
		if (fake.socket[i].open && fake.socket[i].protocol == protocol &&
		    (!fake.socket[i].device || fake.socket[i].device == device))
			of_protocol[count++] = fake.socket[i].entry;
	choice = sock_choose(of_protocol, count, local, peer);
	if (choice.best >= 0)
		*found = of_protocol[choice.best];
	return choice;
}

int sockdiag_ask(struct sockdiag *d, int protocol, const struct endpoint *local,
		 const struct endpoint *peer, uint32_t device, enum sock_fit least,
		 struct sock_entry *found)
{
	struct sock_choice choice = choose(protocol, local, peer, device, found);

	(void)d;
	/* Several sockets share a port: the kernel names one, by a hash. */
	return choice.fit < least ? -ENOENT : 0;
}

int sockdiag_sharers(struct sockdiag *d, int protocol, const struct endpoint *local,
		     const struct sock_entry **found)
{
	static struct sock_entry at_port[FAKE_SOCKETS];
	int count = 0;

	(void)d;
	*found = at_port;
	for (int i = 0; i < fake.sockets; i++)
		if (fake.socket[i].open && fake.socket[i].protocol == protocol &&
		    fake.socket[i].entry.local.port == local->port)
			at_port[count++] = fake.socket[i].entry;
	return count;
}

int sockdiag_each(struct sockdiag *d, int protocol,
		  void (*each)(const struct sock_entry *s, void *arg), void *arg)
{
	(void)d;
	for (int i = 0; i < fake.sockets; i++)
		if (fake.socket[i].open && fake.socket[i].protocol == protocol)
			each(&fake.socket[i].entry, arg);
	return 0;
}

int sockdiag_by_port(struct sockdiag *d, int protocol, const struct endpoint *local,
		     const struct endpoint *peer, uint32_t device, struct sock_entry *found,
		     struct sock_choice *choice)
{
	(void)d;
	*choice = choose(protocol, local, peer, device, found);
	return choice->best < 0 ? -ENOENT : 0;
}

/* /proc. */

int64_t procfs_inode(struct procfs *p, int64_t pid, int64_t fd)
{
	const struct fake_fd *f = fake_fd_of(fake_find(pid), fd);

	(void)p;
	return f ? f->inode : -1;
}

bool procfs_holds(struct procfs *p, int64_t pid, int64_t fd, int64_t inode)
{
	return inode > 0 && procfs_inode(p, pid, fd) == inode;
}

int64_t procfs_find_fd(struct procfs *p, int64_t pid, int64_t inode, int looks)
{
	const struct fake_process *k = fake_find(pid);

	(void)p;
	for (int i = 0; k && i < k->fds && i < looks; i++)
		if (k->fd[i].inode == inode)
			return k->fd[i].fd;
	return -1;
}

/* Of one process. */
void procfs_walk(struct procfs *p, struct procfs_walk *w, int64_t budget_ns)
{
	const struct fake_process *k = fake_find(w->pid[--w->left]);

	(void)p;
	(void)budget_ns;
	for (int n = 0; k && n < w->wanted_count; n++)
		for (int i = 0; i < k->fds && !w->found_count; i++)
			if (k->fd[i].inode == w->wanted[n]) {
				w->found[0].inode = w->wanted[n];
				w->found_count = 1;
			}
	w->missed = w->cut = k && k->crowded;
}

/* Until one is found that holds it. */
void procfs_holders(struct procfs *p, int64_t inode, struct procfs_holder *k, int count)
{
	bool found = false;

	for (int i = 0; i < count; i++) {
		struct fake_process *of = fake_find(k[i].pid);
		const struct fake_fd *f;

		k[i].in_call = false;
		if (!procfs_holds(p, k[i].pid, k[i].fd, inode))
			k[i].fd = procfs_find_fd(p, k[i].pid, inode, k[i].looks);
		if (found || !of || (k[i].call && of->frozen))
			k[i].fd = -1;
		f = fake_fd_of(of, k[i].fd);
		if (f && k[i].call)
			k[i].in_call = f->calling;
		found |= f != NULL;
	}
}

void fake_see(const struct fake_process *k, struct process *p)
{
	p->exe_seen = k->exe_seen ? k->exe_seen : k->exe ? EXE_HERE : EXE_TOLD;
	if (p->exe_seen == EXE_TOLD)
		return;
	p->exe_dev = k->exe_seen > EXE_REPLACED ? 2 : 1;
	p->exe_inode = (int64_t)(text_hash_of(text_of(k->exe)) & INT32_MAX);
	p->exe_ctime = 1;
	p->replaced = p->exe_seen == EXE_REPLACED ? 1 : -1;
}

bool procfs_has_our_users(struct procfs *p, int64_t pid)
{
	const struct fake_process *k = fake_find(pid);

	(void)p;
	return k && !k->own_users;
}

bool procfs_glance(struct procfs *p, int64_t pid, struct process *process,
		   struct proc_texts *texts)
{
	const struct fake_process *k = fake_find(pid);

	(void)p;
	fake.looks++;
	process_init(process);
	if (!k)
		return false;
	process->pid = pid;
	process->ppid = k->ppid;
	process->start_ticks = k->start_ticks;
	process->comm = text_of("name");
	if (k->exe) {
		snprintf(texts->exe, sizeof(texts->exe), "%s", k->exe);
		process->exe = text_of(texts->exe);
	}
	fake_see(k, process);
	return true;
}

void procfs_rest(struct procfs *p, struct process *process, struct proc_texts *texts)
{
	const struct fake_process *k = fake_find(process->pid);

	(void)p, (void)texts;
	if (!k)
		return;
	process->uid = process->euid = process->fsuid = process->gid = process->auid = k->uid;
	process->netns = k->netns;
	process->cmdline = text_of("name of it");
	process->cwd = text_of("/tmp");
}

enum hash_word file_hashes_of(struct file_hashes *h, const struct process *p,
			      struct file_hash *hash)
{
	const struct fake_process *k = fake_find(p->pid);

	(void)h;
	if (!k || !k->hash)
		return HASH_NONE;
	memset(hash->sha256, k->hash, sizeof(hash->sha256));
	hash->verified = false;
	return k->hash_wanted ? HASH_WANTED : HASH_KNOWN;
}

int procfs_groups(struct procfs *p, int64_t pid, int64_t start_ticks, uint32_t *groups, int most)
{
	const struct fake_process *k = fake_find(pid);

	(void)p, (void)most;
	if (!k || k->start_ticks != start_ticks)
		return -1;
	groups[0] = (uint32_t)k->uid;
	memcpy(groups + 1, k->groups, sizeof(k->groups));
	return 1 + k->group_count;
}

int64_t procfs_process(struct procfs *p, int64_t tid)
{
	(void)p;
	for (int i = 0; i < fake.threads; i++)
		if (fake.thread[i].tid == tid)
			return fake_find(fake.thread[i].pid) ? fake.thread[i].pid : -1;
	return fake_find(tid) ? tid : -1;
}

int64_t procfs_user(struct procfs *p, int64_t pid, int64_t likely)
{
	const struct fake_process *k = fake_find(pid);

	(void)p;
	(void)likely;
	return k ? k->uid : -1;
}

int64_t procfs_netns(struct procfs *p, int64_t pid, int64_t tid)
{
	const struct fake_process *k = fake_find(pid);

	(void)p, (void)tid;
	fake.looks++;
	return k ? k->netns : -1;
}

enum link_word links_ask(struct links *l, uint32_t index, int64_t pid)
{
	const struct fake_process *k = fake_find(pid);

	(void)l;
	if (index == 1)
		return LINK_LEADS_AWAY;
	return k && index && k->netns == index ? LINK_LEADS_THERE : LINK_UNSURE;
}

/* "if3" */
struct text links_name(struct links *l, uint32_t index, char name[LINK_NAME_MAX])
{
	(void)l;
	if (!index)
		return TEXT_NONE;
	snprintf(name, LINK_NAME_MAX, "if%u", index);
	return text_of(name);
}

int64_t procfs_start_us(const struct procfs *p, int64_t start_ticks)
{
	(void)p;
	return start_ticks < 0 ? -1 : BOOT_US + start_ticks * TICK_US;
}

/* One made-up host is enough. */
struct procfs *procfs_open(const char *path)
{
	static char any;

	(void)path;
	return (struct procfs *)&any;
}

void procfs_ask_lookers(struct procfs *p, struct peek *peek)
{
	(void)p, (void)peek;
}

void procfs_close(struct procfs *p)
{
	(void)p;
}

/* The search: a process a step. */

struct procscan {
	int left;
};

struct procscan *procscan_new(struct procfs *p)
{
	(void)p;
	return calloc(1, sizeof(struct procscan));
}

void procscan_free(struct procscan *s)
{
	free(s);
}

void procscan_begin(struct procscan *s)
{
	fake.listed++;
	s->left = fake.processes;
}

void procscan_begin_thorough(struct procscan *s)
{
	s->left = fake.processes;
}

void procscan_go_on(struct procscan *s)
{
	s->left = fake.processes;
}

bool procscan_saw_all(const struct procscan *s, int64_t *newest)
{
	(void)s;
	*newest = fake.processes;
	return !fake.hidden;
}

int64_t procscan_newest_pid(const struct procfs *p)
{
	(void)p;
	return fake.processes;
}

void procscan_newest(struct procscan *s)
{
	s->left = fake.processes < 2 ? fake.processes : 2;
}

bool procscan_step(struct procscan *s, int64_t budget_us, const struct procscan_wanted *wanted,
		   bool (*each)(int64_t inode, int64_t id, int64_t fd, void *arg), void *arg)
{
	const struct fake_process *k;

	(void)budget_us, (void)wanted;
	if (s->left <= 0)
		return false;
	k = &fake.process[fake.processes > s->left ? fake.processes - s->left : 0];
	s->left--;
	for (int i = 0; k->alive && i < k->fds; i++)
		if (k->fd[i].inode > 0)
			(void)each(k->fd[i].inode, k->pid, k->fd[i].fd, arg);
	return s->left > 0;
}

/* The recorder. */

static void keep(const struct connection *c, bool decided)
{
	struct fake_row *row = &fake.row[fake.rows++ % FAKE_ROWS];

	if (connection_pack_size(c) > sizeof(row->room))
		abort();
	row->connection = connection_pack(c, row->room);
	row->decided = decided;
	row->proven = row->doubted = false;
	row->pid = c->process.pid;
	row->certainty = c->certainty;
	row->was_certain = c->certainty == CERTAINTY_CERTAIN;
}

struct fake_row *fake_row_of(uint64_t id)
{
	for (int64_t n = fake.rows - 1; n >= 0 && n > fake.rows - FAKE_ROWS; n--)
		if (fake.row[n % FAKE_ROWS].connection->id == id)
			return &fake.row[n % FAKE_ROWS];
	return NULL;
}

static void prove(const struct connection *c)
{
	struct fake_row *row = fake_row_of(c->id);

	fake.proven++;
	if (!row)
		return;
	row->proven = c->certainty == CERTAINTY_CERTAIN;
	row->doubted = !row->proven;
	row->was_certain |= row->proven;
	row->certainty = c->certainty;
}

static void end(const struct ledger_change *change)
{
	fake.ended++;
	fake.ended_packets = change->packets;
	fake.ended_bytes = change->bytes;
}

bool ledger_sink_put(struct ledger_sink *r, uint64_t seq, const struct ledger_change *change)
{
	(void)r;
	(void)seq;
	if (change->kind == CHANGE_PROVE)
		prove(&change->connection);
	else if (change->kind == CHANGE_FLOW)
		end(change);
	else
		keep(&change->connection, change->kind == CHANGE_DECIDE);
	return true;
}

void ledger_sink_count(struct ledger_sink *r, unsigned int which, const char *name, int64_t value)
{
	(void)r;
	fake.counter[which % 64] = value;
	fake.counter_name[which % 64] = name;
}

const struct fake_row *fake_last_row(void)
{
	return fake.rows ? &fake.row[(fake.rows - 1) % FAKE_ROWS] : NULL;
}

int64_t fake_counter(const char *name)
{
	for (int i = 0; i < 64; i++)
		if (fake.counter_name[i] && !strcmp(fake.counter_name[i], name))
			return fake.counter[i];
	return -1;
}

/* Names of users. */

bool user_names_of(struct user_names *u, int64_t uid, char *name, size_t size)
{
	(void)u;
	fake.names++;
	snprintf(name, size, "%s", uid == 1000 ? "user" : uid == 2000 ? "other" : "");
	return name[0] != '\0';
}
