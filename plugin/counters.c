/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of the plugin's counters. */
#include "counters.h"

static const char *const names[PLUGIN_COUNTER_COUNT] = {
#define X(id, name) [COUNT_##id] = #name,
	PLUGIN_COUNTERS(X)
#undef X
};

const char *counter_name(enum plugin_counter which)
{
	return names[which];
}
