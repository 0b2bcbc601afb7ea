/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any path of a control group: all names are pieces of it.  The system's have no slash, and below
 * user@UID.service nobody is the system's.
 */
#include <string.h>

#include "cgroup.h"
#include "fuzz.h"

static void check_piece(struct text path, struct text piece)
{
	if (!piece.data) {
		FUZZ_CHECK(!piece.len);
		return;
	}
	FUZZ_CHECK(piece.len && piece.data >= path.data &&
		   piece.data + piece.len <= path.data + path.len);
}

static bool has(struct text t, const char *what)
{
	return t.len && memmem(t.data, t.len, what, strlen(what));
}

static void check_names(struct text path, const struct cgroup_names *n)
{
	check_piece(path, n->unit);
	check_piece(path, n->slice);
	check_piece(path, n->container);
	check_piece(path, n->named_id);
	check_piece(path, n->named);
	check_piece(path, n->decides);
	FUZZ_CHECK(!has(n->container, "/") && !has(n->named_id, "/") && !has(n->slice, "/"));
	FUZZ_CHECK(!n->named.data == !n->named_id.data && !(n->named.data && n->container.data));
	FUZZ_CHECK(!n->named.data || has(n->named, "/"));
	FUZZ_CHECK(!n->decides.data || n->named.data);
	FUZZ_CHECK(strlen(n->pod) < sizeof(n->pod));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char users[] = "/user.slice/user-1.slice/user@1.service/";
	struct text path = { (const char *)data, size };
	struct cgroup_names names = cgroup_parse(path);
	char below[sizeof(users) + 4096];

	check_names(path, &names);
	if (size > 4096)
		return 0;
	memcpy(below, users, sizeof(users) - 1);
	memcpy(below + sizeof(users) - 1, data, size);
	path = (struct text){ below, sizeof(users) - 1 + size };
	names = cgroup_parse(path);
	check_names(path, &names);
	FUZZ_CHECK(!names.container.data && !names.decides.data);
	FUZZ_CHECK(names.unit.len >= 14 && !memcmp(names.unit.data, "user@1.service", 14));
	return 0;
}
