/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NAME_FEED_H
#define SOCKLEDGER_NAME_FEED_H

#include <stdint.h>

struct host;
struct nflog;

/* Copies of questions to the name service and of its answers, into the table of names. */
struct name_feed {
	struct nflog *nflog;	/* NULL: there are none */
	struct host *host;
	struct name_feed_counts {
		int64_t answers;	/* to questions of this host */
		int64_t refused;	/* that nobody here has asked for */
		int64_t bad;		/* no message, or one that makes no sense */
		int64_t lost;		/* how often the kernel lost some */
		int64_t evicted;	/* names that had to make room */
	} count;
};

/* host, and its table of names, are borrowed.  0 or -errno, as nflog_open(). */
int name_feed_open(struct name_feed *f, struct host *host, uint16_t group);
void name_feed_close(struct name_feed *f);
/* For poll(); -1: there is nothing to wait for. */
int name_feed_fd(const struct name_feed *f);

/* Takes what has come, without waiting: an answer's copy is there before its reader has it. */
void name_feed_read(struct name_feed *f);

#endif
