/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as a message of the name service: what is taken of it is in its range, and a name is text
 * that is written as it is. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "dns.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of exactly that size, so that a byte beyond it is noticed. */
	uint8_t *copy = malloc(size ? size : 1);
	struct dns_message m;
	int rc;

	FUZZ_CHECK(copy);
	if (size)
		memcpy(copy, data, size);
	rc = dns_parse(copy, size, &m);
	free(copy);
	FUZZ_CHECK(rc == 0 || rc == -EBADMSG || rc == -ENAMETOOLONG);
	FUZZ_CHECK(m.count >= 0 && m.count <= DNS_ADDRESSES_MAX);
	if (rc)
		return 0;
	FUZZ_CHECK(memchr(m.name, '\0', sizeof(m.name)));
	FUZZ_CHECK(m.answer || !m.count);
	for (const char *p = m.name; *p; p++)
		FUZZ_CHECK(*p > ' ' && *p < 0x7f && !(*p >= 'A' && *p <= 'Z'));
	for (int i = 0; i < m.count; i++)
		FUZZ_CHECK(m.found[i].addr.family == AF_INET ||
			   m.found[i].addr.family == AF_INET6);
	return 0;
}
