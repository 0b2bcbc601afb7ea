/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memories that are shared, copied, left and forgotten, and who is disguised in them. */
#include "memories.h"
#include "tap.h"

#define MAX 8

static struct memories *m;

static void test_descent(void)
{
	uint32_t one = memories_add_new(m), two = memories_add_new(m), early, late, grandchild;

	memories_share(m, one);
	early = memories_add_copy(m, one, 10);
	memories_disguise(m, one, 20);
	late = memories_add_copy(m, one, 30);
	grandchild = memories_add_copy(m, late, 40);
	tap_ok(memories_ask(m, one) == DISGUISE_SURE && !memories_ask(m, two),
	       "who is told to run another file, and nobody else");
	tap_ok(!memories_ask(m, early) && memories_ask(m, late) == DISGUISE_SURE &&
	       memories_ask(m, grandchild) == DISGUISE_SURE,
	       "copies that are made since, and theirs");
	memories_leave(m, one, false);
	tap_ok(memories_ask(m, one) == DISGUISE_SURE && !memories_doubtful_since_ns(m),
	       "one less shares it");
	tap_ok(memories_add_new(m) != one, "no other memory has its place yet");
	memories_leave(m, one, false);
	tap_ok(!memories_ask(m, memories_add_new(m)) && memories_ask(m, late) == DISGUISE_SURE &&
	       !memories_ask(m, early), "another memory in its place is another");
}

/* The processors' events are read in turn. */
static void test_late_word(void)
{
	uint32_t one = memories_add_new(m), copy = memories_add_copy(m, one, 30);
	uint32_t again = memories_add_copy(m, copy, 31), before = memories_add_copy(m, one, 10);

	memories_disguise(m, one, 20);
	tap_ok(memories_ask(m, copy) == DISGUISE_SURE && memories_ask(m, again) == DISGUISE_SURE &&
	       !memories_ask(m, before), "a copy that was heard of before that");
	memories_leave(m, one, false);
	one = memories_add_new(m);
	memories_disguise(m, one, 5);
	tap_ok(!memories_ask(m, before), "what has its original's place says nothing of it");
}

static void test_unknown(void)
{
	uint32_t whole = memories_add_new(m), shared = memories_add_new(m);
	uint32_t old = memories_add_old(m), copy;

	memories_share(m, shared);
	memories_leave(m, shared, true);
	tap_ok(!memories_ask(m, shared) && !memories_ask(m, old) && !memories_ask(m, MEMORY_NONE),
	       "as long as nobody of unknown descent is disguised, nobody is");
	memories_disguise(m, MEMORY_NONE, 50);
	memories_disguise(m, MEMORY_NONE, 60);
	tap_ok(memories_ask(m, shared) == DISGUISE_PERHAPS &&
	       memories_ask(m, old) == DISGUISE_PERHAPS &&
	       memories_ask(m, MEMORY_NONE) == DISGUISE_PERHAPS && !memories_ask(m, whole) &&
	       memories_doubtful_since_ns(m) == 50,
	       "then whoever may share its memory may be, since the first");
	copy = memories_add_copy(m, old, 70);
	tap_ok(memories_ask(m, copy) == DISGUISE_PERHAPS &&
	       !memories_ask(m, memories_add_copy(m, whole, 70)), "and who is a copy of those");
}

static void test_forgotten(void)
{
	uint32_t one = memories_add_new(m);

	memories_disguise(m, one, 20);
	memories_leave(m, one, true);
	tap_ok(memories_doubtful_since_ns(m) == 20, "one that is forgotten may be heard of again");
	memories_disguise(m, memories_add_new(m), 10);
	memories_forget(m);
	tap_ok(memories_doubtful_since_ns(m) == 10 &&
	       memories_ask(m, MEMORY_NONE) == DISGUISE_PERHAPS, "also where all are");
}

static void test_full(void)
{
	for (int i = 0; i < MAX; i++)
		memories_add_new(m);
	tap_ok(memories_add_new(m) == MEMORY_NONE, "there is no room for more");
	memories_leave(m, MEMORY_NONE, false);
	memories_leave(m, 3, false);
	tap_ok(memories_add_old(m) == 3, "until one is left");
	memories_forget(m);
	tap_ok(memories_add_new(m) == 0, "or all are forgotten");
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_descent, test_late_word, test_unknown, test_forgotten, test_full,
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		m = memories_new(MAX);
		tests[i]();
		memories_free(m);
	}
	return tap_done();
}
