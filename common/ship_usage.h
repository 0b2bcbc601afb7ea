/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SHIP_USAGE_H
#define SOCKLEDGER_SHIP_USAGE_H

/* What `sockledger ship` and the program that it runs, sockledger-ship, say of their options. */
#define SHIP_ARGUMENTS "--to URL [OPTION ...]"
#define SHIP_STATE LOCALSTATEDIR "/lib/sockledger-ship/position"
#define SHIP_OPTIONS                                                                             \
	"      --to URL             http[s]://[USER@]HOST[:PORT][/DATABASE]: ClickHouse;\n"      \
	"                           postgresql://[USER@]HOST[:PORT]/DATABASE\n"                  \
	"      --once               what there is now, and no more\n"                            \
	"      --schema KIND        print the SQL that makes the tables of a collector:\n"       \
	"                           clickhouse or postgresql\n"                                  \
	"      --state FILE         how far rows were sent; default:\n"                          \
	"                           " SHIP_STATE "\n"                                            \
	"      --password-file FILE its first line is the user's password\n"                     \
	"      --ca FILE            certificates of who may have signed the collector's (HTTPS)" \
	"\n"                                                                                     \
	"      --cert FILE          certificate of this host (HTTPS)\n"                          \
	"      --key FILE           its key\n"                                                   \
	"      --rows N             at most so many in a batch (10000)\n"                        \
	"      --delay TIME         how long a new row waits for amendments (3s)\n"              \
	"      --timeout TIME       how long a batch may take (60s)\n"

#endif
