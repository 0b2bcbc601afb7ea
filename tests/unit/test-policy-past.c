/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be said of a policy without a packet: what an answer about the past hangs on, and which
 * rules never decide. */
#include "policing.h"
#include "scratch.h"
#include "tap.h"

/* Gaps: what an answer hangs on, "verdict line" where on nothing. */
static const struct {
	const char *policy, *connection;
	unsigned int gaps;
	const char *wanted;
} with_gaps[] = {
	/* A path that was told may have been the file's. */
	{ "allow exe /usr/bin/curl\ndefault deny", CURL " seen=-1", 0, "deny 0" },
	{ "allow exe /usr/bin/curl\ndefault deny", CURL " seen=-1", POLICY_GAP_EXE, "exe" },
	{ "allow exe /usr/bin/wget\ndefault deny", CURL " seen=-1", POLICY_GAP_EXE, "deny 0" },
	{ "deny exe /usr/bin/curl", CURL " seen=-1", POLICY_GAP_EXE, "deny 1" },
	{ "deny exe /usr/bin/wget", CURL " seen=-1", POLICY_GAP_EXE, "exe" },
	{ "allow exe /usr/bin/curl\nallow port 443", CURL " seen=-1", POLICY_GAP_EXE, "allow 2" },
	{ "unreadable deny", CURL " seen=-1", POLICY_GAP_EXE, "exe" },
	{ "allow exe /usr/bin/curl\ndefault deny", CURL, POLICY_GAP_PARENT, "allow 1" },
	/* The parent's, also beside. */
	{ "allow parent /bin/sh\ndefault deny", CURL " parent=/bin/sh parentseen=-1",
	  POLICY_GAP_PARENT, "parent" },
	{ "allow parent /bin/sh\ndefault deny", CURL " parent=/bin/su parentseen=-1",
	  POLICY_GAP_PARENT, "deny 0" },
	{ "deny parent /bin/su", CURL " parent=/bin/sh parentseen=4", POLICY_GAP_PARENT, "parent" },
	{ "deny not parent /bin/sh", CURL " parent=/bin/sh parentseen=4", POLICY_GAP_PARENT,
	  "deny 1" },
	{ "allow exe /usr/bin/curl parent /bin/sh\ndefault deny",
	  CURL " seen=-1 parent=/bin/sh parentseen=-1", POLICY_GAP_EXE | POLICY_GAP_PARENT,
	  "exe parent" },
	{ "allow exe /usr/bin/curl\ndefault deny", CURL " seen=-1 parent=/bin/sh parentseen=-1",
	  POLICY_GAP_EXE | POLICY_GAP_PARENT, "exe" },
	/* Of the packet. */
	{ "deny sport 1-1023\nallow port 443", CURL " src=10.0.0.1:*", POLICY_GAP_SPORT, "sport" },
	{ "deny sport 1-1023 port 80\nallow port 443", CURL " src=10.0.0.1:*", POLICY_GAP_SPORT,
	  "allow 2" },
	{ "allow sport 1-1023\nallow port 443", CURL " src=10.0.0.1:*", POLICY_GAP_SPORT,
	  "allow 2" },
	{ "allow port 443\ndeny sport 1-1023", CURL " src=10.0.0.1:*", POLICY_GAP_SPORT,
	  "allow 1" },
	{ "deny not sport 1-1023", CURL " src=10.0.0.1:*", POLICY_GAP_SPORT, "sport" },
	{ "deny proto udp\ndeny src 10.0.0.0/8 sport 5", "certainty=certain",
	  POLICY_GAP_PROTO | POLICY_GAP_SRC, "proto" },
	{ "deny proto udp\ndeny src 10.0.0.0/8", "certainty=certain",
	  POLICY_GAP_PROTO | POLICY_GAP_SRC, "proto src" },
	{ "deny address 10.0.0.0/8", "direction=in", POLICY_GAP_SRC, "src" },
	{ "deny address 10.0.0.0/8", "direction=in", POLICY_GAP_DST, "allow 0" },
	{ "deny address 10.0.0.0/8", "direction=out", POLICY_GAP_DST, "dst" },
	{ "deny list /x", "direction=out", POLICY_GAP_DST, "dst" },
	{ "deny list /x", "direction=in", POLICY_GAP_DST, "allow 0" },
	/* Its real group is kept. */
	{ "deny group 5", "gid=7", POLICY_GAP_GROUPS, "groups" },
	{ "deny group 5", "gid=5", POLICY_GAP_GROUPS, "deny 1" },
	{ "deny not group 5", "gid=5", POLICY_GAP_GROUPS, "allow 0" },
	{ "deny not group 5", "gid=7", POLICY_GAP_GROUPS, "groups" },
	{ "deny group 5 port 1", "gid=7 dst=192.0.2.1:2", POLICY_GAP_GROUPS, "allow 0" },
	{ "deny group 5 port 7", "gid=7 dst=192.0.2.1:7", POLICY_GAP_GROUPS, "groups" },
	{ "deny not verified", "exe=/x", POLICY_GAP_HASH, "hash" },
	{ "deny verified port 1", "exe=/x dst=192.0.2.1:2", POLICY_GAP_HASH, "allow 0" },
	{ "deny cmdline a", "exe=/x", POLICY_GAP_CMDLINE, "cmdline" },
	{ "deny cmdline a", "exe=/x cmdline=a", 0, "deny 1" },
	{ "deny ancestor /a", "exe=/x", POLICY_GAP_ANCESTORS, "ancestors" },
	{ "allow exe /x\ndeny ancestor /a", "exe=/x", POLICY_GAP_ANCESTORS, "allow 1" },
	{ "deny iface lo", "direction=in", POLICY_GAP_IFACE, "iface" },
	{ "deny iface lo\ndeny name x", "exe=/x", POLICY_GAP_IFACE | POLICY_GAP_NAME,
	  "iface name" },
	{ "deny name x", "exe=/x name=x nameby=1", 0, "deny 1" },
	/* Whether a packet passes is part of the answer. */
	{ "observe deny sport 5\ndeny port 443", "dst=192.0.2.1:443", POLICY_GAP_SPORT, "sport" },
	{ "deny sport 5\ndeny port 443", "dst=192.0.2.1:443", POLICY_GAP_SPORT, "deny 2" },
	{ "deny certain sport 5", "certainty=inferred", POLICY_GAP_SPORT, "allow 0 +" },
};

