/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies: tables of rules, connection and verdict through the engine, and every mistake at its
 * place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policing.h"
#include "tap.h"

#define HASH4(digit) digit digit digit digit
#define HASH16(digit) HASH4(digit) HASH4(digit) HASH4(digit) HASH4(digit)
#define HASH(digit) HASH16(digit) HASH16(digit) HASH16(digit) HASH16(digit)

/* As long as what the kernel keeps of a command line. */
#define CUT HASH("a") HASH("a")

/* wanted: verdict, line (0: a default), and '+' where it wants to be certain. */
static const struct {
	const char *policy, *connection, *wanted;
} decided[] = {
	/* defaults */
	{ "", CURL, "allow 0" },
	{ "", "certainty=unknown", "allow 0" },
	{ "# nothing\n\n \t\n", CURL, "allow 0" },
	{ "default deny", CURL, "deny 0" },
	{ "default reject\n", "certainty=inferred", "reject 0" },
	{ "default deny", "certainty=unknown", "deny 0" },
	{ "unattributed deny", CURL, "allow 0" },
	{ "unattributed deny", "certainty=unknown", "deny 0" },
	{ "unattributed allow\ndefault deny", "certainty=unknown", "allow 0" },
	{ "unattributed allow\ndefault deny", "certainty=inferred", "deny 0" },
	{ "unattributed deny\ndefault deny", "certainty=unknown reason=kernel", "allow 0" },
	{ "unattributed deny", "certainty=unknown reason=kernel direction=in", "deny 0" },
	{ "unattributed deny", "certainty=unknown reason=kernel direction=forward", "deny 0" },
	{ "unattributed deny", "certainty=unknown reason=raw", "deny 0" },
	{ "unattributed deny", "certainty=unknown reason=kernels", "deny 0" },
	{ "default deny", CURL " reason=kernel", "deny 0" },
	{ "deny proto 2", "certainty=unknown reason=kernel proto=2", "deny 1" },
	{ "unattributed deny\nallow port 53", "certainty=unknown dst=192.0.2.1:53", "allow 2" },
	{ "unattributed deny\nallow exe /usr/bin/curl", "certainty=unknown", "deny 0" },
	{ "default deny # as well", CURL, "deny 0" },
	/* exe */
	{ "deny exe /usr/bin/curl", CURL, "deny 1" },
	{ "deny exe /usr/bin/cur", CURL, "allow 0" },
	{ "deny exe /usr/bin/curl2", CURL, "allow 0" },
	{ "deny exe /USR/bin/curl", CURL, "allow 0" },
	{ "deny exe /usr/bin/*", CURL, "deny 1" },
	{ "deny exe */curl", CURL, "deny 1" },
	{ "deny exe /*", CURL, "deny 1" },
	{ "deny exe *", CURL, "deny 1" },
	{ "deny exe /usr/?\?\?/cu*l", CURL, "deny 1" },
	{ "deny exe /usr/?\?/curl", CURL, "allow 0" },
	{ "deny exe /usr/*/curl/*", CURL, "allow 0" },
	{ "deny exe *u*c*l", CURL, "deny 1" },
	{ "deny exe /usr/bin/curl*", CURL, "deny 1" },
	{ "deny exe /usr/bin/curl?", CURL, "allow 0" },
	{ "deny exe /?", "exe=/\xc3\xa4", "deny 1" },
	{ "deny exe /??", "exe=/\xc3\xa4", "allow 0" },
	{ "deny exe /x,/usr/bin/curl", CURL, "deny 1" },
	{ "deny exe /x , /usr/bin/curl", CURL, "deny 1" },
	{ "deny exe \"/usr/bin/curl\"", CURL, "deny 1" },
	{ "deny exe \"/a,b\",\"/usr/bin/c*\"", CURL, "deny 1" },
	{ "deny exe \"/q\\\"\\\\\"", "exe=/q\"\\", "deny 1" },
	{ "deny exe /a#b", "exe=/a#b", "deny 1" },
	{ "deny exe /usr/bin/curl #,/x", CURL, "deny 1" },
	/* a program that is not known, or whose path is another root's (seen: enum exe_seen) */
	{ "deny exe *", "uid=1", "deny 1" },
	{ "deny exe /x port 443", "uid=1 dst=192.0.2.1:443", "deny 1" },
	{ "deny exe /x port 443", "uid=1 dst=192.0.2.1:80", "allow 0" },
	/* one of two interfaces that is not known */
	{ "deny iface a", "direction=forward ifacein=b iface=?", "deny 1" },
	{ "deny iface a", "direction=forward ifacein=? iface=b", "deny 1" },
	{ "deny iface a", "direction=forward ifacein=b iface=b", "allow 0" },
	{ "allow iface a\ndefault deny", "direction=forward ifacein=b iface=?", "deny 0" },
	{ "allow iface a\ndefault deny", "direction=forward ifacein=? iface=a", "deny 0" },
	{ "deny exe /x", "certainty=unknown", "allow 0" },
	{ "deny exe /x\nunattributed reject", "certainty=unknown", "reject 1" },
	{ "deny exe /x\nallow port 443\nunattributed deny", "certainty=unknown dst=192.0.2.1:443",
	  "deny 1" },
	{ "deny exe /x\nallow port 443\ndefault deny\nunattributed allow",
	  "certainty=unknown dst=192.0.2.1:443", "allow 2" },
	{ "deny exe /x\ndefault deny", "certainty=unknown reason=kernel", "allow 0" },
	{ "deny exe /x certain", "uid=1 certainty=inferred", "allow 0 +" },
	{ "deny exe /x certain", "uid=1", "deny 1" },
	{ "deny exe /x\nallow port 443", "uid=1 seen=5 dst=192.0.2.1:443", "deny 1" },
	{ "deny exe /x\nunreadable allow", "uid=1", "allow 0" },
	{ "deny exe /x\nunreadable allow\nreject user 1", "uid=1", "reject 3" },
	{ "deny exe /x\nunreadable reject", "uid=1", "reject 1" },
	{ "unreadable reject", "uid=1", "reject 0" },
	{ "unreadable reject", "exe=/x uid=1 seen=-1", "reject 0" },
	{ "unreadable reject", "exe=/x uid=1", "allow 0" },
	{ "unreadable reject", "exe=/x uid=1 seen=4", "allow 0" },
	{ "unreadable reject\nunattributed deny", "certainty=unknown", "deny 0" },
	{ "default deny\nunreadable allow", "uid=1", "allow 0" },
	{ "default deny\nunreadable allow", "exe=/x uid=1", "deny 0" },
	{ "default deny\nallow exe /x", "exe=/x seen=1", "allow 2" },
	{ "default deny\nallow exe /x", "exe=/x seen=2", "allow 2" },
	{ "default deny\nallow exe /x", "exe=/x seen=3", "deny 0" },
	{ "default deny\nallow exe /x", "exe=/x seen=4", "deny 0" },
	{ "default deny\nallow exe /x", "exe=/x seen=-1", "deny 0" },
	{ "default deny\nallow exe /*", "exe=/x/../y seen=-1", "deny 0" },
	{ "default deny\nallow not exe /y", "exe=/x seen=1", "allow 2" },
	{ "default deny\nallow not exe /y", "exe=/x seen=3", "deny 0" },
	{ "default deny\nallow not exe /y", "exe=/x seen=-1", "deny 0" },
	{ "default deny\nallow parent /x", "parent=/x", "allow 2" },
	{ "default deny\nallow parent /x", "parent=/x parentseen=4", "deny 0" },
	{ "default deny\nallow parent /x", "parent=/x parentthen=0", "deny 0" },
	{ "default deny\nallow not parent /y", "parent=/x parentthen=0", "deny 0" },
	{ "default deny\nallow parent unknown", "exe=/y parentthen=0", "allow 2" },
	{ "deny parent /x", "parent=/x parentthen=0", "deny 1" },
	/* who has no login user may take any */
	{ "default deny\nallow login-user 1001", "auid=1001", "allow 2" },
	{ "default deny\nallow login-user 1001", "auid=1001 loginproven=0", "deny 0" },
	{ "default deny\nallow not login-user 1002", "auid=1001 loginproven=0", "deny 0" },
	{ "deny login-user 1001", "auid=1001 loginproven=0", "deny 1" },
	/* groups: those that were read, the real one of a record, and those that could not be */
	{ "deny group 50", "groups=7,50", "deny 1" },
	{ "deny group 50", "groups=7", "allow 0" },
	{ "deny group 50", "groups=", "allow 0" },
	{ "deny group 7,50", "groups=50", "deny 1" },
	{ "deny not group 50", "groups=7", "deny 1" },
	{ "deny not group 50", "groups=7,50", "allow 0" },
	{ "deny group 50", "gid=50", "deny 1" },
	{ "deny group 50", "gid=7", "allow 0" },	/* nobody has asked */
	{ "deny group 50", "gid=50 groups=?", "deny 1" },
	{ "deny group 50", "gid=7 groups=?", "deny 1" },
	{ "deny not group 50", "gid=7 groups=?", "deny 1" },
	{ "deny not group 50", "gid=50 groups=?", "allow 0" },
	{ "deny group 50\nunreadable reject", "groups=?", "reject 1" },
	{ "deny group 50\nunreadable allow", "groups=?", "allow 0" },
	{ "deny group 50", "groups=? certainty=unknown", "allow 0" },
	{ "deny group 50\nunattributed deny", "groups=? certainty=unknown", "deny 1" },
	{ "default deny\nallow group 50", "groups=50", "allow 2" },
	{ "default deny\nallow group 50", "groups=?", "deny 0" },
	{ "default deny\nallow not group 50", "groups=?", "deny 0" },
	{ "default deny\nallow not group 50", "groups=7", "allow 2" },
	{ "deny group nobody-has", "groups=7", "allow 0" },
	{ "deny not group nobody-has", "groups=7", "deny 1" },
	{ "deny not group nobody-has,7", "groups=7", "allow 0" },
	{ "deny not group nobody-has", "groups=?", "deny 1" },
	{ "deny not group nobody-has", "gid=7", "deny 1" },	/* nobody has asked */
	{ "default deny\nallow not group nobody-has", "groups=7", "deny 0" },
	{ "observe deny not group nobody-has\ndeny exe *", "groups=7 exe=/x", "deny 2" },
	{ "deny exe /x", "exe=/x seen=3", "deny 1" },
	{ "deny exe /x", "exe=/x seen=4", "deny 1" },
	{ "deny exe /x", "exe=/x seen=-1", "deny 1" },
	{ "deny exe /x", "exe=/y seen=3", "allow 0" },
	{ "deny exe /x", "exe=/y seen=4", "deny 1" },
	{ "deny exe /x", "exe=/y seen=-1", "deny 1" },
	{ "deny exe /x\nunreadable allow", "exe=/x seen=-1", "deny 1" },
	{ "deny not exe /x", "exe=/x seen=1", "allow 0" },
	{ "deny not exe /x", "exe=/x seen=3", "deny 1" },
	{ "deny not exe /x", "exe=/x seen=4", "deny 1" },
	{ "deny not exe /x", "exe=/x seen=-1", "deny 1" },
	{ "deny exe unknown", "exe=/x", "allow 0" },
	{ "deny exe unknown", "exe=/x seen=-1", "deny 1" },
	{ "deny exe unknown", "uid=1 seen=5", "deny 1" },
	{ "deny exe unknown", "exe=/x seen=3", "allow 0" },
	{ "deny exe other", "exe=/x seen=3", "deny 1" },
	{ "deny exe other,unknown", "exe=/x seen=4", "deny 1" },
	{ "deny exe other", "exe=/x seen=2", "allow 0" },
	{ "default deny\nallow exe other", "exe=/x seen=3", "allow 2" },
	{ "default deny\nallow not exe unknown", "uid=1", "deny 0" },
	{ "default deny\nallow not exe unknown", "exe=/x", "allow 2" },
	{ "deny exe /usr/bin/curl\r\n", CURL, "deny 1" },
	{ "\tdeny\texe\t/usr/bin/curl\t", CURL, "deny 1" },
	/* the other texts */
#include "policy-words.inc"
	{ "deny comm curl", CURL, "deny 1" },
	{ "deny comm c*", CURL, "deny 1" },
	{ "deny comm wget", CURL, "allow 0" },
	{ "deny comm comm", "comm=comm", "deny 1" },
	{ "deny parent /bin/bash", CURL, "deny 1" },
	{ "deny parent /bin/zsh", CURL, "allow 0" },
	{ "deny parent *", "exe=/x", "deny 1" },
	{ "deny unit session-*.scope", CURL, "deny 1" },
	{ "deny unit session-3", CURL, "allow 0" },
	{ "deny container web", CURL, "deny 1" },
	{ "deny container db", CURL, "allow 0" },
	/* behind a slash stands what somebody named in a group of its own */
	{ "deny unit a.service", "unit=user@1.service/app.slice/a.service", "allow 0" },
	{ "deny unit *a.service", "unit=user@1.service/a.service", "allow 0" },
	{ "deny unit user@1.service", "unit=user@1.service/app.slice/a.service", "deny 1" },
	{ "deny unit user@*", "unit=user@1.service/app.slice/a.service", "deny 1" },
	{ "deny unit user@1.service/*/a.service", "unit=user@1.service/app.slice/a.service",
	  "deny 1" },
	{ "deny unit user@1.service/b.service", "unit=user@1.service/a.service", "allow 0" },
	{ "deny not unit a.service", "unit=user@1.service/a.service", "deny 1" },
	{ "deny not unit user@1.service", "unit=user@1.service/a.service", "allow 0" },
	{ "deny unit x.scope", "unit=x.scope/a.service", "deny 1" },
	{ "deny unit *", "unit=web/a.service", "allow 0" },
	{ "deny not unit a.service", "unit=web/a.service", "allow 0" },
	{ "deny unit web/a.service", "unit=web/a.service", "deny 1" },
	{ "deny container web", "container=user@1.service/web", "allow 0" },
	{ "deny container *", "container=user@1.service/web", "allow 0" },
	{ "deny not container x", "container=user@1.service/web", "allow 0" },
	{ "deny container user@1.service/*", "container=user@1.service/web", "deny 1" },
	{ "deny container web-1", "container=web\\x2d1", "deny 1" },
	{ "deny container web\\x2d1", "container=web\\x2d1", "deny 1" },
	{ "deny container web-*", "container=web\\x2d1", "deny 1" },
	{ "deny container web-1", "container=web\\x2", "allow 0" },
	{ "deny container web-1", "container=web\\x2g1", "allow 0" },
	{ "deny not container web-1", "container=web\\x2d1", "allow 0" },
	{ "deny unit a-b.service", "unit=a\\x2db.service/c.service", "deny 1" },
	{ "deny container web/1", "container=web\\x2f1", "deny 1" },
	{ "deny container user@1.service/web", "container=user@1.service/web", "deny 1" },
	{ "deny node here", CURL, "deny 1" },
	{ "deny node there,here", CURL, "deny 1" },
	{ "deny node there", CURL, "allow 0" },
	/* users */
	{ "deny user alice", CURL, "deny 1" },
	{ "deny user 1000", CURL, "deny 1" },
	{ "deny user bob", CURL, "allow 0" },
	{ "deny user 1001", CURL, "allow 0" },
	{ "deny user al*", CURL, "deny 1" },
	{ "deny user bob,1000", CURL, "deny 1" },
	{ "deny user 0", "uid=0", "deny 1" },
	{ "deny user root", "uid=0", "allow 0" },
	{ "deny user 4294967294", "uid=4294967294", "deny 1" },
	{ "deny login-user bob", CURL, "deny 1" },
	{ "deny login-user 1001", CURL, "deny 1" },
	{ "deny login-user alice", CURL, "allow 0" },
	{ "deny login-user 0", "uid=0", "allow 0" },
	/* protocol and direction */
	{ "deny proto tcp", CURL, "deny 1" },
	{ "deny proto TCP", CURL, "deny 1" },
	{ "deny proto 6", CURL, "deny 1" },
	{ "deny proto udp,sctp", CURL, "allow 0" },
	{ "deny proto tcp", "exe=/x", "allow 0" },
	{ "deny direction out", CURL, "deny 1" },
	{ "deny direction in", CURL, "allow 0" },
	{ "deny direction in,forward", CURL " direction=forward", "deny 1" },
	/* addresses */
	{ "deny dst 192.0.2.1", CURL, "deny 1" },
	{ "deny dst 192.0.2.0/24", CURL, "deny 1" },
	{ "deny dst 192.0.2.2", CURL, "allow 0" },
	{ "deny src 192.0.2.1", CURL, "allow 0" },
	{ "deny src 10.0.0.0/8", CURL, "deny 1" },
	{ "deny dst ::/0", CURL, "allow 0" },
	{ "deny dst 0.0.0.0/0", CURL, "deny 1" },
	{ "deny dst ::ffff:192.0.2.1", CURL, "deny 1" },
	{ "deny dst ::ffff:192.0.2.0/120", CURL, "deny 1" },
	{ "deny dst ::ffff:192.0.3.0/120", CURL, "allow 0" },
	{ "deny dst 192.0.2.1", "dst=[::ffff:192.0.2.1]:443", "deny 1" },
	{ "deny dst 2001:db8::/32,192.0.2.7", "dst=[2001:db8::1]:443", "deny 1" },
	{ "deny dst 0.0.0.0/0,::/0", "exe=/x", "allow 0" },
	{ "deny address 192.0.2.1", CURL, "deny 1" },
	{ "deny address 10.0.0.1", CURL, "allow 0" },
	{ "deny address 192.0.2.1", CURL " direction=in", "allow 0" },
	{ "deny address 10.0.0.1", CURL " direction=in", "deny 1" },
	{ "deny address 192.0.2.1", CURL " direction=forward", "deny 1" },
	{ "deny address 10.0.0.0/8", CURL " direction=forward", "allow 0" },
	/* ports */
	{ "deny port 443", CURL, "deny 1" },
	{ "deny port 443", CURL " direction=in", "deny 1" },
	{ "deny dport 443", CURL, "deny 1" },
	{ "deny dport 400-442,444", CURL, "allow 0" },
	{ "deny dport 400-443", CURL, "deny 1" },
	{ "deny dport 443-500", CURL, "deny 1" },
	{ "deny dport 40000", CURL, "allow 0" },
	{ "deny sport 40000", CURL, "deny 1" },
	{ "deny sport 0-39999,40001-65535", CURL, "allow 0" },
	{ "deny port 0", "dst=192.0.2.1:0", "deny 1" },
	{ "deny port 0-65535", "dst=192.0.2.1", "allow 0" },
	/* what is hidden satisfies all that denies, and nothing that allows */
	{ "reject port 80", CURL " unreadable=1", "reject 1" },
	{ "reject port 80", CURL " unreadable=0", "allow 0" },
	{ "deny sport 1", CURL " unreadable=1", "deny 1" },
	{ "deny proto udp", CURL " unreadable=1", "deny 1" },
	{ "deny dst 198.51.100.1", CURL " unreadable=1", "deny 1" },
	{ "deny address 198.51.100.1", CURL " unreadable=1", "deny 1" },
	{ "deny address 198.51.100.1", CURL " direction=in unreadable=1", "allow 0" },
	{ "deny src 198.51.100.1", CURL " unreadable=1", "allow 0" },
	{ "deny not port 443", CURL " unreadable=1", "deny 1" },
	{ "deny port 80 exe /usr/bin/wget", CURL " unreadable=1", "allow 0" },
	{ "allow port 443\ndefault deny", CURL " unreadable=1", "deny 0" },
	{ "allow proto tcp\ndefault deny", CURL " unreadable=1", "deny 0" },
	{ "allow not port 80\ndefault deny", CURL " unreadable=1", "deny 0" },
	{ "allow dst 192.0.2.1\ndefault deny", CURL " unreadable=1", "deny 0" },
	{ "allow exe /usr/bin/curl\ndefault deny", CURL " unreadable=1", "allow 1" },
	{ "reject port 80\nallow direction out", "proto=43 unreadable=1", "reject 1" },
	/* not; and unknown satisfies neither */
	{ "deny not exe /usr/bin/curl", CURL, "allow 0" },
	{ "deny not exe /usr/bin/wget", CURL, "deny 1" },
	{ "deny not exe /usr/bin/wget", "uid=1", "deny 1" },
	{ "deny not exe /x,/usr/bin/curl", CURL, "allow 0" },
	{ "deny not exe /x,/y", CURL, "deny 1" },
	{ "deny not user bob,33", "uid=1000", "allow 0" },
	{ "deny not user bob,33", "uid=33", "allow 0" },
	{ "deny not user bob,33", CURL, "deny 1" },
	{ "deny not container x", "exe=/x", "allow 0" },
	{ "deny not dst 10.0.0.0/8", CURL, "deny 1" },
	{ "deny not dst 10.0.0.0/8", "exe=/x", "allow 0" },
	{ "deny not port 443", CURL, "allow 0" },
	{ "deny not port 80", "exe=/x", "allow 0" },
	{ "deny not proto udp", "exe=/x", "allow 0" },
	{ "deny not direction in", CURL, "deny 1" },
	{ "deny dst 192.0.2.0/24 not dst 192.0.2.1 not dst 192.0.2.2", CURL, "allow 0" },
	{ "deny dst 192.0.2.0/24 not dst 192.0.2.2 not dst 192.0.2.3", CURL, "deny 1" },
	{ "deny exe /usr/bin/curl not exe /usr/bin/wget", CURL, "deny 1" },
	/* all of a rule; the first of rules */
	{ "deny exe /usr/bin/curl user alice port 443", CURL, "deny 1" },
	{ "deny exe /usr/bin/curl user bob port 443", CURL, "allow 0" },
	{ "deny exe /usr/bin/curl port 443 user bob", CURL, "allow 0" },
	{ "allow user alice\ndeny exe /usr/bin/curl", CURL, "allow 1" },
	{ "deny user bob\nreject exe /usr/bin/curl\nallow exe *", CURL, "reject 2" },
	{ "default deny\n\n# the one\nallow port 443\nreject port 443", CURL, "allow 4" },
	/* certain */
	{ "allow certain\ndefault deny", CURL, "allow 1" },
	{ "allow certain\ndefault deny", "certainty=inferred", "deny 0 +" },
	{ "allow certain\nunattributed deny", "certainty=unknown", "deny 0 +" },
	{ "allow exe /usr/bin/curl certain\ndefault deny", CURL, "allow 1" },
	{ "allow exe /usr/bin/curl certain\ndefault deny", CURL " certainty=inferred", "deny 0 +" },
	{ "allow certain exe /usr/bin/curl\ndeny port 443", CURL " certainty=inferred",
	  "deny 2 +" },
	{ "allow exe /bin/x certain\ndefault deny", CURL " certainty=inferred", "deny 0" },
	{ "allow exe /usr/bin/curl certain\ndefault deny", "certainty=unknown", "deny 0" },
	{ "deny port 443\nallow certain", CURL " certainty=inferred", "deny 1" },
	{ "deny port 80\nreject certain port 443\nallow port 443\ndeny certain",
	  CURL " certainty=inferred", "allow 3 +" },
	{ "reject certain not exe /usr/bin/wget", CURL " certainty=inferred", "allow 0 +" },
	{ "reject certain not exe /usr/bin/wget", CURL, "reject 1" },
};

