/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection as Elastic Common Schema has it (github.com/elastic/ecs, v9.4.0).  What it has no
 * field for is in "sockledger", by the names of the ledger's columns.  Identifiers are strings,
 * quantities numbers.
 */
#include <sys/socket.h>

#include "connection.h"
#include "export.h"
#include "json.h"

static void event_fields(struct json *j, const struct exported *e)
{
	static const char *const actions[] = {
		[DIRECTION_OUT] = "connection-attempted", [DIRECTION_IN] = "connection-accepted",
		[DIRECTION_FORWARD] = "connection-forwarded",
	};
	static const char *const outcomes[] = {
		[OUTCOME_UNKNOWN] = "unknown", [OUTCOME_SUCCESS] = "success",
		[OUTCOME_FAILURE] = "failure",
	};
	bool denied = e->verdict == VERDICT_DROP || e->verdict == VERDICT_REJECT;
	const struct text category = text_of("network");
	const struct text type[] = {
		text_of("connection"), text_of(denied ? NULL : "start"),
		text_of(denied ? "denied" : e->verdict == VERDICT_ACCEPT ? "allowed" : NULL),
		text_of(e->end_us >= 0 ? "end" : NULL),
	};

	json_text(j, "event.kind", text_of("event"));
	json_list(j, "event.category", &category, 1);
	json_list(j, "event.type", type, sizeof(type) / sizeof(type[0]));
	json_text(j, "event.action", text_of(denied ? "connection-denied" : actions[e->direction]));
	json_text(j, "event.outcome", text_of(outcomes[e->outcome]));
	json_text(j, "event.reason", e->reason);
	json_text(j, "event.module", text_of("sockledger"));
	json_text(j, "event.provider", text_of("sockledger"));
	json_text(j, "event.dataset", text_of("sockledger.connections"));
	json_word(j, "event.id", &(struct cell){ .kind = CELL_INTEGER, .integer = e->id });
	if (e->serial >= 0)
		json_number(j, "event.sequence", e->serial);
	json_cell(j, "event.end", export_cell(e, "end_time"));
	if (e->end_us >= e->time_us)
		json_number(j, "event.duration", (e->end_us - e->time_us) * 1000);
}

/* One end of the connection, by these names. */
static void end(struct json *j, const struct exported *e, bool src, const char *address,
		const char *ip, const char *port)
{
	const char *text = src ? e->src_text : e->dst_text;

	json_cell(j, address, export_cell(e, src ? "src" : "dst"));
	json_text(j, ip, text_of(*text ? text : NULL));
	json_cell(j, port, export_cell(e, src ? "sport" : "dport"));
}

/* The source of a row sent the first packet, whichever end is ours, and so is the client. */
static void ends(struct json *j, const struct exported *e)
{
	end(j, e, true, "source.address", "source.ip", "source.port");
	end(j, e, false, "destination.address", "destination.ip", "destination.port");
	json_cell(j, "destination.domain", export_cell(e, "dst_name"));
	end(j, e, true, "client.address", "client.ip", "client.port");
	end(j, e, false, "server.address", "server.ip", "server.port");
}

static void network_fields(struct json *j, const struct exported *e)
{
	const char *way = e->direction == DIRECTION_OUT ? "egress" :
			  e->direction == DIRECTION_IN ? "ingress" : NULL;
	uint8_t family = e->dst.family ? e->dst.family : e->src.family;

	json_text(j, "network.transport", text_of(protocol_name(e->protocol)));
	if (e->protocol >= 0)
		json_word(j, "network.iana_number",
			  &(struct cell){ .kind = CELL_INTEGER, .integer = e->protocol });
	json_text(j, "network.type", text_of(family == AF_INET ? "ipv4" :
					     family == AF_INET6 ? "ipv6" : NULL));
	json_text(j, "network.direction", text_of(way));
	json_text(j, "network.community_id", text_of(*e->community ? e->community : NULL));
	json_cell(j, "network.bytes", export_cell(e, "bytes"));
	json_cell(j, "network.packets", export_cell(e, "packets"));
}

static void process_fields(struct json *j, const struct exported *e)
{
	json_cell(j, "process.pid", export_cell(e, "pid"));
	json_cell(j, "process.name", export_cell(e, "comm"));
	json_cell(j, "process.executable", export_cell(e, "exe"));
	json_cell(j, "process.command_line", export_cell(e, "cmdline"));
	json_cell(j, "process.working_directory", export_cell(e, "cwd"));
	json_cell(j, "process.start", export_cell(e, "start_time"));
	json_word(j, "process.real_user.id", export_cell(e, "uid"));
	json_cell(j, "process.real_user.name", export_cell(e, "user"));
	json_cell(j, "process.parent.pid", export_cell(e, "ppid"));
	json_cell(j, "process.parent.executable", export_cell(e, "parent_exe"));
	json_word(j, "user.id", export_cell(e, "uid"));
	json_cell(j, "user.name", export_cell(e, "user"));
}

static void own_fields(struct json *j, const struct exported *e)
{
	json_cell(j, "sockledger.direction", export_cell(e, "direction"));
	json_cell(j, "sockledger.certainty", export_cell(e, "certainty"));
	json_cell(j, "sockledger.evidence", export_cell(e, "evidence"));
	json_cell(j, "sockledger.verdict", export_cell(e, "verdict"));
	json_cell(j, "sockledger.latency_us", export_cell(e, "latency_us"));
	json_cell(j, "sockledger.amended", export_cell(e, "amended"));
	json_word(j, "sockledger.auid", export_cell(e, "auid"));
	json_cell(j, "sockledger.login_user", export_cell(e, "login_user"));
	json_word(j, "sockledger.session", export_cell(e, "session"));
	json_word(j, "sockledger.netns", export_cell(e, "netns"));
	json_cell(j, "sockledger.exe_seen", export_cell(e, "exe_seen"));
	json_cell(j, "sockledger.dst_name_by", export_cell(e, "dst_name_by"));
	json_cell(j, "sockledger.dst_names", export_cell(e, "dst_names"));
	json_cell(j, "sockledger.audit_id", export_cell(e, "audit_id"));
}

void export_ecs(FILE *out, const struct exported *e)
{
	const struct text addresses[] = {
		text_of(*e->src_text ? e->src_text : NULL),
		text_of(*e->dst_text ? e->dst_text : NULL),
	};
	const struct text users[] = { export_text(e, "user"), export_text(e, "login_user") };
	bool same = text_equal(users[0], users[1]);
	struct json j;

	json_begin(&j, out);
	json_cell(&j, "@timestamp", export_cell(e, "time"));
	json_text(&j, "ecs.version", text_of("9.4.0"));
	event_fields(&j, e);
	json_text(&j, "observer.type", text_of("sensor"));
	json_text(&j, "observer.product", text_of("sockledger"));
	json_text(&j, "observer.version", text_of(PACKAGE_VERSION));
	json_cell(&j, "host.name", export_cell(e, "node"));
	ends(&j, e);
	network_fields(&j, e);
	process_fields(&j, e);
	json_cell(&j, "container.id", export_cell(e, "container"));
	json_cell(&j, "service.name", export_cell(e, "unit"));
	json_cell(&j, "rule.name", export_cell(e, "rule"));
	json_list(&j, "related.ip", addresses, text_equal(addresses[0], addresses[1]) ? 1 : 2);
	json_list(&j, "related.user", users, same ? 1 : 2);
	own_fields(&j, e);
	json_end(&j);
}
