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
 * The thread that writes the cache, and all work of the plugin that may wait: for the disk, for a
 * lock, for syslog.  The read side hands events over through a ring, and waits only if it says that
 * it may.
 */
struct cache_sink;

/*
 * Copies the cache's path and bounds from c; config_path (NULL: the default file) stays borrowed,
 * for cache_sink_reload().  A damaged cache is set aside.  If a cache cannot be opened now, the
 * thread tries again until it can.  interrupt: a descriptor that is readable when the program shall
 * end.  NULL with errno set.
 */
struct cache_sink *cache_sink_start(const struct config *c, const char *config_path,
			    struct counters *counters, int interrupt);

/*
 * Gets the serial up to which an earlier run of the plugin, since this boot, had handed over every
 * event.  False where there was no such run, or the cache has not been opened yet.
 */
bool cache_sink_last_serial(struct cache_sink *w, uint32_t *serial);

/*
 * Hands one event over: its bytes are copied.  False where there is no room within the patience
 * that the source of the events has; the loss is counted.
 */
bool cache_sink_put(struct cache_sink *w, const struct event *e, enum committer_patience patience);

/* A counter changed without an event, so the counters in the cache need an update. */
void cache_sink_nudge(struct cache_sink *w);

/*
 * Makes the writer's thread read the configuration again, and take the cache's path and bounds from
 * it.  Mistakes are logged, and then the old configuration stays.
 */
void cache_sink_reload(struct cache_sink *w);
/* The configuration that was read since the last call, to be released by the caller; NULL where
 * none was. */
struct config *cache_sink_new_config(struct cache_sink *w);

/*
 * Commits the remaining events, for at most timeout_ms while the cache refuses; events that remain
 * then are counted as lost.  Ends the thread and frees w.  0, or -errno of the last failure.
 */
int cache_sink_stop(struct cache_sink *w, int timeout_ms);

#endif