static void test_decide(void)
{
	for (size_t i = 0; i < sizeof(decided) / sizeof(decided[0]); i++) {
		char buf[512], got[64];
		struct policy_answer a;
		struct connection c;
		unsigned int count;
		struct policy *p;

		if (parse(decided[i].policy, strlen(decided[i].policy), &count, &p)) {
			tap_ok(false, "policy %zu", i + 1);
			tap_note("%s", complaints);
			continue;
		}
		snprintf(buf, sizeof(buf), "%s", decided[i].connection);
		describe(&c, buf);
		policy_decide(p, &c, &a);
		snprintf(got, sizeof(got), "%s %d%s", policy_verdict_word(a.verdict), a.line,
			 a.wants_certain ? " +" : "");
		if (!tap_ok(!strcmp(got, decided[i].wanted), "policy %zu: %.*s: %s", i + 1,
			    (int)strcspn(decided[i].policy, "\r\n#"), decided[i].policy,
			    decided[i].wanted))
			tap_note("got %s by '%s' for %s", got, a.rule, decided[i].connection);
		policy_free(p);
	}
}

#define FILE_OF(literal) literal, sizeof(literal) - 1

static const struct {
	const char *text;
	size_t len;
	const char *where;	/* "LINE:COLUMN:PIECE OF THE MESSAGE" for each mistake */
} bad[] = {
	/* how a line begins */
	{ FILE_OF("permit exe /x\n"), "1:1:begins with allow, deny" },
	{ FILE_OF("  exe /x"), "1:3:begins with" },
	{ FILE_OF("Allow exe /x"), "1:1:begins with" },
	{ FILE_OF("\"allow\" exe /x"), "1:1:begins with" },
	{ FILE_OF(", allow"), "1:1:begins with" },
	{ FILE_OF("observe"), "1:8:'observe' is for rules that deny" },
	{ FILE_OF("observe allow port 1"), "1:9:'observe' is for rules that deny" },
	{ FILE_OF("observe deny"), "1:13:nothing to match" },
	{ FILE_OF("observe observe deny port 1"), "1:9:'observe' is for" },
	{ FILE_OF("default observe deny"), "1:9:verdict was expected" },
	{ FILE_OF("allow"), "1:6:nothing to match; 'default allow'" },
	{ FILE_OF("deny # all\n"), "1:6:nothing to match; 'default deny'" },
	/* defaults */
	{ FILE_OF("default"), "1:8:verdict was expected" },
	{ FILE_OF("default maybe"), "1:9:verdict was expected" },
	{ FILE_OF("default \"deny\""), "1:9:verdict was expected" },
	{ FILE_OF("default deny exe /x"), "1:14:nothing can follow 'default'" },
	{ FILE_OF("default deny, allow"), "1:13:nothing can follow" },
	{ FILE_OF("default deny\n\ndefault deny"), "3:1:'default' already stands in line 1" },
	{ FILE_OF("unattributed no\nunattributed deny x"),
	  "1:14:verdict was expected\n2:1:already stands in line 1\n"
	  "2:19:nothing can follow 'unattributed'" },
	/* matches */
	{ FILE_OF("allow program /x"), "1:7:unknown match 'program'" },
	{ FILE_OF("allow \"exe\" /x"), "1:7:unknown match 'exe'" },
	{ FILE_OF("allow exe /x /y"), "1:14:unknown match '/y'" },
	{ FILE_OF("allow bogus /x user a wrong b port 99999"),
	  "1:7:unknown match 'bogus'\n1:23:unknown match 'wrong'\n1:36:'99999' is neither a port" },
	{ FILE_OF("allow b\xc3\xa4 x"), "1:7:unknown match 'b?\?'" },
	{ FILE_OF("allow an-unknown-match-that-is-longer-than-anybody-would-write x"),
	  "1:7:'an-unknown-match-that-is-longer-than-anybody...'" },
	{ FILE_OF("allow ,"), "1:7:match was expected" },
	{ FILE_OF("allow not"), "1:10:match was expected" },
	{ FILE_OF("allow not not exe /x"), "1:11:unknown match 'not'" },
	{ FILE_OF("allow not certain exe /x"), "1:11:cannot be negated" },
	{ FILE_OF("allow certain exe /x certain"), "1:22:stands twice" },
	{ FILE_OF("allow port 1 dport 2"), "1:14:once more" },
	{ FILE_OF("allow exe /x user a exe /y"), "1:21:once more" },
	/* values that are missing */
	{ FILE_OF("allow exe"), "1:10:value is missing" },
	{ FILE_OF("allow exe /x,"), "1:14:value is missing" },
	{ FILE_OF("allow exe ,/x"), "1:11:value is missing" },
	{ FILE_OF("allow exe /x,,/y"), "1:14:value is missing" },
	{ FILE_OF("allow exe /x, # /y"), "1:15:value is missing" },
	{ FILE_OF("allow unit \"\""), "1:12:is empty" },
	/* quotes */
	{ FILE_OF("allow exe \"/x"), "1:11:not closed" },
	{ FILE_OF("allow exe \"/x\\\""), "1:11:not closed" },
	{ FILE_OF("allow exe \"/x\"y"), "1:15:behind the closing quote" },
	{ FILE_OF("allow exe /x\"y\""), "1:13:only begin a word" },
	{ FILE_OF("\"allow"), "1:1:not closed" },
	{ FILE_OF("default \"deny"), "1:9:not closed" },
	{ FILE_OF("default deny \"x"), "1:14:not closed" },
	{ FILE_OF("allow not \"x"), "1:11:not closed" },
	/* values that are none */
	{ FILE_OF("allow exe curl"), "1:11:'curl' is not an absolute path" },
	{ FILE_OF("allow parent bash,/x,./y"), "1:14:absolute path\n1:22:absolute path" },
	{ FILE_OF("allow comm sixteen-letters-"), "1:12:longer than a process's name" },
	{ FILE_OF("allow ancestor bash,/x"), "1:16:absolute path" },
	{ FILE_OF("allow iface sixteen-letters-"), "1:13:longer than an interface's" },
	{ FILE_OF("allow name 192.0.2.1,x,2001:db8::1"), "1:12:is an address\n1:24:is an address" },
	{ FILE_OF("allow name " HASH("a") HASH("a") HASH("a") HASH("a")),
	  "1:12:than a name can be" },
	{ FILE_OF("allow cmdline"), "1:14:value is missing" },
	{ FILE_OF("allow cmdline \"\""), "1:15:is empty" },
	{ FILE_OF("allow user 4294967295"), "1:12:no user id" },
	{ FILE_OF("allow user 99999999999"), "1:12:no user id" },
	{ FILE_OF("allow login-user 1,4294967296"), "1:20:no user id" },
	{ FILE_OF("allow group 4294967295"), "1:13:no group id" },
	{ FILE_OF("allow group wheel,st*"), "1:19:'st*' is a pattern" },
	{ FILE_OF("allow proto carrier-pigeon"), "1:13:no protocol" },
	{ FILE_OF("allow proto tcp,263"), "1:17:no protocol" },
	{ FILE_OF("allow direction sideways"), "1:17:no direction" },
	{ FILE_OF("allow address example.org"), "1:15:neither ADDR nor" },
	{ FILE_OF("allow src 192.0.2.0/33"), "1:11:neither ADDR nor" },
	{ FILE_OF("allow dst 2001:db8::/129,192.0.2.256"), "1:11:neither ADDR\n1:26:neither ADDR" },
	{ FILE_OF("allow port 1 until"), "1:19:a time is missing" },
	{ FILE_OF("allow port 1 until tomorrow user"), "1:20:'tomorrow' is no time\n1:33:value" },
	{ FILE_OF("allow port 1 until 10m"), "1:20:'10m' is no time, as in 2030" },
	{ FILE_OF("allow port 1 until 2030-02-30"), "1:20:'2030-02-30' is no time" },
	{ FILE_OF("allow port 1 for 0h"), "1:18:'0h' is no time, as in 30m" },
	{ FILE_OF("allow for 12 port 1"), "1:11:'12' is no time" },
	{ FILE_OF("allow for 12 for 2d"), "1:11:'12' is no time" },
	{ FILE_OF("allow port 1 for 1h until 2030-01-31 for 2h"), "1:38:'for' stands twice" },
	{ FILE_OF("allow port 1 not until 2030-01-31"), "1:18:cannot be negated" },
	{ FILE_OF("allow sha256 " HASH16("1")), "1:14:is no SHA-256: 64 hex" },
	{ FILE_OF("allow sha256 " HASH("1") "1"), "1:14:is no SHA-256: more" },
	{ FILE_OF("allow sha256 " HASH("g")), "1:14:is no SHA-256: 64 hex" },
	{ FILE_OF("allow sha256"), "1:13:value is missing" },
	{ FILE_OF("allow verified yes"), "1:16:unknown match 'yes'" },
	{ FILE_OF("allow verified verified"), "1:16:'verified' stands twice" },
	{ FILE_OF("allow list x"), "1:12:'x' is not an absolute path" },
	{ FILE_OF("allow list"), "1:11:value is missing" },
	{ FILE_OF("allow port http"), "1:12:neither a port" },
	{ FILE_OF("allow sport 65536"), "1:13:neither a port" },
	{ FILE_OF("allow dport 89-80"), "1:13:'89-80' is neither a port" },
	{ FILE_OF("allow port -80,80-,1-2-3"), "1:12:neither\n1:16:neither\n1:20:neither" },
	/* bytes */
	{ FILE_OF("allow exe /\033[31m"), "1:12:control byte 0x1b" },
	{ FILE_OF("allow prt 7\x01"), "1:12:control byte 0x01" },
	{ FILE_OF("allow exe /x\0y\n"), "1:13:control byte 0x00" },
	{ FILE_OF("allow exe /x\r\rdeny"), "1:13:control byte 0x0d" },
	{ FILE_OF("# \x7f"), "1:3:control byte 0x7f" },
	/* all of them */
	{ FILE_OF("allow exe /x\nnonsense\n\ndeny port x\ndefault\nreject\n"),
	  "2:1:begins with\n4:11:neither a port\n5:8:verdict\n6:7:nothing to match" },
};

