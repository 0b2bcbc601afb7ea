/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection as the class network_activity of OCSF has it (github.com/ocsf/ocsf-schema, v1.8.0),
 * with the profiles host and security_control.  What it has no field for is in "unmapped", by the
 * names of the ledger's columns.  Times are milliseconds since the epoch.
 */
#include <string.h>
#include <sys/socket.h>

#include "connection.h"
#include "export.h"
#include "json.h"

#define CLASS 4001

static void json_ms(struct json *j, const char *name, int64_t us)
{
	if (us >= 0)
		json_number(j, name, us / 1000);
}

/* What happened: opened, refused, or failed before anything was sent. */
static void activity(struct json *j, const struct exported *e)
{
	static const char *const names[] = { [1] = "Open", [4] = "Fail", [5] = "Refuse" };
	static const int status[] = {
		[OUTCOME_UNKNOWN] = 0, [OUTCOME_SUCCESS] = 1, [OUTCOME_FAILURE] = 2,
	};
	bool refused = text_equal(e->reason, text_of("ECONNREFUSED"));
	int id = e->outcome != OUTCOME_FAILURE ? 1 : refused ? 5 : 4;

	json_number(j, "activity_id", id);
	json_text(j, "activity_name", text_of(names[id]));
	json_number(j, "category_uid", CLASS / 1000);
	json_text(j, "category_name", text_of("Network Activity"));
	json_number(j, "class_uid", CLASS);
	json_text(j, "class_name", text_of("Network Activity"));
	json_number(j, "type_uid", CLASS * 100 + id);
	json_number(j, "status_id", status[e->outcome]);
	if (e->outcome == OUTCOME_FAILURE)
		json_text(j, "status_detail", e->reason);
}

/* What the policy said: of mode observe, what it would have done. */
static void decision(struct json *j, const struct exported *e)
{
	static const struct {
		int action, disposition, severity;
		const char *severity_name;
	} words[] = {
		[VERDICT_OBSERVED] = { 3, 17, 1, "Informational" },
		[VERDICT_ACCEPT] = { 1, 1, 1, "Informational" },
		[VERDICT_DROP] = { 2, 6, 3, "Medium" },
		[VERDICT_REJECT] = { 2, 25, 3, "Medium" },
	};
	int v = e->verdict ? e->verdict : VERDICT_OBSERVED;

	json_number(j, "severity_id", words[v].severity);
	json_text(j, "severity", text_of(words[v].severity_name));
	json_number(j, "action_id", words[v].action);
	json_number(j, "disposition_id", words[v].disposition);
	json_cell(j, "firewall_rule.name", export_cell(e, "rule"));
}

static void confidence(struct json *j, const struct exported *e)
{
	struct text certainty = export_text(e, "certainty");

	json_number(j, "confidence_id", text_equal(certainty, text_of("certain")) ? 3 :
					text_equal(certainty, text_of("inferred")) ? 2 : 0);
}

static void metadata(struct json *j, const struct exported *e)
{
	const struct text profiles[] = { text_of("host"), text_of("security_control") };

	json_text(j, "metadata.version", text_of("1.8.0"));
	json_text(j, "metadata.product.name", text_of("sockledger"));
	json_text(j, "metadata.product.vendor_name", text_of("sockledger"));
	json_text(j, "metadata.product.version", text_of(PACKAGE_VERSION));
	json_list(j, "metadata.profiles", profiles, 2);
	json_word(j, "metadata.uid", &(struct cell){ .kind = CELL_INTEGER, .integer = e->id });
	json_cell(j, "metadata.original_time", export_cell(e, "time"));
	json_cell(j, "metadata.original_event_uid", export_cell(e, "audit_id"));
	if (e->serial >= 0)
		json_number(j, "metadata.sequence", e->serial);
}

static void times(struct json *j, const struct exported *e)
{
	json_ms(j, "time", e->time_us);
	json_ms(j, "start_time", e->time_us);
	json_ms(j, "end_time", e->end_us);
	if (e->end_us >= e->time_us)
		json_ms(j, "duration", e->end_us - e->time_us);
}

