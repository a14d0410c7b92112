"""The child's first program: locks itself down, then becomes the command.

Run as `python -I -S fence_launcher.py KEY=VALUE… -- COMMAND…` by `fence.py`, never imported by
the server. It imports four small modules only, because each import is paid on every launch.

The steps and why they stand in this order:

1. new user, network and IPC namespaces (user_namespaces(7)): no route, no other's shared memory;
2. identity: our own user is mapped to 65534, supplementary groups and capabilities are dropped;
3. no_new_privs (prctl(2)), which the kernel also wants before steps 5 and 7;
4. resource limits (setrlimit(2));
5. Landlock (landlock(7)): which files may be read, run and written, no TCP, no signals outwards;
6. die with the parent (PR_SET_PDEATHSIG), after step 2, since a change of identity clears it;
7. seccomp (seccomp(2), Documentation/userspace-api/seccomp_filter.rst): no sockets, no new
   processes, none of the system calls that a decoder never makes. Last, because it forbids some
   of the calls that the steps above need.

A step that was asked for and fails ends the child with code 125 before the command starts: the
fence closes rather than opens. With `--describe` each step reports instead.
"""

import ctypes
import os
import resource
import sys

FENCE_FAILED = 125
NOBODY = 65534

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

# From include/uapi/linux/{sched,prctl,landlock,audit,seccomp}.h.
CLONE_THREAD = 0x00010000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
SIGKILL = 9

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
FS_EXECUTE, FS_WRITE_FILE, FS_READ_FILE, FS_READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
FS_REMOVE_FILE, FS_MAKE_REG, FS_TRUNCATE = 1 << 5, 1 << 8, 1 << 14
FILE_RIGHTS = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | 1 << 15
# The number of file rights that each Landlock ABI knows (landlock(7), "VERSIONS"): a right that
# the kernel does not know must not be asked for, and every one that it knows is taken away.
FS_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
NEWEST_KNOWN = 16  # ABI 5 and above: IOCTL_DEV

# System calls by machine (asm/unistd_64.h; asm-generic/unistd.h). -1: this machine has no such.
SYSCALLS = {
    "x86_64": (
        0xC000003E,
        {
            "clone": 56, "fork": 57, "vfork": 58, "kill": 62, "setpgid": 109, "setsid": 112,
            "prctl": 157, "tkill": 200, "tgkill": 234, "clone3": 435,
            "socket": 41, "socketpair": 53, "ptrace": 101, "personality": 135, "chroot": 161,
            "mount": 165, "umount2": 166, "swapon": 167, "reboot": 169, "init_module": 175,
            "delete_module": 176, "kexec_load": 246, "add_key": 248, "request_key": 249,
            "keyctl": 250, "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304,
            "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
            "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
            "pidfd_send_signal": 424, "io_uring_setup": 425, "open_tree": 428,
            "move_mount": 429, "fsopen": 430, "pidfd_open": 434, "pidfd_getfd": 438,
            "mount_setattr": 442,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "clone": 220, "fork": -1, "vfork": -1, "kill": 129, "setpgid": 154, "setsid": 157,
            "prctl": 167, "tkill": 130, "tgkill": 131, "clone3": 435,
            "socket": 198, "socketpair": 199, "ptrace": 117, "personality": 92, "chroot": 51,
            "mount": 40, "umount2": 39, "swapon": 224, "reboot": 142, "init_module": 105,
            "delete_module": 106, "kexec_load": 104, "add_key": 217, "request_key": 218,
            "keyctl": 219, "unshare": 97, "perf_event_open": 241, "open_by_handle_at": 265,
            "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
            "finit_module": 273, "kexec_file_load": 294, "bpf": 280, "userfaultfd": 282,
            "pidfd_send_signal": 424, "io_uring_setup": 425, "open_tree": 428,
            "move_mount": 429, "fsopen": 430, "pidfd_open": 434, "pidfd_getfd": 438,
            "mount_setattr": 442,
        },
    ),
}  # fmt: skip

