/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What loads have in common: this program under many names, started at an even pace. */
#ifndef TESTS_PROGRAMS_H
#define TESTS_PROGRAMS_H

#include <stddef.h>
#include <time.h>

#include "helper.h"

#define PROGRAMS 16

/* "DIR/prog-07" */
void programs_path(const char *dir, int program, char *path, size_t size);
/* Copies of this very program under all the names. */
void programs_make(const char *dir);
void programs_remove(const char *dir);

/* Sleeps to the end of a turn; next: the end of the one before, at first the time of the start. */
void pace(struct timespec *next, int rate);

#endif
