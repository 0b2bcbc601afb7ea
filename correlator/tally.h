/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TALLY_H
#define SOCKLEDGER_TALLY_H

struct parts;

/* Hands the counters that are not the judge's to the recorder, for `sockledger stats`. */
void tally_publish(const struct parts *p);

#endif
