# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a guest of tests/vm needs: steps with their seconds, rows, what is up.  Speaks TAP; a line
# "# step NAME: SECONDS s, ok|FAILED, WHAT WAS SEEN" is a row of that test's table, and
# "# system NAME: VERSION" is one above them.
# shellcheck source=tests/functions.sh
. "$here/functions.sh"
export DEBIAN_FRONTEND=noninteractive
unset -f sockledger
conf=/etc/sockledger/sockledger.conf
step='' began=0 failed_before=0 last=${EPOCHREALTIME/./}

# seconds SINCE: since that EPOCHREALTIME, with a tenth.
seconds() {
	local tenths=$(((${EPOCHREALTIME/./} - $1) / 100000))
	echo "$((tenths / 10)).$((tenths % 10))"
}
# As functions.sh has it, with the seconds since the last point.
eval "plain_$(declare -f ok)"
ok() {
	plain_ok "$1" "$2 ($(seconds "$last") s)"
	last=${EPOCHREALTIME/./}
}
# As there, with time for a machine that is emulated beside other work: minutes for a row were seen.
eval "plain_$(declare -f wait_for)"
wait_for() {
	plain_wait_for $((5 * $1)) "${@:2}"
}
# begin NAME, seen WORDS: a step, of which these points are.
begin() {
	step=$1 failed_before=$tap_failures began=${EPOCHREALTIME/./}
}
seen() {
	local result=ok
	[ "$tap_failures" = "$failed_before" ] || result=FAILED
	note "step $step: $(seconds "$began") s, $result, $*"
}
apt() {
	apt-get -qy --allow-downgrades "$@" </dev/null >"$tmp/apt" 2>&1
}
version() {
	dpkg-query -W -f '${Version}' "$1"
}
# rows PORT: program, certainty, verdict, evidence and address of each row to that port.
rows() {
	sockledger sql "SELECT exe || ' ' || certainty || ' ' || verdict || ' ' || evidence
		|| ' ' || dst FROM connections WHERE dport = $1" 2>/dev/null
}
row_is() {
	rows "$1" | grep -qE "$2"
}
# row PORT PATTERN: there is such a row, or comes.
row() {
	wait_for 60 row_is "$1" "$2"
	is $? 0 "a row like '$2'"
	row_is "$1" "$2" || note "$(rows "$1")"
}
# connects ADDRESS PORT: by nc; its exit status.
connects() {
	timeout 330 nc -z -w 300 "$1" "$2"
}
# our_rules: how many of the files' are loaded; audisp-sockledger adds some for io_uring.
our_rules() {
	auditctl -l | grep -c ',exit .*key=sockledger'
}
plugin() {
	pgrep -o -f '^/usr/sbin/audisp-sockledger'
}
plugin_is_new() {
	[ -n "$(plugin)" ] && [ "$(plugin)" != "$1" ]
}
daemon() {
	systemctl show -P MainPID sockledgerd
}
queue_up() {
	[ "$(sockledger-queue show | grep -c 'queue')" -gt 2 ]
}
active() {
	systemctl -q is-active "$@"
}
journal() {
	journalctl --no-pager -q -b "$@"
}
# since UNIT: when it was there, in microseconds since the boot.
since() {
	systemctl show -P ActiveEnterTimestampMonotonic "$1"
}
milliseconds() {
	echo "$(($(since "$1") / 1000)) ms"
}
# until_ready: what systemd waited for sockledgerd, in milliseconds.
until_ready() {
	echo "$((($(since sockledgerd) - $(systemctl show -P ExecMainStartTimestampMonotonic \
		sockledgerd)) / 1000)) ms"
}
# doctor_says CHECK: its word, and exit status.
doctor_says() {
	local out
	out=$(sockledger doctor --format csv "$1")
	echo "$(tail -n 1 <<<"$out" | cut -d , -f 2) $?"
}
not_failed() {
	sockledger doctor >"$tmp/doctor" 2>&1
	is $? 0 "doctor finds nothing that fails"
	note "$(cat "$tmp/doctor")"
}
# differs GOT UNWANTED NAME
differs() {
	[ "$1" != "$2" ]
	ok $? "$3"
}
# versions: what this is.
versions() {
	local package
	note "system Linux: $(uname -r)"
	for package in auditd systemd nftables iptables; do
		note "system $package: $(version $package)"
	done
}
