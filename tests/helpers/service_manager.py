# SPDX-License-Identifier: GPL-2.0-or-later
"""What a service manager does for a service of Type=notify with FileDescriptorStoreMax=.

   service_manager.py PLACE PROGRAM [ARGUMENT ...]

Starts the program, listens at PLACE/notify, keeps descriptors that it hands over, and gives them to
the next one.  Commands are lines on stdin: "restart" (SIGTERM, then the next one), "crash" (SIGKILL
instead), "stop" (SIGTERM, and nothing is kept).  Says "ready" when the program does, "kept N" with
how many descriptors it has when the program has ended, and "exit STATUS".
"""
import array
import os
import select
import signal
import socket
import sys

place, command = sys.argv[1], sys.argv[2:]
messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
messages.bind(place + "/notify")
kept = []  # of name and descriptor


def start():
    pid = os.fork()
    if pid:
        return pid
    environment = dict(os.environ, NOTIFY_SOCKET=place + "/notify")
    if kept:
        environment.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(kept)),
                           LISTEN_FDNAMES=":".join(name for name, _ in kept))
    # Out of the way of the numbers that they get.
    moved = [os.dup2(fd, 100 + n) for n, (_, fd) in enumerate(kept)]
    for n, fd in enumerate(moved):
        os.dup2(fd, 3 + n, inheritable=True)
        os.close(fd)
    for fd in range(3 + len(kept), 100):
        try:
            os.close(fd)
        except OSError:
            pass
    os.execve(command[0], command, environment)


def hear():
    data, ancillary, _, _ = messages.recvmsg(4096, socket.CMSG_SPACE(4 * 64))
    fds = array.array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(content)
    state = dict(line.split("=", 1) for line in data.decode().splitlines())
    name = state.get("FDNAME", "stored")
    if state.get("FDSTOREREMOVE") == "1":
        for entry in [k for k in kept if k[0] == name]:
            os.close(entry[1])
            kept.remove(entry)
    for fd in fds:
        if state.get("FDSTORE") == "1":
            assert state.get("FDPOLL") == "0", state
            kept.append((name, fd))
        else:
            os.close(fd)
    if state.get("READY") == "1":
        print("ready", flush=True)


def end(pid, number):
    os.kill(pid, number)
    _, status = os.waitpid(pid, 0)
    # What it said before it ended.
    while select.select([messages], [], [], 0)[0]:
        hear()
    print("kept", len(kept), flush=True)
    print("exit", os.waitstatus_to_exitcode(status), flush=True)


pid = start()
while True:
    for fd in select.select([messages, sys.stdin], [], [])[0]:
        if fd is messages:
            hear()
            continue
        # Not buffered: select() would not see what is in a buffer.
        line = os.read(0, 100).decode().strip()
        end(pid, signal.SIGKILL if line == "crash" else signal.SIGTERM)
        if line not in ("restart", "crash"):
            sys.exit()
        pid = start()
