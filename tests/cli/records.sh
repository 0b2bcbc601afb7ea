# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Audit records as the kernel and auditd write them, and the databases that come of them.
# Their time is long ago, so that the plugin does not ask /proc for their processes.

command -v sqlite3 >/dev/null || command -v python3 >/dev/null ||
	skip_all "neither sqlite3 nor python3 is installed"

b64=c000003e b32=40000003
# What a record says where a test does not say otherwise.
prefix='' stamp=1700000000.123 key='"sockledger"' pid=4711 ppid=4700
comm='"curl"' exe='"/usr/bin/curl"' enriched=''

# syscall SERIAL ARCH NR A0 A1 A2 EXIT
syscall() {
	local success=yes
	[ "$7" -ge 0 ] || success=no
	printf \
		'%stype=SYSCALL msg=audit(%s:%s): arch=%s syscall=%s success=%s exit=%s a0=%s a1=%s a2=%s a3=0 items=0 ppid=%s pid=%s auid=1000 uid=33 gid=34 euid=35 suid=36 fsuid=37 egid=38 sgid=39 fsgid=40 tty=pts0 ses=3 comm=%s exe=%s subj=unconfined key=%s%s\n' \
		"$prefix" "$stamp" "$1" "$2" "$3" "$success" "$7" "$4" "$5" "$6" "$ppid" "$pid" \
		"$comm" "$exe" "$key" "$enriched"
}

sockaddr() {
	printf '%stype=SOCKADDR msg=audit(%s:%s): saddr=%s%s\n' "$prefix" "$stamp" "$1" "$2" \
		"${enriched:+$'\x1d'SADDR=\{ saddr_fam=inet laddr=192.0.2.1 lport=443 \}}"
}

# socketcall SERIAL NARGS A0 A1 A2
socketcall() {
	printf '%stype=SOCKETCALL msg=audit(%s:%s): nargs=%s a0=%s a1=%s a2=%s\n' "$prefix" \
		"$stamp" \
		"$1" "$2" "$3" "$4" "$5"
}

proctitle() {
	printf '%stype=PROCTITLE msg=audit(%s:%s): proctitle=%s\n' "$prefix" "$stamp" "$1" "$2"
}

eoe() {
	printf '%stype=EOE msg=audit(%s:%s): \n' "$prefix" "$stamp" "$1"
}

# "curl http://x", its arguments separated by NUL
title=6375726C00687474703A2F2F78
# in4 PORT A B C D; in6 PORT
in4() {
	printf '0200%04X%02X%02X%02X%02X0000000000000000' "$@"
}
in6() {
	printf '0A00%04X0000000020010DB800000000000000000000000100000000' "$1"
}

# socket SERIAL FD [TYPE]: a whole event; connect SERIAL FD SADDR [EXIT] likewise.
socket() {
	syscall "$1" $b64 41 2 "${3:-1}" 0 "$2"
	proctitle "$1" $title
	eoe "$1"
}
connect() {
	syscall "$1" $b64 42 "$(printf %x "$2")" 7ffc0000 10 "${4:-0}"
	sockaddr "$1" "$3"
	proctitle "$1" $title
	eoe "$1"
}
bind() {
	syscall "$1" $b64 49 "$(printf %x "$2")" 7ffc0000 10 "${4:-0}"
	sockaddr "$1" "$3"
	proctitle "$1" $title
	eoe "$1"
}

# new_place: a directory with a configuration of its own, in $place; $settings goes into it.
places=0 settings=
new_place() {
	places=$((places + 1))
	place=$tmp/place$places
	mkdir "$place"
	cat >"$place/conf" <<-END
	cache = $place/cache.db
	ledger = $place/ledger.db
	node = testhost
	$settings
	END
}

# plugin <RECORDS: into the cache of $place; what it says in $place/plugin.err.
plugin() {
	timeout 60 "$build/audisp-sockledger" -f -c "$place/conf" 2>"$place/plugin.err"
}

# once: the daemon over what is in the cache.
once() {
	timeout 60 "$build/sockledgerd" -1 -c "$place/conf" 2>"$place/daemon.err"
}

# rows_of FILE SQL: columns separated by |, "-" for NULL.
rows_of() {
	if command -v sqlite3 >/dev/null; then
		sqlite3 -batch -init /dev/null -noheader -list -separator '|' -nullvalue - "$1" \
			"$2" 2>&1
	else
		python3 -c 'if True:
			import sqlite3, sys
			db = sqlite3.connect(sys.argv[1])
			db.text_factory = lambda b: b.decode("utf-8", "replace")
			for row in db.execute(sys.argv[2]):
			    print("|".join("-" if v is None else str(v) for v in row))
			db.commit()' "$1" "$2" 2>&1
	fi
}

cache() {
	rows_of "$place/cache.db" "$1"
}

ledger() {
	rows_of "$place/ledger.db" "$1"
}

# counter NAME: of the plugin; 0 where it was never written.
counter() {
	cache "SELECT ifnull((SELECT value FROM counter WHERE name = '$1'), 0)"
}

# dump FILE: all that is in a ledger, but for its own random number, which is no part of what it says.
dump() {
	if command -v sqlite3 >/dev/null; then
		sqlite3 -batch -init /dev/null "$1" .dump
	else
		python3 -c 'import sqlite3, sys
print("\n".join(sqlite3.connect(sys.argv[1]).iterdump()))' "$1"
	fi | sed -E 's/^(INSERT INTO "?change"? VALUES\()[0-9]+,/\1N,/'
}
