/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes that read what can make who reads it wait. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "looker.h"
#include "proc.h"

#if defined(__SANITIZE_ADDRESS__)
void __asan_unpoison_memory_region(const volatile void *from, size_t size);
#else
#define __asan_unpoison_memory_region(from, size) ((void)(from), (void)(size))
#endif

#define STACK_BYTES ((size_t)256 * 1024)
#define THREAD_STACK_BYTES ((size_t)64 * 1024)
/* Before the threads that wait for it, which have the lowest priority in real time. */
#define REALTIME_PRIORITY 2
#define FDS_MAX 4096
/* How long until it is tried again where none could be started. */
#define AGAIN_NS 10000000
/* A new one is there sooner, if it can be. */
#define RENEWED_NS 100000000LL
#define RENEW_STEP_NS 100000
/* One that was killed is gone sooner, if it can be. */
#define LEFT_NS 1000000000LL

enum word {
	NOBODY,			/* there is none, or it is being killed */
	FREE,
	ASKED,
	AWAITED,		/* asked, and who asked sleeps */
	ANSWERED,
};

/* Within our memory. */
static long futex(_Atomic uint32_t *word, int what, uint32_t value, const struct timespec *until)
{
	return syscall(SYS_futex, word, what | FUTEX_PRIVATE_FLAG, value, until, NULL,
		       FUTEX_BITSET_MATCH_ANY);
}

static void sleep_while(_Atomic uint32_t *word, uint32_t value)
{
	futex(word, FUTEX_WAIT_BITSET, value, NULL);
}

static void wake(_Atomic uint32_t *word)
{
	futex(word, FUTEX_WAKE, 1, NULL);
}

/* --- The looker's process.  It must not allocate memory, nor take a lock. */

/* What is open elsewhere must not stay open here. */
static void close_others(void)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; nothing >= 0 && fd < 3; fd++)
		dup2(nothing, fd);
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, 3, ~0U, 0))
		return;
#endif
	for (int fd = 3; fd < FDS_MAX; fd++)
		close(fd);
}

static void be_quick(bool realtime)
{
	const struct sched_param next = { .sched_priority = REALTIME_PRIORITY };

	if (!realtime || sched_setscheduler(0, SCHED_FIFO, &next))
		setpriority(PRIO_PROCESS, 0, -20);
}

static void look(struct looker *l)
{
	l->a = (struct seen){ .number = -1 };
	process_init(&l->a.process);
	l->looks->look(l->opened, &l->q, &l->a, l->text);
	l->a.text = l->text;
}

static void answer(struct looker *l, uint32_t word)
{
	while (!atomic_compare_exchange_weak(&l->word, &word, ANSWERED))
		/* It has been given up. */
		while (word == NOBODY)
			pause();
	if (word == AWAITED)
		wake(&l->word);
}

static int run(void *arg)
{
	struct looker *l = arg;
	uint32_t word = NOBODY;

	/* It ends with the thread that started it, also while it waits in a look. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Where it ended before, nobody would. */
	if (getppid() != l->parent)
		_exit(1);
	prctl(PR_SET_NAME, "sockledger-look");
	close_others();
	if (!l->looks->open(l->opened, l->looks->path) || l->ends)
		_exit(1);
	be_quick(l->realtime);
	atomic_compare_exchange_strong(&l->word, &word, FREE);
	for (;;) {
		word = atomic_load(&l->word);
		if (word != ASKED && word != AWAITED) {
			sleep_while(&l->word, word);
			continue;
		}
		look(l);
		answer(l, word);
	}
	return 0;
}

/* --- Its thread */

static void pause_ns(int64_t ns)
{
	const struct timespec pause = { .tv_nsec = ns };

	nanosleep(&pause, NULL);
}

static void *keep(void *arg)
{
	struct looker *l = arg;
	siginfo_t info;

	l->parent = getpid();
	while (!l->ends) {
		pid_t pid;

		__asan_unpoison_memory_region(l->stack, STACK_BYTES);
		pthread_mutex_lock(&l->lock);
		l->cpu = -1;
		pid = l->pid = l->ends ? 0 :
			clone(run, l->stack + STACK_BYTES, CLONE_VM | SIGCHLD, l);
		pthread_mutex_unlock(&l->lock);
		if (pid <= 0) {
			l->pid = 0;
			pause_ns(AGAIN_NS);
			continue;
		}
		/* Its number is its own until it has been taken from `pid`. */
		while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
			;
		pthread_mutex_lock(&l->lock);
		l->pid = 0;
		atomic_store(&l->given_up_ns, 0);
		atomic_store(&l->word, NOBODY);
		wake(&l->word);
		waitpid(pid, NULL, 0);
		pthread_mutex_unlock(&l->lock);
	}
	return NULL;
}

