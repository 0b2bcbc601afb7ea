/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_KEYS_H
#define SOCKLEDGER_KEYS_H

#include <stddef.h>

#include "text.h"

/*
 * Numbers for keys, 0, 1, 2, ... in the order in which they came: what rows are counted by.  A key
 * is bytes; it is put together with keys_begin() and keys_add...().
 */
struct keys {
	struct key *key;
	int count, most;	/* no more than this */
	int *slot;		/* hash table: numbers + 1; a power of two, 0: none */
	size_t slots;
	char *now;		/* the key that is being put together */
	size_t len, size;
	int failed;		/* memory was short: -ENOMEM */
};

void keys_init(struct keys *k, int most);
void keys_release(struct keys *k);

void keys_begin(struct keys *k);
/* Texts that are unknown differ from those that are empty. */
void keys_add(struct keys *k, struct text t);
void keys_add_number(struct keys *k, long long n);

/* The number of the key that was put together.  Where it is a new one, that is the former count.
 * -1: there are too many, or memory was short. */
int keys_number(struct keys *k);

#endif
