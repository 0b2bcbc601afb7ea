/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger's schema, and the view `connections`.
 *
 *   connection --process--> process --exe, comm, ...--> text
 *        \---src, dst, reason, rule-------------------> text
 *
 * A connection is a handful of small integers; what repeats stands once.
 */
#include "db.h"
#include "ledger_schema.h"
#include "process.h"
#include "protocol.h"

/* A path that names another file here must not pass for the one that it names. */
#define EXE_COLUMN " texe.text || iif(p.exe_seen IN (3, 4), '" EXE_OTHER_SUFFIX "', '')"

#define SELECT_COLUMNS                                                                        \
	"strftime('%Y-%m-%dT%H:%M:%S', c.time / 1000000, 'unixepoch') ||"                     \
	" printf('.%06dZ', c.time % 1000000) AS time,"                                        \
	" CASE c.direction WHEN 1 THEN 'out' WHEN 2 THEN 'in' WHEN 3 THEN 'forward' END"      \
	" AS direction,"                                                                      \
	" " PROTOCOL_SQL("c.proto") " AS proto,"                                              \
	" tsrc.text AS src, c.sport AS sport, tdst.text AS dst, c.dport AS dport,"            \
	" p.pid AS pid,"                                                                      \
	" strftime('%Y-%m-%dT%H:%M:%S', p.start / 1000000, 'unixepoch') ||"                   \
	" printf('.%06dZ', p.start % 1000000) AS start_time,"                                 \
	" tcomm.text AS comm," EXE_COLUMN " AS exe, tcmdline.text AS cmdline, tcwd.text AS cwd,"  \
	" p.ppid AS ppid, tparent.text AS parent_exe,"                                        \
	" p.uid AS uid, tuser.text AS user, p.auid AS auid, tlogin.text AS login_user,"       \
	" p.session AS session, p.netns AS netns,"                                            \
	" tcontainer.text AS container, tunit.text AS unit, tnode.text AS node,"              \
	" nullif(rtrim(iif(c.evidence & 1, 'audit,', '') || iif(c.evidence & 2, 'fd,', '')"   \
	" || iif(c.evidence & 4, 'bind,', '') || iif(c.evidence & 8, 'inode,', '')"           \
	" || iif(c.evidence & 16, 'proc-syscall,', '') || iif(c.evidence & 32, 'trace,', '')" \
	" || iif(c.evidence & 64, 'trace-call,', ''), ','), '') AS evidence,"                 \
	" CASE c.certainty WHEN 1 THEN 'unknown' WHEN 2 THEN 'inferred'"                      \
	" WHEN 3 THEN 'certain' END AS certainty,"                                            \
	" ifnull(treason.text, iif(p.replaced, 'replaced', NULL)) AS reason,"                 \
	" CASE c.verdict WHEN 1 THEN 'observed' WHEN 2 THEN 'accept' WHEN 3 THEN 'drop'"      \
	" WHEN 4 THEN 'reject' END AS verdict,"                                               \
	" trule.text AS rule, c.latency AS latency_us, c.amended AS amended,"                 \
	" c.packets AS packets, c.bytes AS bytes,"                                            \
	" strftime('%Y-%m-%dT%H:%M:%S', c.end / 1000000, 'unixepoch') ||"                     \
	" printf('.%06dZ', c.end % 1000000) AS end_time,"                                     \
	" CASE p.exe_seen WHEN 1 THEN 'here' WHEN 2 THEN 'replaced' WHEN 3 THEN 'other'"      \
	" WHEN 4 THEN 'other' WHEN 5 THEN 'unreadable' ELSE iif(p.exe IS NULL, NULL, 'told')" \
	" END AS exe_seen, p.exe_dev AS exe_dev, p.exe_inode AS exe_inode,"                   \
	" p.exe_ctime AS exe_ctime,"                                                          \
	" iif(c.audit_time IS NULL, NULL, printf('%d.%03d:%d', c.audit_time / 1000000,"       \
	" c.audit_time / 1000 % 1000, c.audit_serial)) AS audit_id"

#define SELECT_FROM                                                                              \
	" FROM connection c LEFT JOIN process p ON p.id = c.process"                             \
	" LEFT JOIN text tsrc ON tsrc.id = c.src LEFT JOIN text tdst ON tdst.id = c.dst"         \
	" LEFT JOIN text treason ON treason.id = c.reason"                                       \
	" LEFT JOIN text trule ON trule.id = c.rule"                                             \
	" LEFT JOIN text tnode ON tnode.id = c.node"                                             \
	" LEFT JOIN text tcomm ON tcomm.id = p.comm LEFT JOIN text texe ON texe.id = p.exe"      \
	" LEFT JOIN text tcmdline ON tcmdline.id = p.cmdline"                                    \
	" LEFT JOIN text tcwd ON tcwd.id = p.cwd"                                                \
	" LEFT JOIN text tparent ON tparent.id = p.parent_exe"                                   \
	" LEFT JOIN text tuser ON tuser.id = p.user"                                             \
	" LEFT JOIN text tlogin ON tlogin.id = p.login_user"                                     \
	" LEFT JOIN text tcontainer ON tcontainer.id = p.container"                              \
	" LEFT JOIN text tunit ON tunit.id = p.unit"