# Berkeley Packet Filter codes (linux/filter.h) and verdicts (linux/seccomp.h).
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38


class Failed(Exception):
    """A step of the fence that the platform did not grant."""


def check(result: int, step: str) -> int:
    if result < 0:
        raise Failed(f"{step}: {os.strerror(ctypes.get_errno())}")
    return result


def namespaces() -> None:
    """Steps 1: our own users, network (with not even a loopback) and IPC."""
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        os.setgroups([])
    check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC), "namespaces")
    try:
        # user_namespaces(7): without privilege, "deny" must be written before gid_map.
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{NOBODY} {uid} 1"),
            ("gid_map", f"{NOBODY} {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except OSError as error:
        raise Failed(f"namespaces: {error.strerror}") from error


def no_privileges() -> None:
    """Steps 2 and 3. An empty bounding set leaves exec nothing to give, even to uid 0."""
    capability = 0
    while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def limits(options: dict[str, str]) -> None:
    """Step 4. Soft and hard alike; for CPU the hard limit kills where SIGXCPU was ignored."""
    os.nice(int(options["nice"]))
    cpu_s = int(options["cpu_s"])
    for which, soft, hard in (
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_AS, int(options["memory"]), int(options["memory"])),
        (resource.RLIMIT_FSIZE, int(options["file_size"]), int(options["file_size"])),
        (resource.RLIMIT_NOFILE, int(options["files"]), int(options["files"])),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(which, (soft, hard))
    if int(options["processes"]):
        # Counted per user, so it is set only inside a user namespace, where the count starts
        # at this process. Root is exempt from it; there, step 7 alone forbids processes.
        processes = int(options["processes"])
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))


def landlock_abi() -> int:
    """The kernel's Landlock ABI, 0 where it has none."""
    return max(0, int(libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)))


