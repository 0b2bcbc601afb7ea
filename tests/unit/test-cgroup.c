/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit, container, runtime, pod and slice from control groups as the managers make them, and as
 * somebody makes them who wants to be taken for another.  The layouts are those of the runtimes'
 * own sources and documents, read in 2026: systemd (CGROUP_DELEGATION, DESKTOP_ENVIRONMENTS),
 * podman's libpod/container*.go, kubelet's cgroup manager, cri-o, containerd, lxc, incus, snapd,
 * cadvisor and tetragon, which read the same paths.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cgroup.h"
#include "tap.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define IN "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID "1f5b9f4c-8d0e-4b2a-9f3e-0123456789ab"
#define U_ID "1f5b9f4c_8d0e_4b2a_9f3e_0123456789ab"
#define HASH "9729a196c4723b60ab401eaff722982d"
#define U1 "/user.slice/user-1000.slice/user@1000.service"
#define BURST "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" U_ID ".slice"
#define BEST "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" U_ID ".slice"

struct want {
	const char *path, *unit, *container, *runtime, *pod, *slice;
};

/* What the path alone shows. */
static const struct want systems[] = {
	{ "", NULL, NULL, NULL, NULL, NULL },
	{ "/", NULL, NULL, NULL, NULL, NULL },
	{ "//", NULL, NULL, NULL, NULL, NULL },
	{ "/init", NULL, NULL, NULL, NULL, NULL },
	{ "/../../x", NULL, NULL, NULL, NULL, NULL },
	/* systemd */
	{ "/init.scope", "init.scope", NULL, NULL, NULL, NULL },
	{ "/system.slice/ssh.service", "ssh.service", NULL, NULL, NULL, "system.slice" },
	{ "/system.slice/ssh.service/", "ssh.service", NULL, NULL, NULL, "system.slice" },
	{ "/system.slice/ssh.service (deleted)", "ssh.service", NULL, NULL, NULL, "system.slice" },
	{ "/../../system.slice/x.service", "x.service", NULL, NULL, NULL, "system.slice" },
	{ "/system.slice/systemd-udevd.service/udev", "systemd-udevd.service", NULL, NULL, NULL,
	  "system.slice" },
	{ "/system.slice/docker.service/init", "docker.service", NULL, NULL, NULL, "system.slice" },
	{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", NULL, NULL,
	  NULL, "system-getty.slice" },
	{ "/system.slice/system-serial\\x2dgetty.slice/serial-getty@ttyS0.service",
	  "serial-getty@ttyS0.service", NULL, NULL, NULL, "system-serial\\x2dgetty.slice" },
	{ "/system.slice/system-systemd\\x2dfsck.slice/systemd-fsck@dev-disk-by\\x2duuid-1.service",
	  "systemd-fsck@dev-disk-by\\x2duuid-1.service", NULL, NULL, NULL,
	  "system-systemd\\x2dfsck.slice" },
	{ "/system.slice/system-postgresql.slice/postgresql@15-main.service",
	  "postgresql@15-main.service", NULL, NULL, NULL, "system-postgresql.slice" },
	{ "/runtime.slice/kubelet.service", "kubelet.service", NULL, NULL, NULL, "runtime.slice" },
	{ "/azure.slice/walinuxagent.service", "walinuxagent.service", NULL, NULL, NULL,
	  "azure.slice" },
	{ "/reserved.slice/x", "reserved.slice", NULL, NULL, NULL, "reserved.slice" },
	{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", NULL, NULL, NULL,
	  "user-1000.slice" },
	{ "/user.slice", "user.slice", NULL, NULL, NULL, "user.slice" },
	{ ".service", NULL, NULL, NULL, NULL, NULL },
	{ "/.slice/.scope", NULL, NULL, NULL, NULL, NULL },
	{ "/servicex/a.services", NULL, NULL, NULL, NULL, NULL },
	{ "/system.slice/snap.lxd.activate.service", "snap.lxd.activate.service", NULL, NULL, NULL,
	  "system.slice" },
	{ "/system.slice/snap.hello.hello-" UID ".scope", "snap.hello.hello-" UID ".scope", NULL,
	  NULL, NULL, "system.slice" },
	/* Talos has no units */
	{ "/podruntime/kubelet", NULL, NULL, NULL, NULL, NULL },
	{ "/system/apid", NULL, NULL, NULL, NULL, NULL },
	/* docker */
	{ "/docker/" ID, NULL, ID, "docker", NULL, NULL },
	{ "/docker/" ID "/sub", NULL, ID, "docker", NULL, NULL },
	{ "/docker/" ID " (deleted)", NULL, ID, "docker", NULL, NULL },
	{ "/system.slice/docker-" ID ".scope", "docker-" ID ".scope", ID, "docker", NULL,
	  "system.slice" },
	{ "/system.slice/docker.service", "docker.service", NULL, NULL, NULL, "system.slice" },
	{ "/docker/" ID "/syscont-cgroup-root/init.scope", "docker/" ID "/syscont-cgroup-root/"
	  "init.scope", ID, "docker", NULL, NULL },
	{ "/system.slice/nerdctl-" ID ".scope", "nerdctl-" ID ".scope", ID, "nerdctl", NULL,
	  "system.slice" },
	{ "/buildkit/abcdefghijklmnopqrst01234", NULL, "abcdefghijklmnopqrst01234", "buildkit",
	  NULL, NULL },
	/* podman */
	{ "/machine.slice/libpod-" ID ".scope", "libpod-" ID ".scope", ID, "podman", NULL,
	  "machine.slice" },
	{ "/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", ID, "podman", NULL,
	  "machine.slice" },
	{ "/machine.slice/machine-libpod_pod_" IN ".slice/libpod-" ID ".scope/container",
	  "libpod-" ID ".scope", ID, "podman", IN, "machine-libpod_pod_" IN ".slice" },
	{ "/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", NULL, NULL,
	  NULL, "machine.slice" },
	{ "/libpod_parent/libpod-" ID, NULL, ID, "podman", NULL, NULL },
	{ "/libpod_parent/" IN "/libpod-" ID, NULL, ID, "podman", IN, NULL },
	{ "/system.slice/web.service/supervisor", "web.service", NULL, NULL, NULL, "system.slice" },
	/* Kubernetes */
	{ "/kubepods/pod" UID "/" ID, NULL, ID, "kubernetes", UID, NULL },
	{ "/kubepods/burstable/pod" UID "/" ID, NULL, ID, "kubernetes", UID, NULL },
	{ "/kubepods/besteffort/pod" UID "/" ID, NULL, ID, "kubernetes", UID, NULL },
	{ "/kubepods/besteffort/pod" UID "/" ID "/kube-proxy", NULL, ID, "kubernetes", UID, NULL },
	{ "/kubepods/burstable/pod" HASH "/" ID, NULL, ID, "kubernetes", HASH, NULL },
	{ "/kubepods/besteffort/pod" UID "/crio-" ID, NULL, ID, "cri-o", UID, NULL },
	{ "/kubepods/besteffort/pod" UID "/crio-conmon-" ID, NULL, NULL, NULL, UID, NULL },
	{ "/kubepods.slice/kubepods-pod" U_ID ".slice/cri-containerd-" ID ".scope",
	  "cri-containerd-" ID ".scope", ID, "containerd", UID, "kubepods-pod" U_ID ".slice" },
	{ BURST "/cri-containerd-" ID ".scope", "cri-containerd-" ID ".scope", ID, "containerd",
	  UID, "kubepods-burstable-pod" U_ID ".slice" },
	{ "/kubepods.slice/kubepods-pod" HASH ".slice/crio-" ID ".scope", "crio-" ID ".scope", ID,
	  "cri-o", HASH, "kubepods-pod" HASH ".slice" },
	{ BEST "/crio-" ID ".scope/container", "crio-" ID ".scope", ID, "cri-o", UID,
	  "kubepods-besteffort-pod" U_ID ".slice" },
	{ BEST "/crio-conmon-" ID ".scope", "crio-conmon-" ID ".scope", NULL, NULL, UID,
	  "kubepods-besteffort-pod" U_ID ".slice" },
	{ BEST "/docker-" ID ".scope", "docker-" ID ".scope", ID, "docker", UID,
	  "kubepods-besteffort-pod" U_ID ".slice" },
	{ "/x.slice/x-kubepods.slice/x-kubepods-pod" U_ID ".slice/crio-" ID ".scope",
	  "crio-" ID ".scope", ID, "cri-o", UID, "x-kubepods-pod" U_ID ".slice" },
	{ "/kubepods-burstable-pod" U_ID ".slice:cri-containerd:" ID, NULL, ID, "containerd", UID,
	  NULL },
	{ "/ecs/" HASH "/" ID, NULL, ID, "ecs", HASH, NULL },
	{ "/ecs/" HASH "/" HASH "-1234", NULL, HASH "-1234", "ecs", HASH, NULL },
	/* lxc, incus, lxd, libvirt */
	{ "/lxc/web1", NULL, "web1", "lxc", NULL, NULL },
	{ "/lxc.payload/web1", NULL, "web1", "lxc", NULL, NULL },
	{ "/lxc.payload.web1", NULL, "web1", "lxc", NULL, NULL },
	{ "/lxc.payload.web.example.org-1", NULL, "web.example.org-1", "lxc", NULL, NULL },
	{ "/lxc.payload.project_web/x", NULL, "project_web", "lxc", NULL, NULL },
	{ "/lxc.monitor.web1", NULL, NULL, NULL, NULL, NULL },
	{ "/lxc.monitor/web1", NULL, NULL, NULL, NULL, NULL },
	{ "/lxc.pivot", NULL, NULL, NULL, NULL, NULL },
	{ "/lxc", NULL, NULL, NULL, NULL, NULL },
	{ "/lxc.payload.", NULL, NULL, NULL, NULL, NULL },
	{ "/machine.slice/machine-lxc\\x2d12\\x2dweb.scope/libvirt",
	  "machine-lxc\\x2d12\\x2dweb.scope", "12\\x2dweb", "libvirt", NULL, "machine.slice" },
	{ "/libvirt/lxc/web", NULL, "web", "libvirt", NULL, NULL },
	{ "/machine/web.libvirt-lxc", NULL, "web", "libvirt", NULL, NULL },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator",
	  "machine-qemu\\x2d1\\x2dvm.scope", NULL, NULL, NULL, "machine.slice" },
	/* nspawn and machined */
	{ "/machine.slice/machine-web\\x2d1.scope", "machine-web\\x2d1.scope", "web\\x2d1",
	  "nspawn", NULL, "machine.slice" },
	{ "/machine.slice/machine-web.scope/payload", "machine-web.scope", "web", "nspawn", NULL,
	  "machine.slice" },
	{ "/machine.slice/machine-web.scope/supervisor", "machine-web.scope", NULL, NULL, NULL,
	  "machine.slice" },
	{ "/machine.slice/systemd-nspawn@web.service/payload", "systemd-nspawn@web.service", "web",
	  "nspawn", NULL, "machine.slice" },
	{ "/machine.slice/systemd-nspawn@web.service/supervisor", "systemd-nspawn@web.service",
	  NULL, NULL, NULL, "machine.slice" },
	{ "/machine.slice/machine-.scope", "machine-.scope", NULL, NULL, NULL, "machine.slice" },
	{ "/machine.slice/systemd-nspawn@.service", "systemd-nspawn@.service", NULL, NULL, NULL,
	  "machine.slice" },
	{ "/machine.slice/machine-web", "machine.slice", NULL, NULL, NULL, "machine.slice" },
	{ "/x.slice/bpm-web.scope", "bpm-web.scope", "web", "bpm", NULL, "x.slice" },
	/* what is an id */
	{ "/docker/0123456789ab", NULL, NULL, NULL, NULL, NULL },
	{ "/docker/" ID "0", NULL, NULL, NULL, NULL, NULL },
	{ "/docker/g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", NULL, NULL,
	  NULL, NULL, NULL },
	{ "/system.slice/docker-" HASH ".scope", "docker-" HASH ".scope", NULL, NULL, NULL,
	  "system.slice" },
	{ "/system.slice/deadbeefcafe.service", "deadbeefcafe.service", NULL, NULL, NULL,
	  "system.slice" },
	{ "/system.slice/run-r" HASH ".scope", "run-r" HASH ".scope", NULL, NULL, NULL,
	  "system.slice" },
	/* and what is a pod's */
	{ "/kubepods-burstable-pod" U_ID ":cri-containerd:" ID, NULL, NULL, NULL, NULL, NULL },
	{ "/kubepods/pod" UID "0/" ID, NULL, NULL, NULL, NULL, NULL },
	{ "/kubepods/pod" HASH "0/" ID, NULL, NULL, NULL, NULL, NULL },
	{ "/kubepods.slice/kubepods-pod" HASH "-x.slice/crio-" ID ".scope", "crio-" ID ".scope", ID,
	  "cri-o", NULL, "kubepods-pod" HASH "-x.slice" },
	{ "/kubepods.slice/kubepods-pod" U_ID "0.slice/crio-" ID ".scope", "crio-" ID ".scope", ID,
	  "cri-o", NULL, "kubepods-pod" U_ID "0.slice" },
};

