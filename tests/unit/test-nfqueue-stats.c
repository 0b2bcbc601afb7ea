/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's counters of its queues: ours are added up, others left out. */
#include <string.h>

#include "nfqueue_stats.h"
#include "tap.h"

static const struct {
	int first, count;
	const char *text;
	int64_t dropped, user_dropped;
} table[] = {
	{ 0, 1, "", 0, 0 },
	{ 0, 1, "    0  17251     0 2   256     0     0        0  1\n", 0, 0 },
	{ 0, 1, "    0  17251     4 2   256   296     7      300  1\n", 296, 7 },
	/* two of ours, between two of another program */
	{ 1, 2, "    0  17251     4 2   256   296     7      300  1\n"
	  "    1    812     4 2   256  1000  2000      300  1\n"
	  "    2  17252     0 2   256     4     3      300  1\n"
	  "    3  17251     0 2   256    40    30      300  1\n", 1004, 2003 },
	/* as wide as they get */
	{ 65535, 1, "65535  17251 4294967295 2 65535 4294967295 4294967295 4294967295  1\n",
	  4294967295, 4294967295 },
	/* not what we know: nothing, and the next line all the same */
	{ 0, 64, "queue portid\n    0  17251\n    0  17251     0 2   256     1     2        3\n", 1,
	  2 },
};

int main(void)
{
	char bound[] = "    0 4294967295     4 2   256   296     7      300  1\n"
		       "    1    812     4 2   256  1000  2000      300  1\nqueue portid\n";
	FILE *f;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct nfqueue_stats s = { -1, -1 };
		char text[512];

		snprintf(text, sizeof(text), "%s", table[i].text);
		f = fmemopen(text, strlen(text) + 1, "r");
		/* Read twice: from its beginning each time. */
		for (int n = 0; n < 2; n++)
			tap_ok(!nfqueue_stats_read(f, (unsigned int)table[i].first, table[i].count,
						   &s) &&
			       s.dropped == table[i].dropped &&
			       s.user_dropped == table[i].user_dropped, "text %zu, time %d", i, n);
		fclose(f);
	}
	f = fmemopen(bound, strlen(bound), "r");
	tap_ok(nfqueue_stats_port(f, 1) == 812 && nfqueue_stats_port(f, 0) == 4294967295LL,
	       "whose a queue is");
	tap_ok(nfqueue_stats_port(f, 2) == -1, "or nobody's");
	fclose(f);
	return tap_done();
}
