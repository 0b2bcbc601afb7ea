/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICY_LEX_H
#define SOCKLEDGER_POLICY_LEX_H

#include <stdbool.h>

#include "diag.h"

/* Cuts a line of a policy into words. */

#define LEXER_LINE_CHARS 4096

enum token {
	TOKEN_END,		/* of the line, or a comment */
	TOKEN_WORD,
	TOKEN_QUOTED,		/* a quoted word, which is never a keyword */
	TOKEN_COMMA,
	TOKEN_BAD,		/* not a word; the mistake was reported, and the caller skips the
				 * line */
};

struct lexer {
	const char *name;	/* of the file; borrowed, as diags is */
	struct diags *diags;
	int line;		/* counts from 1 */
	const char *from, *at, *end;		/* the line, and how far it is read */
	enum token token;
	const char *start;	/* where the token begins */
	char word[LEXER_LINE_CHARS + 1];
	char shown[48];
};

/*
 * Begins the next line.  False, with a complaint, where the line holds bytes that no editor writes.
 */
bool lexer_line(struct lexer *l, const char *from, const char *end);
/* Takes the next token; l->word has a word without its quotes. */
void lexer_next(struct lexer *l);

/* Reports a mistake at `where`, which is in the line or at its end. */
#define LEXER_COMPLAIN(l, where, ...) \
	diag_at((l)->diags, (l)->name, (unsigned int)(l)->line, \
		(unsigned int)((where) - (l)->from) + 1, __VA_ARGS__)

/* The word for a message: its beginning, with nothing that could harm a terminal. */
const char *lexer_shown(struct lexer *l);

#endif
