/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CACHE_SINK_H
#define SOCKLEDGER_CACHE_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "committer.h"

struct config;
struct counters;
struct event;

/*
 * The thread that writes the cache, and everything of the plugin that may wait: for the disk,
 * for a lock, for syslog.  The read side hands events over through a ring and never waits, unless
 * it says that it may.
 */
struct cache_sink;

/* The cache's path and bounds are copied from c; config_path (NULL: the default file) stays
 * borrowed, for cache_sink_reload().  A cache that is damaged is set aside; one that cannot be
 * opened now is tried again for as long as it takes.  interrupt: a descriptor that is readable
 * when the program shall end.  NULL with errno set. */
struct cache_sink *cache_sink_start(const struct config *c, const char *config_path,
			    struct counters *counters, int interrupt);

/* The serial up to which an earlier run of the plugin, since this boot, had handed over everything.
 * False if there is none, or if the cache has not been opened yet. */
bool cache_sink_last_serial(struct cache_sink *w, uint32_t *serial);

/* Copies one event into the buffer.  False, and counted, if no room comes within `patience`. */
bool cache_sink_put(struct cache_sink *w, const struct event *e, enum committer_patience patience);

/* Has the thread write the counters, because something was counted without an event. */
void cache_sink_kick(struct cache_sink *w);

/* Has the writer's thread read the configuration again, and take the cache's path and bounds from
 * it. Mistakes are logged, and the old one stays. */
void cache_sink_reload(struct cache_sink *w);
/* The configuration that was read since the last call, to be released by the caller; NULL where
 * none was. */
struct config *cache_sink_new_config(struct cache_sink *w);

/* Commits what is left, tries for at most timeout_ms, and counts the rest as lost.  Ends the
 * thread and frees w.  0, or -errno of the last failure. */
int cache_sink_stop(struct cache_sink *w, int timeout_ms);

#endif
