/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of users, from a thread of its own. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "lock.h"
#include "user_names.h"
#include "users.h"
#include "wake.h"

#define NAMED_MAX 65536
#define LISTED_MAX 65536
#define SETS 256
#define WAYS 4
#define AGAIN_MS 60000
#define UNKNOWN_AGAIN_MS 5000	/* a policy waits for a name */
#define STOP_S 1

enum state { EMPTY, WANTED, KNOWN, AGAIN };	/* AGAIN: known, and to be asked again */

/* A name that a policy has. */
struct named {
	enum state state;
	bool group;
	int64_t number;
	char name[];
};

/* A number that was asked for, and is not in the list. */
struct numbered {
	enum state state;
	bool used;			/* since it was asked */
	int64_t uid;
	char name[USERS_NAME_CHARS];	/* "": no user has this uid */
};

/* A user that the database lists. */
struct listed {
	int64_t uid;
	char *name;
};

struct list {
	struct listed *user;
	size_t count;
};

struct user_names {
	pthread_t thread;
	pthread_mutex_t lock;		/* for what follows; nobody waits who holds it */
	struct named **named;		/* users by name, then groups */
	size_t named_count;
	struct numbered numbered[SETS][WAYS];
	struct list list;		/* by number */
	enum state list_state;
	bool ends;

	int watch_fd, wake_fd, changed_fd;
};

static void free_list(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->user[i].name);
	free(l->user);
	*l = (struct list){ NULL, 0 };
}

static int by_number(const void *a, const void *b)
{
	int64_t x = ((const struct listed *)a)->uid, y = ((const struct listed *)b)->uid;

	return x < y ? -1 : x > y;
}

/* Where memory is short, as many as there is room for.  Nobody else here goes through the list. */
static struct list read_list(void)
{
	struct list l = { NULL, 0 };
	const struct passwd *pw;
	size_t room = 0;

	setpwent();
	/* getpwent()'s own memory: this is the one thread that calls it. */
	while (l.count < LISTED_MAX && (pw = getpwent())) {	/* NOLINT(concurrency-mt-unsafe) */
		struct listed *more;

		if (l.count == room) {
			room = room ? 2 * room : 64;
			more = realloc(l.user, room * sizeof(*more));
			if (!more)
				break;
			l.user = more;
		}
		l.user[l.count].uid = (int64_t)pw->pw_uid;
		l.user[l.count].name = strndup(pw->pw_name, USERS_NAME_CHARS - 1);
		if (!l.user[l.count].name)
			break;
		l.count++;
	}
	endpwent();
	if (l.count)
		qsort(l.user, l.count, sizeof(*l.user), by_number);
	return l;
}

static bool is_to_be_asked(enum state s)
{
	return s == WANTED || s == AGAIN;
}

/* Each of these asks the database for one thing, without the lock; false: there was nothing. */
static bool ask_name(struct user_names *u)
{
	struct named *n = NULL;
	int64_t number = -1;
	int rc;

	for (size_t i = 0; i < u->named_count && !n; i++)
		if (is_to_be_asked(u->named[i]->state))
			n = u->named[i];
	if (!n)
		return false;
	pthread_mutex_unlock(&u->lock);
	/* Entries stay where they are. */
	rc = (n->group ? users_ask_group : users_ask_number)(n->name, &number);
	pthread_mutex_lock(&u->lock);
	if (!rc && number != n->number) {
		n->number = number;
		wake_tell(u->changed_fd);
	}
	n->state = KNOWN;
	return true;
}

static bool ask_list(struct user_names *u)
{
	struct list fresh, old;

	if (!is_to_be_asked(u->list_state))
		return false;
	pthread_mutex_unlock(&u->lock);
	fresh = read_list();
	pthread_mutex_lock(&u->lock);
	old = u->list;
	u->list = fresh;
	u->list_state = KNOWN;
	pthread_mutex_unlock(&u->lock);
	free_list(&old);
	pthread_mutex_lock(&u->lock);
	return true;
}

static bool ask_number(struct user_names *u)
{
	struct numbered *n = &u->numbered[0][0], *end = n + (size_t)SETS * WAYS;
	char name[USERS_NAME_CHARS];
	int64_t uid;
	int rc;

	while (n < end && !is_to_be_asked(n->state))
		n++;
	if (n == end)
		return false;
	uid = n->uid;
	pthread_mutex_unlock(&u->lock);
	rc = users_ask_name(uid, name);
	pthread_mutex_lock(&u->lock);
	/* Its place may be another's by now. */
	if (n->uid == uid && is_to_be_asked(n->state)) {
		if (!rc)
			memcpy(n->name, name, sizeof(name));
		n->state = KNOWN;
		n->used = false;
	}
	return true;
}

static void again(enum state *s)
{
	*s = *s == KNOWN ? AGAIN : *s;
}

/* All is to be asked once more, but for what nobody asked for meanwhile. */
static void begin_again(struct user_names *u)
{
	for (size_t i = 0; i < u->named_count; i++)
		again(&u->named[i]->state);
	for (size_t i = 0; i < (size_t)SETS * WAYS; i++) {
		struct numbered *n = &u->numbered[i / WAYS][i % WAYS];

		if (n->used)
			again(&n->state);
		else if (n->state == KNOWN)
			n->state = EMPTY;
	}
	again(&u->list_state);
}

/* Whether there is a name that nobody has, or that could not be asked for. */
static bool lacks_name(const struct user_names *u)
{
	for (size_t i = 0; i < u->named_count; i++)
		if (u->named[i]->number < 0)
			return true;
	return false;
}

