/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit and container from a control group's path.  The managers make these paths:
 *
 *   systemd        /system.slice/ssh.service, /user.slice/user-1000.slice/session-3.scope
 *   docker         /docker/ID, /system.slice/docker-ID.scope
 *   podman         /machine.slice/libpod-ID.scope[/container], /libpod_parent/libpod-ID
 *   kubernetes     /kubepods/burstable/podUID/ID, .../cri-containerd-ID.scope, .../crio-ID.scope
 *   lxc            /lxc/NAME, /lxc.payload.NAME
 *   systemd-nspawn /machine.slice/machine-NAME.scope, /machine.slice/systemd-nspawn@NAME.service
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "cgroup.h"

#define ID_DIGITS_MIN 12

static bool ends_with(struct text t, const char *end)
{
	size_t len = strlen(end);

	return t.len > len && !memcmp(t.data + t.len - len, end, len);
}

static bool starts_with(struct text t, const char *start)
{
	size_t len = strlen(start);

	return t.len > len && !memcmp(t.data, start, len);
}

static struct text cut(struct text t, size_t front, size_t back)
{
	/* "systemd-nspawn@.service" has no name. */
	if (t.len <= front + back)
		return TEXT_NONE;
	return (struct text){ t.data + front, t.len - front - back };
}

static bool is_id(struct text t)
{
	if (t.len < ID_DIGITS_MIN)
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (!isxdigit((unsigned char)t.data[i]) || isupper((unsigned char)t.data[i]))
			return false;
	return true;
}

/* The container that one component of the path names, below the component before it. */
static struct text container_of(struct text component, struct text parent)
{
	static const char *const managers[] = {
		"docker-", "libpod-", "cri-containerd-", "crio-", "containerd-", "buildkit-",
	};
	struct text t = component;

	if (starts_with(t, "lxc.payload."))
		return cut(t, strlen("lxc.payload."), 0);
	if (text_equal(parent, text_of("lxc")))
		return t;
	if (starts_with(t, "systemd-nspawn@") && ends_with(t, ".service"))
		return cut(t, strlen("systemd-nspawn@"), strlen(".service"));
	if (ends_with(t, ".scope"))
		t = cut(t, 0, strlen(".scope"));
	if (starts_with(t, "machine-") && t.len != component.len)
		return cut(t, strlen("machine-"), 0);
	for (size_t i = 0; i < sizeof(managers) / sizeof(managers[0]); i++)
		if (starts_with(t, managers[i]))
			t = cut(t, strlen(managers[i]), 0);
	return is_id(t) ? t : TEXT_NONE;
}

struct cgroup_names cgroup_parse(struct text path)
{
	struct cgroup_names names = { TEXT_NONE, TEXT_NONE };
	struct text parent = TEXT_NONE;

	for (size_t at = 0; at < path.len;) {
		const char *slash = memchr(path.data + at, '/', path.len - at);
		size_t end = slash ? (size_t)(slash - path.data) : path.len;
		struct text component = { path.data + at, end - at }, container;

		at = end + 1;
		if (!component.len)
			continue;
		if (ends_with(component, ".service") || ends_with(component, ".scope") ||
		    ends_with(component, ".slice"))
			names.unit = component;
		container = container_of(component, parent);
		if (container.data)
			names.container = container;
		parent = component;
	}
	return names;
}
