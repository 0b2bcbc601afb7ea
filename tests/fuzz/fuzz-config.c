/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as sockledger.conf: either all of it is taken over and within its bounds, or there is
 * a line for each mistake and the configuration is the default one. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "diag.h"
#include "fuzz.h"

static void check_text(const char *s)
{
	FUZZ_CHECK(s && *s);
	for (; *s; s++)
		FUZZ_CHECK((unsigned char)*s >= 0x20 || *s == '\t');
}

static void check_values(const struct config *c)
{
	check_text(c->cache);
	check_text(c->ledger);
	check_text(c->audit_key);
	check_text(c->node);
	FUZZ_CHECK(c->cache[0] == '/' && c->ledger[0] == '/');
	FUZZ_CHECK(strlen(c->audit_key) <= 128 && strlen(c->node) <= 255);
	FUZZ_CHECK(c->cache_bytes > 0);
	FUZZ_CHECK(c->cache_rows > 0 && c->cache_age_us > 0 && c->buffer_bytes > 0);
}

static void check_default(const struct config *c)
{
	struct config d;

	FUZZ_CHECK(!config_init(&d));
	FUZZ_CHECK(!strcmp(c->cache, d.cache) && !strcmp(c->ledger, d.ledger) &&
		   !strcmp(c->audit_key, d.audit_key) && !strcmp(c->node, d.node) &&
		   c->cache_rows == d.cache_rows && c->cache_age_us == d.cache_age_us &&
		   c->cache_bytes == d.cache_bytes && c->buffer_bytes == d.buffer_bytes);
	config_release(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("sockledger.conf", MFD_CLOEXEC), rc;
	char path[64], *told = NULL;
	size_t told_len = 0;
	struct diags d = { .out = open_memstream(&told, &told_len) };
	unsigned int lines = 0;
	struct config c;

	FUZZ_CHECK(fd >= 0 && d.out && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FUZZ_CHECK(!config_init(&c));
	rc = config_load(&c, path, &d);
	fclose(d.out);
	FUZZ_CHECK(!rc == !d.count);
	check_values(&c);
	if (rc)
		check_default(&c);
	/* One line each, with its place, and nothing in it that a terminal obeys. */
	for (size_t i = 0; i < told_len; i++) {
		FUZZ_CHECK((unsigned char)told[i] >= 0x20 || told[i] == '\n');
		lines += told[i] == '\n';
		if (i == 0 || told[i - 1] == '\n')
			FUZZ_CHECK(!strncmp(told + i, path, strlen(path)));
	}
	FUZZ_CHECK(lines == d.count);
	config_release(&c);
	free(told);
	close(fd);
	return 0;
}