static void kill_it(struct looker *l)
{
	pthread_mutex_lock(&l->lock);
	if (l->pid > 0)
		kill(l->pid, SIGKILL);
	pthread_mutex_unlock(&l->lock);
}

/* With all signals blocked, which the looker inherits. */
static int start_thread(struct looker *l)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int rc;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&l->thread, &attr, keep, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}

struct looker *looker_start(const struct looks *looks, bool realtime)
{
	struct looker *l = calloc(1, sizeof(*l));
	int rc;

	if (l)
		l->opened = calloc(1, looks->size);
	if (!l || !l->opened) {
		free(l);
		return NULL;
	}
	l->looks = looks;
	l->realtime = realtime;
	pthread_mutex_init(&l->lock, NULL);
	l->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	rc = l->stack == MAP_FAILED ? errno : start_thread(l);
	if (!rc)
		return l;
	if (l->stack != MAP_FAILED)
		munmap(l->stack, STACK_BYTES);
	free(l->opened);
	free(l);
	errno = rc;
	return NULL;
}

void looker_stop(struct looker *l)
{
	struct timespec until;

	if (!l)
		return;
	atomic_store(&l->ends, true);
	atomic_store(&l->word, NOBODY);
	kill_it(l);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	if (pthread_timedjoin_np(l->thread, NULL, &until))
		return;
	munmap(l->stack, STACK_BYTES);
	pthread_mutex_destroy(&l->lock);
	free(l->opened);
	free(l);
}

static pid_t pid_of(struct looker *l)
{
	pid_t pid;

	pthread_mutex_lock(&l->lock);
	pid = l->pid;
	pthread_mutex_unlock(&l->lock);
	return pid;
}

void looker_renew(struct looker *l)
{
	int64_t until_ns = clock_mono_ns() + RENEWED_NS;
	uint32_t word = FREE;
	pid_t before;

	/* So that nobody asks it any more; who has already, will see. */
	atomic_compare_exchange_strong(&l->word, &word, NOBODY);
	pthread_mutex_lock(&l->lock);
	before = l->pid;
	if (before > 0)
		kill(before, SIGKILL);
	pthread_mutex_unlock(&l->lock);
	while ((pid_of(l) == before || !looker_is_free(l)) && clock_mono_ns() < until_ns)
		pause_ns(RENEW_STEP_NS);
}

/* --- Who asks */

bool looker_is_free(struct looker *l)
{
	return atomic_load(&l->word) == FREE;
}

static void take_along(struct looker *l)
{
	int cpu = sched_getcpu();
	cpu_set_t here;

	if (cpu < 0 || cpu >= CPU_SETSIZE || cpu == l->cpu)
		return;
	CPU_ZERO(&here);
	CPU_SET(cpu, &here);
	pthread_mutex_lock(&l->lock);
	if (l->pid > 0 && !sched_setaffinity(l->pid, sizeof(here), &here))
		l->cpu = cpu;
	pthread_mutex_unlock(&l->lock);
}

void looker_ask(struct looker *l, const struct look *q)
{
	uint32_t word = FREE;

	take_along(l);
	l->q = *q;
	if (q->len)
		memcpy(l->text, q->data, q->len);
	if (atomic_compare_exchange_strong(&l->word, &word, ASKED))
		wake(&l->word);
}

bool looker_has_answered(struct looker *l)
{
	return atomic_load(&l->word) == ANSWERED;
}

bool looker_await(struct looker *l, int64_t until_ns)
{
	const struct timespec until = { .tv_sec = until_ns / 1000000000,
					.tv_nsec = until_ns % 1000000000 };
	uint32_t word = ASKED;

	atomic_compare_exchange_strong(&l->word, &word, AWAITED);
	while ((word = atomic_load(&l->word)) == AWAITED && clock_mono_ns() < until_ns)
		futex(&l->word, FUTEX_WAIT_BITSET, AWAITED, &until);
	return word == ANSWERED;
}

/* "PID (NAME) STATE": its name has no brackets, and nobody makes who reads of it wait. */
bool looker_waits(struct looker *l)
{
	char name[32], buf[256], *at;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)l->pid);
	n = proc_read(AT_FDCWD, name, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	at = strrchr(buf, ')');
	return at && at[1] && at[2] != 'R' && !looker_has_answered(l);
}

void looker_take(struct looker *l)
{
	uint32_t word = ANSWERED;

	atomic_compare_exchange_strong(&l->word, &word, FREE);
}

void looker_give_up(struct looker *l)
{
	atomic_store(&l->given_up_ns, clock_mono_ns());
	atomic_store(&l->word, NOBODY);
	kill_it(l);
}

bool looker_is_left(struct looker *l)
{
	int64_t since_ns = atomic_load(&l->given_up_ns);

	return since_ns && clock_mono_ns() - since_ns > LEFT_NS;
}
