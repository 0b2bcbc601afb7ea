# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a test's part inside of the lab needs, beside functions.sh: it looks behind the scenes.
# shellcheck disable=SC2154 # functions.sh sets build

PATH=$PATH:/usr/sbin:/sbin
lab=${SOCKLEDGER_LAB_DIR-}

syn_client() {
	"$build/tests/helpers/syn_client" "$@"
}
# results: of syn_client's lines on stdin, how many of each result: "answered 3, silent 1".
results() {
	awk '{ n[$2]++ } END { for (r in n) print r " " n[r] }' | LC_ALL=C sort | paste -sd, |
		sed 's/,/, /g'
}
# slowest: of syn_client's lines on stdin, the longest time in microseconds.
slowest() {
	sort -k3n | awk 'END { print $3 + 0 }'
}

daemon_pid() {
	cat "$lab/sockledgerd.pid"
}
# kernel_queue COLUMN: the kernel's numbers of all queues, added up: 3 waiting, 6 dropped, 7 not
# handed over.
kernel_queue() {
	awk -v column="$1" '{ sum += $column } END { print sum + 0 }' \
		/proc/net/netfilter/nfnetlink_queue
}
queue_is_read() {
	grep -q . /proc/net/netfilter/nfnetlink_queue
}
queue_is_not_read() {
	! queue_is_read
}
queue_is_empty() {
	[ "$(kernel_queue 3)" = 0 ]
}
# counted TOOL CHAIN: packets of the last rule of that chain of the table filter.
counted() {
	"$1" -w -L "$2" -v -x -n | awk 'NF { n = $1 } END { print n }'
}
# statistic NAME: of `sockledger stats`, of all sections together.
statistic() {
	"$build/sockledger" -c "$lab/sockledger.conf" stats --format csv | tr -d '\r' |
		awk -F, -v name="$1" '$2 == name { n += $3 } END { print n + 0 }'
}
statistic_is() {
	[ "$(statistic "$1")" = "$2" ]
}
# ask WHAT WHERE: of the connections.
ask() {
	"$build/sockledger" -c "$lab/sockledger.conf" sql --format csv \
		"SELECT $1 FROM connections WHERE $2" | tr -d '\r' | tail -n 1
}
# all_followed: what the cache has is in the ledger.
all_followed() {
	statistic_is lag 0
}