static void test_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct policy *p;
		unsigned int count;
		int rc = parse(bad[i].text, bad[i].len, &count, &p);

		if (!tap_ok(rc == -EINVAL && !p && count && complaints_are(bad[i].where),
			    "mistake %zu: %.*s", i + 1, (int)strcspn(bad[i].where, "\n"),
			    bad[i].where))
			tap_note("returned %d: %s", rc, complaints);
		policy_free(p);
	}
}

/* A line of `head` and n times `piece`, and what comes of it. */
static int parse_repeated(const char *head, const char *piece, int n, unsigned int *count)
{
	size_t each = strlen(piece), len = strlen(head);
	char *text = malloc(len + each * (size_t)n + 1);
	struct policy *p;
	int rc;

	strcpy(text, head);
	for (int i = 0; i < n; i++, len += each)
		memcpy(text + len, piece, each);
	rc = parse(text, len, count, &p);
	policy_free(p);
	free(text);
	return rc;
}

static void test_limits(void)
{
	unsigned int count;
	int rc;

	tap_ok(!parse_repeated("deny port 1", ",2", 255, &count), "256 values");
	rc = parse_repeated("deny port 1", ",2", 300, &count);
	tap_ok(rc == -EINVAL && count == 1 && complaints_are("1:523:more than 256 values"),
	       "257 are told, once");
	tap_ok(!parse_repeated("deny unit ", "x", 4086, &count), "a line of 4096 bytes");
	rc = parse_repeated("deny unit ", "x", 4087, &count);
	tap_ok(rc == -EINVAL && count == 1 && complaints_are("1:4097:too long"), "but not of 4097");
	tap_ok(!parse_repeated("", "deny port 1\n", 10000, &count), "10000 rules");
	rc = parse_repeated("", "deny port 1\n", 10001, &count);
	tap_ok(rc == -EINVAL && count == 1 && complaints_are("10001:1:more than 10000 rules"),
	       "but not 10001");
	tap_ok(!parse_repeated("", "#", 0, &count), "an empty file");
}

