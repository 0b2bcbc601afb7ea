/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit and container from a control group's path: what systemd and the runtimes make as root, from
 * the root of the hierarchy down to the first group that is handed to somebody else.
 */
#include <stdio.h>
#include <string.h>

#include "cgroup.h"

#define HEX "0123456789abcdef"
#define ID_DIGITS 64
#define BUILD_CHARS 25	/* of a container that builds an image */
#define UID_CHARS 36	/* with its dashes */
#define HASH_DIGITS 32	/* of a pod that stands in a file */
#define LEVELS_MAX 16	/* of a user's groups that are looked at: there may be thousands */

enum place {
	IN_SLICE,	/* at the root, or in slices: systemd makes it */
	AT_ROOT,	/* a group without systemd: nobody but root makes groups there */
	IN_GROUP,	/* in a group of any name: its owner made it */
};

/*
 * Where the runtimes put their containers.  A shape is one component or several:
 *
 *   %i  an id of 64 hex digits       %p  the same, of a pod
 *   %b  an id of 25 letters, digits  %u  a pod's uid, with dashes or as 32 hex digits
 *   %n  a name                       %s  a slice of a pod, up to a colon
 *   %-  anything, no container's
 */
static const struct layout {
	enum place place;
	const char *runtime, *shape;
} layouts[] = {
	{ IN_SLICE, "docker", "docker-%i.scope" },
	{ IN_SLICE, "podman", "libpod-%i.scope" },
	{ IN_SLICE, "cri-o", "crio-%i.scope" },
	{ IN_SLICE, "containerd", "cri-containerd-%i.scope" },
	{ IN_SLICE, "containerd", "containerd-%i.scope" },
	{ IN_SLICE, "nerdctl", "nerdctl-%i.scope" },
	{ IN_SLICE, "buildkit", "buildkit-%b.scope" },
	{ IN_SLICE, "bpm", "bpm-%n.scope" },
	/* A virtual machine, and nspawn itself, are on the host. */
	{ IN_SLICE, NULL, "machine-qemu\\x2d%-.scope" },
	{ IN_SLICE, NULL, "machine-%-.scope/supervisor" },
	{ IN_SLICE, NULL, "systemd-nspawn@%-.service/supervisor" },
	{ IN_SLICE, "libvirt", "machine-lxc\\x2d%n.scope" },
	{ IN_SLICE, "nspawn", "machine-%n.scope" },
	{ IN_SLICE, "nspawn", "systemd-nspawn@%n.service" },

	{ AT_ROOT, "docker", "docker/%i" },
	{ AT_ROOT, "podman", "libpod_parent/libpod-%i" },
	{ AT_ROOT, "podman", "libpod_parent/%p/libpod-%i" },
	{ AT_ROOT, "containerd", "%s:cri-containerd:%i" },
	{ AT_ROOT, "cri-o", "kubepods/pod%u/crio-%i" },
	{ AT_ROOT, "cri-o", "kubepods/burstable/pod%u/crio-%i" },
	{ AT_ROOT, "cri-o", "kubepods/besteffort/pod%u/crio-%i" },
	/* Docker or containerd: nothing here tells which. */
	{ AT_ROOT, "kubernetes", "kubepods/pod%u/%i" },
	{ AT_ROOT, "kubernetes", "kubepods/burstable/pod%u/%i" },
	{ AT_ROOT, "kubernetes", "kubepods/besteffort/pod%u/%i" },
	{ AT_ROOT, NULL, "kubepods/pod%u" },
	{ AT_ROOT, NULL, "kubepods/burstable/pod%u" },
	{ AT_ROOT, NULL, "kubepods/besteffort/pod%u" },
	{ AT_ROOT, "ecs", "ecs/%u/%n" },
	{ AT_ROOT, "lxc", "lxc.payload.%n" },
	{ AT_ROOT, "lxc", "lxc.payload/%n" },
	{ AT_ROOT, "lxc", "lxc/%n" },
	{ AT_ROOT, "libvirt", "libvirt/lxc/%n" },
	{ AT_ROOT, "libvirt", "machine/%n.libvirt-lxc" },
	{ AT_ROOT, "libvirt", "%n.libvirt-lxc" },
	{ AT_ROOT, "buildkit", "buildkit/%b" },

	{ IN_GROUP, "podman", "libpod-payload-%i" },
	{ IN_GROUP, "containerd", "default/%n" },
	{ IN_GROUP, "containerd", "k8s.io/%n" },
	{ IN_GROUP, "containerd", "moby/%n" },
	/* docker run --cgroup-parent */
	{ IN_GROUP, "docker", "%-/%i" },
};

