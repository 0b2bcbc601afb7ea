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
	return (unsigned int)kind < EVENT_KINDS ? kind_names[kind] : NULL;
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
		.fd = -1, .family = -1, .type = -1, .protocol = -1, .port = -1, .inode = -1,
		.listener = -1, .listener_inode = -1,
	};
	process_init(&e->process);
}

size_t event_pack_size(const struct event *e)
{
	return sizeof(*e) + texts_size(e->process.text, PROCESS_TEXTS) + texts_size(&e->node, 1);
}

struct event *event_pack(const struct event *e, void *to)
{
	struct event *copy = to;
	char *texts = (char *)(copy + 1);

	*copy = *e;
	texts = texts_move(copy->process.text, PROCESS_TEXTS, texts);
	texts_move(&copy->node, 1, texts);
	return copy;
}

bool event_is_to(const struct event *e, const struct endpoint *dst)
{
	struct address addr = e->addr;

	address_unmap(&addr);
	return e->kind != EVENT_SOCKET && e->port == dst->port && address_equal(&addr, &dst->addr);
}
