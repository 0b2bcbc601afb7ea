/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_UNPACK_H
#define SOCKLEDGER_UNPACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The bytes of a file as they were before gzip, xz or zstd packed them: by what the file begins
 * with, not by its name.  Several packed files one behind the other are one.  Memory is bounded,
 * whatever the file says.
 */
struct unpack;

/* fd stays the caller's.  NULL where memory is short. */
struct unpack *unpack_open(int fd);
void unpack_close(struct unpack *u);

/*
 * Up to size bytes (size not 0) into to; 0: the end.  -EBADMSG: it is damaged; -ENODATA: it ends
 * too early; -EFBIG: to unpack it would take too much memory; else what read(2) says.  What could
 * be read before an error has been handed out.
 */
ssize_t unpack_read(struct unpack *u, char *to, size_t size);

/* How many bytes of the file itself have been read. */
int64_t unpack_position(const struct unpack *u);

#endif
