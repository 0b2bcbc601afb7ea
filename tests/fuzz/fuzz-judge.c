/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets, records, the trace and all else that happens on a made-up host, as the bytes have it
 * (tests/unit/chaos.c).  Every packet gets exactly one verdict. */
#include "chaos.h"
#include "fuzz.h"

struct input {
	const uint8_t *at, *end;
};

static uint32_t next(void *arg, uint32_t n)
{
	struct input *in = arg;

	return in->at == in->end ? 0 : *in->at++ % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	const struct chaos c = { next, &in };

	chaos_begin(&c);
	while (in.at < in.end) {
		if (next(&in, 4) == 0)
			chaos_packet(&c);
		else
			chaos_event(&c);
	}
	FUZZ_CHECK(chaos_end() == 0);
	return 0;
}
