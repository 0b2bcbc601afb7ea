/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A descriptor from one process to another, over a pair of sockets (SCM_RIGHTS). */
#ifndef TESTS_PASSING_H
#define TESTS_PASSING_H

/* 0, or -1 with errno. */
int pass_fd(int pair, int fd);
/* Waits for one.  -1: none came, or the other end is closed. */
int take_fd(int pair);

#endif
