/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A crowd on the host: more processes with more open descriptors, which do nothing.
 *
 *   bench/idle_processes [PROCESSES [DESCRIPTORS]]        (default 3000 and 50)
 *
 * Says "ready" when all are there; runs until stdin ends or SIGTERM comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES_MAX 100000
#define DESCRIPTORS_MAX 1000
#define STACK_BYTES 16384

/* A number of 0 to max, or -1. */
static int number(const char *text, int max)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *text && !*end && n >= 0 && n <= max ? (int)n : -1;
}

/*
 * Opens the descriptors that the children inherit; stdin is open already, and is kept for its end.
 */
static int open_descriptors(int count)
{
	int null = open("/dev/null", O_RDWR);

	for (int i = 1; null >= 0 && i < count; i++)
		if (dup(null) < 0)
			return -1;
	return null;
}

/* A process of its own with descriptors of its own; the memory is ours, and costs nothing more. */
static int stand_there(void *parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != *(pid_t *)parent)
		_exit(1);
	/* A child does not keep the descriptors of the starting program open. */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	for (;;)
		pause();
}

static void wait_for_the_end(int signals)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = signals, .events = POLLIN } };
	char byte[64];

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			return;
		if (fds[0].revents && read(STDIN_FILENO, byte, sizeof(byte)) <= 0)
			return;
	}
}

int main(int argc, char **argv)
{
	int processes = argc > 1 ? number(argv[1], PROCESSES_MAX) : 3000;
	int descriptors = argc > 2 ? number(argv[2], DESCRIPTORS_MAX) : 50;
	static pid_t pids[PROCESSES_MAX];
	pid_t self = getpid();
	int started = 0, signals;
	sigset_t end;
	char *stacks;

	if (processes < 0 || descriptors < 1 || argc > 3) {
		fputs("Usage: bench/idle_processes [PROCESSES [DESCRIPTORS]]\n", stderr);
		return 2;
	}
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	sigprocmask(SIG_BLOCK, &end, NULL);
	signals = signalfd(-1, &end, SFD_CLOEXEC);
	stacks = mmap(NULL, ((size_t)processes + 1) * STACK_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stacks == MAP_FAILED || signals < 0 || open_descriptors(descriptors) < 0) {
		perror("crowd");
		return 1;
	}
	while (started < processes) {
		char *stack = stacks + (size_t)(started + 1) * STACK_BYTES;

		pids[started] = clone(stand_there, stack, CLONE_VM | SIGCHLD, &self);
		if (pids[started] < 0)
			break;
		started++;
	}
	if (started < processes) {
		perror("crowd: clone");
	} else {
		puts("ready");
		fflush(stdout);
		wait_for_the_end(signals);
	}
	for (int i = 0; i < started; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < started; i++)
		waitpid(pids[i], NULL, 0);
	return started < processes;
}