static void network(struct json *j, const struct exported *e)
{
	static const struct { int id; const char *name; } ways[] = {
		{ 0, "Unknown" }, [DIRECTION_OUT] = { 2, "Outbound" },
		[DIRECTION_IN] = { 1, "Inbound" }, [DIRECTION_FORWARD] = { 99, "forward" },
	};
	uint8_t family = e->dst.family ? e->dst.family : e->src.family;

	json_number(j, "connection_info.direction_id", ways[e->direction].id);
	json_text(j, "connection_info.direction", text_of(ways[e->direction].name));
	json_text(j, "connection_info.protocol_name", text_of(protocol_name(e->protocol)));
	if (e->protocol >= 0)
		json_number(j, "connection_info.protocol_num", e->protocol);
	if (family)
		json_number(j, "connection_info.protocol_ver_id", family == AF_INET ? 4 : 6);
	json_text(j, "connection_info.community_uid",
		  text_of(*e->community ? e->community : NULL));
	/* An end without an address is still on a host: of the two, ours. */
	if (e->direction == DIRECTION_OUT)
		json_cell(j, "src_endpoint.hostname", export_cell(e, "node"));
	json_text(j, "src_endpoint.ip", text_of(*e->src_text ? e->src_text : NULL));
	json_cell(j, "src_endpoint.port", export_cell(e, "sport"));
	if (e->direction == DIRECTION_IN)
		json_cell(j, "dst_endpoint.hostname", export_cell(e, "node"));
	else
		json_cell(j, "dst_endpoint.hostname", export_cell(e, "dst_name"));
	json_text(j, "dst_endpoint.ip", text_of(*e->dst_text ? e->dst_text : NULL));
	json_cell(j, "dst_endpoint.port", export_cell(e, "dport"));
	json_cell(j, "traffic.bytes", export_cell(e, "bytes"));
	json_cell(j, "traffic.packets", export_cell(e, "packets"));
}

/* The last part of a path, because a file needs a name. */
static struct text base_name(struct text path)
{
	const char *slash = path.data ? memrchr(path.data, '/', path.len) : NULL;

	if (!slash)
		return path;
	return (struct text){ slash + 1, path.len - (size_t)(slash + 1 - path.data) };
}

static void program(struct json *j, const char *name, const char *path, const char *type,
		    struct text exe)
{
	json_text(j, name, base_name(exe));
	json_text(j, path, exe);
	if (exe.data)
		json_number(j, type, 1);
}

static void actor(struct json *j, const struct exported *e)
{
	if (export_cell(e, "pid")->kind != CELL_NULL) {
		json_cell(j, "actor.process.pid", export_cell(e, "pid"));
		json_cell(j, "actor.process.name", export_cell(e, "comm"));
		json_cell(j, "actor.process.cmd_line", export_cell(e, "cmdline"));
		json_cell(j, "actor.process.working_directory", export_cell(e, "cwd"));
		json_ms(j, "actor.process.created_time", e->start_us);
		program(j, "actor.process.file.name", "actor.process.file.path",
			"actor.process.file.type_id", export_text(e, "exe"));
		json_word(j, "actor.process.user.uid", export_cell(e, "uid"));
		json_cell(j, "actor.process.user.name", export_cell(e, "user"));
		if (export_cell(e, "ppid")->kind != CELL_NULL) {
			json_cell(j, "actor.process.parent_process.pid", export_cell(e, "ppid"));
			program(j, "actor.process.parent_process.file.name",
				"actor.process.parent_process.file.path",
				"actor.process.parent_process.file.type_id",
				export_text(e, "parent_exe"));
		}
	}
	json_word(j, "actor.user.uid", export_cell(e, "uid"));
	json_cell(j, "actor.user.name", export_cell(e, "user"));
	json_word(j, "actor.session.uid", export_cell(e, "session"));
}

static void unmapped(struct json *j, const struct exported *e)
{
	static const struct { const char *name, *column; } fields[] = {
		{ "unmapped.src", "src" }, { "unmapped.dst", "dst" },
		{ "unmapped.certainty", "certainty" }, { "unmapped.evidence", "evidence" },
		{ "unmapped.reason", "reason" }, { "unmapped.verdict", "verdict" },
		{ "unmapped.latency_us", "latency_us" }, { "unmapped.amended", "amended" },
		{ "unmapped.auid", "auid" }, { "unmapped.login_user", "login_user" },
		{ "unmapped.netns", "netns" }, { "unmapped.unit", "unit" },
		{ "unmapped.exe_seen", "exe_seen" }, { "unmapped.dst_name_by", "dst_name_by" },
		{ "unmapped.dst_names", "dst_names" },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		json_cell(j, fields[i].name, export_cell(e, fields[i].column));
}

void export_ocsf(FILE *out, const struct exported *e)
{
	struct json j;

	json_begin(&j, out);
	times(&j, e);
	activity(&j, e);
	decision(&j, e);
	confidence(&j, e);
	metadata(&j, e);
	json_number(&j, "device.type_id", 0);
	json_cell(&j, "device.hostname", export_cell(e, "node"));
	json_cell(&j, "device.container.name", export_cell(e, "container"));
	network(&j, e);
	actor(&j, e);
	unmapped(&j, e);
	json_end(&j);
}
