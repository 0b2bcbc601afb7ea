/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules found by the program: the answers are those of asking each rule in turn. */
#include "policing.h"
#include "policy_index.h"
#include "scratch.h"
#include "tap.h"

#define POLICIES 400
#define CONNECTIONS 40
#define PROGRAMS 4000

struct answers {
	struct policy_answer a, with_gaps;
	unsigned int open;
};

static const char *one_of(const char *const *words, size_t count)
{
	return words[scratch_random() % count];
}

#define ONE_OF(words) one_of(words, sizeof(words) / sizeof((words)[0]))

/* Half of the rules are of programs; some patterns match what plain paths name as well. */
static void make_policy(char *to, size_t size)
{
	static const char *const verdicts[] = { "allow", "allow", "deny", "reject",
						"observe deny" };
	static const char *const programs[] = {
		"exe /a", "exe /a,/b", "exe /link", "exe /b,/link,/real", "exe /c", "exe /c,/c",
		"not exe /a", "exe /*", "exe /a,/?", "exe other", "exe unknown", "exe /b,other",
		"parent /a", "comm x",
	};
	static const char *const others[] = { "", "", " port 1", " port 2", " user 5", " certain",
					      " sport 7", " unit u", " until 2020-01-01" };
	static const char *const defaults[] = { "", "default deny\n", "unattributed reject\n",
						"unreadable deny\n", "unreadable allow\n" };
	size_t len = (size_t)snprintf(to, size, "%s", ONE_OF(defaults));

	for (uint64_t i = scratch_random() % 12; i < 12; i++)
		len += (size_t)snprintf(to + len, size - len, "%s %s%s\n", ONE_OF(verdicts),
					ONE_OF(programs), ONE_OF(others));
}

static void make_connection(char *to, size_t size)
{
	static const char *const programs[] = { "exe=/a", "exe=/b", "exe=/c", "exe=/link",
						"exe=/real", "exe=/z", "comm=x" };
	static const char *const certainties[] = { "certain", "certain", "inferred", "unknown" };
	static const char *const others[] = { "", " parent=/a", " parent=/b parentseen=-1 unit=u",
					      " reason=kernel direction=out", " src=10.0.0.1:7" };

	snprintf(to, size, "%s seen=%d certainty=%s uid=%d dst=192.0.2.1:%d%s", ONE_OF(programs),
		 (int)(scratch_random() % (EXE_SEENS + 1)) - 1, ONE_OF(certainties),
		 (int)(5 + scratch_random() % 2), (int)(1 + scratch_random() % 3), ONE_OF(others));
}

static char *resolve(const char *path)
{
	return strdup(strcmp(path, "/link") ? path : "/real");
}

static struct answers ask(const struct policy *p, const struct connection *c, unsigned int gaps)
{
	struct answers all;

	policy_decide(p, c, &all.a);
	all.open = policy_decide_with_gaps(p, c, gaps, &all.with_gaps);
	return all;
}

static bool same(const struct policy_answer *a, const struct policy_answer *b)
{
	return a->verdict == b->verdict && a->line == b->line && !strcmp(a->rule, b->rule) &&
	       a->observe == b->observe && a->wants_certain == b->wants_certain;
}

/* The policy is asked with its index; then without, about the same connections. */
static bool test_policy(struct policy *p, const char *text)
{
	static char described[CONNECTIONS][256];
	struct answers with[CONNECTIONS], without;
	unsigned int gaps[CONNECTIONS];
	struct connection c;

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < CONNECTIONS; i++) {
			char buf[256];

			if (!pass) {
				make_connection(described[i], sizeof(described[i]));
				gaps[i] = (unsigned int)scratch_random() % POLICY_GAPS_END;
			}
			snprintf(buf, sizeof(buf), "%s", described[i]);
			describe(&c, buf);
			without = ask(p, &c, gaps[i]);
			if (!pass)
				with[i] = without;
			if (same(&with[i].a, &without.a) && with[i].open == without.open &&
			    same(&with[i].with_gaps, &without.with_gaps))
				continue;
			tap_note("policy:\n%s", text);
			tap_note("connection: %s, gaps %x: line %d, not %d; open %x, not %x",
				 described[i], gaps[i], with[i].a.line, without.a.line,
				 with[i].open, without.open);
			return false;
		}
		policy_index_free(p);
	}
	return true;
}

static void test_random(void)
{
	int good = 0;

	for (int i = 0; i < POLICIES; i++) {
		unsigned int count;
		struct policy *p;
		char text[2048];

		make_policy(text, sizeof(text));
		if (parse(text, strlen(text), &count, &p)) {
			tap_note("%s: %s", text, complaints);
			continue;
		}
		if (scratch_random() % 2)
			policy_resolve_paths(p, resolve);
		if (scratch_random() % 2)
			policy_at(p, 1900000000LL * 1000000);
		good += test_policy(p, text);
		policy_free(p);
	}
	tap_ok(good == POLICIES, "with an index as without: %d of %d policies", good, POLICIES);
}

/* How many rules are asked. */
static int asked(const struct policy *p, const char *connection)
{
	struct policy_candidates k;
	struct connection c;
	char buf[256];
	int count = 0;

	snprintf(buf, sizeof(buf), "%s", connection);
	describe(&c, buf);
	policy_candidates_begin(p, &c, &k);
	while (policy_candidates_next(&k) != SIZE_MAX)
		count++;
	return count;
}

/* Of thousands of programs' rules one connection is asked few. */
static void test_many(void)
{
	char *text = malloc(PROGRAMS * 64L);
	size_t len = 0;
	unsigned int count;
	struct policy *p;

	for (int i = 0; i < PROGRAMS; i++)
		len += (size_t)sprintf(text + len, "%s exe /bin/%d port %d\n",
				       i % 100 ? "allow" : "deny", i / 2, i);
	len += (size_t)sprintf(text + len, "allow port 1\n");
	if (!tap_ok(!parse(text, len, &count, &p), "a long policy"))
		return;
	tap_ok(asked(p, "exe=/bin/7") == 3,
	       "a program's own rules, and those of all");
	tap_ok(asked(p, "exe=/bin/none") == 1,
	       "of a program that no rule names");
	tap_ok(asked(p, "exe=/bin/7 seen=-1") == PROGRAMS / 100 + 1,
	       "where nobody saw its file: all that deny");
	tap_ok(asked(p, "uid=5") == PROGRAMS / 100 + 1,
	       "where it is not known");
	policy_index_free(p);
	tap_ok(asked(p, "exe=/bin/7") == PROGRAMS + 1,
	       "without an index: each");
	policy_free(p);
	free(text);
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_random();
	test_many();
	return tap_done();
}
