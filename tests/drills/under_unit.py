"""Runs the programs of units as systemd would.

For machines where systemd is there and is not the first process. The mounts, the user, the network
and the filters of system calls are made here from the unit's own lines; a line that this does not
know ends it, so that the units cannot say more than is tried. `NOT_HAD` is what cannot be had so.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PLACE = Path("/var/lib/luciole")
NOT_HAD = {
    # The manager's own: when it starts, how it ends, how much it may take.
    "Type", "KillMode", "TimeoutStopSec", "Restart", "RestartSec", "MemoryHigh", "MemoryMax",
    "TasksMax", "Nice", "IOSchedulingClass", "UMask", "LimitNOFILE", "Description", "After",
    "WantedBy", "Documentation", "StateDirectoryMode", "Group", "AmbientCapabilities",
}  # fmt: skip
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
ALLOW, MASKED_EQ, EQ, NE = 0x7FFF0000, 7, 4, 1
NAMESPACES = {
    "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000, "user": 0x10000000,
    "pid": 0x20000000, "net": 0x40000000, "mnt": 0x00020000,
}  # fmt: skip
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}


def lines(unit: str) -> dict[str, str]:
    """What a unit says, the last word of each kind; EnvironmentFile and the like once each."""
    pairs = [line.partition("=") for line in unit.splitlines() if "=" in line and line[0] != "#"]
    return {name: value for name, _, value in pairs}


# --- what it sees -------------------------------------------------------------------------------


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


def hide(place: str, mode: str = "0755") -> None:
    if Path(place).is_dir():
        mount("-t", "tmpfs", "-o", f"mode={mode}", "none", place)


def place(base: Path, code: Path) -> None:
    """The code, its Python and the cell's folder where a real machine has them, in a mount
    namespace of our own: the code may lie in what the unit hides."""
    mount("--make-rprivate", "/")
    for name in ("passwd", "group"):
        mount("--bind", str(base / "etc" / name), f"/etc/{name}")
    packages = next(Path(one) for one in sys.path if one.endswith("site-packages"))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    mount("--bind", str(packages), f"{sys.base_prefix}/lib/{version}/site-packages")
    hide("/opt")
    for name, source in (("python", Path(sys.base_prefix)), ("luciole", code)):
        target = Path("/opt", name)
        target.mkdir()
        mount("--rbind", str(source), str(target))
    hide("/var/lib")
    PLACE.mkdir()
    hide("/srv")
    Path("/srv/backup").mkdir()
    for inside, source in ((PLACE, base / "data"), (Path("/srv/backup"), base / "backup")):
        mount("--bind", str(source), str(inside))


def confine(said: dict[str, str]) -> None:
    """The file system and /proc as the unit's lines have them."""
    if said["PrivateTmp"] == "yes":
        hide("/tmp", "1777")
        hide("/var/tmp", "1777")
    if said["PrivateDevices"] == "yes":
        new = Path("/srv/dev")
        new.mkdir()
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            (new / name).touch()
            mount("--bind", f"/dev/{name}", str(new / name))
        (new / "shm").mkdir(mode=0o777)
        (new / "fd").symlink_to("/proc/self/fd")
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            (new / name).symlink_to(f"/proc/self/fd/{number}")
        mount("--rbind", str(new), "/dev")
    if said["ProtectHome"] == "yes":
        python = Path(sys.base_prefix)
        for one in ("/home", "/root", "/run/user"):
            # A machine of developers may have its Python there; nothing else of it is seen.
            is_pythons = Path(one) in python.parents
            hide(one, "0711" if is_pythons else "0000")
            if is_pythons:
                python.mkdir(parents=True)
                mount("--rbind", "/opt/python", str(python))
    if said["ProtectKernelModules"] == "yes":
        hide("/usr/lib/modules", "0000")
    if said["ProtectSystem"] == "strict":
        writable = {str(PLACE), "/tmp", "/var/tmp", *said.get("ReadWritePaths", "").split()}
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            where = line.split()[4]
            if where.startswith(("/proc", "/sys", "/dev")) or where in writable:
                continue
            if not os.path.ismount(where):  # another one lies over it
                continue
            mount("-o", "remount,bind,ro", where)
    read_only = ["/proc/sys", "/sys"] if said["ProtectKernelTunables"] == "yes" else []
    read_only += ["/sys/fs/cgroup"] if said["ProtectControlGroups"] == "yes" else []
    for one in read_only:
        mount("--bind", one, one)
        mount("-o", "remount,bind,ro", one)
    if said["ProtectKernelLogs"] == "yes":
        mount("--bind", "/dev/null", "/proc/kmsg")
    if said["ProtectProc"] == "invisible":
        mount("-o", "remount,hidepid=invisible", "/proc")


# --- what it may ask of the kernel --------------------------------------------------------------


class Compare(ctypes.Structure):
    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