static void test_gaps(void)
{
	static const char *const names[] = { "exe", "parent", "proto", "src", "dst", "sport",
					     "dport", "groups", "hash", "cmdline", "ancestors",
					     "iface", "name" };

	for (size_t i = 0; i < sizeof(with_gaps) / sizeof(with_gaps[0]); i++) {
		char buf[512], got[64] = "";
		struct policy_answer a;
		struct connection c;
		unsigned int count, open;
		struct policy *p;

		if (parse(with_gaps[i].policy, strlen(with_gaps[i].policy), &count, &p)) {
			tap_ok(false, "gaps %zu", i + 1);
			tap_note("%s", complaints);
			continue;
		}
		snprintf(buf, sizeof(buf), "%s", with_gaps[i].connection);
		describe(&c, buf);
		open = policy_decide_with_gaps(p, &c, with_gaps[i].gaps, &a);
		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
			if (open & 1u << n)
				snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s",
					 *got ? " " : "", names[n]);
		if (!open)
			snprintf(got, sizeof(got), "%s %d%s", policy_verdict_word(a.verdict),
				 a.line, a.wants_certain ? " +" : "");
		if (!tap_ok(!strcmp(got, with_gaps[i].wanted), "gaps %zu: %.*s: %s", i + 1,
			    (int)strcspn(with_gaps[i].policy, "\n"), with_gaps[i].policy,
			    with_gaps[i].wanted))
			tap_note("got %s", got);
		policy_free(p);
	}
}

