/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for keys: the same key has the same number, others have others, up to the bound. */
#include "keys.h"
#include "tap.h"

static int number(struct keys *k, struct text a, struct text b, long long n)
{
	keys_begin(k);
	keys_add(k, a);
	keys_add(k, b);
	keys_add_number(k, n);
	return keys_number(k);
}

int main(void)
{
	struct keys k;
	bool good = true;

	keys_init(&k, 3000);
	tap_ok(number(&k, text_of("a"), text_of("bc"), 1) == 0, "the first key is 0");
	tap_ok(number(&k, text_of("a"), text_of("bc"), 1) == 0, "and stays it");
	tap_ok(number(&k, text_of("ab"), text_of("c"), 1) == 1, "texts do not run together");
	tap_ok(number(&k, text_of("a"), text_of("bc"), 2) == 2, "numbers count");
	tap_ok(number(&k, text_of(""), TEXT_NONE, 1) == 3, "an empty text is a text");
	tap_ok(number(&k, TEXT_NONE, text_of(""), 1) == 4, "an unknown one is none");
	tap_ok(number(&k, TEXT_NONE, TEXT_NONE, 1) == 5, "nor are two");
	for (int round = 0; round < 2; round++)
		for (int i = 6; i < 3000; i++)
			good &= number(&k, text_of("x"), TEXT_NONE, i) == i;
	tap_ok(good && k.count == 3000, "as many as there may be, found again");
	tap_ok(number(&k, text_of("y"), TEXT_NONE, 1) == -1 && !k.failed, "and no more");
	tap_ok(number(&k, text_of("a"), text_of("bc"), 1) == 0, "old ones are still found");
	keys_release(&k);
	tap_ok(!k.count, "none are left");
	return tap_done();
}
