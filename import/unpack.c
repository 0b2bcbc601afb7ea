/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gzip, xz and zstd by their libraries, and what is not packed. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "unpack.h"

#define INPUT_BYTES ((size_t)256 * 1024)
/* xz -9 wants 65 MiB. */
#define XZ_BYTES_MAX ((uint64_t)128 * 1024 * 1024)
/* zstd's default, also where `zstd --long=31` was asked for more. */
#define ZSTD_WINDOW_LOG 27

enum format { UNKNOWN, PLAIN, GZIP, XZ, ZSTD };

struct unpack {
	int fd;
	enum format format;
	unsigned char *input;
	size_t at, len;		/* what is left of the input */
	int64_t position;
	bool end;		/* of the file */
	bool whole;		/* of what is packed nothing is missing */
	int error;		/* to be told again */
	z_stream gzip;
	lzma_stream xz;
	ZSTD_DStream *zstd;
};

struct unpack *unpack_open(int fd)
{
	struct unpack *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->fd = fd;
	u->input = malloc(INPUT_BYTES);
	if (u->input)
		return u;
	free(u);
	return NULL;
}

void unpack_close(struct unpack *u)
{
	if (!u)
		return;
	if (u->format == GZIP)
		inflateEnd(&u->gzip);
	if (u->format == XZ)
		lzma_end(&u->xz);
	ZSTD_freeDStream(u->zstd);
	free(u->input);
	free(u);
}

int64_t unpack_position(const struct unpack *u)
{
	return u->position;
}

/* Reads more behind what is left.  0 or -errno. */
static int fill(struct unpack *u)
{
	ssize_t n;

	memmove(u->input, u->input + u->at, u->len);
	u->at = 0;
	do
		n = read(u->fd, u->input + u->len, INPUT_BYTES - u->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	u->end = n == 0;
	u->len += (size_t)n;
	u->position += n;
	return 0;
}

static bool begins(const struct unpack *u, const char *magic, size_t len)
{
	return u->len >= len && !memcmp(u->input, magic, len);
}

/* By the first bytes; a pipe may bring them one by one. */
static int find_format(struct unpack *u)
{
	int rc = 0;

	while (!rc && u->len < 6 && !u->end)
		rc = fill(u);
	if (rc)
		return rc;
	u->whole = true;
	if (begins(u, "\x1f\x8b", 2)) {
		if (inflateInit2(&u->gzip, 15 + 16) != Z_OK)
			return -ENOMEM;
		u->format = GZIP;
	} else if (begins(u, "\xfd" "7zXZ", 6)) {
		if (lzma_stream_decoder(&u->xz, XZ_BYTES_MAX, LZMA_CONCATENATED) != LZMA_OK)
			return -ENOMEM;
		u->format = XZ;
		u->whole = false;
	} else if (begins(u, "\x28\xb5\x2f\xfd", 4)) {
		u->zstd = ZSTD_createDStream();
		if (!u->zstd)
			return -ENOMEM;
		ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
		u->format = ZSTD;
	} else {
		u->format = PLAIN;
	}
	return 0;
}

/* Each of the following unpacks from the input what there is room for: *n bytes.  0 or -errno. */

static int plain(struct unpack *u, char *to, size_t size, size_t *n)
{
	*n = u->len < size ? u->len : size;
	memcpy(to, u->input + u->at, *n);
	u->at += *n;
	u->len -= *n;
	return 0;
}

/* Behind the end of a packed file another one may begin; tapes fill up with zeros. */
static bool next_gzip(struct unpack *u)
{
	while (u->len && !u->input[u->at]) {
		u->at++;
		u->len--;
	}
	return u->len > 0;
}

static int gunzip(struct unpack *u, char *to, size_t size, size_t *n)
{
	int rc;

	if (u->whole && !next_gzip(u))
		return 0;
	u->gzip.next_in = u->input + u->at;
	u->gzip.avail_in = (unsigned int)u->len;
	u->gzip.next_out = (unsigned char *)to;
	u->gzip.avail_out = (unsigned int)size;
	u->whole = false;
	rc = inflate(&u->gzip, Z_NO_FLUSH);
	*n = size - u->gzip.avail_out;
	u->at += u->len - u->gzip.avail_in;
	u->len = u->gzip.avail_in;
	if (rc == Z_STREAM_END) {
		u->whole = true;
		rc = inflateReset(&u->gzip);
	}
	return rc == Z_OK || rc == Z_BUF_ERROR ? 0 : rc == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static int unxz(struct unpack *u, char *to, size_t size, size_t *n)
{
	lzma_ret rc;

	if (u->whole)
		return 0;
	u->xz.next_in = u->input + u->at;
	u->xz.avail_in = u->len;
	u->xz.next_out = (unsigned char *)to;
	u->xz.avail_out = size;
	rc = lzma_code(&u->xz, u->end ? LZMA_FINISH : LZMA_RUN);
	*n = size - u->xz.avail_out;
	u->at += u->len - u->xz.avail_in;
	u->len = u->xz.avail_in;
	u->whole = rc == LZMA_STREAM_END;
	if (rc == LZMA_OK || rc == LZMA_STREAM_END || rc == LZMA_BUF_ERROR)
		return 0;
	return rc == LZMA_MEMLIMIT_ERROR ? -EFBIG : rc == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static int unzstd(struct unpack *u, char *to, size_t size, size_t *n)
{
	ZSTD_inBuffer in = { u->input + u->at, u->len, 0 };
	ZSTD_outBuffer out = { to, size, 0 };
	size_t rc;

	if (u->whole && !u->len)
		return 0;
	rc = ZSTD_decompressStream(u->zstd, &out, &in);
	*n = out.pos;
	u->at += in.pos;
	u->len -= in.pos;
	if (ZSTD_isError(rc))
		return ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge ?
			       -EFBIG : -EBADMSG;
	u->whole = rc == 0;
	return 0;
}

static int unpack_some(struct unpack *u, char *to, size_t size, size_t *n)
{
	switch (u->format) {
	case GZIP:
		return gunzip(u, to, size, n);
	case XZ:
		return unxz(u, to, size, n);
	case ZSTD:
		return unzstd(u, to, size, n);
	default:
		return plain(u, to, size, n);
	}
}

ssize_t unpack_read(struct unpack *u, char *to, size_t size)
{
	size_t n = 0;

	if (!u->error && u->format == UNKNOWN)
		u->error = find_format(u);
	while (!u->error && !n) {
		size_t before = u->len;

		u->error = unpack_some(u, to, size, &n);
		if (u->error || n)
			break;
		/* Nothing came, and all that there is has been looked at. */
		if (u->end && (!u->len || u->len == before)) {
			u->error = u->whole ? 0 : -ENODATA;
			break;
		}
		if (!u->end && (!u->len || u->len == before))
			u->error = fill(u);
	}
	return n ? (ssize_t)n : u->error;
}
