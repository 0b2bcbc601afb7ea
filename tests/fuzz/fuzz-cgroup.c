/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any path of a control group: unit and container are whole pieces of it. */
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
	FUZZ_CHECK(!memchr(piece.data, '/', piece.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text path = { (const char *)data, size };
	struct cgroup_names names = cgroup_parse(path);

	check_piece(path, names.unit);
	check_piece(path, names.container);
	return 0;
}