/* What a container's root, or a user, names in a group of its own. */
static const struct want others[] = {
	/* in a container: its own units, never a container */
	{ "/system.slice/docker-" ID ".scope/init.scope", "docker-" ID ".scope/init.scope", ID,
	  "docker", NULL, "system.slice" },
	{ "/system.slice/docker-" ID ".scope/system.slice/ssh.service",
	  "docker-" ID ".scope/system.slice/ssh.service", ID, "docker", NULL, "system.slice" },
	{ "/system.slice/docker-" ID ".scope/docker-" IN ".scope",
	  "docker-" ID ".scope/docker-" IN ".scope", ID, "docker", NULL, "system.slice" },
	{ "/docker/" ID "/docker/" IN, NULL, ID, "docker", NULL, NULL },
	{ "/docker/" ID "/kubelet/kubepods/burstable/pod" UID "/" IN, NULL, ID, "docker", NULL,
	  NULL },
	{ "/system.slice/docker-" ID ".scope/kubelet.slice/kubelet-kubepods-pod" U_ID ".slice/"
	  "cri-containerd-" IN ".scope", "docker-" ID ".scope/kubelet.slice/kubelet-kubepods-pod"
	  U_ID ".slice/cri-containerd-" IN ".scope", ID, "docker", NULL, "system.slice" },
	{ "/lxc.payload.web1/system.slice/nginx.service",
	  "lxc.payload.web1/system.slice/nginx.service", "web1", "lxc", NULL, NULL },
	{ "/lxc/web1/lxc.payload.other", NULL, "web1", "lxc", NULL, NULL },
	{ "/machine.slice/machine-web.scope/payload/system.slice/a.service",
	  "machine-web.scope/payload/system.slice/a.service", "web", "nspawn", NULL,
	  "machine.slice" },
	{ "/machine.slice/libpod-" ID ".scope/container/libpod-" IN ".scope",
	  "libpod-" ID ".scope/container/libpod-" IN ".scope", ID, "podman", NULL,
	  "machine.slice" },
	{ "/kubepods/pod" UID "/" ID "/kubepods/pod" HASH "/" IN, NULL, ID, "kubernetes", UID,
	  NULL },
	/* a user's manager */
	{ U1 "/init.scope", "user@1000.service/init.scope", NULL, NULL, NULL, "user-1000.slice" },
	{ U1 "/app.slice/emacs.service", "user@1000.service/app.slice/emacs.service", NULL, NULL,
	  NULL, "user-1000.slice" },
	{ U1 "/app.slice/app-flatpak-org.x-12.scope",
	  "user@1000.service/app.slice/app-flatpak-org.x-12.scope", NULL, NULL, NULL,
	  "user-1000.slice" },
	{ U1, "user@1000.service", NULL, NULL, NULL, "user-1000.slice" },
	{ U1 "/chrony.service", "user@1000.service/chrony.service", NULL, NULL, NULL,
	  "user-1000.slice" },
	{ U1 "/system.slice/chrony.service", "user@1000.service/system.slice/chrony.service", NULL,
	  NULL, NULL, "user-1000.slice" },
	{ U1 "/a/deadbeefcafe.scope", "user@1000.service/a/deadbeefcafe.scope", NULL, NULL, NULL,
	  "user-1000.slice" },
	{ U1 "/user.slice/docker-" ID ".scope", "user@1000.service/user.slice/docker-" ID ".scope",
	  "user@1000.service/user.slice/docker-" ID, "docker", NULL, "user-1000.slice" },
	{ U1 "/user.slice/libpod-" ID ".scope/container",
	  "user@1000.service/user.slice/libpod-" ID ".scope",
	  "user@1000.service/user.slice/libpod-" ID, "podman", NULL, "user-1000.slice" },
	{ U1 "/user.slice/libpod-conmon-" ID ".scope",
	  "user@1000.service/user.slice/libpod-conmon-" ID ".scope", NULL, NULL, NULL,
	  "user-1000.slice" },
	{ U1 "/a/docker/" ID, "user@1000.service", "user@1000.service/a/docker/" ID, "docker", NULL,
	  "user-1000.slice" },
	{ U1 "/lxc.payload.web1", "user@1000.service", "user@1000.service/lxc.payload.web1", "lxc",
	  NULL, "user-1000.slice" },
	{ U1 "/machine.slice/machine-web.scope",
	  "user@1000.service/machine.slice/machine-web.scope",
	  "user@1000.service/machine.slice/machine-web", "nspawn", NULL, "user-1000.slice" },
	{ U1 "/kubepods/pod" UID "/" ID, "user@1000.service",
	  "user@1000.service/kubepods/pod" UID "/" ID, "kubernetes", UID, "user-1000.slice" },
	{ U1 "/kubepods-pod" U_ID ".slice/crio-" ID ".scope",
	  "user@1000.service/kubepods-pod" U_ID ".slice/crio-" ID ".scope",
	  "user@1000.service/kubepods-pod" U_ID ".slice/crio-" ID, "cri-o", NULL,
	  "user-1000.slice" },
	{ U1 "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/lxc.payload.web", "user@1000.service",
	  "user@1000.service/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/lxc.payload.web", "lxc", NULL,
	  "user-1000.slice" },
	{ U1 "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/lxc.payload.web", "user@1000.service", NULL,
	  NULL, NULL, "user-1000.slice" },
	/* a group without a unit */
	{ "/students/chrony.service", "students/chrony.service", NULL, NULL, NULL, NULL },
	{ "/students/docker-" ID ".scope", "students/docker-" ID ".scope", NULL, NULL, NULL, NULL },
};