const char ledger_select_columns[] = "SELECT " SELECT_COLUMNS;
const char ledger_select_from[] = SELECT_FROM;

const char *const ledger_columns[] = {
	"time", "direction", "proto", "src", "sport", "dst", "dport", "pid", "start_time", "comm",
	"exe", "cmdline", "cwd", "ppid", "parent_exe", "uid", "user", "auid", "login_user",
	"session", "netns", "container", "unit", "node", "evidence", "certainty", "reason",
	"verdict", "rule", "latency_us", "amended", "packets", "bytes", "end_time",
	"exe_seen", "exe_dev", "exe_inode", "exe_ctime", "audit_id",
};
const int ledger_column_count = sizeof(ledger_columns) / sizeof(ledger_columns[0]);

static const char *const steps[] = {
	"CREATE TABLE text (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
	"CREATE TABLE process ("
	" id INTEGER PRIMARY KEY,"
	" pid INTEGER NOT NULL,"
	" start_ticks INTEGER,"		/* start: clock ticks since boot; null: it had exited */
	" start INTEGER,"		/* the same as microseconds since the epoch */
	" ppid INTEGER,"
	" uid INTEGER, gid INTEGER, euid INTEGER, fsuid INTEGER, auid INTEGER, session INTEGER,"
	" netns INTEGER,"
	/* ids of texts */
	" node INTEGER, comm INTEGER, exe INTEGER, cmdline INTEGER, cwd INTEGER,"
	" parent_exe INTEGER, user INTEGER, login_user INTEGER, label INTEGER, container INTEGER,"
	" unit INTEGER"
	");"
	"CREATE INDEX process_pid ON process (pid);"
	"CREATE TABLE connection ("
	" id INTEGER PRIMARY KEY,"
	" time INTEGER NOT NULL,"	/* microseconds since the epoch */
	" direction INTEGER NOT NULL,"	/* 1 out, 2 in, 3 forward */
	" proto INTEGER,"		/* IPPROTO_ */
	" src INTEGER, sport INTEGER, dst INTEGER, dport INTEGER," /* addresses: ids of texts */
	" process INTEGER,"
	" node INTEGER,"
	" evidence INTEGER NOT NULL,"	/* bits: 1 audit, 2 fd, 4 bind, 8 inode, 16 syscall */
	" certainty INTEGER NOT NULL,"	/* 1 unknown, 2 inferred, 3 certain */
	" reason INTEGER, verdict INTEGER NOT NULL, rule INTEGER," /* 1 observed, 2 accept, ... */
	" latency INTEGER,"		/* microseconds */
	" amended INTEGER NOT NULL DEFAULT 0,"
	" packets INTEGER, bytes INTEGER,"
	" end INTEGER,"			/* microseconds since the epoch */
	" audit_time INTEGER, audit_serial INTEGER,"
	" result INTEGER,"		/* of the call: 0 or -errno */
	" count INTEGER NOT NULL DEFAULT 1" /* calls that belong to this flow */
	");"
	"CREATE INDEX connection_time ON connection (time);"
	"CREATE INDEX connection_dst ON connection (dst, dport);"
	"CREATE INDEX connection_process ON connection (process);"
	"CREATE TABLE position (epoch TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE VIEW connections AS SELECT " SELECT_COLUMNS SELECT_FROM ";",
	/* More words in `evidence`: 32 trace, 64 call; who started whom. */
	"ALTER TABLE connection ADD COLUMN candidates INTEGER;"	/* id of a text: "PID EXE, ..." */
	"ALTER TABLE process ADD COLUMN ancestors INTEGER;"	/* id of a text: "exe < exe ..." */
	"DROP VIEW connections;"
	"CREATE VIEW connections AS SELECT " SELECT_COLUMNS SELECT_FROM ";",
	/* Words of `evidence` that tell the two calls apart: proc-syscall, trace-call. */
	"DROP VIEW connections;"
	"CREATE VIEW connections AS SELECT " SELECT_COLUMNS SELECT_FROM ";",
	/* A program whose file was removed or replaced while it ran. */
	"ALTER TABLE process ADD COLUMN replaced INTEGER;"	/* 1: so */
	"DROP VIEW connections;"
	"CREATE VIEW connections AS SELECT " SELECT_COLUMNS SELECT_FROM ";",
	/* Which file the program was, and what its path is worth. */
	"ALTER TABLE process ADD COLUMN exe_seen INTEGER;"	/* enum exe_seen; null: told */
	"ALTER TABLE process ADD COLUMN exe_dev INTEGER;"
	"ALTER TABLE process ADD COLUMN exe_inode INTEGER;"
	"ALTER TABLE process ADD COLUMN exe_ctime INTEGER;"	/* nanoseconds since the epoch */
	"DROP VIEW connections;"
	"CREATE VIEW connections AS SELECT " SELECT_COLUMNS SELECT_FROM ";",
};

const struct db_schema ledger_schema = {
	.application_id = 0x736c6564,	/* "sled" */
	.version = sizeof(steps) / sizeof(steps[0]),
	.steps = steps,
};
