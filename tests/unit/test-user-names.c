/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of users, from a user database of the test's own: what is known, what is asked again and
 * when, and that nobody waits who only wants to know.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "scratch.h"
#include "tap.h"
#include "user_names.h"
#include "users.h"

/* The database.  It stands still while `gate` is locked. */
static struct {
	pthread_mutex_t gate;
	const char *name;	/* of user 1000; NULL: nobody has this number */
	uid_t also;		/* another number of that name's, for who asks by name; 0: none */
	int error;		/* that it gives */
	int asked;
	int takes_ms;		/* for each answer */
	size_t at;		/* of a walk through it */
} base = { .gate = PTHREAD_MUTEX_INITIALIZER, .name = "alice" };

static struct passwd entry;

static int answer(const char *name, uid_t uid, struct passwd *pw, struct passwd **found)
{
	int error;

	pthread_mutex_lock(&base.gate);
	base.asked++;
	usleep((useconds_t)base.takes_ms * 1000);
	error = base.error;
	*found = NULL;
	if (!error && base.name && (name ? !strcmp(name, base.name) : uid == 1000)) {
		pw->pw_name = (char *)base.name;
		pw->pw_uid = base.also ? base.also : 1000;
		*found = pw;
	}
	pthread_mutex_unlock(&base.gate);
	return error;
}

/* What the database has from now on. */
static void change(const char *name, uid_t also, int error)
{
	pthread_mutex_lock(&base.gate);
	base.name = name;
	base.also = also;
	base.error = error;
	pthread_mutex_unlock(&base.gate);
}

static int asked(void)
{
	int count;

	pthread_mutex_lock(&base.gate);
	count = base.asked;
	pthread_mutex_unlock(&base.gate);
	return count;
}

/* In libc's place. */
int getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t size, struct passwd **found)
{
	(void)buf, (void)size;
	return answer(NULL, uid, pw, found);
}

int getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, struct passwd **found)
{
	(void)buf, (void)size;
	return answer(name, 0, pw, found);
}

void setpwent(void)
{
	base.at = 0;
}

void endpwent(void)
{
}

struct passwd *getpwent(void)
{
	static char text[32];

	/* Not in the order of their numbers. */
	if (base.at == 300)
		return NULL;
	entry.pw_uid = (uid_t)(5300 - base.at++);
	snprintf(text, sizeof(text), "listed%u", (unsigned int)entry.pw_uid);
	entry.pw_name = text;
	return &entry;
}

static void write_file(const char *name)
{
	char fresh[PATH_MAX];
	FILE *f;

	/* As the tools do it: a new file in the old one's place. */
	snprintf(fresh, sizeof(fresh), "%s", scratch_path("fresh"));
	f = fopen(fresh, "we");
	if (!f || fclose(f) || rename(fresh, scratch_path(name)))
		abort();
}

static bool is(struct text t, const char *want)
{
	return want ? text_equal(t, text_of(want)) : !t.data;
}

/* Numbers without end, each of which a server takes its time for. */
static void test_slow(void)
{
	const int64_t s = 1000000000;
	struct users *u = users_new(scratch_dir);
	int before = asked();

	base.takes_ms = 10;
	for (int64_t i = 0; i < 200; i++)
		users_name(u, 100000 + i, s);
	tap_ok(asked() - before >= 1 && asked() - before <= 20,
	       "one user's numbers take a fifth of a second at once");
	tap_ok(is(users_name(u, 1000, s), "alice"), "and nothing of another user's");
	before = asked();
	users_name(u, 100300, s);
	tap_ok(asked() == before, "then they are not asked for");
	users_name(u, 100300, 1000 * s);
	tap_ok(asked() == before + 1, "until that is a tenth of the time");
	before = asked();
	base.takes_ms = 0;
	for (int64_t i = 0; i < 200; i++)
		users_name(u, 100000 + i, (2000 + 10 * i) * s);
	tap_ok(asked() == before + 200, "who comes at leisure is asked for each time");
	users_free(u);
}

static void test_table(void)
{
	const int64_t s = 1000000000;
	struct users *u = users_new(scratch_dir);

	tap_ok(is(users_name(u, 1000, s), "alice") && is(users_name(u, 1001, s), NULL) &&
	       is(users_name(u, -1, s), NULL), "a name, and none");
	change("bob", 0, 0);
	tap_ok(is(users_name(u, 1000, 60 * s), "alice"), "is kept for a minute");
	tap_ok(is(users_name(u, 1000, 62 * s), "bob"), "and no longer");
	change("carol", 0, 0);
	write_file("other");
	tap_ok(is(users_name(u, 1000, 63 * s), "bob"), "a file of another kind changes");
	write_file("passwd");
	tap_ok(is(users_name(u, 1000, 63 * s), "carol"), "passwd is another: the new name at once");
	change(NULL, 0, 0);
	write_file("nsswitch.conf");
	tap_ok(is(users_name(u, 1000, 64 * s), NULL), "nsswitch.conf: as well");
	users_free(u);
	change("alice", 0, 0);
	u = users_new("/nonexistent/directory");
	tap_ok(u && is(users_name(u, 1000, s), "alice"), "without a file to watch");
	users_free(u);
}

