/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Community IDs, against those of the specification's table and of its packets
 * (github.com/corelight/community-id-spec, commit b1fe530, baseline/); and of an independent
 * program that computes all of these, for what the specification has no example of.
 */
#include <errno.h>
#include <string.h>

#include "community_id.h"
#include "tap.h"

/* Ports of ICMP are type and code; -1: the protocol has none. */
static const struct {
	int protocol;
	const char *src, *dst;
	int sport, dport;
	const char *id;
} vectors[] = {
	{ 6, "1.2.3.4", "5.6.7.8", 1122, 3344,
	  "1:wCb3OG7yAFWelaUydu0D+125CLM=" },
	{ 6, "5.6.7.8", "1.2.3.4", 3344, 1122,
	  "1:wCb3OG7yAFWelaUydu0D+125CLM=" },
	{ 17, "1.2.3.4", "5.6.7.8", 1122, 3344,
	  "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg=" },
	{ 17, "5.6.7.8", "1.2.3.4", 3344, 1122,
	  "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg=" },
	{ 132, "1.2.3.4", "5.6.7.8", 1122, 3344,
	  "1:EKt4MsxuyaE6mL+hmrEkQ9csDD8=" },
	{ 132, "5.6.7.8", "1.2.3.4", 3344, 1122,
	  "1:EKt4MsxuyaE6mL+hmrEkQ9csDD8=" },
	{ 1, "1.2.3.4", "5.6.7.8", 8, 0,
	  "1:crodRHL2FEsHjbv3UkRrfbs4bZ0=" },
	{ 1, "5.6.7.8", "1.2.3.4", 0, 0,
	  "1:crodRHL2FEsHjbv3UkRrfbs4bZ0=" },
	{ 1, "1.2.3.4", "5.6.7.8", 11, 0,
	  "1:f/YiSyWqczrTgfUCZlBUnvHRcPk=" },
	{ 58, "fe80:0001:0203:0405:0607:0809:0a0b:0c0d",
	  "fe80:1011:1213:1415:1617:1819:1a1b:1c1d", 128, 0,
	  "1:0bf7hyMJUwt3fMED7z8LIfRpBeo=" },
	{ 58, "fe80:1011:1213:1415:1617:1819:1a1b:1c1d",
	  "fe80:0001:0203:0405:0607:0809:0a0b:0c0d", 129, 0,
	  "1:0bf7hyMJUwt3fMED7z8LIfRpBeo=" },
	{ 58, "fe80:0001:0203:0405:0607:0809:0a0b:0c0d",
	  "fe80:1011:1213:1415:1617:1819:1a1b:1c1d", 146, 0,
	  "1:fYC8+pz24E+EhANP1EZhpX0Dw10=" },
	{ 46, "1.2.3.4", "5.6.7.8", -1, -1,
	  "1:ikv3kmf89luf73WPz1jOs49S768=" },
	{ 46, "5.6.7.8", "1.2.3.4", -1, -1,
	  "1:ikv3kmf89luf73WPz1jOs49S768=" },
	{ 46, "fe80:0001:0203:0405:0607:0809:0a0b:0c0d",
	  "fe80:1011:1213:1415:1617:1819:1a1b:1c1d", -1, -1,
	  "1:wQ/2mwrnXP4lmJcHdGL5ePjR+e0=" },
	{ 46, "fe80:1011:1213:1415:1617:1819:1a1b:1c1d",
	  "fe80:0001:0203:0405:0607:0809:0a0b:0c0d", -1, -1,
	  "1:wQ/2mwrnXP4lmJcHdGL5ePjR+e0=" },
	{ 58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 136,
	  "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=" },
	{ 58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 135,
	  "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=" },
	{ 58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135, 136,
	  "1:zavyT/cezQr1fmImYCwYnMXbgck=" },
	{ 58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 136, 135,
	  "1:zavyT/cezQr1fmImYCwYnMXbgck=" },
	{ 58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0,
	  "1:2ObVBgIn28oZvibYZhZMBgh7WdQ=" },
	{ 58, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4,
	  "1:hLZd0XGWojozrvxqE0dWB1iM6R0=" },
	{ 58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 129,
	  "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=" },
	{ 58, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129, 128,
	  "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=" },
	{ 58, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 134,
	  "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=" },
	{ 58, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 133,
	  "1:pkvHqCL88/tg1k4cPigmZXUtL00=" },
	{ 1, "192.168.0.89", "192.168.0.1", 8, 0,
	  "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=" },
	{ 1, "192.168.0.1", "192.168.0.89", 0, 8,
	  "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=" },
	{ 1, "10.0.0.1", "10.0.0.2", 11, 0,
	  "1:YHxtAirCG//0OzkcVAukqKQN9xM=" },
	{ 6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
	  "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=" },
	{ 6, "2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943,
	  "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=" },
	{ 132, "192.168.170.8", "192.168.170.56", 7, 7,
	  "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=" },
	{ 132, "192.168.170.56", "192.168.170.8", 7, 7,
	  "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=" },
	{ 6, "128.232.110.120", "66.35.250.204", 34855, 80,
	  "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ 6, "66.35.250.204", "128.232.110.120", 80, 34855,
	  "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ 17, "192.168.1.52", "8.8.8.8", 54585, 53,
	  "1:d/FP5EW3wiY1vCndhwleRRKHowQ=" },
	{ 17, "8.8.8.8", "192.168.1.52", 53, 54585,
	  "1:d/FP5EW3wiY1vCndhwleRRKHowQ=" },
	{ 46, "10.1.12.1", "10.1.12.2", -1, -1,
	  "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=" },
	{ 46, "10.1.12.2", "10.1.12.1", -1, -1,
	  "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=" },
	{ 6, "192.0.2.10", "192.0.2.10", 1234, 1234,
	  "1:R+YexNWbaHDIf7E3ZEvmiL9xB00=" },
	{ 6, "192.0.2.10", "192.0.2.10", 1234, 80,
	  "1:IDaMBwwO8jrHR5ItV1IVfkfdBRQ=" },
	{ 6, "192.0.2.10", "192.0.2.10", 80, 1234,
	  "1:IDaMBwwO8jrHR5ItV1IVfkfdBRQ=" },
	{ 6, "127.0.0.1", "10.0.0.1", 80, 1234,
	  "1:F/BCgQTUT/FXrTnSBgdsKwJ26iE=" },
	{ 17, "2001:db8::1", "2001:db8::2", 53, 40000,
	  "1:eGdaE36ivsxnM3NpfgD06A5eRj8=" },
	{ 17, "2001:db8::2", "2001:db8::1", 40000, 53,
	  "1:eGdaE36ivsxnM3NpfgD06A5eRj8=" },
	{ 136, "192.0.2.1", "198.51.100.1", 5000, 5001,
	  "1:+Onu8Gmo0BPdguhRZW1VuYqw0cQ=" },
	{ 33, "192.0.2.1", "198.51.100.1", 5000, 5001,
	  "1:XW6RSHcKnVSw/uYPZr2cKos2gsk=" },
	{ 47, "192.0.2.1", "198.51.100.1", -1, -1,
	  "1:I8wO2aQInH1H6WTXx7bwq7F/m20=" },
	{ 50, "2001:db8::2", "2001:db8::1", -1, -1,
	  "1:JIAyWiD7dl1e74CJAdetAUPF/To=" },
	{ 6, "255.255.255.255", "0.0.0.0", 0, 65535,
	  "1:M2ra/AZ8okY4P3Zk2U5117mnMgw=" },
	{ 17, "192.0.2.255", "192.0.2.16", 65535, 1,
	  "1:YHMRlzK62MOELY8LmlLg7DDF6v8=" },
	/* What goes over the wire is IPv4. */
	{ 6, "::ffff:1.2.3.4", "::ffff:5.6.7.8", 1122, 3344,
	  "1:wCb3OG7yAFWelaUydu0D+125CLM=" },
};

