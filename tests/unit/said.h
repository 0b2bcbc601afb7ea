/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SAID_H
#define SOCKLEDGER_SAID_H

/* The last warning, in place of the journal. */
#include <stdarg.h>
#include <stdio.h>

#include "log.h"

static char said[256];

void log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
}

#endif