def landlock(reads: list[str], writes: list[str]) -> int:
    """Step 5: everything is forbidden but reading `reads` and writing below `writes`."""
    abi = landlock_abi()
    if not abi:
        raise Failed("landlock: this kernel has none")

    class Ruleset(ctypes.Structure):
        _fields_ = (
            ("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64),
        )  # fmt: skip

    class PathBeneath(ctypes.Structure):
        _pack_ = 1
        _fields_ = (("allowed", ctypes.c_uint64), ("fd", ctypes.c_int32))

    handled = (1 << FS_RIGHTS_BY_ABI.get(abi, NEWEST_KNOWN)) - 1
    # ABI 4: bind and connect of TCP. ABI 6: abstract Unix sockets and signals to others.
    ruleset = Ruleset(handled, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    fd = check(
        libc.syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0),
        "landlock",
    )

    def allow(path: str, rights: int) -> None:
        try:
            target = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # nothing to allow
        if not os.path.isdir(path):
            rights &= FILE_RIGHTS
        rule = PathBeneath(rights & handled, target)
        check(libc.syscall(LANDLOCK_ADD_RULE, fd, 1, ctypes.byref(rule), 0), "landlock")
        os.close(target)

    for path in reads:
        allow(path, FS_READ_FILE | FS_READ_DIR | FS_EXECUTE)
    allow("/dev/null", FS_READ_FILE | FS_WRITE_FILE)
    allow("/dev/urandom", FS_READ_FILE)
    for path in writes:
        # Plain files only: no links, sockets, pipes or folders that a parent could trip over.
        allow(
            path,
            FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_MAKE_REG | FS_REMOVE_FILE | FS_TRUNCATE,
        )
    check(libc.syscall(LANDLOCK_RESTRICT_SELF, fd, 0), "landlock")
    os.close(fd)
    return abi


def die_with(parent: int) -> None:
    """Step 6. If the parent went before we asked, we have another parent already: go too."""
    check(libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "parent death signal")
    if parent and os.getppid() != parent:
        raise SystemExit(FENCE_FAILED)


def seccomp() -> None:
    """Step 7: a list of what is forbidden, for a child that decodes and does nothing else."""
    machine = os.uname().machine
    if machine not in SYSCALLS:
        raise Failed(f"seccomp: no list for {machine}")
    arch, numbers = SYSCALLS[machine]
    special = {"clone", "clone3", "prctl", "kill", "tgkill"}
    program: list[tuple[int, int, int, int]] = []

    def refuse(errno: int) -> tuple[int, int, int, int]:
        return (RETURN, 0, 0, ERRNO | errno)

    def when(name: str, *body: tuple[int, int, int, int]) -> None:
        program.append((JUMP_EQUAL, 0, len(body), numbers[name]))
        program.extend(body)

    # struct seccomp_data: nr at 0, arch at 4, the first argument's lower half at 16.
    program += [(LOAD, 0, 0, 4), (JUMP_EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)]
    if machine == "x86_64":  # the x32 numbers reach the same calls by another door
        program += [(JUMP_AT_LEAST, 0, 1, 0x40000000), refuse(EPERM)]
    # A thread is welcome, a process is not. clone3 hides its flags behind a pointer; told that
    # it does not exist, the C library falls back to clone.
    when("clone3", refuse(ENOSYS))
    when(
        "clone",
        (LOAD, 0, 0, 16), (JUMP_ANY_BIT, 1, 0, CLONE_THREAD), refuse(EPERM), (RETURN, 0, 0, ALLOW),
    )  # fmt: skip
    # It may not take back its promise of step 6.
    when(
        "prctl",
        (LOAD, 0, 0, 16), (JUMP_EQUAL, 0, 1, PR_SET_PDEATHSIG), refuse(EPERM),
        (RETURN, 0, 0, ALLOW),
    )  # fmt: skip
    for name in ("kill", "tgkill"):  # abort() signals itself; nobody else is signalled
        when(
            name,
            (LOAD, 0, 0, 16), (JUMP_EQUAL, 1, 0, os.getpid()), refuse(EPERM), (RETURN, 0, 0, ALLOW),
        )  # fmt: skip
    for name, number in numbers.items():
        if name not in special and number >= 0:
            when(name, refuse(EPERM))
    program.append((RETURN, 0, 0, ALLOW))
    filter_calls(program)


def filter_calls(program: list[tuple[int, int, int, int]]) -> None:
    """Puts this thread and all that it becomes or starts behind a filter of system calls."""

    class Instruction(ctypes.Structure):
        _fields_ = (
            ("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8),
            ("k", ctypes.c_uint32),
        )  # fmt: skip

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction)))

    instructions = (Instruction * len(program))(*(Instruction(*each) for each in program))
    filter_program = Program(len(program), instructions)
    check(libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(filter_program), 0, 0), "seccomp")


def describe() -> None:
    """Try every step on this process and print what the platform granted, one a line."""
    for name, step in (
        ("namespaces", namespaces),
        ("no_new_privs", no_privileges),
        ("landlock", lambda: landlock([], [])),
        ("seccomp", seccomp),
    ):
        try:
            print(f"{name}={step() or 1}")
        except (Failed, OSError, AttributeError) as reason:
            print(f"{name}=0 {reason}")


def main(arguments: list[str]) -> None:
    if arguments == ["--describe"]:
        describe()
        return
    split = arguments.index("--")
    options: dict[str, str] = {}
    reads: list[str] = []
    writes: list[str] = []
    for argument in arguments[:split]:
        key, _, value = argument.partition("=")
        if key == "read":
            reads.append(value)
        elif key == "write":
            writes.append(value)
        else:
            options[key] = value
    command = arguments[split + 1 :]
    steps = options["steps"].split(",")
    os.umask(0o077)
    os.chdir(writes[0] if writes else "/")
    if "namespaces" in steps:
        namespaces()
    if "no_new_privs" in steps:
        no_privileges()
    limits(options)
    if "landlock" in steps:
        landlock(reads, writes)
    if sys.platform == "linux":
        die_with(int(options["parent"]))
    if "seccomp" in steps:
        seccomp()
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Failed, OSError) as reason:
        sys.stderr.write(f"fence: {reason}\n")
        sys.exit(FENCE_FAILED)