/* Which rule leaves nothing to the last one. */
static const struct {
	const char *policy;
	int by;
} shadows[] = {
	{ "allow port 443", 0 },
	{ "allow port 443\nallow port 443", 1 },
	{ "deny port 443\nallow port 443", 1 },
	{ "allow user 5\ndeny user 5", 1 },
	{ "allow port 443\ndeny port 443", 0 },	/* who hides the port comes here */
	{ "allow exe /x\ndeny exe /x", 0 },	/* who hides its program does */
	{ "deny exe /x\nallow exe /x", 1 },
	{ "deny exe /x\nreject exe /x user 5", 1 },
	{ "allow port 1-443\nallow port 2-443,1", 1 },
	{ "allow port 1-443\nallow port 2-444", 0 },
	{ "allow port 1,2\nallow port 1-2", 0 },
	{ "allow exe /usr/*\nallow exe /usr/bin/x*", 1 },
	{ "allow exe /usr/?\nallow exe /usr/*", 0 },
	{ "allow exe /usr/?\nallow exe /usr/x", 1 },
	{ "allow exe /usr/x*\nallow exe /usr/*", 0 },
	{ "allow exe /a,/b\nallow exe /b,/a", 1 },
	{ "allow exe /a\nallow exe /b,/a", 0 },
	{ "allow exe /a\nallow not exe /a", 0 },
	{ "allow not exe /a\nallow not exe /a,/b", 1 },
	{ "allow not exe /a,/b\nallow not exe /a", 0 },
	{ "allow exe other\nallow exe other user 5", 1 },
	{ "deny exe unknown\ndeny exe other", 0 },
	{ "allow dst 10.0.0.0/8\nallow dst 10.1.0.0/16,10.2.3.4", 1 },
	{ "allow dst 10.1.0.0/16\nallow dst 10.0.0.0/8", 0 },
	{ "allow dst 10.0.0.0/8\nallow address 10.1.0.0/16", 0 },
	{ "allow unit *\nallow unit a/b", 0 },
	{ "allow unit *.service\nallow unit a.service", 1 },
	{ "allow comm *\nallow comm x", 1 },
	{ "allow user alice\nallow user alice port 1", 1 },
	{ "allow user a*\nallow user alice", 0 },
	{ "allow group 1,2\nallow group 2", 1 },
	{ "allow group 1\ndeny group 1", 0 },
	{ "allow group x\nallow group x", 0 },		/* nobody has its number */
	{ "allow port 1 until 2030-01-01\nallow port 1", 0 },
	{ "allow port 1\nallow port 1 until 2030-01-01", 1 },
	{ "allow port 1 until 2030-01-02\nallow port 1 until 2030-01-01", 1 },
	{ "allow port 1 until 2030-01-01\nallow port 1 until 2030-01-02", 0 },
	{ "allow port 1 for 1h\nallow port 1 for 2h", 0 },
	{ "allow port 1 for 2h\nallow port 1 for 1h", 1 },
	{ "allow port 1 for 2h\nallow port 1 until 2030-01-01", 0 },
	{ "allow verified\nallow verified port 1", 1 },
	{ "allow verified\ndeny verified", 0 },
	{ "allow verified\nallow not verified", 0 },
	{ "allow list /x\nallow list /x port 1", 1 },
	{ "allow list /x,/y\nallow list /x", 1 },
	{ "allow list /x\nallow list /x,/y", 0 },
	{ "allow not list /x,/y\nallow not list /x", 0 },
	{ "allow list /x\nreject list /x", 0 },
	{ "allow cmdline *a*\nallow cmdline \"b a\" user 5", 1 },
	{ "allow cmdline a\nallow cmdline a*", 0 },
	{ "allow cmdline a*\nallow cmdline ab* user 5", 1 },
	{ "allow cmdline a?\nallow cmdline ab user 5", 1 },
	{ "allow cmdline a?\nallow cmdline a* user 5", 0 },
	{ "allow port 1,2\nallow port 2 user 5", 1 },
	{ "allow cmdline a\ndeny cmdline a", 0 },	/* who hides it comes here */
	{ "deny cmdline a\nallow cmdline a", 1 },
	{ "allow ancestor /a/*\nallow ancestor /a/b port 1", 1 },
	{ "allow ancestor /a\nallow parent /a", 0 },
	{ "allow ancestor /a\ndeny ancestor /a", 0 },
	{ "allow ancestor unknown\nallow ancestor /a", 0 },
	{ "allow iface eth*\nallow iface eth0,eth1", 1 },
	{ "allow iface eth0\ndeny iface eth0", 0 },
	{ "allow name *.example\ndeny name A.example port 1", 1 },
	{ "allow name a.example\nallow name *.example", 0 },
	{ "allow certain\nallow port 1", 0 },
	{ "allow certain\nallow certain port 1", 1 },
	{ "allow port 1\nallow certain port 1", 1 },
	{ "allow proto tcp direction out\nallow direction out port 1", 0 },
	{ "allow direction out\nallow proto tcp direction out port 1", 1 },
};