/* Whose the container is shows the owner of the group `decides`. */
static const struct {
	const char *path, *unit, *id, *named, *decides, *pod;
} owned[] = {
	{ "/docker-in/" ID, NULL, ID, "docker-in/" ID, "/docker-in", NULL },
	{ "/docker-in/" ID "/x", NULL, ID, "docker-in/" ID, "/docker-in", NULL },
	{ "/default/web", NULL, "web", "default/web", "/default", NULL },
	{ "/k8s.io/" ID, NULL, ID, "k8s.io/" ID, "/k8s.io", NULL },
	{ "/moby/" ID, NULL, ID, "moby/" ID, "/moby", NULL },
	{ "/system.slice/web.service/libpod-payload-" ID, "web.service", ID,
	  "web.service/libpod-payload-" ID, "/system.slice/web.service", NULL },
	{ "/system.slice/web.service/libpod-payload-" ID "/container", "web.service", ID,
	  "web.service/libpod-payload-" ID, "/system.slice/web.service", NULL },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" U_ID
	  ".slice:cri-containerd:" ID,
	  "containerd.service", ID, "containerd.service/kubepods-burstable-pod" U_ID
	  ".slice:cri-containerd:" ID, "/system.slice/containerd.service", UID },
	{ "/system.slice/docker.service/docker/" ID, "docker.service", ID,
	  "docker.service/docker/" ID, "/system.slice/docker.service/docker", NULL },
	{ "/system.slice/a.service/b/" ID, "a.service", ID, "a.service/b/" ID,
	  "/system.slice/a.service/b", NULL },
	{ "/user.slice/user-1000.slice/session-3.scope/docker-" ID ".scope",
	  "session-3.scope/docker-" ID ".scope", ID, "session-3.scope/docker-" ID,
	  "/user.slice/user-1000.slice/session-3.scope", NULL },
};