struct found {
	const struct layout *layout;
	struct text container, pod, pod_slice;
	size_t len;
};

static bool is_unit(struct text t)
{
	return text_ends_with(t, ".service") || text_ends_with(t, ".scope") ||
	       text_ends_with(t, ".slice");
}

static struct text without(struct text t, size_t front)
{
	return (struct text){ t.data + front, t.len - front };
}

/* The text up to a byte, or all of it. */
static struct text up_to(struct text t, char end)
{
	const char *at = t.len ? memchr(t.data, end, t.len) : NULL;

	return at ? (struct text){ t.data, (size_t)(at - t.data) } : t;
}

static struct text without_slashes(struct text t)
{
	while (t.len && t.data[0] == '/')
		t = without(t, 1);
	return t;
}

/* What follows a component. */
static struct text below(struct text rest, struct text component)
{
	return without_slashes(without(rest, component.len));
}

static size_t run_of(struct text t, const char *bytes)
{
	size_t len = 0;

	while (len < t.len && t.data[len] && strchr(bytes, t.data[len]))
		len++;
	return len;
}

static size_t exactly(size_t len, size_t wanted)
{
	return len == wanted ? len : 0;
}

/* Of a component of which `tail` bytes belong to what follows. */
static struct text all_but(struct text t, size_t tail)
{
	size_t len = up_to(t, '/').len;

	return (struct text){ t.data, len > tail ? len - tail : 0 };
}

/* How many bytes stand for a letter of a shape; 0: it does not fit. */
static size_t take(char letter, struct text t, size_t tail, struct found *f)
{
	struct text whole = all_but(t, tail);
	size_t hex = run_of(t, HEX), len = 0;

	switch (letter) {
	case 'i':
	case 'b':
	case 'n':
		len = letter == 'i' ? exactly(hex, ID_DIGITS) :
		      letter == 'b' ? exactly(run_of(t, "0123456789abcdefghijklmnopqrstuvwxyz"),
					      BUILD_CHARS) :
		      is_unit(whole) ? 0 : whole.len;
		f->container = (struct text){ t.data, len };
		return len;
	case 'p':
		len = exactly(hex, ID_DIGITS);
		f->pod = (struct text){ t.data, len };
		return len;
	case 'u':
		len = exactly(hex, HASH_DIGITS);
		if (!len)
			len = exactly(run_of(t, HEX "-"), UID_CHARS);
		f->pod = (struct text){ t.data, len };
		return len;
	case 's':
		f->pod_slice = up_to(whole, ':');
		return text_ends_with(f->pod_slice, ".slice") ? f->pod_slice.len : 0;
	default:
		return whole.len;
	}
}

static bool fits(const struct layout *l, struct text rest, struct found *f)
{
	const char *shape = l->shape;
	struct text t = rest;

	*f = (struct found){ .layout = l };
	while (*shape) {
		size_t len = 1;

		if (*shape == '%') {
			len = take(shape[1], t, strcspn(shape + 2, "/"), f);
			shape++;
		} else if (!t.len || t.data[0] != *shape) {
			return false;
		}
		if (!len)
			return false;
		shape++;
		t = without(t, len);
	}
	f->len = rest.len - t.len;
	return !t.len || t.data[0] == '/';
}

static bool find_layout(struct text rest, enum place max, struct found *f)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].place <= max && fits(&layouts[i], rest, f))
			return true;
	*f = (struct found){ .layout = NULL };
	return false;
}

static void put_pod(struct cgroup_names *n, struct text pod)
{
	for (size_t i = 0; i < pod.len; i++)
		n->pod[i] = pod.data[i] == '_' ? '-' : pod.data[i];
	n->pod[pod.len] = '\0';
}

/* kubelet-kubepods-burstable-podU_I_D.slice, machine-libpod_pod_ID.slice */
static void read_pod(struct cgroup_names *n, struct text slice)
{
	for (size_t at = slice.len - strlen(".slice"); at-- > 4;) {
		struct text t = without(slice, at);
		size_t len = run_of(t, HEX), uid = run_of(t, HEX "_");

		if (!memcmp(t.data - 4, "-pod", 4) && (len == HASH_DIGITS || uid == UID_CHARS))
			len = uid == UID_CHARS ? uid : len;
		else if (memcmp(t.data - 4, "pod_", 4) || len != ID_DIGITS)
			continue;
		if (at + len + strlen(".slice") == slice.len)
			put_pod(n, (struct text){ t.data, len });
		return;
	}
}