static void test_shadowed(void)
{
	for (size_t i = 0; i < sizeof(shadows) / sizeof(shadows[0]); i++) {
		unsigned int count;
		struct policy *p;
		int by = -1;

		if (!parse(shadows[i].policy, strlen(shadows[i].policy), &count, &p))
			by = policy_shadowed_by(p, policy_rule_count(p) - 1);
		if (!tap_ok(by == shadows[i].by, "shadowed %zu: %.*s", i + 1,
			    (int)strcspn(shadows[i].policy, "\n"), shadows[i].policy))
			tap_note("got %d, wanted %d: %s", by, shadows[i].by, shadows[i].policy);
		policy_free(p);
	}
}

static const char *one_of(const char *const *words)
{
	size_t count = 0;

	while (words[count])
		count++;
	return words[scratch_random() % count];
}

static void random_policy(char *to, size_t size)
{
	static const char *const verdicts[] = { "allow", "deny", "reject", NULL };
	static const char *const matches[] = {
		"exe /a", "exe /a,/b", "exe /*", "exe /?", "exe unknown", "exe other", "not exe /a",
		"ancestor /a", "not ancestor /a", "ancestor unknown", "cmdline a", "not cmdline a*",
		"cmdline *", "iface a", "iface *", "not iface a", "name a", "not name *",
		"parent /a", "not parent /a", "port 1", "port 1-2", "not port 2", "unit a.service",
		"unit *", "unit a.service/*", "comm x", "not comm *", "user 5", "user root",
		"user r*", "group 5", "not group 6,5", "verified", "not verified",
		"dst 10.0.0.0/8", "dst 10.1.0.0/16",
		"address 10.0.0.0/8", "direction out", "certain", "proto tcp", NULL };
	static const char *const defaults[] = { "", "unattributed deny\n", "unreadable allow\n",
						"default deny\n", "unattributed allow\n", NULL };
	size_t len = (size_t)snprintf(to, size, "%s", one_of(defaults));

	for (int rule = 0; rule < 4; rule++) {
		len += (size_t)snprintf(to + len, size - len, "%s %s", one_of(verdicts),
					one_of(matches));
		if (scratch_random() % 2)
			len += (size_t)snprintf(to + len, size - len, " %s", one_of(matches));
		len += (size_t)snprintf(to + len, size - len, "\n");
	}
}

static void random_connection(char *to, size_t size)
{
	static const char *const words[][9] = {
		{ "", "exe=/a", "exe=/b", "exe=/ab", NULL },
		{ "", "", "seen=-1", "seen=3", "seen=4", "seen=5", NULL },
		{ "", "parent=/a", "parent=/b", NULL }, { "", "parentseen=-1", NULL },
		{ "", "unit=a.service", "unit=b.service", "unit=a.service/x", "unit=x/y", NULL },
		{ "", "comm=x", "comm=y", NULL }, { "", "uid=5", "uid=0", NULL },
		{ "", "user=root", NULL }, { "", "gid=5", NULL },
		{ "", "groups=5,7", "groups=6", "groups=?", NULL },
		{ "", "hash=11", "hash=?", NULL }, { "", "verified=1", NULL },
		{ "", "fathers=/a", "fathers=/b,-/a", "fathers=/b,?", "fathers=/b", "fathers=+",
		  NULL },
		{ "", "cmdline=a", "cmdline=b", "cmdline=?", NULL },
		{ "", "iface=a", "iface=b", "iface=?", NULL },
		{ "", "ifacein=a", "ifacein=?", NULL },
		{ "", "name=a nameby=1", "name=b nameby=1", "name=a nameby=2", NULL },
		{ "", "dst=10.1.2.3:1", "dst=10.2.3.4:2", "dst=192.0.2.1:3", NULL },
		{ "", "src=10.1.2.3:1", NULL }, { "", "proto=tcp", "proto=udp", NULL },
		{ "direction=out", "direction=in", NULL },
		{ "", "certainty=inferred", "certainty=unknown", NULL },
		{ "", "", "unreadable=1", "reason=kernel", NULL },
	};
	size_t len = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		len += (size_t)snprintf(to + len, size - len, "%s ", one_of(words[i]));
}

