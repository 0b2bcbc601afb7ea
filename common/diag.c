/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Located complaints about what the user wrote. */
#include <stdarg.h>

#include "diag.h"

void diag_at(struct diags *d, const char *file, unsigned int line, unsigned int column,
	     const char *fmt, ...)
{
	va_list ap;

	d->count++;
	if (!d->out)
		return;
	fprintf(d->out, "%s:%u:%u: ", file, line, column);
	va_start(ap, fmt);
	vfprintf(d->out, fmt, ap);
	va_end(ap);
	fputc('\n', d->out);
}
