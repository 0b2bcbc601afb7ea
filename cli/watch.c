/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A screen that is drawn again and again: see watch.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "watch.h"

#define LINES_MIN 2
#define LINES_USUAL 24
/* The other screen of the terminal, without a cursor; and back.  xterm's, which all have. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define CLEAR "\033[H\033[2J"

static volatile sig_atomic_t ended, stopped;

static void on_signal(int number)
{
	if (number == SIGTSTP)
		stopped = 1;
	else if (number != SIGWINCH && number != SIGCONT)
		ended = 1;
}

struct watch {
	struct termios before;
	bool keys;		/* stdin is a terminal, too */
	sigset_t outside;	/* the signals that are blocked while nothing waits */
};

static void enter(struct watch *w)
{
	struct termios mine = w->before;

	mine.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (w->keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &mine);
	fputs(ENTER, stdout);
}

static void leave(struct watch *w)
{
	fputs(LEAVE, stdout);
	fflush(stdout);
	if (w->keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &w->before);
}

static int lines_now(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		return LINES_USUAL;
	return size.ws_row < LINES_MIN ? LINES_MIN : size.ws_row;
}

/* Waits for the time, a key or a signal. */
static void pause_for(struct watch *w, int interval_ms)
{
	const struct timespec time = { interval_ms / 1000, interval_ms % 1000 * 1000000L };
	struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
	char key;

	if (ppoll(&keys, w->keys, &time, &w->outside) <= 0)
		return;
	if (read(STDIN_FILENO, &key, 1) != 1)
		w->keys = false;
	else if (key == 'q')
		ended = 1;
}

int watch_run(int interval_ms, watch_fn *draw, void *arg)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT,
				       SIGWINCH };
	struct sigaction action = { .sa_handler = on_signal };
	struct watch w = { .keys = false };
	sigset_t mine;
	int status = 0;

	if (!isatty(STDOUT_FILENO))
		return -ENOTTY;
	w.keys = !tcgetattr(STDIN_FILENO, &w.before);
	sigemptyset(&mine);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaddset(&mine, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &mine, &w.outside);
	enter(&w);
	while (!ended && !status) {
		fputs(CLEAR, stdout);
		/* The last line stays empty: a line feed there would move the screen up. */
		status = draw(lines_now() - 1, arg);
		fflush(stdout);
		if (!status)
			pause_for(&w, interval_ms);
		if (!stopped)
			continue;
		stopped = 0;
		leave(&w);
		raise(SIGSTOP);
		enter(&w);
	}
	leave(&w);
	return status;
}