/* Of random policies no rule that is called shadowed ever decides. */
static void test_shadowed_random(void)
{
	int found = 0, wrong = 0;

	for (int i = 0; i < 4000; i++) {
		char text[1024];
		unsigned int count;
		struct policy *p;

		random_policy(text, sizeof(text));
		if (parse(text, strlen(text), &count, &p))
			continue;
		for (size_t rule = 0; rule < policy_rule_count(p); rule++) {
			int line, by = policy_shadowed_by(p, rule);

			policy_rule(p, rule, &line);
			found += by != 0;
			for (int n = 0; by && n < 300; n++) {
				char buf[512], shown[512];
				struct policy_answer a;
				struct connection c;

				random_connection(buf, sizeof(buf));
				memcpy(shown, buf, sizeof(shown));
				describe(&c, buf);
				policy_decide(p, &c, &a);
				if (a.line == line && !wrong++)
					tap_note("line %d by %d: %s in %s", line, by, shown, text);
			}
		}
		policy_free(p);
	}
	tap_ok(found > 100 && !wrong, "of random policies no shadowed rule decides");
	tap_note("%d shadowed, %d wrong", found, wrong);
}

/* Of a process that is gone the record's path is all that is known. */
static void test_told(void)
{
	static const struct { const char *policy, *connection; bool allowed; } table[] = {
		{ "allow exe /x\ndefault deny", "exe=/x seen=-1", true },
		{ "allow exe /x\ndefault deny", "exe=/y seen=-1", false },
		{ "allow parent /x\ndefault deny", "parent=/x parentseen=-1 parentthen=0", true },
		{ "allow parent /x\ndefault deny", "parent=/y parentseen=-1 parentthen=0", false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct policy_answer asked, told;
		struct connection c;
		unsigned int count;
		struct policy *p;
		char buf[64];

		parse(table[i].policy, strlen(table[i].policy), &count, &p);
		snprintf(buf, sizeof(buf), "%s", table[i].connection);
		describe(&c, buf);
		policy_decide(p, &c, &asked);
		policy_decide_as_told(p, &c, &told);
		tap_ok(asked.verdict != VERDICT_ACCEPT &&
		       (told.verdict == VERDICT_ACCEPT) == table[i].allowed,
		       "taken at its word, %s: %s", table[i].connection,
		       table[i].allowed ? "allowed" : "denied");
		policy_free(p);
	}
}

/* A rule that lets pass by a command line alone takes the process at its word. */
static void test_believes(void)
{
	static const char *const others[] = {
		"port 1", "exe /x", "user root", "login-user root",
		"group root", "verified", "parent /x",
		"ancestor /x", "unit x.service", "container x",
		"sha256 1111111111111111111111111111111111111111111111111111111111111111",
	};
	unsigned int count;
	char text[256];
	struct policy *p;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(text, sizeof(text), "allow cmdline x* %s\ndeny cmdline x*\nallow exe /x",
			 others[i]);
		if (!tap_ok(!parse(text, strlen(text), &count, &p), "a rule with %s", others[i])) {
			tap_note("%s", complaints);
			continue;
		}
		tap_ok(policy_rule_believes(p, 0) == !i && !policy_rule_believes(p, 1) &&
		       !policy_rule_believes(p, 2), "%s a command line", i ? "does not believe" :
		       "believes");
		policy_free(p);
	}
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_gaps();
	test_shadowed();
	test_shadowed_random();
	test_believes();
	test_told();
	return tap_done();
}
