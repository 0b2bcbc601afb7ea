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

/* TEXT(alias, id): the text of that number, joined or asked for by a query of its own. */
#define SELECT_COLUMNS(TEXT)                                                                     \
	LEDGER_TIME_TEXT("c.time") " AS time,"                                                   \
	" CASE c.direction WHEN 1 THEN 'out' WHEN 2 THEN 'in' WHEN 3 THEN 'forward' END"         \
	" AS direction,"                                                                         \
	" " PROTOCOL_SQL("c.proto") " AS proto,"                                                 \
	" tsrc.text AS src, c.sport AS sport, tdst.text AS dst, c.dport AS dport,"               \
	" p.pid AS pid, " LEDGER_TIME_TEXT("p.start") " AS start_time,"                          \
	" " TEXT("tcomm", "p.comm") " AS comm, texe.text AS exe,"                                \
	" " TEXT("tcmdline", "p.cmdline") " AS cmdline, " TEXT("tcwd", "p.cwd") " AS cwd,"       \
	" p.ppid AS ppid, " TEXT("tparent", "p.parent_exe") " AS parent_exe,"                    \
	" p.uid AS uid, " TEXT("tuser", "p.user") " AS user,"                                    \
	" p.auid AS auid, " TEXT("tlogin", "p.login_user") " AS login_user,"                     \
	" p.session AS session, p.netns AS netns,"                                               \
	" " TEXT("tcontainer", "p.container") " AS container,"                                   \
	" " TEXT("tunit", "p.unit") " AS unit, " TEXT("tnode", "c.node") " AS node,"             \
	" " LEDGER_EVIDENCE_WORDS("c.evidence") " AS evidence,"                                  \
	" " LEDGER_CERTAINTY_WORD("c.certainty") " AS certainty,"                                \
	" ifnull(" TEXT("treason", "c.reason") ", iif(p.replaced, 'replaced', NULL)) AS reason," \
	" " LEDGER_VERDICT_WORD("c.verdict") " AS verdict,"                                      \
	" " TEXT("trule", "c.rule") " AS rule, c.latency AS latency_us, c.amended AS amended,"   \
	" c.packets AS packets, c.bytes AS bytes,"                                               \
	" " LEDGER_TIME_TEXT("c.end") " AS end_time,"                                            \
	" CASE p.exe_seen WHEN 1 THEN 'here' WHEN 2 THEN 'replaced' WHEN 3 THEN 'other'"         \
	" WHEN 4 THEN 'other' WHEN 5 THEN 'unreadable' ELSE iif(p.exe IS NULL, NULL, 'told')"    \
	" END AS exe_seen, p.exe_dev AS exe_dev, p.exe_inode AS exe_inode,"                      \
	" p.exe_ctime AS exe_ctime, " TEXT("tname", "n.name") " AS dst_name,"                    \
	" " LEDGER_NAME_BY_WORD("n.by") " AS dst_name_by, n.names AS dst_names,"                 \
	" iif(c.audit_time IS NULL, NULL, printf('%d.%03d:%d', c.audit_time / 1000000,"          \
	" c.audit_time / 1000 % 1000, c.audit_serial)) AS audit_id"

/* Of texts those whose connections have an index: a condition on them is looked for in it. */
#define FROM_INDEXED                                                                             \
	" FROM " LEDGER_ALL " c LEFT JOIN process p ON p.id = c.process"                         \
	" LEFT JOIN text tsrc ON tsrc.id = c.src LEFT JOIN text tdst ON tdst.id = c.dst"         \
	" LEFT JOIN text texe ON texe.id = c.exe LEFT JOIN dst_name n ON n.connection = c.id"
