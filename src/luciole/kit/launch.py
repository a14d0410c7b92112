"""Starts a program so that it cannot outlive its parent, if asked as nobody, then becomes it.

Run as a script (`python -I -S launch.py PARENT SIGNAL AS ROUTE -- PROGRAM …`), never imported by
the server: it is the short piece between fork and exec, in a process of its own because Python code
in a forked copy of a threaded process may hang. Standard library only.

AS is one of:
- `same`: keep the user;
- `namespace`: a user namespace in which we are uid and gid 65534. On disk everything still
  belongs to the user who started us, so no permission has to change, and there are no
  capabilities outside. PostgreSQL refuses uid 0 and is content with this;
- `nobody`: real uid and gid 65534 (root without user namespaces, such as in some containers);
- `nobody-across`: the same, keeping CAP_DAC_OVERRIDE alone, for files below a folder that nobody
  may enter.

ROUTE is `kept`, or `lost`: a network namespace with a loopback of its own and no other interface
(network_namespaces(7)). What was opened before stays: a listening socket that is handed down goes
on taking connections from where it was made, and Unix sockets in folders are reached as ever. Who
is not root needs a user namespace for it and is the same user in there, with no capability: there
is no way back, and whoever is outside of it cannot be looked into (ptrace(2)).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

NOBODY = 65534

# Values from linux/prctl.h, linux/sched.h and linux/capability.h; they are kernel ABI.
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_AF_INET, _SOCK_DGRAM = 2, 2
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_CAP_DAC_OVERRIDE = 1
_LINUX_CAPABILITY_VERSION_3 = 0x20080522


def main(arguments: list[str]) -> None:
    """Never returns: becomes the program, or exits with a sentence and status 126."""
    parent, signal_name, user, route, separator, *program = arguments
    if separator != "--" or not program:
        raise SystemExit("launch: expected PARENT SIGNAL AS ROUTE -- PROGRAM …")
    try:
        if route == "lost":
            _lose_route()
        if user == "namespace":
            _enter_namespace()
        elif user in ("nobody", "nobody-across"):
            _become_nobody(keep_reach=user == "nobody-across")
        # After the change of user, because the kernel forgets this wish when credentials change.
        _die_with(int(parent), signal.Signals[f"SIG{signal_name}"])
        os.execv(program[0], program)  # noqa: S606
    except OSError as error:
        how = f"as {user}, route {route}"
        print(f"launch: cannot start {program[0]} {how}: {error}", file=sys.stderr)
        raise SystemExit(126) from error


def _lose_route() -> None:
    import fcntl
    import struct

    if os.geteuid() == 0:
        # In a user namespace root could not let go of its groups any more.
        _call("unshare", _CLONE_NEWNET)
    else:
        _enter_namespace(os.geteuid(), os.getegid(), _CLONE_NEWNET)
    # netdevice(7). Some libraries take a machine without loopback for a broken one. No module for
    # sockets is imported here, so that none comes to those who may not speak outside.
    any_socket = ctypes.CDLL(None, use_errno=True).socket(_AF_INET, _SOCK_DGRAM, 0)
    try:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
    finally:
        os.close(any_socket)


def _enter_namespace(as_uid: int = NOBODY, as_gid: int = NOBODY, others: int = 0) -> None:
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWUSER | others)
    # user_namespaces(7): without setgroups denied, a gid map may not be written by its own member.
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{as_uid} {uid} 1")
    _write("/proc/self/gid_map", f"{as_gid} {gid} 1")


def _become_nobody(*, keep_reach: bool) -> None:
    if keep_reach:
        _call("prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)
        # access(2) looks away from capabilities otherwise, and initdb asks it whether the server
        # that lies beside it may be run.
        _call("prctl", _PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    if keep_reach:
        # capset(2): two rows of (effective, permitted, inheritable); ours is in the first.
        one = 1 << _CAP_DAC_OVERRIDE
        head = (ctypes.c_uint32 * 2)(_LINUX_CAPABILITY_VERSION_3, 0)
        rows = (ctypes.c_uint32 * 6)(one, one, one, 0, 0, 0)
        _call("capset", ctypes.byref(head), ctypes.byref(rows))
        _call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _die_with(parent: int, last_signal: signal.Signals) -> None:
    if not sys.platform.startswith("linux"):
        return
    _call("prctl", _PR_SET_PDEATHSIG, int(last_signal), 0, 0, 0)
    if os.getppid() != parent:
        # The parent ended before the wish was heard; nobody would ever stop us.
        raise SystemExit(125)


def _call(name: str, *arguments: object) -> None:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    # prctl is variadic and reads whole registers, so small numbers go as long ones.
    widened = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if function(*widened) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
