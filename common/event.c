/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One audit event of ours. */
#include <string.h>

#include "event.h"

static const char *const kind_names[EVENT_KINDS] = {
	[EVENT_SOCKET] = "socket",
	[EVENT_BIND] = "bind",
	[EVENT_CONNECT] = "connect",
	[EVENT_SEND] = "send",
	[EVENT_ACCEPT] = "accept",
	[EVENT_EXEC] = "exec",
	[EVENT_FORK] = "fork",
};

const char *event_kind_name(enum event_kind kind)
{
	return kind > EVENT_NONE && kind < EVENT_KINDS ? kind_names[kind] : NULL;
}

enum event_kind event_kind_parse(const char *name)
{
	for (int kind = EVENT_NONE + 1; name && kind < EVENT_KINDS; kind++)
		if (!strcmp(kind_names[kind], name))
			return (enum event_kind)kind;
	return EVENT_NONE;
}

void event_init(struct event *e)
{
	*e = (struct event){
		.pid = -1, .ppid = -1, .fd = -1, .family = -1, .type = -1, .protocol = -1,
		.port = -1, .uid = -1, .gid = -1, .euid = -1, .fsuid = -1, .auid = -1,
		.session = -1, .inode = -1, .start_ticks = -1, .netns = -1,
	};
}

size_t event_pack_size(const struct event *e)
{
	return sizeof(*e) + texts_size(e->text, EVENT_TEXTS);
}

struct event *event_pack(const struct event *e, void *to)
{
	struct event *copy = to;

	*copy = *e;
	texts_move(copy->text, EVENT_TEXTS, (char *)(copy + 1));
	return copy;
}
