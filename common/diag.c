/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Located complaints about what the user wrote. */
#include <stdarg.h>

#include "diag.h"
#include "text.h"

void diag_at(struct diags *d, const char *file, unsigned int line, unsigned int column,
	     const char *fmt, ...)
{
	char where[1024], what[1024], shown[4 * sizeof(what)];
	va_list ap;

	d->count++;
	if (!d->out)
		return;
	/* What is wrong may be quoted, and a policy names files. */
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	fprintf(d->out, "%s:%u:%u: ", text_show(text_of(file), where, sizeof(where)), line, column);
	fprintf(d->out, "%s\n", text_show(text_of(what), shown, sizeof(shown)));
}
