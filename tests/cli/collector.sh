# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A collector that misbehaves as `mode` says: collector.py, with its files in $at.

at=$tmp/collector
mkdir "$at"
collector=
# start_collector [PORT [CERTIFICATE [CA]]]: its port is in $port.  With a certificate, and its key
# in the same file, it speaks TLS; with a CA it wants a certificate of who sends.
start_collector() {
	rm -f "$at/port"
	python3 "$tests/cli/collector.py" "$at" "$@" &
	collector=$!
	wait_for 30 test -s "$at/port"
	port=$(cat "$at/port")
}
stop_collector() {
	[ -z "$collector" ] || kill -KILL "$collector" 2>/dev/null
	wait "$collector" 2>/dev/null
	collector=
}
on_exit stop_collector
mode() {
	echo "$1" >"$at/mode"
}
# requests: how many it has had.
requests() {
	cat "$at/log" 2>/dev/null | wc -l
}
# same LEDGER: it has the ledger's rows, each as `export` has it, and each once.
same() {
	"$build/sockledger" --ledger "$1" export >"$tmp/exported"
	python3 - "$tmp/exported" "$at/rows" <<-'END'
		import json, sys
		want = {r["id"]: r for r in map(json.loads, open(sys.argv[1]))}
		got = [json.loads(line) for line in open(sys.argv[2])]
		if len(got) != len(want):
		    sys.exit("%d rows, not %d" % (len(got), len(want)))
		for row in got:
		    for name, value in want[row["id"]].items():
		        if row[name] != value:
		            sys.exit("row %d: %s: %r, not %r" % (row["id"], name, row[name], value))
	END
}
