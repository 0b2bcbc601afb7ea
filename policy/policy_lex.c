/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cuts a line of a policy into words: blanks separate them, commas stand for themselves, '#' in
 * place of a word begins a comment, and "..." is one word, with \" and \\ for those two in it.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "policy_lex.h"

const char *lexer_shown(struct lexer *l)
{
	size_t max = sizeof(l->shown) - sizeof("..."), len = 0;

	for (; len < max && l->word[len]; len++)
		l->shown[len] = isprint((unsigned char)l->word[len]) ? l->word[len] : '?';
	snprintf(l->shown + len, sizeof(l->shown) - len, "%s", l->word[len] ? "..." : "");
	return l->shown;
}

bool lexer_line(struct lexer *l, const char *from, const char *end)
{
	l->line++;
	l->from = l->at = l->start = from;
	if (end > from && end[-1] == '\r')
		end--;
	l->end = end;
	if (end - from > LEXER_LINE_CHARS) {
		LEXER_COMPLAIN(l, from + LEXER_LINE_CHARS, "line is too long (%d bytes at most)",
			       LEXER_LINE_CHARS);
		return false;
	}
	for (const char *at = from; at < end; at++) {
		unsigned char c = (unsigned char)*at;

		if ((c >= 0x20 && c != 0x7f) || c == '\t')
			continue;
		LEXER_COMPLAIN(l, at, "control byte 0x%02x is not allowed here", c);
		return false;
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static enum token next_quoted(struct lexer *l)
{
	char *to = l->word;

	for (l->at++; l->at < l->end && *l->at != '"'; l->at++) {
		if (*l->at == '\\' && l->at + 1 < l->end && (l->at[1] == '"' || l->at[1] == '\\'))
			l->at++;
		*to++ = *l->at;
	}
	*to = '\0';
	if (l->at == l->end) {
		LEXER_COMPLAIN(l, l->start, "this quote is not closed");
		return TOKEN_BAD;
	}
	l->at++;
	if (l->at < l->end && !is_blank(*l->at) && *l->at != ',') {
		LEXER_COMPLAIN(l, l->at, "a blank or ',' was expected behind the closing quote");
		return TOKEN_BAD;
	}
	return TOKEN_QUOTED;
}

static enum token next_token(struct lexer *l)
{
	char *to = l->word;

	while (l->at < l->end && is_blank(*l->at))
		l->at++;
	l->start = l->at;
	if (l->at == l->end || *l->at == '#')
		return TOKEN_END;
	if (*l->at == '"')
		return next_quoted(l);
	if (*l->at == ',') {
		l->at++;
		return TOKEN_COMMA;
	}
	for (; l->at < l->end && !is_blank(*l->at) && *l->at != ','; l->at++) {
		if (*l->at == '"') {
			LEXER_COMPLAIN(l, l->at, "a quote can only begin a word");
			return TOKEN_BAD;
		}
		*to++ = *l->at;
	}
	*to = '\0';
	return TOKEN_WORD;
}

void lexer_next(struct lexer *l)
{
	l->token = next_token(l);
}
