/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FAILURES_H
#define SOCKLEDGER_FAILURES_H

/*
 * What fails, and what then: the one table of it.  The code that acts names its row by FAILS(), in
 * the file that the row names; nobody else decides what a failure does.  doc/ARCHITECTURE.md shows
 * the table as it stands here, and tests/cli/failures-agree compares all three, and that every
 * counter of something lost is in it.
 *
 *   X(row, what is done, what fails, what then, counters, how else it is seen, files that act)
 *
 * What is done:
 *   RETRY    the same again, a moment later           ANEW      a new file is begun
 *   WAIT     until there is room                      TRIM      the oldest goes, to make room
 *   LOSE     it is dropped, and counted               COUNT     it is missing already: counted
 *   REFUSE   the packet is dropped                    CHOICE    it goes or is dropped, as was set
 *   KEEP     what was before stays
 *   EXIT     the program ends, or does not start      WITHOUT   it goes on, and does or knows less
 *   REPLAY   what was not kept is read again
 */
#define FAILURES(X) \
	X(STORE_ERROR, RETRY, "cache or ledger locked, or on an error", \
	  "what comes waits in the ring (`buffer`), and is tried again", \
	  "", "a message a minute", "common/committer.c") \
	X(CACHE_RING_FULL, LOSE, "the ring is full (plugin, live)", \
	  "wait up to 100 ms while commits succeed; else the event is dropped", \
	  "lost_buffer", "", "common/committer.c plugin/cache_sink.c") \
	X(RING_FULL, WAIT, "the ring is full (plugin, from a file; sockledgerd)", \
	  "wait: file and cache keep the rest", \
	  "", "`lag`", "common/committer.c correlator/store/ledger_sink.c") \
	X(CACHE_DISK_FULL, TRIM, "cache's disk full (`/run` is full)", \
	  "a tenth of its rows goes; where not even that fits, the file, and a smaller one is " \
	  "begun", \
	  "trimmed", "", "plugin/cache_sink.c") \
	X(LEDGER_DISK_FULL, WAIT, "ledger's disk full", \
	  "records' rows wait, the cache keeps the rest; packets go on, and their rows are " \
	  "dropped once the buffer is full", \
	  "lost_buffer", "a message a minute, `lag`", "common/committer.c") \
	X(STORE_DAMAGED, ANEW, "cache or ledger damaged", \
	  "set aside, a new one begun", \
	  "", "a message; `.damaged-TIME`", "common/committer.c correlator/store/ledger_sink.c") \
	X(STORE_FOREIGN, ANEW, "something that is no cache or ledger of this version is put in " \
	  "its place while it is in use", \
	  "set aside, a new one begun", \
	  "", "a message; `.damaged-TIME`", "common/committer.c") \
	X(CACHE_COPY, ANEW, "a copy of the cache is put in its place while it is in use", \
	  "set aside, a new one begun; sockledgerd reads the old one to its end, " \
	  "then the new one", \
	  "", "a message; `.damaged-TIME`", "plugin/cache_sink.c") \
	X(CACHE_NEWER, ANEW, "cache of a newer version", \
	  "set aside, a new one begun: it is a cache", \
	  "", "a message; `.damaged-TIME`", "plugin/cache_sink.c") \
	X(LEDGER_REFUSED, EXIT, "ledger of a newer version, or not writable at the start", \
	  "sockledgerd does not start", \
	  "", "exit status 1", "correlator/store/ledger_sink.c") \
	X(STORE_MOVED, ANEW, "the file of the cache or ledger replaced or removed", \
	  "who writes it begins a new one; sockledgerd reads the old cache to its end, then the " \
	  "new one", \
	  "", "a message", "common/committer.c correlator/store/cache_tail.c") \
	X(LEDGER_OTHER, KEEP, "another ledger is put in the ledger's place, or it is restored " \
	  "from a backup", \
	  "new rows go on behind its last one; a late word about a row of the former ledger " \
	  "opens a row, or is dropped", \
	  "", "a message", "correlator/store/ledger_sink.c") \
	X(LEDGER_FULL, TRIM, "the ledger is beyond `ledger_rows`, `ledger_bytes` or `ledger_age`", \
	  "its oldest rows go, in small steps", \
	  "trimmed", "", "correlator/store/ledger_sink.c") \
	X(ROW_REFUSED, LOSE, "a row that the ledger does not take", \
	  "left out; after 16 in succession the ledger counts as damaged", \
	  "lost_refused", "a message a minute", "correlator/store/ledger_sink.c") \
	X(CACHE_UNREAD, COUNT, "events left the cache unread", \
	  "counted", \
	  "lost_cache", "a message", "correlator/store/cache_tail.c") \
	X(PLUGIN_KILLED, COUNT, "plugin killed", \
	  "what was in its ring is lost; serials resume behind the newest one committed, so what " \
	  "lies between counts", \
	  "lost_serial", "`starts`", "plugin/gaps.c") \
	X(PLUGIN_AWAY, WITHOUT, "the plugin is away: auditd was stopped, or begins it again", \
	  "a second later packets wait for no record, and without the trace who holds a socket " \
	  "counts as its caller; the reason is `no-audit`", \
	  "", "", "correlator/store/cache_tail.c") \
	X(DAEMON_KILLED, REPLAY, "sockledgerd killed", \
	  "nothing of the records is lost as long as the cache keeps the events", \
	  "", "`lag`", "correlator/store/cache_tail.c") \
	X(DAEMON_STARTS, REPLAY, "sockledgerd starts", \
	  "the last 20000 events it knew are shown again, for the memory of sockets", \
	  "", "", "correlator/store/cache_tail.c") \
	X(RECORD_MISSING, COUNT, "a record missing, or late", \
	  "counted; a late socket() still gives the row its protocol", \
	  "incomplete orphan", "", "plugin/assemble.c") \
	X(RECORD_BAD, LOSE, "a line, a field or an address that makes no sense", \
	  "counted; the next line is read as if nothing were", \
	  "bad_line bad_long bad_event bad_address", "", "plugin/main.c") \
	X(ARCH_UNKNOWN, LOSE, \
	  "a record of ours of an architecture that nobody has the numbers of", \
	  "counted", \
	  "unknown_arch", "", "plugin/main.c") \
	X(SERIAL_MISSING, COUNT, "a serial that never came", \
	  "counted; taken off again if it comes late", \
	  "lost_serial", "", "plugin/gaps.c") \
	X(NO_MEMORY, LOSE, "no memory to read an event in, of which libauparse would crash", \
	  "counted; the next one is read when there is some", \
	  "lost_memory", "", "plugin/assemble.c plugin/main.c") \
	X(KERNEL_LOST, COUNT, "the kernel dropped records", \
	  "asked once a second", \
	  "lost_kernel", "", "plugin/cache_sink.c") \
	X(TOO_MUCH, WITHOUT, "too much to read", \
	  "`/proc` is not asked; rows say `audit` alone", \
	  "proc_busy", "", "plugin/main.c") \
	X(PROCESS_GONE, WITHOUT, "the process had exited", \
	  "the row says so by what is null", \
	  "proc_gone", "", "plugin/main.c") \
	X(CONFIG_BAD, KEEP, "configuration with mistakes", \
	  "at the start: exit status 2; on SIGHUP: the old one stays", \
	  "", "all mistakes, located", "common/program.c plugin/cache_sink.c correlator/reload.c") \
	X(POLICY_BAD, KEEP, "policy with mistakes", \
	  "at the start: exit status 1; on SIGHUP: policy, mode and park stay", \
	  "", "all mistakes, located", "correlator/reload.c") \
	X(FILE_UNREAD, WITHOUT, "a program's file cannot be read for a rule by its hash", \
	  "the hash is unknown: a rule that denies decides, one that allows does not", \
	  "files_refused", "", "correlator/proc/file_hash.c") \
	X(QUEUE_UNREAD, CHOICE, "nobody reads the queue", \
	  "new connections pass; with `--fail-closed` they are dropped", \
	  "", "", "rules/sockledger-queue") \
	X(QUEUE_LEFT, WAIT, "a service manager restarts sockledgerd", \
	  "it keeps the queue (`FileDescriptorStoreMax`): packets wait for the next one", \
	  "", "a message", "correlator/daemon.c") \
	X(QUEUE_CLOSED, REFUSE, "sockledgerd is stopped for good, or killed", \
	  "the kernel drops the packets it had not answered; as above from then on", \
	  "", "", "correlator/queue/nfqueue.c") \
	X(QUEUE_FULL, CHOICE, "the queue is full", \
	  "`fail_open`: passed unseen, or dropped", \
	  "queue_dropped", "passed: only the rule's counter", "correlator/queue/nfqueue.c") \
	X(QUEUE_SOCKET_FULL, CHOICE, "the queue's socket is full", \
	  "likewise", \
	  "queue_missed queue_overruns queue_user_dropped", "", "correlator/queue/nfqueue.c") \
	X(VERDICT_LATE, COUNT, "a verdict takes longer than `late_verdict`", \
	  "counted", \
	  "queue_late", "a message when that begins and when it has ended", "correlator/judge.c") \
	X(VERDICT_FAILED, COUNT, "the kernel does not take a verdict", \
	  "counted; the packet stays in the queue, and is dropped when that closes", \
	  "queue_errors", "", "correlator/judge.c") \
	X(PACKET_BAD, WITHOUT, "a packet whose head makes no sense, or is cut off", \
	  "every rule that denies by protocol, port or destination fits it, none that allows; " \
	  "reason `unreadable`", \
	  "queue_malformed", "", "correlator/judge.c") \
	X(NO_RECORD_IN_TIME, WITHOUT, "a parked packet's deadline comes before its record", \
	  "decided with what is known; without the trace who only holds the socket passes no " \
	  "rule by what it is", \
	  "queue_expired", "", "correlator/judge.c") \
	X(USER_CROWDS, WITHOUT, "packets of one user take the room that others need to wait", \
	  "of that user no more are parked: decided at once with what is known", \
	  "queue_crowded", "", "correlator/core/parking.c") \
	X(LOOK_OVERDUE, WITHOUT, "a process makes who reads its `/proc` wait", \
	  "the looker is killed, the process unreadable and not asked for ten seconds; rows say " \
	  "what else is known", \
	  "looks_overdue looks_refused looks_missed lookers_left proc_unreadable", \
	  "a message that names one, once a minute at most", \
	  "common/peek.c plugin/main.c") \
	X(MISJUDGED, COUNT, "a record names another process than its packet's verdict was for", \
	  "the verdict stays, the row has the right process and the reason `misjudged`", \
	  "queue_misjudged", "", "correlator/judge.c") \
	X(ROW_NO_ROOM, LOSE, "no room for a packet's row", \
	  "the verdict is given, the row dropped", \
	  "lost_buffer", "", "correlator/store/ledger_sink.c") \
	X(SHARING_UNSEEN, WITHOUT, "who may have sent by another socket at the port has more " \
	  "than 256 descriptors", \
	  "it is taken for one that has such a socket", \
	  "ports_unseen", "", "correlator/ask_socket.c") \
	X(DEATHS_LOST, WITHOUT, "the kernel could not tell us of sockets that died", \
	  "every flow of datagrams comes to the queue again, and another socket is another flow", \
	  "deaths_missed", "", "correlator/known_flow.c") \
	X(FLOWS_MANY, TRIM, "more flows than the table has room for", \
	  "of the user with the most the one that was used least recently is forgotten: its next " \
	  "datagram opens a new row", \
	  "flows_evicted", "", "correlator/known_flow.c") \
	X(NO_DEATHS, WITHOUT, "the kernel does not announce sockets that die", \
	  "no flow is marked: each datagram comes to the queue", \
	  "", "a message", "correlator/daemon.c") \
	X(NO_LINKS, WITHOUT, "the interfaces cannot be listed", \
	  "nothing of a forwarded packet is proof", \
	  "", "a message", "correlator/daemon.c") \
	X(ROW_MISSING, ANEW, "a record whose packet's row was dropped, or is in a file set aside", \
	  "the record opens a row of its own, with the packet's address and verdict", \
	  "", "the row has no rule", "common/ledger_write.c") \
	X(HALF_EVICTED, LOSE, "too many packets without their record, or records without their " \
	  "packet", \
	  "the oldest of the user with the most makes room: a record opens no second row where " \
	  "its process and destination are remembered, and confirms none; a packet opens one", \
	  "evicted_packets evicted_records", "", "correlator/core/halves.c") \
	X(NO_TRACEPOINTS, WITHOUT, "the kernel lacks tracepoints, and has kprobes", \
	  "a probe names who connects over TCP, if it tells the truth of a connection of our own", \
	  "", "a message", "correlator/trace/tracefeed.c") \
	X(NO_TRACEFS, WITHOUT, "tracefs absent or forbidden", \
	  "one message; records, sock_diag and /proc answer", \
	  "", "`queue_from_trace` stays 0", "correlator/daemon.c") \
	X(TRACE_LOST, WITHOUT, "an event of the trace lost", \
	  "nothing it says is proof for 200 ms; what was known of threads is forgotten", \
	  "trace_overruns", "", "correlator/core/lookups.c") \
	X(NO_NAMES, WITHOUT, "the group of NFLOG for names is not to be had", \
	  "rows have no names of destinations", \
	  "", "a message", "correlator/daemon.c") \
	X(NAME_UNASKED, LOSE, "an answer of the name service that nobody here has asked for", \
	  "it names nothing", \
	  "names_refused", "", "correlator/name_feed.c") \
	X(NAME_BAD, LOSE, "a message of the name service that makes no sense", \
	  "it names nothing", \
	  "names_bad", "", "correlator/name_feed.c") \
	X(NAMES_LOST, WITHOUT, "copies of its messages come faster than they are read", \
	  "the kernel drops some, whose names are not known", \
	  "names_lost", "", "correlator/name_feed.c") \
	X(NAMES_MANY, TRIM, "more names than the table has room for", \
	  "of the user with the most the oldest is forgotten", \
	  "names_evicted", "", "correlator/core/names.c") \
	X(USER_UNASKED, WITHOUT, \
	  "look-ups of one user's numbers take more than a tenth of the time", \
	  "it is not asked for: its rows have the number, and no name", \
	  "", "`user` is empty", "correlator/proc/users.c") \
	X(NO_PRIORITY, WITHOUT, "real-time priority refused", \
	  "nice -20, else a message", \
	  "", "", "correlator/queue/priority.c") \
	X(LAST_COMMIT, EXIT, "SIGTERM", \
	  "the pipe is read out; 30 s (cache), 10 s (ledger) for the last commit", \
	  "", "exit status 1 if not", "common/committer.c")

enum failure {
#define X(id, action, what, then, counters, seen, files) FAILURE_##id,
	FAILURES(X)
#undef X
	FAILURE_COUNT
};

/* Here the program does what this row says. */
#define FAILS(id) ((void)FAILURE_##id)

#endif