static struct endpoint endpoint_of(const char *address, int port)
{
	struct endpoint e = { .port = port };

	if (*address && address_parse(address, &e.addr))
		tap_ok(false, "'%s' is an address", address);
	return e;
}

static void test_vectors(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct endpoint src = endpoint_of(vectors[i].src, vectors[i].sport);
		struct endpoint dst = endpoint_of(vectors[i].dst, vectors[i].dport);
		char id[COMMUNITY_ID_MAX];
		int rc = community_id(vectors[i].protocol, &src, &dst, id);

		if (!tap_ok(!rc && !strcmp(id, vectors[i].id), "%d from %s %d to %s %d",
			    vectors[i].protocol, vectors[i].src, vectors[i].sport, vectors[i].dst,
			    vectors[i].dport))
			tap_note("%d %s, not %s", rc, id, vectors[i].id);
	}
}

/* A wrong id would be another flow's. */
static void test_unknown(void)
{
	static const struct {
		int protocol;
		const char *src, *dst;
		int sport, dport;
		const char *what;
	} table[] = {
		{ 6, "192.0.2.1", "192.0.2.2", -1, 443, "no source port" },
		{ 17, "192.0.2.1", "192.0.2.2", 53, -1, "no destination port" },
		{ 6, "", "192.0.2.2", 1, 443, "no source address" },
		{ 46, "192.0.2.1", "", -1, -1, "no destination address" },
		{ 6, "192.0.2.1", "2001:db8::1", 1, 443, "addresses of two families" },
		{ -1, "192.0.2.1", "192.0.2.2", 1, 443, "no protocol" },
		{ 262, "192.0.2.1", "192.0.2.2", 1, 443, "a protocol that no packet has" },
		{ 1, "192.0.2.1", "192.0.2.2", -1, -1, "no type" },
		{ 1, "192.0.2.1", "192.0.2.2", 11, -1, "a type that goes one way, without code" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct endpoint src = endpoint_of(table[i].src, table[i].sport);
		struct endpoint dst = endpoint_of(table[i].dst, table[i].dport);
		char id[COMMUNITY_ID_MAX] = "x";
		int rc = community_id(table[i].protocol, &src, &dst, id);

		tap_ok(rc == -ENODATA && !*id, "no id where there is %s", table[i].what);
	}
}

/* ICMP's types that ask, and those that answer. */
static void test_answers(void)
{
	static const struct { int protocol, ask, answer; } pairs[] = {
		{ 1, 8, 0 }, { 1, 10, 9 }, { 1, 13, 14 }, { 1, 15, 16 }, { 1, 17, 18 },
		{ 58, 128, 129 }, { 58, 130, 131 }, { 58, 133, 134 }, { 58, 135, 136 },
		{ 58, 139, 140 }, { 58, 144, 145 },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		bool six = pairs[i].protocol == 58;
		struct endpoint a = endpoint_of(six ? "2001:db8::1" : "192.0.2.1", pairs[i].ask);
		struct endpoint b = endpoint_of(six ? "2001:db8::2" : "192.0.2.2", 0);
		char asked[COMMUNITY_ID_MAX], answered[COMMUNITY_ID_MAX];

		community_id(pairs[i].protocol, &a, &b, asked);
		b.port = pairs[i].answer;
		a.port = 0;
		community_id(pairs[i].protocol, &b, &a, answered);
		tap_ok(*asked && !strcmp(asked, answered), "type %d of protocol %d answers %d",
		       pairs[i].answer, pairs[i].protocol, pairs[i].ask);
		community_id(six ? 1 : 58, &b, &a, answered);
		b.port = 0;
		a.port = pairs[i].ask;
		community_id(six ? 1 : 58, &a, &b, asked);
		tap_ok(*asked && strcmp(asked, answered), "not so of the other protocol");
	}
}

int main(void)
{
	test_vectors();
	test_answers();
	test_unknown();
	return tap_done();
}