static bool same(struct text got, const char *want, struct text path)
{
	if (!want)
		return !got.data;
	/* A piece of the path itself, not a copy. */
	return text_equal(got, text_of(want)) && got.data >= path.data &&
	       got.data + got.len <= path.data + path.len;
}

static bool same_string(const char *got, const char *want)
{
	return (!got && !want) || (got && want && !strcmp(got, want));
}

static void note_names(const struct cgroup_names *n, struct text container)
{
	tap_note("unit '%.*s' container '%.*s' runtime '%s' pod '%s' slice '%.*s' decides '%.*s'",
		 (int)n->unit.len, n->unit.data, (int)container.len, container.data,
		 n->runtime ? n->runtime : "", n->pod, (int)n->slice.len, n->slice.data,
		 (int)n->decides.len, n->decides.data);
}

static void check(const struct want *w)
{
	struct text path = text_of(w->path);
	struct cgroup_names names = cgroup_parse(path);
	struct text container = cgroup_container(&names, false);
	bool unit = same(names.unit, w->unit, path), of = same(container, w->container, path);

	/* Asked or not, nobody's word makes these another container. */
	of = of && !names.decides.data && text_equal(cgroup_container(&names, true), container);
	if (!tap_ok(unit && of && same_string(names.runtime, w->runtime) &&
		    same_string(names.pod, w->pod ? w->pod : "") &&
		    same(names.slice, w->slice, path), "'%s'", w->path))
		note_names(&names, container);
}

