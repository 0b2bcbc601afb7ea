/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_OLD_LEDGER_H
#define SOCKLEDGER_OLD_LEDGER_H

/*
 * A ledger as an older version made it.  The schema's steps never change, so the first ones of
 * today are what that version did; to take away from a new ledger what it did not have would not be
 * the same, because tables, indexes and views of later steps would stay.
 */
#include <stdio.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger_schema.h"

/* An empty one, open for the rows that a test puts in; NULL where it cannot be made. */
static sqlite3 *old_ledger(const char *path, unsigned int version)
{
	char sql[128];
	sqlite3 *db;
	int rc = sqlite3_open(path, &db);

	/* It need not outlive a power failure, and waits for no disk. */
	if (!rc)
		rc = sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	for (unsigned int i = 0; !rc && i < version; i++)
		rc = sqlite3_exec(db, ledger_schema.steps[i], NULL, NULL, NULL);
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %u; PRAGMA user_version = %u",
		 ledger_schema.application_id, version);
	if (!rc)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	if (!rc)
		return db;
	fprintf(stderr, "a ledger of version %u: %s\n", version, sqlite3_errmsg(db));
	sqlite3_close(db);
	return NULL;
}

#endif