static void *run(void *arg)
{
	struct user_names *u = arg;
	struct pollfd fds[] = { { .fd = u->wake_fd, .events = POLLIN },
				{ .fd = u->watch_fd, .events = POLLIN } };
	int n = 1, timeout_ms;

	pthread_mutex_lock(&u->lock);
	while (!u->ends) {
		wake_hear(u->wake_fd);
		if (users_watch_changed(u->watch_fd) || !n)
			begin_again(u);
		while (!u->ends && (ask_name(u) || ask_list(u) || ask_number(u)))
			if (users_watch_changed(u->watch_fd))
				begin_again(u);
		timeout_ms = lacks_name(u) ? UNKNOWN_AGAIN_MS : AGAIN_MS;
		pthread_mutex_unlock(&u->lock);
		n = poll(fds, 2, timeout_ms);
		pthread_mutex_lock(&u->lock);
	}
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

static void release(struct user_names *u)
{
	for (size_t i = 0; i < u->named_count; i++)
		free(u->named[i]);
	free(u->named);
	free_list(&u->list);
	if (u->watch_fd >= 0)
		close(u->watch_fd);
	if (u->wake_fd >= 0)
		close(u->wake_fd);
	if (u->changed_fd >= 0)
		close(u->changed_fd);
	pthread_mutex_destroy(&u->lock);
	free(u);
}

struct user_names *user_names_start(const char *directory)
{
	struct user_names *u = calloc(1, sizeof(*u));
	int rc = u ? -lock_init(&u->lock) : ENOMEM;

	if (rc) {
		free(u);
		errno = rc;
		return NULL;
	}
	u->watch_fd = users_watch_open(directory);
	u->wake_fd = wake_open();
	u->changed_fd = wake_open();
	rc = u->wake_fd < 0 || u->changed_fd < 0 ? errno : pthread_create(&u->thread, NULL, run, u);
	if (!rc)
		return u;
	release(u);
	errno = rc;
	return NULL;
}

void user_names_stop(struct user_names *u)
{
	struct timespec until;

	if (!u)
		return;
	pthread_mutex_lock(&u->lock);
	u->ends = true;
	pthread_mutex_unlock(&u->lock);
	wake_tell(u->wake_fd);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_S;
	if (!pthread_timedjoin_np(u->thread, NULL, &until))
		release(u);
	else
		pthread_detach(u->thread);
}

/* Where the name is, or would be. */
static size_t place_of(const struct user_names *u, const char *name, bool group, bool *found)
{
	size_t low = 0, high = u->named_count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct named *n = u->named[middle];
		int order = group == n->group ? strcmp(name, n->name) : group ? 1 : -1;

		if (!order) {
			*found = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void add_name(struct user_names *u, const char *name, bool group, size_t at)
{
	size_t len = strlen(name) + 1;
	struct named *n = u->named_count < NAMED_MAX ? malloc(sizeof(*n) + len) : NULL;
	struct named **more =
		n ? realloc(u->named, (u->named_count + 1) * sizeof(struct named *)) : NULL;

	if (!more) {
		free(n);
		return;
	}
	u->named = more;
	memmove(more + at + 1, more + at, (u->named_count - at) * sizeof(*more));
	n->state = WANTED;
	n->group = group;
	n->number = -1;
	memcpy(n->name, name, len);
	more[at] = n;
	u->named_count++;
	wake_tell(u->wake_fd);
}

int64_t user_names_number(struct user_names *u, const char *name, bool group)
{
	int64_t number = -1;
	size_t at;
	bool found;

	pthread_mutex_lock(&u->lock);
	at = place_of(u, name, group, &found);
	if (found)
		number = u->named[at]->number;
	else
		add_name(u, name, group, at);
	pthread_mutex_unlock(&u->lock);
	return number;
}

/* The entry of a number; a new one takes the place of one that is used less. */
static struct numbered *entry_of(struct user_names *u, int64_t uid)
{
	struct numbered *set = u->numbered[uid % SETS], *place = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].state != EMPTY && set[i].uid == uid)
			return &set[i];
		if (place->state != EMPTY &&
		    (set[i].state == EMPTY || (place->used && !set[i].used)))
			place = &set[i];
	}
	*place = (struct numbered){ .state = WANTED, .uid = uid };
	wake_tell(u->wake_fd);
	return place;
}

bool user_names_of(struct user_names *u, int64_t uid, char *name, size_t size)
{
	struct listed key = { .uid = uid };
	const struct listed *l = NULL;
	const char *found;

	if (uid < 0)
		return false;
	pthread_mutex_lock(&u->lock);
	if (u->list.count)
		l = bsearch(&key, u->list.user, u->list.count, sizeof(key), by_number);
	if (l) {
		found = l->name;
	} else {
		struct numbered *n = entry_of(u, uid);

		n->used = true;
		found = n->name;
	}
	snprintf(name, size, "%s", found);
	pthread_mutex_unlock(&u->lock);
	return name[0] != '\0';
}

void user_names_want_all(struct user_names *u)
{
	pthread_mutex_lock(&u->lock);
	if (u->list_state == EMPTY) {
		u->list_state = WANTED;
		wake_tell(u->wake_fd);
	}
	pthread_mutex_unlock(&u->lock);
}

bool user_names_settled(struct user_names *u)
{
	bool settled;

	pthread_mutex_lock(&u->lock);
	settled = u->list_state != WANTED;
	for (size_t i = 0; settled && i < u->named_count; i++)
		settled = u->named[i]->state != WANTED;
	pthread_mutex_unlock(&u->lock);
	return settled;
}

int user_names_fd(const struct user_names *u)
{
	return u->changed_fd;
}

void user_names_changed(struct user_names *u)
{
	wake_hear(u->changed_fd);
}
