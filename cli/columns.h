/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_COLUMNS_H
#define SOCKLEDGER_COLUMNS_H

/* Columns that a person chooses by their names, as in util-linux: "a,b", or "+a,b" besides. */
#define COLUMNS_MAX 96

struct columns {
	int index[COLUMNS_MAX];	/* in the list of names */
	int count;
};

/* c: those that are shown anyway, which a list without a + replaces.  0; -EINVAL: there is a name
 * that is none, or too many. */
int columns_choose(struct columns *c, const char *list, const char *const *names, int count);
/* The first `count` names. */
void columns_all(struct columns *c, int count);
/* The names as a table has them; the array points to texts in upper. */
#define COLUMN_NAME_MAX 32
void columns_in_capitals(const char **names, int count,
			 char upper[COLUMNS_MAX][COLUMN_NAME_MAX]);
/* Behind a command's help: the names. */
void columns_help(const char *const *names, int count);

#endif