static bool settles(struct user_names *u)
{
	for (int i = 0; i < 2000 && !user_names_settled(u); i++)
		usleep(1000);
	return user_names_settled(u);
}

static bool comes(struct user_names *u, int64_t uid, const char *want)
{
	char name[64] = "";

	for (int i = 0; i < 2000; i++) {
		bool there = user_names_of(u, uid, name, sizeof(name));

		if (want ? there && !strcmp(name, want) : !there && i > 20)
			return true;
		usleep(1000);
	}
	tap_note("%lld is '%s'", (long long)uid, name);
	return false;
}

static bool becomes(struct user_names *u, const char *name, int64_t want)
{
	for (int i = 0; i < 2000 && user_names_number(u, name, false) != want; i++)
		usleep(1000);
	return user_names_number(u, name, false) == want;
}

static bool is_told(struct user_names *u)
{
	struct pollfd fd = { .fd = user_names_fd(u), .events = POLLIN };
	bool told = poll(&fd, 1, 0) == 1;

	user_names_changed(u);
	return told;
}

static int64_t since_ms(int64_t from_ns)
{
	return (clock_mono_ns() - from_ns) / 1000000;
}

/* The database waits, as for a server whose answer waits for us. */
static void test_waiting(struct user_names *u)
{
	int64_t from_ns = clock_mono_ns();
	char name[64];
	bool any = false;

	pthread_mutex_lock(&base.gate);
	for (int i = 0; i < 1000; i++) {
		any |= user_names_number(u, "alice", false) >= 0;
		any |= user_names_of(u, 1000 + i, name, sizeof(name));
		any |= user_names_settled(u);
	}
	tap_ok(!any && since_ms(from_ns) < 1000, "nothing is known, and nobody waits");
	usleep(20000);
	tap_ok(!is_told(u), "nobody is told");
	pthread_mutex_unlock(&base.gate);
	tap_ok(settles(u) && user_names_number(u, "alice", false) == 1000,
	       "then the number is known");
	tap_ok(is_told(u) && !is_told(u), "and told once");
	tap_ok(comes(u, 1000, "alice") && comes(u, 1001, NULL), "so is the name");
}

static void test_list(struct user_names *u)
{
	int before;

	user_names_want_all(u);
	tap_ok(settles(u), "all users are wanted, and listed");
	usleep(50000);
	before = asked();
	tap_ok(comes(u, 5001, "listed5001") && comes(u, 5300, "listed5300") &&
	       comes(u, 5150, "listed5150") && asked() == before, "nobody is asked for these");
	/* More numbers than there is room for: those of the list stay. */
	for (int i = 0; i < 5000; i++) {
		char name[64];

		user_names_of(u, 100000 + i, name, sizeof(name));
	}
	tap_ok(comes(u, 5001, "listed5001"), "very many other numbers push none of them out");
	tap_ok(comes(u, 1000, "alice"), "and one that was is asked for again");
}

static void test_changes(struct user_names *u)
{
	change("alice", 2000, 0);
	is_told(u);
	write_file("passwd");
	tap_ok(becomes(u, "alice", 2000) && is_told(u), "a user's number changes");
	change("bob", 0, 0);
	comes(u, 1000, "alice");
	write_file("passwd");
	tap_ok(comes(u, 1000, "bob"), "a number is given to another");
	tap_ok(becomes(u, "alice", -1), "and the user is no more");
	tap_ok(user_names_number(u, "bob", false) == -1 && settles(u) && becomes(u, "bob", 1000),
	       "the other one is asked for");
	change("bob", 0, EIO);
	write_file("passwd");
	usleep(100000);
	tap_ok(user_names_number(u, "bob", false) == 1000 && comes(u, 1000, "bob"),
	       "a database that fails changes nothing");
	change(NULL, 0, 0);
	tap_ok(user_names_number(u, "late", false) == -1 && settles(u), "a name that nobody has");
	change("late", 0, 0);
	for (int i = 0; i < 8 && user_names_number(u, "late", false) < 0; i++)
		sleep(1);
	tap_ok(user_names_number(u, "late", false) == 1000,
	       "is asked for again though no file changed");
}

/* The program ends while the database waits. */
static void test_stop(struct user_names *u)
{
	int64_t from_ns = clock_mono_ns();

	user_names_stop(u);
	tap_ok(since_ms(from_ns) < 500, "an idle thread ends at once");
	u = user_names_start(scratch_dir);
	pthread_mutex_lock(&base.gate);
	user_names_number(u, "alice", false);
	usleep(20000);
	from_ns = clock_mono_ns();
	user_names_stop(u);
	tap_ok(since_ms(from_ns) < 3000, "one that waits is left alone");
	/* And never goes on. */
}

int main(void)
{
	struct user_names *u;

	scratch_make();
	test_table();
	test_slow();
	u = user_names_start(scratch_dir);
	test_waiting(u);
	test_list(u);
	test_changes(u);
	test_stop(u);
	return tap_done();
}
