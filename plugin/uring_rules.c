/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Audit rules that old auditctl has no words for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libaudit.h>
#include <linux/io_uring.h>

#include "config.h"
#include "log.h"
#include "uring_rules.h"

#ifndef AUDIT_FILTER_URING_EXIT	/* linux/audit.h before Linux 5.16 */
#define AUDIT_FILTER_URING_EXIT 7
#endif

static void add_field(struct audit_rule_data *r, uint32_t field, uint32_t value)
{
	r->fields[r->field_count] = field;
	r->fieldflags[r->field_count] = AUDIT_EQUAL;
	r->values[r->field_count++] = value;
}

/* 0 or -errno. */
static int add_rule(int audit, const char *key, int op, int family)
{
	size_t len = config_own_key(key);
	struct audit_rule_data *r = calloc(1, sizeof(*r) + len + 1);
	int rc;

	if (!r)
		return -ENOMEM;
	r->mask[AUDIT_WORD(op)] |= AUDIT_BIT(op);
	add_field(r, AUDIT_SADDR_FAM, (uint32_t)family);
	add_field(r, AUDIT_FILTERKEY, (uint32_t)len);
	memcpy(r->buf, key, len);
	r->buflen = (uint32_t)len;
	rc = audit_add_rule_data(audit, r, AUDIT_FILTER_URING_EXIT, AUDIT_ALWAYS);
	free(r);
	return rc < 0 && rc != -EEXIST ? rc : 0;
}

int uring_rules_load(const char *key)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int audit = audit_open(), rc = audit < 0 ? -errno : 0;

	/* What libaudit would say of it is said below. */
	set_aumessage_mode(MSG_QUIET, DBG_NO);
	for (size_t i = 0; !rc && i < sizeof(families) / sizeof(families[0]); i++)
		rc = add_rule(audit, key, IORING_OP_CONNECT, families[i]);
	if (audit >= 0)
		audit_close(audit);
	if (rc) {
		log_error("cannot load the audit rules for io_uring: %s%s", strerror(-rc),
			  rc == -EINVAL ? " (they are for Linux 5.16 and later)" : "");
		return 1;
	}
	puts("audit rules for io_uring are loaded");
	return 0;
}
