-- SPDX-License-Identifier: GPL-2.0-or-later
-- What tests/helpers/mixed_load did (truth) against what somebody says about it (answer): a line of `score` for
-- each kind of connection, one of `mistake` for each that is not named rightly, and one of `extra`
-- with the number of answers that nobody asked for.
--
--   truth (kind, pid, exe, proto, src, sport, dst, dport, time_us)
--   answer (proto, dst, dport, sport, pid, exe, certainty, time_us, is_named_by_exe, grounds)
--   :tool, :run    whose answers, and of which run
--
-- An answer belongs to a connection by protocol, destination and, where it has one, local port; of
-- several the one with the port, then the nearest in time.  It is
--
--   right      it names the process and its program (is_named_by_exe: the program alone)
--   wrong      it names another process or another program
--   unknown    it names nobody
--   missing    there is none

CREATE TABLE IF NOT EXISTS score (tool TEXT, run INTEGER, kind TEXT, connections INTEGER,
	right INTEGER, wrong INTEGER, unknown INTEGER, missing INTEGER, certain INTEGER,
	certain_wrong INTEGER);
CREATE TABLE IF NOT EXISTS mistake (tool TEXT, run INTEGER, class TEXT, kind TEXT, truth TEXT,
	answer TEXT);
CREATE TABLE IF NOT EXISTS extra (tool TEXT, run INTEGER, answers INTEGER);
CREATE INDEX IF NOT EXISTS answer_dst ON answer (dst, dport);

CREATE TEMP TABLE judged AS
SELECT kind, answer_id, certainty, pid || ' ' || exe || ' port ' || sport || ' to ' || dst || ':' || dport AS truth,
	coalesce(answer_pid, '?') || ' ' || coalesce(answer_exe, '?') || ' ' || coalesce(certainty, '?')
		|| ' ' || coalesce(grounds, '?') AS answer,
	CASE
	WHEN answer_id IS NULL THEN 'missing'
	WHEN coalesce(answer_exe = exe, 0) AND (is_named_by_exe OR coalesce(answer_pid = pid, 0))
		THEN 'right'
	WHEN coalesce(answer_exe <> exe, 0) OR coalesce(answer_pid <> pid, 0) THEN 'wrong'
	ELSE 'unknown'
	END AS class
FROM (SELECT t.kind, t.pid, t.exe, t.sport, t.dst, t.dport, a.grounds, a.rowid AS answer_id, a.pid AS answer_pid, a.exe AS answer_exe,
		a.certainty, a.is_named_by_exe,
		row_number() OVER (PARTITION BY t.rowid
			ORDER BY a.sport IS NULL, abs(a.time_us - t.time_us)) AS place
	FROM truth t LEFT JOIN answer a ON a.dst = t.dst AND a.dport = t.dport
		AND (a.proto = t.proto OR a.proto IS NULL)
		AND (a.sport = t.sport OR a.sport IS NULL))
WHERE place = 1;

INSERT INTO score
SELECT :tool, :run, kind, count(*), sum(class = 'right'), sum(class = 'wrong'),
	sum(class = 'unknown'), sum(class = 'missing'), sum(coalesce(certainty = 'certain', 0)),
	sum(coalesce(certainty = 'certain', 0) AND class <> 'right')
FROM judged GROUP BY kind;

INSERT INTO mistake
SELECT :tool, :run, class, kind, truth, answer FROM judged WHERE class <> 'right';

INSERT INTO extra
SELECT :tool, :run, count(*) FROM answer
WHERE rowid NOT IN (SELECT answer_id FROM judged WHERE answer_id IS NOT NULL);