static int64_t number_of(void *arg, const char *name, bool group)
{
	(void)arg;
	if (group)
		return !strcmp(name, "staff") ? 50 : -1;
	return !strcmp(name, "alice") ? 1000 : !strcmp(name, "root") ? 0 : -1;
}

/* Names that were looked up: the number decides, and the name where no number is known. */
static void test_named_users(void)
{
	static const struct { const char *policy, *connection; bool denied; } table[] = {
		{ "deny user alice", "uid=1000", true },
		{ "deny user alice", "uid=1000 user=bob", true },
		{ "deny user alice", "uid=1001 user=alice", false },
		{ "deny user alice", "user=alice", true },
		{ "deny user alice", "user=bob", false },
		{ "deny user root", "uid=0", true },
		{ "deny user root", "user=root", true },
		{ "deny user 0", "user=root", false },
		{ "deny user mallory", "uid=1001 user=mallory", true },
		{ "deny user mallory", "uid=1001", false },
		{ "deny user al*", "uid=1000", false },
		{ "deny group staff", "groups=7,50", true },
		{ "deny group staff", "groups=1000", false },
		{ "deny group alice", "groups=1000", false },
		{ "deny login-user alice", "auid=1000", true },
		{ "deny login-user alice", "login=alice", true },
		{ "deny login-user alice", "uid=1000", false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct policy_answer a;
		struct connection c;
		unsigned int count;
		struct policy *p;
		char buf[64];

		parse(table[i].policy, strlen(table[i].policy), &count, &p);
		policy_number_users(p, number_of, NULL);
		snprintf(buf, sizeof(buf), "%s", table[i].connection);
		describe(&c, buf);
		policy_decide(p, &c, &a);
		tap_ok((a.verdict == VERDICT_DROP) == table[i].denied, "'%s' with %s: %s",
		       table[i].policy, table[i].connection, table[i].denied ? "yes" : "no");
		policy_free(p);
	}
}

/* /bin is a link to /usr/bin, and a tool one to its version. */
static char *real_path(const char *path)
{
	return strdup(!strcmp(path, "/bin") ? "/usr/bin" :
		      !strcmp(path, "/opt/tool") ? "/opt/tool-1.2/tool" : path);
}

/* What a rule calls a program and what it is called by the kernel, which follows links. */
static void test_links(void)
{
	static const struct { const char *policy, *connection; bool denied; } table[] = {
		{ "deny exe /opt/tool", "exe=/opt/tool-1.2/tool", true },
		{ "deny exe /opt/tool", "exe=/opt/tool-1.2/other", false },
		{ "deny exe /bin/*sh", "exe=/usr/bin/bash", true },
		{ "deny exe /bin/*sh", "exe=/usr/bin/curl", false },
		{ "deny exe /usr/bin/curl", "exe=/usr/bin/curl", true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct policy_answer a;
		struct connection c;
		unsigned int count;
		struct policy *p;
		char buf[64];

		parse(table[i].policy, strlen(table[i].policy), &count, &p);
		policy_resolve_paths(p, real_path);
		snprintf(buf, sizeof(buf), "%s", table[i].connection);
		describe(&c, buf);
		policy_decide(p, &c, &a);
		tap_ok((a.verdict == VERDICT_DROP) == table[i].denied, "links: '%s' with %s: %s",
		       table[i].policy, table[i].connection, table[i].denied ? "yes" : "no");
		policy_free(p);
	}
}

/* What must be known of a process before the verdict. */
static void test_needs(void)
{
	static const struct { const char *policy; bool process, full, names, groups; } table[] = {
		{ "deny group 7", true, false, false, true },
		{ "deny port 1\nallow port 2 not group x", true, false, false, true },
		{ "default deny", false, false, false, false },
		{ "deny proto tcp", false, false, false, false },
		{ "deny direction out", false, false, false, false },
		{ "deny address ::1", false, false, false, false },
		{ "deny src ::1", false, false, false, false },
		{ "deny dst ::1", false, false, false, false },
		{ "deny list /x", false, false, false, false },
		{ "deny sport 1", false, false, false, false },
		{ "deny port 1", false, false, false, false },
		{ "deny node x", false, false, false, false },
		{ "deny port 1 certain", true, false, false, false },
		{ "deny port 1 certain\ndeny port 2", true, false, false, false },
		{ "deny port 1\ndeny port 2 certain", true, false, false, false },
		{ "deny exe /x", true, false, false, false },
		{ "deny port 1 exe /x", true, false, false, false },
		{ "deny comm x", true, false, false, false },
		{ "deny cmdline x", true, true, false, false },
		{ "deny ancestor /x", true, true, false, false },
		{ "deny iface x", true, false, false, false },
		{ "deny name x", true, false, false, false },
		{ "deny parent /x", true, true, false, false },
		{ "deny unit x", true, true, false, false },
		{ "deny container x", true, true, false, false },
		{ "deny user 7", true, true, false, false },
		{ "deny user x", true, true, true, false },
		{ "deny user 7,x", true, true, true, false },
		{ "deny user alice", true, true, false, false },
		{ "deny user al*", true, true, true, false },
		{ "deny port 1 user x", true, true, true, false },
		{ "deny login-user 7", true, true, false, false },
		{ "deny login-user x", true, true, true, false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		unsigned int count;
		struct policy *p;

		parse(table[i].policy, strlen(table[i].policy), &count, &p);
		policy_number_users(p, number_of, NULL);
		tap_ok(policy_needs_process(p) == table[i].process &&
			       policy_needs_groups(p) == table[i].groups &&
			       policy_needs_full_process(p) == table[i].full &&
			       policy_needs_user_names(p) == table[i].names,
		       "what '%s' must know", table[i].policy);
		policy_free(p);
	}
}

/* What stands above a rule and behind it. */
static const struct {
	const char *policy, *comment;
} comments[] = {
	{ "deny port 1", NULL },
	{ "deny port 1 #", NULL },
	{ "deny port 1 # why", "why" },
	{ "# why\ndeny port 1", "why" },
	{ "#why \r\n\t##  so\r\ndeny port 1 # there\r", "why so there" },
	{ "# a title\n\n# why\ndeny port 1", "why" },
	{ "# why\n\ndeny port 1", NULL },
	{ "# why\ndefault deny # x\ndeny port 1", NULL },
	{ "deny port 2 # x\ndeny port 1", NULL },
	{ "#\n#\n# why\n#\ndeny port 1", "why" },
	{ "deny unit \"a#b\" # b", "b" },
};

static void test_comments(void)
{
	char text[2000], line[200];
	unsigned int count;
	struct policy *p;

	for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++) {
		const char *got, *want = comments[i].comment;

		parse(comments[i].policy, strlen(comments[i].policy), &count, &p);
		got = policy_comment(p, policy_rule_count(p) - 1);
		if (!tap_ok(got && want ? !strcmp(got, want) : got == want, "comment %zu: %s",
			    i + 1, want ? want : "none"))
			tap_note("got '%s'", got ? got : "none");
		policy_free(p);
	}
	memset(line, 'x', sizeof(line) - 1);
	line[199] = '\0';
	snprintf(text, sizeof(text), "# %s\n# %s\n# %s\ndeny port 1 # y", line, line, line);
	parse(text, strlen(text), &count, &p);
	tap_ok(strlen(policy_comment(p, 0)) == 399, "of a long one the first lines");
	policy_free(p);
}

/* Who hides its program does not pass by a rule on trial. */
static void test_observe_hidden(void)
{
	const char text[] = "observe deny exe /usr/bin/x\ndefault deny";
	struct policy_answer a;
	struct connection c;
	unsigned int count;
	struct policy *p;

	parse(text, strlen(text), &count, &p);
	connection_init(&c);
	c.certainty = CERTAINTY_CERTAIN;
	c.process.exe_seen = EXE_UNREADABLE;
	policy_decide(p, &c, &a);
	tap_ok(a.verdict == VERDICT_DROP && !a.observe, "nor does who hides its program");
	policy_free(p);
}

static void test_observe(void)
{
	const char text[] = "observe deny port 1\nobserve reject port 2 user 0\ndeny port 1-2";
	struct policy_answer a;
	struct connection c;
	unsigned int count;
	struct policy *p;
	char buf[] = "dst=192.0.2.1:1", other[] = "dst=192.0.2.1:2";

	parse(text, strlen(text), &count, &p);
	describe(&c, buf);
	policy_decide(p, &c, &a);
	tap_ok(a.verdict == VERDICT_DROP && a.observe && a.line == 1 &&
	       !strcmp(a.rule, "observe deny port 1"), "a rule that observes lets pass");
	describe(&c, other);
	policy_decide(p, &c, &a);
	tap_ok(a.verdict == VERDICT_DROP && !a.observe && a.line == 3, "no other does");
	policy_free(p);
}

static void test_own(void)
{
	char text[] = "  deny exe /usr/bin/* , \"/opt/a b\"   # why\n";
	char buf[] = "exe=/usr/bin/x";
	struct policy_answer a;
	struct connection c;
	unsigned int count;
	struct policy *p;

	parse(text, strlen(text), &count, &p);
	memset(text, 'x', strlen(text));
	describe(&c, buf);
	policy_decide(p, &c, &a);
	tap_ok(a.verdict == VERDICT_DROP && !strcmp(a.rule, "deny exe /usr/bin/* , \"/opt/a b\""),
	       "the policy owns its texts, and a rule is told as written");
	c.process.exe = text_of("/opt/a b");
	policy_decide(p, &c, &a);
	tap_ok(a.line == 1, "a blank in quotes");
	c.process.exe = text_of("/opt/a");
	policy_decide(p, &c, &a);
	tap_ok(a.line == 0 && !strcmp(a.rule, "default"), "a default's name");
	c.process.exe = TEXT_NONE;
	c.certainty = CERTAINTY_UNKNOWN;
	policy_decide(p, &c, &a);
	tap_ok(a.line == 0 && !strcmp(a.rule, "unattributed"), "the other default's name");
	c.text[CONNECTION_REASON] = text_of("kernel");
	policy_decide(p, &c, &a);
	tap_ok(a.line == 0 && !strcmp(a.rule, "kernel"), "what no default is for");
	c.text[CONNECTION_REASON] = TEXT_NONE;
	tap_ok(policy_rule_count(p) == 1 && policy_default(p, true) == VERDICT_ACCEPT &&
	       policy_default(p, false) == VERDICT_ACCEPT, "what a policy says of itself");
	c.process.exe = (struct text){ "/usr/bin/\0", 10 };
	policy_decide(p, &c, &a);
	tap_ok(a.line == 1, "any byte may be in a path");
	policy_free(p);
	policy_free(NULL);
}

int main(void)
{
	test_decide();
	test_bad();
	test_limits();
	test_named_users();
	test_links();
	test_needs();
	test_comments();
	test_observe();
	test_observe_hidden();
	test_own();
	return tap_done();
}