#define FROM_JOINED                                                                              \
	FROM_INDEXED                                                                             \
	" LEFT JOIN text treason ON treason.id = c.reason"                                       \
	" LEFT JOIN text trule ON trule.id = c.rule"                                             \
	" LEFT JOIN text tnode ON tnode.id = c.node"                                             \
	" LEFT JOIN text tcomm ON tcomm.id = p.comm"                                             \
	" LEFT JOIN text tcmdline ON tcmdline.id = p.cmdline"                                    \
	" LEFT JOIN text tcwd ON tcwd.id = p.cwd"                                                \
	" LEFT JOIN text tparent ON tparent.id = p.parent_exe"                                   \
	" LEFT JOIN text tuser ON tuser.id = p.user"                                             \
	" LEFT JOIN text tlogin ON tlogin.id = p.login_user"                                     \
	" LEFT JOIN text tcontainer ON tcontainer.id = p.container"                              \
	" LEFT JOIN text tunit ON tunit.id = p.unit"                                             \
	" LEFT JOIN text tname ON tname.id = n.name"

#define JOINED_TEXT(alias, id) alias ".text"
/* Where rows are counted or added up SQLite makes each join, whether a column of it is asked for or
 * not; but no query that stands for a column that is not. */
#define ASKED_TEXT(alias, id) "(SELECT text FROM text WHERE id = " id ")"
#define VIEW_COLUMNS SELECT_COLUMNS(ASKED_TEXT) FROM_INDEXED

/* Rows of before the step that made counts, until ledger_move.c has moved them: with the program,
 * which the new table has as well. */
#define OLD_COLUMNS                                                                              \
	"o.id, o.time, o.direction, o.proto, o.src, o.sport, o.dst, o.dport, o.process, o.node," \
	" o.evidence, o.certainty, o.reason, o.verdict, o.rule, o.latency, o.amended, o.packets," \
	" o.bytes, o.end, o.audit_time, o.audit_serial, o.result, o.count, o.candidates,"        \
	" (SELECT exe FROM process WHERE id = o.process) AS exe"

/* As `connection` has them by now: none was amended since there are numbers of changes. */
#define OLD_COLUMNS_NOW OLD_COLUMNS ", NULL AS changed"

const char ledger_old_columns[] = OLD_COLUMNS_NOW;
const char ledger_views_moved[] =
	"DROP VIEW " LEDGER_ALL ";"
	"CREATE VIEW " LEDGER_ALL " AS SELECT * FROM connection;"
	"DROP VIEW total_all;"
	"CREATE VIEW total_all AS SELECT * FROM total;"
	"DROP VIEW tally_all;"
	"CREATE VIEW tally_all AS SELECT * FROM tally;";
const char ledger_select_columns[] = "SELECT " SELECT_COLUMNS(JOINED_TEXT);
const char ledger_select_from[] = FROM_JOINED;

