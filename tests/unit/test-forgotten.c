/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that made room before their record came. */
#include "connection.h"
#include "forgotten.h"
#include "tap.h"

#define T 1000000000000LL
#define SECOND 1000000

static struct endpoint to(uint8_t last, int port)
{
	return (struct endpoint){ .addr = { .family = 2, .bytes = { 192, 0, 2, last } },
				  .port = port };
}

int main(void)
{
	struct forgotten *f = forgotten_new();
	struct endpoint web = to(1, 443), other = to(2, 443), port = to(1, 80);
	int found = 0;

	tap_ok(!forgotten_take(f, 100, &web, T), "nobody");
	forgotten_add(f, 100, &web, T);
	tap_ok(!forgotten_take(f, 101, &web, T) && !forgotten_take(f, 100, &other, T) &&
	       !forgotten_take(f, 100, &port, T), "another process, address or port");
	tap_ok(!forgotten_take(f, 100, &web, T + 20000) &&
	       !forgotten_take(f, 100, &web, T - 131 * SECOND),
	       "a call after it, or long before it");
	tap_ok(forgotten_take(f, 100, &web, T - SECOND), "its call");
	tap_ok(!forgotten_take(f, 100, &web, T - SECOND), "each answers for one");

	forgotten_add(f, 100, &web, T);
	forgotten_add(f, 100, &web, T + SECOND);
	forgotten_add(f, 100, &web, T + 2 * SECOND);
	for (int i = 0; i < 9; i++)
		found += forgotten_take(f, 100, &web, T + i * SECOND / 4);
	tap_ok(found == 3, "as many calls as packets");
	forgotten_add(f, 100, &web, T);
	forgotten_add(f, 100, &web, T + 200 * SECOND);
	found = forgotten_take(f, 100, &web, T + 199 * SECOND);
	tap_ok(found && !forgotten_take(f, 100, &web, T), "one of long ago is none any more");

	forgotten_add(f, -1, &web, T);
	tap_ok(!forgotten_take(f, -1, &web, T),
	       "a packet without a process has no record of its own");

	for (int i = 0; i < 3 * FORGOTTEN_MAX; i++)
		forgotten_add(f, 1000 + i, &web, T);
	found = 0;
	for (int i = 0; i < 3 * FORGOTTEN_MAX; i++)
		found += forgotten_take(f, 1000 + i, &web, T);
	tap_ok(found > FORGOTTEN_MAX / 2 && found <= FORGOTTEN_MAX, "a flood is bounded");
	forgotten_free(f);
	return tap_done();
}
