/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The yardstick of bench/ingest: libauparse's feed alone, reading stdin and counting events. */
#include <stdio.h>
#include <unistd.h>

#include <auparse.h>

static void count(auparse_state_t *au, auparse_cb_event_t what, void *arg)
{
	(void)au;
	if (what == AUPARSE_CB_EVENT_READY)
		++*(long *)arg;
}

int main(void)
{
	static char buf[64 * 1024];
	auparse_state_t *au = auparse_init(AUSOURCE_FEED, NULL);
	long events = 0;
	ssize_t n;

	if (!au)
		return 1;
	auparse_add_callback(au, count, &events, NULL);
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		if (auparse_feed(au, buf, (size_t)n))
			return 1;
	auparse_flush_feed(au);
	auparse_destroy(au);
	printf("%ld\n", events);
	return n < 0;
}
