/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast this machine is just now: microseconds of a fixed piece of work, on the slowest of its
 * processors.
 *
 *   bench/speed [TIMES]
 *
 * A virtual machine's processors are not its own: with a neighbour beside them the same code takes
 * up to twice as long, and nothing in the machine says so.  It is counted in time that we had the
 * processor (CLOCK_THREAD_CPUTIME_ID): what else runs here does not count.  Of TIMES looks (1), a
 * tenth of a second apart, the fastest is printed.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 5000000
#define PROCESSORS_MAX 8

static double work_us(void)
{
	struct timespec from, to;
	volatile uint64_t sum = 0;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (uint64_t i = 0; i < ROUNDS; i++)
		sum += i;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;
}

static double slowest_us(void)
{
	double slowest = 0;
	int looked = 0;

	for (int cpu = 0; cpu < CPU_SETSIZE && looked < PROCESSORS_MAX; cpu++) {
		cpu_set_t one;
		double us;

		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			continue;
		us = work_us();
		slowest = us > slowest ? us : slowest;
		looked++;
	}
	return slowest;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	long times = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
	double fastest = 0;

	if (argc > 2 || times < 1 || times > 1000) {
		fputs("Usage: bench/speed [TIMES]\n", stderr);
		return 2;
	}
	for (long i = 0; i < times; i++) {
		double us;

		if (i)
			nanosleep(&pause, NULL);
		us = slowest_us();
		if (!i || us < fastest)
			fastest = us;
	}
	printf("%.0f\n", fastest);
	return 0;
}