class Filter:
    """One filter of system calls, by libseccomp, which systemd uses too."""

    def __init__(self, otherwise: int) -> None:
        self._lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._lib.seccomp_init.restype = ctypes.c_void_p
        self._lib.seccomp_init.argtypes = [ctypes.c_uint32]
        self._made = ctypes.c_void_p(self._lib.seccomp_init(otherwise))

    def add(self, action: int, name: str, *compared: tuple[int, int, int, int]) -> None:
        number = self._lib.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # not on this architecture
            return
        given = (Compare * len(compared))(*(Compare(*one) for one in compared))
        done = self._lib.seccomp_rule_add_array(
            self._made, ctypes.c_uint32(action), number, len(compared), given
        )
        assert done == 0, (name, done)

    def load(self) -> None:
        done = self._lib.seccomp_load(self._made)
        assert done == 0, done


def errno(number: int) -> int:
    return 0x00050000 | number


def system_calls(group: str) -> Iterator[str]:
    """The names in a group, as the systemd of this machine has them."""
    told = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    ).stdout
    for line in told.splitlines()[1:]:
        name = line.strip()
        if name.startswith("@"):
            yield from system_calls(name)
        elif name and not name.startswith("#"):
            yield name


def filters(said: dict[str, str]) -> list[Filter]:
    calls = Filter(errno(EPERM))
    for word in said["SystemCallFilter"].split():
        for name in system_calls(word) if word.startswith("@") else [word]:
            calls.add(ALLOW, name)
    more = Filter(ALLOW)
    if said["MemoryDenyWriteExecute"] == "yes":
        more.add(errno(EPERM), "mmap", (2, MASKED_EQ, 6, 6))
        more.add(errno(EPERM), "mprotect", (2, MASKED_EQ, 4, 4))
        more.add(errno(EPERM), "pkey_mprotect", (2, MASKED_EQ, 4, 4))
        more.add(errno(EPERM), "shmat", (2, MASKED_EQ, 0o100000, 0o100000))
    allowed = said["RestrictNamespaces"].split()
    more.add(errno(ENOSYS), "clone3")
    more.add(errno(EPERM), "setns", (1, EQ, 0, 0))
    for name, flag in NAMESPACES.items():
        if name not in allowed:
            for call, arg in (("clone", 0), ("unshare", 0), ("setns", 1)):
                more.add(errno(EPERM), call, (arg, MASKED_EQ, flag, flag))
    families = {FAMILIES[one] for one in said["RestrictAddressFamilies"].split()}
    for family in set(range(48)) - families:
        more.add(errno(EAFNOSUPPORT), "socket", (0, EQ, family, 0))
    if said["RestrictSUIDSGID"] == "yes":
        for call, arg in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1)):
            for bit in (0o4000, 0o2000):
                more.add(errno(EPERM), call, (arg, MASKED_EQ, bit, bit))
    if said["RestrictRealtime"] == "yes":
        for policy in (1, 2, 6):
            more.add(errno(EPERM), "sched_setscheduler", (1, EQ, policy, 0))
    if said["LockPersonality"] == "yes":
        more.add(errno(EPERM), "personality", (0, NE, 0, 0))
    return [more, calls]


KNOWN = NOT_HAD | {
    "User", "EnvironmentFile", "Environment", "ExecStart", "StateDirectory", "ReadWritePaths",
    "NoNewPrivileges", "CapabilityBoundingSet", "RestrictSUIDSGID", "LockPersonality",
    "RestrictRealtime", "MemoryDenyWriteExecute", "ProtectSystem", "ProtectHome", "PrivateTmp",
    "PrivateDevices", "ProtectClock", "ProtectControlGroups", "ProtectHostname",
    "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc",
    "RestrictAddressFamilies", "IPAddressDeny", "IPAddressAllow", "RestrictNamespaces",
    "SystemCallArchitectures", "SystemCallFilter", "SystemCallErrorNumber",
}  # fmt: skip


def environment(said: dict[str, str], settings: str, more: dict[str, str]) -> dict[str, str]:
    """What the manager gives to a program of a user's, and what the unit does."""
    who = said["User"]
    pairs = [one.partition("=") for one in settings.splitlines() if one and one[0] != "#"]
    name, _, value = said["Environment"].partition("=")
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        "HOME": pwd.getpwnam(who).pw_dir, "USER": who, "LOGNAME": who, "LANG": "C.UTF-8",
        **{key: shlex.split(word)[0] if word else "" for key, _, word in pairs},
        name: value,
        **more,
    }  # fmt: skip


def begin(
    said: dict[str, str], given: dict[str, str], words: list[str] | None = None
) -> subprocess.Popen[str]:
    """The unit's program, or another as that one; its words come on stdout."""
    unknown = set(said) - KNOWN
    assert not unknown, f"{sorted(unknown)}: say in under_unit how it is tried, or that it is not"
    who = pwd.getpwnam(said["User"])
    made = filters(said)
    prctl = ctypes.CDLL(None).prctl

    def become() -> None:
        os.setsid()
        os.umask(int(said["UMask"], 8))
        if number := int(said.get("LimitNOFILE", "0")):
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            most = number if hard == resource.RLIM_INFINITY else min(number, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        assert not said["CapabilityBoundingSet"]
        for capability in range(64):
            prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; those beyond the last are refused
        os.setgroups([])
        os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
        os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
        prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
        for one in made:
            one.load()

    command = words or shlex.split(said["ExecStart"])
    return subprocess.Popen(
        command, env=given, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", preexec_fn=become,
    )  # fmt: skip
