# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a test in shell needs: TAP, a temporary directory, and where things are.

set -u
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$tests/.." && pwd)
build=${SOCKLEDGER_BUILD:-$top}
export SOCKLEDGER_BUILD=$build
# Nobody is there who would end a pager.
export SOCKLEDGER_PAGER=
tap_count=0 tap_failures=0

# on_exit COMMAND...: done when the test ends, however it ends; what was said last comes first.
exit_stack=()
on_exit() {
	exit_stack+=("$(printf '%q ' "$@")")
}
clean_up() {
	while [ ${#exit_stack[@]} -gt 0 ]; do
		eval "${exit_stack[-1]}"
		unset 'exit_stack[-1]'
	done
}
trap clean_up EXIT
tmp=$(mktemp -d "${TMPDIR:-/tmp}/sockledger-test.XXXXXX")
on_exit rm -rf -- "$tmp"

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

# wait_for SECONDS COMMAND...: until it succeeds; a machine that is busy gets four times as long.
wait_for() {
	local until=$((SECONDS + 4 * $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.02
	done
}

# need COMMAND...: they are installed.
need() {
	local command
	for command; do
		command -v "$command" >/dev/null || skip_all "'$command' is not installed"
	done
}

need_root() {
	PATH=$PATH:/usr/sbin:/sbin
	[ "$(id -u)" = 0 ] || skip_all "not root"
}

# For tests of the kernel: root, its audit, and no other audit daemon.
need_kernel() {
	need_root
	need auditd
	case $(auditctl -s 2>/dev/null | awk '$1 == "pid" { print $2 }') in
	'') skip_all "the kernel's audit is not to be had" ;;
	0) ;;
	*) skip_all "another audit daemon runs" ;;
	esac
}

# again NAME COMMAND...: the test begins once more, with the argument NAME, by way of COMMAND, which
# gives it namespaces of its own: what it mounts and sets there goes with it.
again() {
	clean_up
	exec "${@:2}" -- "$0" "$1"
}

# mount_tracefs: where nobody has yet.  In a mount namespace of the test's own.
mount_tracefs() {
	[ -d /sys/kernel/tracing/events ] ||
		mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null ||
		skip_all "the kernel has no tracefs"
}

# sources RELEASE: this host's own archives of it for apt, and no others of its sources.  Another
# release than the host's is asked for where the host's is.
sources() {
	local own
	own=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	# shellcheck disable=SC2016 # apt's
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk -v own="$own" -v name="$1" '$2 ~ "^" own "(-|$)" {
			sub(own, name, $2)
			print "deb", $0
		}' | sort -u
}

lab() {
	"$tests/lab" "$@"
}

sockledger() {
	"$build/sockledger" "$@"
}
