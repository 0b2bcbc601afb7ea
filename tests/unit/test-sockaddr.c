/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A SOCKADDR's hex text: every length that the kernel can hand out, of every kind of family. */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "sockaddr.h"
#include "tap.h"

#define BYTES_MAX 128 /* sizeof(struct sockaddr_storage): no caller can give more */

/* The hex of the first len bytes of an address, in memory of just that size. */
static struct text hex_of(const unsigned char *bytes, size_t len, const char *digits)
{
	char *hex = malloc(2 * len + 1);

	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	return (struct text){ hex, 2 * len };
}

static const struct machine little = { .big_endian = false }, big = { .big_endian = true };

static enum sockaddr_result decode(const unsigned char *bytes, size_t len, const char *digits,
				   struct machine host, struct endpoint *to)
{
	struct text hex = hex_of(bytes, len, digits);
	enum sockaddr_result r = sockaddr_decode(hex, host, to);

	free((char *)hex.data);
	return r;
}

static bool is_endpoint(const struct endpoint *e, int family, const void *addr, size_t len,
			int port)
{
	static const uint8_t zero[16];

	return e->addr.family == family && !memcmp(e->addr.bytes, addr, len) &&
	       !memcmp(e->addr.bytes + len, zero, 16 - len) && e->port == port;
}

/* least: how many bytes the family needs for its address. */
static void test_lengths_of(const char *name, int family, struct machine host, size_t least,
			    enum sockaddr_result enough)
{
	static const char *const digits[] = { "0123456789ABCDEF", "0123456789abcdef" };
	unsigned char bytes[BYTES_MAX];
	bool good = true;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(0xc0 + i);
	bytes[host.big_endian] = (unsigned char)family;
	bytes[!host.big_endian] = (unsigned char)(family >> 8);
	bytes[2] = 0x1f;
	bytes[3] = 0x90;
	for (size_t len = 0; len <= BYTES_MAX; len++) {
		enum sockaddr_result want = len < least ? SOCKADDR_BAD : enough;

		for (int d = 0; d < 2; d++) {
			struct endpoint to = { .port = -5 };
			bool now = decode(bytes, len, digits[d], host, &to) == want;

			if (want == SOCKADDR_INET)
				now = now && (family == AF_INET ?
					      is_endpoint(&to, AF_INET, bytes + 4, 4, 8080) :
					      is_endpoint(&to, AF_INET6, bytes + 8, 16, 8080));
			if (!now)
				tap_note("%s of %zu bytes", name, len);
			good = good && now;
		}
	}
	tap_ok(good, "%s of 0 to %d bytes, %s byte first", name, BYTES_MAX,
	       host.big_endian ? "high" : "low");
}

static void test_lengths(const char *name, int family, size_t least, enum sockaddr_result enough)
{
	test_lengths_of(name, family, little, least, enough);
	test_lengths_of(name, family, big, least, enough);
}

/* No family: what is long enough has IPv4's address all the same. */
static void test_unspec(void)
{
	unsigned char bytes[BYTES_MAX] = { 0, 0, 0x1f, 0x90, 192, 0, 2, 1, 9 };
	bool good = true;

	for (size_t len = 0; len <= BYTES_MAX; len++) {
		struct endpoint to = { .port = -5 };
		enum sockaddr_result got = decode(bytes, len, "0123456789ABCDEF", little, &to);

		good = good && got == (len < 2 ? SOCKADDR_BAD :
				       len < 8 ? SOCKADDR_OTHER : SOCKADDR_UNSPEC);
		if (got == SOCKADDR_UNSPEC)
			good = good && is_endpoint(&to, AF_INET, bytes + 4, 4, 8080);
	}
	tap_ok(good, "unspecified, of 0 to %d bytes", BYTES_MAX);
}

static void test_text(const char *hex, enum sockaddr_result want, const char *name)
{
	struct endpoint to;
	struct text t = text_of(hex);
	char *copy = malloc(t.len ? t.len : 1);

	memcpy(copy, hex, t.len);
	t.data = copy;
	tap_ok(sockaddr_decode(t, little, &to) == want, "%s", name);
	free(copy);
}

static void test_bad_hex(void)
{
	/* Long enough for IPv6 as well, which the family's digits can become. */
	static const char whole[] = "02001F907F0000010000000000000000000000000000000000000000";
	bool good = true;

	/* Any byte that is no hex digit, at any place; a digit may make it another family. */
	for (size_t at = 0; at < sizeof(whole) - 1; at++) {
		for (int c = 0; c < 256; c++) {
			char text[sizeof(whole)];
			struct endpoint to;
			bool digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') ||
				     (c >= 'a' && c <= 'f');

			if ((at == 2 || at == 3) && c != '0')
				digit = false;	/* no family has such a number */
			memcpy(text, whole, sizeof(whole));
			text[at] = (char)c;
			if ((sockaddr_decode((struct text){ text, sizeof(whole) - 1 }, little,
					     &to) == SOCKADDR_BAD) == digit) {
				tap_note("byte %d at %zu", c, at);
				good = false;
			}
		}
	}
	tap_ok(good, "hex digits and nothing else, at every place");
}

static void test_decode(void)
{
	unsigned char to[8] = { 0 };

	tap_ok(hex_decode(text_of("00fFA5"), to, 3) == 3 && to[0] == 0 && to[1] == 0xff &&
	       to[2] == 0xa5 && to[3] == 0, "three bytes into room for three");
	tap_ok(hex_decode(text_of("00fFA5"), to, 2) == -1, "three bytes into room for two");
	tap_ok(hex_decode(text_of(""), to, 0) == 0, "no bytes");
	tap_ok(hex_decode(text_of("0"), to, 8) == -1 && hex_decode(text_of("000"), to, 8) == -1,
	       "half a byte");
}

int main(void)
{
	char longest[2 * BYTES_MAX + 3];

	test_lengths("IPv4", AF_INET, 8, SOCKADDR_INET);
	test_lengths("IPv6", AF_INET6, 24, SOCKADDR_INET);
	test_lengths("UNIX", AF_UNIX, 2, SOCKADDR_OTHER);
	test_unspec();
	test_lengths("netlink", AF_NETLINK, 2, SOCKADDR_OTHER);
	test_lengths("a family that there is not", 0xffff, 2, SOCKADDR_BAD);
	test_lengths("the last of families", 0xff, 2, SOCKADDR_OTHER);
	test_lengths("a number of the other byte order", 0x200, 2, SOCKADDR_BAD);
	test_text("", SOCKADDR_BAD, "no text");
	test_text("02001F907F00000", SOCKADDR_BAD, "an odd number of digits");
	test_text("\"02001F907F000001\"", SOCKADDR_BAD, "in quotes");
	test_text("0x001F907F000001", SOCKADDR_BAD, "with 0x");
	test_text("(null)", SOCKADDR_BAD, "(null)");
	test_text("02001F907F000001 ", SOCKADDR_BAD, "with a blank behind it");
	memset(longest, '0', sizeof(longest));
	memcpy(longest, "0200", 4);
	longest[2 * BYTES_MAX + 2] = '\0';
	test_text(longest, SOCKADDR_BAD, "129 bytes");
	test_bad_hex();
	test_decode();
	return tap_done();
}
