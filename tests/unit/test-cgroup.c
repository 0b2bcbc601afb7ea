/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit and container from control groups as the managers make them. */
#include "cgroup.h"
#include "tap.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *path, *unit, *container;
} table[] = {
	/* none */
	{ "", NULL, NULL },
	{ "/", NULL, NULL },
	{ "//", NULL, NULL },
	{ "/init", NULL, NULL },
	{ "/../../x", NULL, NULL },
	/* systemd */
	{ "/init.scope", "init.scope", NULL },
	{ "/system.slice/ssh.service", "ssh.service", NULL },
	{ "/system.slice/ssh.service/", "ssh.service", NULL },
	{ "/system.slice/systemd-udevd.service/udev", "systemd-udevd.service", NULL },
	{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", NULL },
	{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", NULL },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-a\\x2db.scope",
	  "app-a\\x2db.scope", NULL },
	{ "/user.slice", "user.slice", NULL },
	{ ".service", NULL, NULL },
	{ "/.slice/.scope", NULL, NULL },
	{ "/servicex/a.services", NULL, NULL },
	/* docker */
	{ "/docker/" ID, NULL, ID },
	{ "/docker/" ID "/sub", NULL, ID },
	{ "/system.slice/docker-" ID ".scope", "docker-" ID ".scope", ID },
	{ "/system.slice/docker.service", "docker.service", NULL },
	{ "/system.slice/docker-" ID ".scope/system.slice/x.service", "x.service", ID },
	{ "/docker/" ID "/docker/fedcba9876543210", NULL, "fedcba9876543210" },
	/* podman */
	{ "/machine.slice/libpod-" ID ".scope", "libpod-" ID ".scope", ID },
	{ "/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", ID },
	{ "/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", NULL },
	{ "/libpod_parent/libpod-" ID, NULL, ID },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container",
	  "libpod-" ID ".scope", ID },
	/* kubernetes */
	{ "/kubepods/burstable/pod1f5b9f4c-8d0e-4b2a-9f3e-0123456789ab/" ID, NULL, ID },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1f5b_9f4c.slice/"
	  "cri-containerd-" ID ".scope", "cri-containerd-" ID ".scope", ID },
	{ "/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope", "crio-" ID ".scope", ID },
	{ "/kubepods.slice/kubepods-pod1.slice/crio-conmon-" ID ".scope",
	  "crio-conmon-" ID ".scope", NULL },
	/* lxc */
	{ "/lxc/web1", NULL, "web1" },
	{ "/lxc/web1/system.slice/nginx.service", "nginx.service", "web1" },
	{ "/lxc.payload.web1/system.slice/nginx.service", "nginx.service", "web1" },
	{ "/lxc.payload.web1", NULL, "web1" },
	{ "/lxc.monitor.web1", NULL, NULL },
	{ "/lxc", NULL, NULL },
	{ "/lxc.payload.", NULL, NULL },
	/* nspawn and machined */
	{ "/machine.slice/machine-web\\x2d1.scope", "machine-web\\x2d1.scope", "web\\x2d1" },
	{ "/machine.slice/machine-web.scope/payload/system.slice/a.service", "a.service", "web" },
	{ "/machine.slice/systemd-nspawn@web.service/payload", "systemd-nspawn@web.service",
	  "web" },
	{ "/machine.slice/machine-.scope", "machine-.scope", NULL },
	{ "/machine.slice/systemd-nspawn@.service", "systemd-nspawn@.service", NULL },
	{ "/machine.slice/machine-web", "machine.slice", NULL },
	/* what is an id */
	{ "/docker/0123456789ab", NULL, "0123456789ab" },
	{ "/docker/0123456789a", NULL, NULL },
	{ "/docker/0123456789abg", NULL, NULL },
	{ "/docker/0123456789AB", NULL, NULL },
};

static bool is(struct text got, const char *want, struct text path)
{
	if (!want)
		return !got.data;
	/* A piece of the path itself, not a copy. */
	return text_equal(got, text_of(want)) && got.data >= path.data &&
	       got.data + got.len <= path.data + path.len;
}

int main(void)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct text path = text_of(table[i].path);
		struct cgroup_names names = cgroup_parse(path);

		if (!tap_ok(is(names.unit, table[i].unit, path) &&
			    is(names.container, table[i].container, path), "'%s'", table[i].path))
			tap_note("unit '%.*s' container '%.*s'", (int)names.unit.len,
				 names.unit.data, (int)names.container.len, names.container.data);
	}
	tap_ok(!cgroup_parse(TEXT_NONE).unit.data && !cgroup_parse(TEXT_NONE).container.data,
	       "an unknown path");
	return tap_done();
}
