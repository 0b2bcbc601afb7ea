/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOG_H
#define SOCKLEDGER_LOG_H

#include <stdbool.h>

/*
 * Messages of the programs: to stderr, or to syslog for a daemon in the background.  A message is
 * lower case and ends without a full stop.  syslog(3) may wait for its reader, so code that must
 * not wait (the plugin's read side, the verdict path) never calls these functions: it counts, and
 * another thread logs the count.
 */

/* Opens the log.  name stays borrowed.  Threads may log after this. */
void log_open(const char *name, bool to_syslog);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
