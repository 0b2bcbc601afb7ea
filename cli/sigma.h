/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SIGMA_H
#define SOCKLEDGER_SIGMA_H

#include <stdbool.h>

struct find;

enum sigma_level { SIGMA_LOW = 1, SIGMA_MEDIUM, SIGMA_HIGH, SIGMA_CRITICAL };

/* A rule of Sigma (github.com/SigmaHQ/sigma) for Linux, category network_connection. */
struct sigma_rule {
	const char *id, *title, *author, *status;
	enum sigma_level level;
	void (*add)(struct find *f);	/* its condition */
	const char *wants;	/* what it finds nothing without; NULL: what every ledger has */
};

extern const struct sigma_rule sigma_rules[];
extern const int sigma_rule_count;

const char *sigma_level_name(enum sigma_level level);
/* 0: it is none. */
int sigma_level_parse(const char *name);

#endif
