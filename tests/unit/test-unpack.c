/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is packed by each library, whole, in several members, cut off, and damaged. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "tap.h"
#include "unpack.h"

#define BYTES 700000

static char text[BYTES], out[2 * BYTES + 100];
static unsigned char packed[BYTES + 100000];

static size_t pack_gzip(const char *in, size_t len, unsigned char *to, size_t size)
{
	z_stream z = { .next_in = (unsigned char *)in, .avail_in = (unsigned int)len,
		       .next_out = to, .avail_out = (unsigned int)size };

	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return size - z.avail_out;
}

static size_t pack_xz(const char *in, size_t len, unsigned char *to, size_t size)
{
	size_t n = 0;

	lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, (const uint8_t *)in, len, to, &n, size);
	return n;
}

static size_t pack_zstd(const char *in, size_t len, unsigned char *to, size_t size)
{
	return ZSTD_compress(to, size, in, len, 3);
}

static size_t pack_nothing(const char *in, size_t len, unsigned char *to, size_t size)
{
	memcpy(to, in, len < size ? len : size);
	return len;
}

static const struct format {
	const char *name;
	size_t (*pack)(const char *in, size_t len, unsigned char *to, size_t size);
} formats[] = {
	{ "gzip", pack_gzip }, { "xz", pack_xz }, { "zstd", pack_zstd }, { "plain", pack_nothing },
};

/* Unpacks those bytes.  How many came out, and *rc, what came behind them. */
static size_t unpack(const unsigned char *in, size_t len, size_t step, ssize_t *rc)
{
	int fd = memfd_create("packed", 0);
	struct unpack *u = unpack_open(fd);
	size_t got = 0;

	if (write(fd, in, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) || !u)
		exit(1);
	while ((*rc = unpack_read(u, out + got,
				  sizeof(out) - got < step ? sizeof(out) - got : step)) > 0)
		got += (size_t)*rc;
	/* It says the same again. */
	if (unpack_read(u, out + got, 1) != *rc)
		*rc = -ECANCELED;
	unpack_close(u);
	close(fd);
	return got;
}

static void test_whole(const struct format *f)
{
	static const size_t lengths[] = { 0, 1, 5, 100, 65536, BYTES };
	ssize_t rc;
	bool good = true;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t n = f->pack(text, lengths[i], packed, sizeof(packed));

		good = unpack(packed, n, i % 2 ? 65536 : 777, &rc) == lengths[i] && rc == 0 &&
		       !memcmp(out, text, lengths[i]) && good;
	}
	tap_ok(good, "%s: whole, from nothing to %d bytes", f->name, BYTES);
}

static void test_several(const struct format *f)
{
	size_t n = f->pack(text, 1000, packed, sizeof(packed));
	ssize_t rc;

	n += f->pack(text + 1000, 500000, packed + n, sizeof(packed) - n);
	tap_ok(unpack(packed, n, 65536, &rc) == 501000 && rc == 0 && !memcmp(out, text, 501000),
	       "%s: two, one behind the other", f->name);
}

static void test_cut(const struct format *f)
{
	size_t n = f->pack(text, 100000, packed, sizeof(packed)), got;
	bool good = true;
	ssize_t rc;

	for (size_t len = 7; len < n; len += 997) {
		got = unpack(packed, len, 65536, &rc);
		if (rc == -ENODATA && got < 100000 && !memcmp(out, text, got))
			continue;
		tap_note("%zu of %zu bytes: %zu came out, %zd", len, n, got, rc);
		good = false;
	}
	tap_ok(good, "%s: cut off: what there is, and that it is not all", f->name);
}

static void test_damaged(const struct format *f)
{
	size_t n = f->pack(text, 100000, packed, sizeof(packed));
	int told = 0, tries = 0;
	ssize_t rc;

	for (size_t at = 40; at < n - 40; at += n / 50) {
		packed[at] ^= 0x55;
		unpack(packed, n, 65536, &rc);
		told += rc == -EBADMSG || rc == -ENODATA;
		tries++;
		packed[at] ^= 0x55;
	}
	/* Not every format has a checksum. */
	tap_ok(strcmp(f->name, "zstd") ? told == tries : told > tries / 4,
	       "%s: damaged: told %d times of %d", f->name, told, tries);
}

int main(void)
{
	static const unsigned char zeros[1000];
	ssize_t rc;
	size_t n;

	srandom(1);
	for (size_t i = 0; i < BYTES; i++)
		text[i] = (char)('a' + random() % (i % 3 ? 2 : 20));
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		test_whole(&formats[i]);
	for (size_t i = 0; i < 3; i++) {
		test_several(&formats[i]);
		test_cut(&formats[i]);
		test_damaged(&formats[i]);
	}
	n = pack_gzip(text, 1000, packed, sizeof(packed));
	memcpy(packed + n, zeros, sizeof(zeros));
	tap_ok(unpack(packed, n + sizeof(zeros), 65536, &rc) == 1000 && rc == 0,
	       "gzip: zeros behind it are nothing");
	memcpy(packed + n, "rubbish", 7);
	tap_ok(unpack(packed, n + 7, 65536, &rc) == 1000 && rc == -EBADMSG,
	       "gzip: something else behind it is told");
	/* A dictionary of 1.5 GiB: 20 MB of memory are all that the test needs. */
	memset(out, 0, sizeof(out));
	tap_ok(unpack((const unsigned char *)"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9, 65536,
		      &rc) == 0 && rc == -EFBIG, "zstd: a window that is too large");
	tap_ok(unpack((const unsigned char *)"\x1f", 1, 65536, &rc) == 1 && rc == 0,
	       "one byte of a beginning is a byte");
	return tap_done();
}
