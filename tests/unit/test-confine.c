/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that were given up: each try in a process of its own, because there is no way back.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "log.h"
#include "tap.h"

static const char *const more[] = {"getpgid", "no_such_call", NULL};

/* How a process ends that is confined and then does this. */
static int end_of(bool (*does)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_DUMPABLE, 0);
		_exit(does() ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return status;
}

static bool does(bool (*what)(void))
{
	return end_of(what) == 0;
}

/* The filter ends it; where the kernel has no such calls at all, it ends by a fault. */
static bool dies(bool (*what)(void))
{
	int status = end_of(what);

	return WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV);
}

static bool usual(void)
{
	FILE *f;
	bool read;

	confine(more);
	f = fopen("/proc/self/status", "re");
	read = f && fgetc(f) != EOF;
	return read && !fclose(f) && getpid() > 0;
}

static bool named(void)
{
	confine(more);
	return getpgid(0) > 0;
}

static bool other(void)
{
	confine(more);
	return getsid(0) == -1 && errno == ENOSYS;
}

static pthread_barrier_t confined;
static int found;

static void *try(void *arg)
{
	pthread_barrier_wait(&confined);
	found = getsid(0) == -1 ? errno : 0;
	return arg;
}

static bool thread(void)
{
	pthread_t t;

	pthread_barrier_init(&confined, NULL, 2);
	if (pthread_create(&t, NULL, try, NULL))
		return false;
	confine(more);
	pthread_barrier_wait(&confined);
	pthread_join(t, NULL);
	return found == ENOSYS;
}

static bool child(void)
{
	int status;
	pid_t pid;

	confine(more);
	pid = fork();
	if (!pid)
		_exit(getsid(0) == -1 ? errno : 0);
	return waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == ENOSYS;
}

static bool program(void)
{
	char *const argv[] = {(char *)"true", NULL};

	confine(more);
	execv("/bin/true", argv);
	return true;
}

#ifdef __x86_64__
/* getpid() of 32-bit programs. */
static bool narrow(void)
{
	long result;

	confine(more);
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return result > 0;
}
#endif

int main(void)
{
	log_open("test-confine", false);
	tap_ok(does(usual), "what both daemons need goes on");
	tap_ok(does(named), "and what one of them names");
	tap_ok(does(other), "another call is as one that the kernel does not have");
	tap_ok(does(thread), "also for a thread that was there before");
	tap_ok(does(child), "and for a process that is started later");
	tap_ok(dies(program), "who executes a program dies");
#ifdef __x86_64__
	tap_ok(dies(narrow), "and who makes calls of another machine's kind");
#endif
	return tap_done();
}
