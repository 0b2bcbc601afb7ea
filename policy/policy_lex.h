/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICY_LEX_H
#define SOCKLEDGER_POLICY_LEX_H

#include <stdbool.h>

#include "diag.h"

/* A line of a policy to words. */

#define LEXER_LINE_CHARS 4096

enum token {
	TOKEN_END,		/* of the line, or a comment */
	TOKEN_WORD,
	TOKEN_QUOTED,		/* a word, which no name of the language can be */
	TOKEN_COMMA,
	TOKEN_BAD,		/* no word; it was told, and the line is to be left */
};

struct lexer {
	const char *name;	/* of the file; borrowed, as diags is */
	struct diags *diags;
	int line;		/* counts from 1 */
	const char *from, *at, *end;		/* the line, and what is read of it */
	enum token token;
	const char *start;	/* of the token */
	char word[LEXER_LINE_CHARS + 1];
	char shown[48];
};

/* Begins the next line.  False, with a complaint, where no person would have written that. */
bool lexer_line(struct lexer *l, const char *from, const char *end);
/* Takes the next token; a word is in l->word, without its quotes. */
void lexer_next(struct lexer *l);

/* Tells a mistake at `where`, which is in the line or at its end. */
#define LEXER_COMPLAIN(l, where, ...) \
	diag_at((l)->diags, (l)->name, (unsigned int)(l)->line, \
		(unsigned int)((where) - (l)->from) + 1, __VA_ARGS__)

/* The word for a message: the beginning of it, and nothing that a terminal could take amiss. */
const char *lexer_shown(struct lexer *l);

#endif
