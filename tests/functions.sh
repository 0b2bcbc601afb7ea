# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a test in shell needs: TAP, a temporary directory, and where things are.

set -u
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$tests/.." && pwd)
build=${SOCKLEDGER_BUILD:-$top}
export SOCKLEDGER_BUILD=$build
tap_count=0 tap_failures=0
tmp=$(mktemp -d /tmp/sockledger-test.XXXXXX)
trap 'rm -rf -- "$tmp"' EXIT

# ok STATUS NAME: a test point.
ok() {
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failures=$((tap_failures + 1))
		echo "not ok $tap_count - $2"
	fi
}

# is GOT WANTED NAME
is() {
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		printf '%s\n' "got: $1" "wanted: $2" | sed 's/^/# /'
	fi
}

# like GOT PATTERN NAME: an extended regular expression.
like() {
	if printf '%s\n' "$1" | grep -Eq -- "$2"; then
		ok 0 "$3"
	else
		ok 1 "$3"
		printf '%s\n' "got: $1" "wanted something like: $2" | sed 's/^/# /'
	fi
}

note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 77
}

done_testing() {
	echo "1..$tap_count"
	[ $tap_failures = 0 ]
	exit
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.02
	done
}

# For tests of the kernel: root, its audit, and no other audit daemon.
need_kernel() {
	PATH=$PATH:/usr/sbin:/sbin
	[ "$(id -u)" = 0 ] || skip_all "not root"
	command -v auditd >/dev/null || skip_all "auditd is not installed"
	case $(auditctl -s 2>/dev/null | awk '$1 == "pid" { print $2 }') in
	'') skip_all "the kernel's audit is not to be had" ;;
	0) ;;
	*) skip_all "another audit daemon runs" ;;
	esac
}

lab() {
	"$tests/lab" "$@"
}

sockledger() {
	"$build/sockledger" "$@"
}
