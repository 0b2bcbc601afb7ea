/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FUZZ_H
#define SOCKLEDGER_FUZZ_H

/* A fuzz target, as libFuzzer and driver.c call it.  It aborts where something is wrong. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert() it stays in every build. */
#define FUZZ_CHECK(condition)                                                            \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
				#condition);                                             \
			abort();                                                         \
		}                                                                        \
	} while (0)

#endif