/* The unit's name goes on to the innermost unit below. */
static void add_inner_unit(struct cgroup_names *n, struct text rest, size_t from)
{
	struct text t = without_slashes(without(rest, from)), c;

	for (c = up_to(t, '/'); c.len; t = below(t, c), c = up_to(t, '/'))
		if (is_unit(c))
			n->unit = (struct text){ rest.data, (size_t)(c.data + c.len - rest.data) };
}

static void put_found(struct cgroup_names *n, const struct found *f)
{
	n->runtime = f->layout->runtime;
	if (f->pod.data)
		put_pod(n, f->pod);
	if (f->pod_slice.data)
		read_pod(n, f->pod_slice);
}

/* A container that was named in a group whose name, or whose unit's, begins at head. */
static void put_named(struct cgroup_names *n, const struct found *f, const char *head)
{
	n->named_id = f->container;
	n->named = (struct text){ head, (size_t)(f->container.data + f->container.len - head) };
	put_found(n, f);
}

/* The group in which a name was given. */
static struct text group_above(struct text path, const char *name)
{
	while (name > path.data && name[-1] != '/')
		name--;
	return (struct text){ path.data, (size_t)(name - path.data) - 1 };
}

/* All below user@UID.service is that user's. */
static void read_users(struct cgroup_names *n, struct text rest)
{
	struct text t = below(rest, up_to(rest, '/')), c;
	struct found f;
	int level = 0;

	for (c = up_to(t, '/'); c.len && level++ < LEVELS_MAX; t = below(t, c), c = up_to(t, '/'))
		if (find_layout(t, IN_GROUP, &f) && f.container.data) {
			put_named(n, &f, rest.data);
			return;
		}
}

/* A container in a group whose owner the path does not show. */
static void read_owned(struct cgroup_names *n, struct text path, struct text rest,
		       const struct found *f)
{
	struct text outer = up_to(rest, '/');

	if (!f->container.data)
		return;
	if (f->container.data < outer.data + outer.len) {
		/* That is a slice's, or the root. */
		n->container = f->container;
		put_found(n, f);
		return;
	}
	put_named(n, f, rest.data);
	n->decides = group_above(path, f->container.data);
}

/* rest begins with the first component that is no slice. */
static void read_group(struct cgroup_names *n, struct text path, struct text rest, bool at_root)
{
	struct text c = up_to(rest, '/');
	bool unit = is_unit(c);
	struct found f;

	if (unit)
		n->unit = c;
	if (find_layout(rest, at_root ? AT_ROOT : IN_SLICE, &f)) {
		n->container = f.container;
		put_found(n, &f);
		add_inner_unit(n, rest, f.len);
		return;
	}
	if (unit && c.len > 5 && !memcmp(c.data, "user@", 5)) {
		read_users(n, rest);
	} else if (find_layout(unit ? below(rest, c) : rest, IN_GROUP, &f)) {
		read_owned(n, path, rest, &f);
	}
	add_inner_unit(n, rest, c.len);
}

struct cgroup_names cgroup_parse(struct text path)
{
	static const char gone[] = " (deleted)";
	struct cgroup_names n = { .runtime = NULL };
	struct text rest, c;
	bool at_root = true;

	if (text_ends_with(path, gone))
		path.len -= strlen(gone);
	rest = without_slashes(path);
	/* ".." where we live in a control group namespace and the process does not. */
	for (c = up_to(rest, '/'); c.len; rest = below(rest, c), c = up_to(rest, '/')) {
		if (text_equal(c, text_of("..")))
			continue;
		if (!text_ends_with(c, ".slice"))
			break;
		n.unit = n.slice = c;
		read_pod(&n, c);
		at_root = false;
	}
	if (c.len)
		read_group(&n, path, rest, at_root);
	return n;
}

bool cgroup_is_of_login(struct text path, int64_t auid)
{
	char group[64];
	int len = snprintf(group, sizeof(group), "/user.slice/user-%lld.slice/", (long long)auid);

	return auid >= 0 && path.data && path.len > (size_t)len &&
	       !memcmp(path.data, group, (size_t)len);
}

struct text cgroup_container(const struct cgroup_names *names, bool is_roots)
{
	if (names->container.data)
		return names->container;
	return is_roots && names->decides.data ? names->named_id : names->named;
}