static void check_owned(void)
{
	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
		struct text path = text_of(owned[i].path);
		struct cgroup_names n = cgroup_parse(path);
		bool unit = same(n.unit, owned[i].unit, path);
		bool decides = same(n.decides, owned[i].decides, path);

		if (!tap_ok(unit && decides && !n.container.data &&
			    same(cgroup_container(&n, true), owned[i].id, path) &&
			    same(cgroup_container(&n, false), owned[i].named, path) &&
			    same_string(n.pod, owned[i].pod ? owned[i].pod : ""),
			    "'%s': its owner decides", owned[i].path))
			note_names(&n, cgroup_container(&n, false));
	}
}

/* Nanoseconds of a path as deep as it may be. */
static int64_t deep_ns(const char *top)
{
	char path[4096];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s", top);
	struct timespec from, to;

	for (size_t i = len; i < sizeof(path); i++)
		path[i] = (i - len) % 2 ? 'd' : '/';
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (int i = 0; i < 100; i++)
		cgroup_parse((struct text){ path, sizeof(path) });
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return ((to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec) / 100;
}

static void check_deep(void)
{
	int64_t of_user = deep_ns(U1), other = deep_ns("/system.slice/a.service");

	tap_ok(of_user < 5 * other, "a user's thousands of groups take no longer than others");
	tap_note("measured: %lld ns, %lld ns", (long long)of_user, (long long)other);
}

static void check_logins(void)
{
	static const struct {
		const char *path;
		int64_t auid;
		bool is;
	} logins[] = {
		{ "/user.slice/user-1000.slice/session-3.scope", 1000, true },
		{ U1 "/app.slice/x.service", 1000, true },
		{ "/user.slice/user-1000.slice/session-3.scope", 1001, false },
		{ "/user.slice/user-1000.slice/session-3.scope", 100, false },
		{ "/user.slice/user-1000.slice", 1000, false },
		{ "/user.slice/user--1.slice/session-3.scope", -1, false },
		{ "/system.slice/cron.service", 1000, false },
		{ "/system.slice/x.service/user.slice/user-1000.slice/session-3.scope", 1000,
		  false },
		{ "/../user.slice/user-1000.slice/session-3.scope", 1000, false },
		{ NULL, 1000, false },
	};

	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++)
		tap_ok(cgroup_is_of_login(text_of(logins[i].path), logins[i].auid) == logins[i].is,
		       "%s, user %lld: %s", logins[i].path ? logins[i].path : "no path",
		       (long long)logins[i].auid, logins[i].is ? "a login" : "none");
}

int main(void)
{
	struct cgroup_names none = cgroup_parse(TEXT_NONE);

	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
		check(&systems[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		check(&others[i]);
	check_owned();
	check_deep();
	check_logins();
	tap_ok(!none.unit.data && !cgroup_container(&none, true).data, "an unknown path");
	return tap_done();
}
