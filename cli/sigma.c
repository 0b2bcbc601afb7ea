/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of Sigma as conditions on the ledger: all five that the repository SigmaHQ/sigma had for
 * Linux and network connections on 2026-08-05 (commit 8eaafff).  They are under the Detection Rule
 * License 1.1: whoever passes on what they found names the rule and its author.
 *
 * Texts are compared without regard to case, as Sigma wants it (LIKE, of ASCII).  What a filter of
 * a rule takes out is what is known to fit it: an unknown address is not taken out.
 */
#include <string.h>

#include "find.h"
#include "sigma.h"

#define NAMES "names of destinations, which are kept with 'names = yes' (sockledger.conf)"

/* A path that ends so, also where the ledger has a word behind it. */
#define ENDS_WITH(end)                                                                           \
	"(t.text LIKE '%%" end "' OR t.text LIKE '%%" end " (deleted)'"                          \
	" OR t.text LIKE '%%" end " (other file)')"

static void reverse_shell(struct find *f)
{
	find_exe(f, ENDS_WITH("/bin/bash"));
	find_add(f, FIND_NONE, "ifnull(tdst.text, '') NOT IN ('127.0.0.1', '0.0.0.0')");
}

static void callback(struct find *f)
{
	static const char *const local[] = {
		"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
		"::1/128", "fe80::/10", "fc00::/7",
	};

	find_add(f, FIND_NONE, "c.direction = 1");
	find_add(f, FIND_NONE, "c.dport IN (888, 999, 2200, 2222, 4000, 4444, 6789, 8531, 50501,"
		 " 51820)");
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		find_add(f, FIND_NONE, "NOT ifnull(in_net(tdst.text, '%s'), 0)", local[i]);
}

static void mining_pool(struct find *f)
{
	find_add(f, FIND_NONE, "tname.text COLLATE NOCASE IN ('pool.minexmr.com',"
		 " 'fr.minexmr.com', 'de.minexmr.com', 'sg.minexmr.com', 'ca.minexmr.com',"
		 " 'us-west.minexmr.com', 'pool.supportxmr.com', 'mine.c3pool.com',"
		 " 'xmr-eu1.nanopool.org', 'xmr-eu2.nanopool.org', 'xmr-us-east1.nanopool.org',"
		 " 'xmr-us-west1.nanopool.org', 'xmr-asia1.nanopool.org', 'xmr-jp1.nanopool.org',"
		 " 'xmr-au1.nanopool.org', 'xmr.2miners.com', 'xmr.hashcity.org',"
		 " 'xmr.f2pool.com', 'xmrpool.eu', 'pool.hashvault.pro', 'moneroocean.stream',"
		 " 'monerocean.stream')");
}

static void localtonet(struct find *f)
{
	find_add(f, FIND_NONE, "c.direction = 1");
	find_add(f, FIND_NONE, "(tname.text LIKE '%%.localto.net' OR"
		 " tname.text LIKE '%%.localtonet.com')");
}

static void ngrok(struct find *f)
{
	find_add(f, FIND_NONE, "(tname.text LIKE '%%tunnel.us.ngrok.com%%' OR"
		 " tname.text LIKE '%%tunnel.eu.ngrok.com%%' OR"
		 " tname.text LIKE '%%tunnel.ap.ngrok.com%%' OR"
		 " tname.text LIKE '%%tunnel.au.ngrok.com%%' OR"
		 " tname.text LIKE '%%tunnel.sa.ngrok.com%%' OR"
		 " tname.text LIKE '%%tunnel.jp.ngrok.com%%' OR"
		 " tname.text LIKE '%%tunnel.in.ngrok.com%%')");
}

const struct sigma_rule sigma_rules[] = {
	{ "83dcd9f6-9ca8-4af7-a16e-a1c7a6b51871", "Linux Reverse Shell Indicator",
	  "Florian Roth (Nextron Systems)", "test", SIGMA_CRITICAL, reverse_shell, NULL },
	{ "dbfc7c98-04ab-4ab7-aa94-c74d22aa7376",
	  "Potentially Suspicious Malware Callback Communication - Linux", "hasselj", "test",
	  SIGMA_HIGH, callback, NULL },
	{ "a46c93b7-55ed-4d27-a41b-c259456c4746", "Linux Crypto Mining Pool Connections",
	  "Florian Roth (Nextron Systems)", "stable", SIGMA_HIGH, mining_pool, NAMES },
	{ "c4568f5d-131f-4e78-83d4-45b2da0ec4f1",
	  "Communication To LocaltoNet Tunneling Service Initiated - Linux",
	  "Andreas Braathen (mnemonic.io)", "test", SIGMA_HIGH, localtonet, NAMES },
	{ "19bf6fdb-7721-4f3d-867f-53467f6a5db6",
	  "Communication To Ngrok Tunneling Service - Linux", "Florian Roth (Nextron Systems)",
	  "test", SIGMA_HIGH, ngrok, NAMES },
};
const int sigma_rule_count = sizeof(sigma_rules) / sizeof(sigma_rules[0]);

static const char *const levels[] = {
	[SIGMA_LOW] = "low", [SIGMA_MEDIUM] = "medium", [SIGMA_HIGH] = "high",
	[SIGMA_CRITICAL] = "critical",
};

const char *sigma_level_name(enum sigma_level level)
{
	return levels[level];
}

int sigma_level_parse(const char *name)
{
	for (int i = SIGMA_LOW; i <= SIGMA_CRITICAL; i++)
		if (!strcmp(levels[i], name))
			return i;
	return 0;
}