const char *const ledger_columns[] = {
	"time", "direction", "proto", "src", "sport", "dst", "dport", "pid", "start_time", "comm",
	"exe", "cmdline", "cwd", "ppid", "parent_exe", "uid", "user", "auid", "login_user",
	"session", "netns", "container", "unit", "node", "evidence", "certainty", "reason",
	"verdict", "rule", "latency_us", "amended", "packets", "bytes", "end_time",
	"exe_seen", "exe_dev", "exe_inode", "exe_ctime", "dst_name", "dst_name_by", "dst_names",
	"audit_id",
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
	"CREATE VIEW connections AS SELECT " VIEW_COLUMNS ";",
	/* More words in `evidence`: 32 trace, 64 call; who started whom. */
	"ALTER TABLE connection ADD COLUMN candidates INTEGER;"	/* id of a text: "PID EXE, ..." */
	"ALTER TABLE process ADD COLUMN ancestors INTEGER;"	/* id of a text: "exe < exe ..." */
	"DROP VIEW connections;"
	"CREATE VIEW connections AS SELECT " VIEW_COLUMNS ";",
	/* Words of `evidence` that tell the two calls apart: proc-syscall, trace-call. */
	"DROP VIEW connections;"
	"CREATE VIEW connections AS SELECT " VIEW_COLUMNS ";",
	/* A program whose file was removed or replaced while it ran. */
	"ALTER TABLE process ADD COLUMN replaced INTEGER;"	/* 1: so */
	"DROP VIEW connections;"
	"CREATE VIEW connections AS SELECT " VIEW_COLUMNS ";",
	/* Which file the program was, and what its path is worth. */
	"ALTER TABLE process ADD COLUMN exe_seen INTEGER;"	/* enum exe_seen; null: told */
	"ALTER TABLE process ADD COLUMN exe_dev INTEGER;"
	"ALTER TABLE process ADD COLUMN exe_inode INTEGER;"
	"ALTER TABLE process ADD COLUMN exe_ctime INTEGER;"	/* nanoseconds since the epoch */
	"DROP VIEW connections;"
	"CREATE VIEW connections AS SELECT " VIEW_COLUMNS ";",
	/*
	 * Indexes that have the rows of an address, a port, a program in the order of time, and
	 * counts.  To make an index of many rows takes long, and nothing can be written meanwhile:
	 * so the rows go to a new table in small steps (ledger_move.c), but for the newest one,
	 * because new rows are numbered behind it.
	 */
	"INSERT OR IGNORE INTO text (text) SELECT t.text || '" EXE_OTHER_SUFFIX "' FROM process p"
	" JOIN text t ON t.id = p.exe WHERE p.exe_seen IN (3, 4);"
	"UPDATE process SET exe = (SELECT n.id FROM text t JOIN text n ON n.text = t.text ||"
	" '" EXE_OTHER_SUFFIX "' WHERE t.id = process.exe) WHERE exe_seen IN (3, 4);"
	"DROP VIEW connections;"
	"ALTER TABLE connection RENAME TO connection_old;"
	"CREATE TABLE connection ("
	" id INTEGER PRIMARY KEY,"
	" time INTEGER NOT NULL, direction INTEGER NOT NULL, proto INTEGER,"
	" src INTEGER, sport INTEGER, dst INTEGER, dport INTEGER,"
	" process INTEGER, node INTEGER,"
	" evidence INTEGER NOT NULL, certainty INTEGER NOT NULL,"
	" reason INTEGER, verdict INTEGER NOT NULL, rule INTEGER,"
	" latency INTEGER, amended INTEGER NOT NULL DEFAULT 0,"
	" packets INTEGER, bytes INTEGER, end INTEGER,"
	" audit_time INTEGER, audit_serial INTEGER,"
	" result INTEGER, count INTEGER NOT NULL DEFAULT 1, candidates INTEGER,"
	" exe INTEGER"			/* the process's */
	");"
	"CREATE INDEX connection_by_time ON connection (time);"
	"CREATE INDEX connection_by_dst ON connection (dst, time, dport, sport);"
	"CREATE INDEX connection_by_src ON connection (src, time) WHERE src IS NOT NULL;"
	"CREATE INDEX connection_by_exe ON connection (exe, time);"
	"CREATE INDEX connection_by_process ON connection (process);"
	"CREATE INDEX connection_unknown ON connection (time) WHERE certainty = 1;"
	"CREATE INDEX connection_stopped ON connection (verdict, time) WHERE verdict > 2;"
	/* How many rows; 0 and -1 where a connection has no such thing.  exe, dst: ids of texts. */
	"CREATE TABLE tally ("
	" hour INTEGER, exe INTEGER, uid INTEGER, dst INTEGER, dport INTEGER, verdict INTEGER,"
	" certainty INTEGER, count INTEGER NOT NULL,"
	" PRIMARY KEY (hour, exe, uid, dst, dport, verdict, certainty)) WITHOUT ROWID;"
	"CREATE TABLE total (direction INTEGER, verdict INTEGER, certainty INTEGER,"
	" evidence INTEGER, count INTEGER NOT NULL,"
	" PRIMARY KEY (direction, verdict, certainty, evidence)) WITHOUT ROWID;"
	"CREATE TABLE amount (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO amount SELECT 'processes', count(*) FROM process;"
	"CREATE VIEW " LEDGER_ALL " AS SELECT * FROM connection UNION ALL"
	" SELECT " OLD_COLUMNS " FROM connection_old o;"
	"CREATE VIEW total_all AS SELECT * FROM total UNION ALL SELECT direction, verdict,"
	" certainty, evidence, count(*) FROM connection_old GROUP BY 1, 2, 3, 4;"
	"CREATE VIEW tally_all AS SELECT * FROM tally UNION ALL SELECT " LEDGER_TALLY_KEY ","
	" count(*) FROM connection_old c LEFT JOIN process p ON p.id = c.process"
	" GROUP BY 1, 2, 3, 4, 5, 6, 7;"
	"INSERT INTO connection SELECT " OLD_COLUMNS " FROM connection_old o"
	" ORDER BY id DESC LIMIT 1;"
	"DELETE FROM connection_old WHERE id = (SELECT max(id) FROM connection);"
	LEDGER_TALLY("connection")
	"CREATE VIEW connections AS SELECT " VIEW_COLUMNS ";"
	/* No index serves a comparison with a text that is made of the time. */
	"CREATE VIEW timeline AS SELECT c.time AS us, c.id AS id, " VIEW_COLUMNS ";"
	"CREATE VIEW hours AS SELECT t.hour AS hour_number,"
	" strftime('%Y-%m-%dT%H:00:00Z', t.hour * 3600, 'unixepoch') AS hour, texe.text AS exe,"
	" nullif(t.uid, -1) AS uid, tdst.text AS dst, nullif(t.dport, -1) AS dport,"
	" " LEDGER_VERDICT_WORD("t.verdict") " AS verdict,"
	" " LEDGER_CERTAINTY_WORD("t.certainty") " AS certainty, t.count AS count"
	" FROM tally_all t LEFT JOIN text texe ON texe.id = t.exe"
	" LEFT JOIN text tdst ON tdst.id = t.dst;",
	/*
	 * For who copies rows elsewhere: which rows were amended since, and which ledger this is.
	 * The view has both tables' columns, so it is made anew while rows are being moved; where
	 * none is, an empty table stands for them, which goes as ever (ledger_move.c).
	 */
	"ALTER TABLE connection ADD COLUMN changed INTEGER;"	/* number of the last change */
	"CREATE INDEX connection_by_change ON connection (changed) WHERE changed IS NOT NULL;"
	"CREATE TABLE change (ledger INTEGER NOT NULL, last INTEGER NOT NULL);"
	"INSERT INTO change VALUES (random() & 0x7fffffffffffffff, 0);"
	"CREATE TABLE IF NOT EXISTS connection_old (id INTEGER PRIMARY KEY, time, direction, proto,"
	" src, sport, dst, dport, process, node, evidence, certainty, reason, verdict, rule,"
	" latency, amended, packets, bytes, end, audit_time, audit_serial, result, count,"
	" candidates);"
	"DROP VIEW " LEDGER_ALL ";"
	"CREATE VIEW " LEDGER_ALL " AS SELECT * FROM connection UNION ALL"
	" SELECT " OLD_COLUMNS_NOW " FROM connection_old o;",
	/* Names of destinations, which few rows have. */
	"CREATE TABLE dst_name ("
	" connection INTEGER PRIMARY KEY,"
	" name INTEGER NOT NULL,"	/* id of a text */
	" by INTEGER NOT NULL,"		/* enum name_by: 1 process, 2 user, 3 host */
	" names INTEGER NOT NULL"	/* that the address had then */
	");"
	"DROP VIEW connections;"
	"CREATE VIEW connections AS SELECT " VIEW_COLUMNS ";"
	"DROP VIEW timeline;"
	"CREATE VIEW timeline AS SELECT c.time AS us, c.id AS id, " VIEW_COLUMNS ";",
	/* Sums over a day's rows, without what they do not ask for. */
	"DROP VIEW connections;"
	"CREATE VIEW connections AS SELECT " VIEW_COLUMNS ";"
	"DROP VIEW timeline;"
	"CREATE VIEW timeline AS SELECT c.time AS us, c.id AS id, " VIEW_COLUMNS ";",
	/* Which processes, and so which programs, have a name. */
	"CREATE INDEX process_by_comm ON process (comm, exe);",
};

const struct db_schema ledger_schema = {
	.application_id = 0x736c6564,	/* "sled" */
	.version = sizeof(steps) / sizeof(steps[0]),
	.steps = steps,
};
