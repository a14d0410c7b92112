"""The steps by which a process locks itself down; `fence_launcher.py` takes them.

Loaded by path in a Python without any package (`-I -S`), never by the server. Why they stand in
this order:

1. new user, network and IPC namespaces (user_namespaces(7)): no route, no other's shared memory;
2. identity: our own user is mapped to 65534, supplementary groups and capabilities are dropped;
3. no_new_privs (prctl(2)), which the kernel also wants before steps 5 and 7;
4. resource limits (setrlimit(2));
5. Landlock (landlock(7)): which files may be read, run and written, no TCP, no signals outwards;
6. die with the parent (PR_SET_PDEATHSIG), after step 2, since a change of identity clears it;
7. seccomp (seccomp(2), Documentation/userspace-api/seccomp_filter.rst): no sockets, no new
   processes, nothing done to others, and none of the other calls that a decoder never makes.
   Last, because it forbids some of the calls that the steps above need.
"""

import ctypes
import os
import resource
import struct

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
CAPABILITY_VERSION_3 = 0x20080522  # linux/capability.h

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
FS_EXECUTE, FS_WRITE_FILE, FS_READ_FILE, FS_READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
FS_MAKE_REG, FS_TRUNCATE = 1 << 8, 1 << 14
# Folders, devices, pipes, sockets and links, to make or to take away: nobody in the fence does.
FS_NEVER = 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13
FILE_RIGHTS = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | 1 << 15
# The number of file rights that each Landlock ABI knows (landlock(7), "VERSIONS"): a right that
# the kernel does not know must not be asked for, and every one that it knows is taken away.
FS_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
NEWEST_KNOWN = 16  # ABI 5 and above: IOCTL_DEV

# Which column below is this machine's, and its audit architecture.
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
# System calls by their numbers there (asm/unistd_64.h, asm-generic/unistd.h); -1: has no such.
# First those of which some uses are allowed; `seccomp` looks at their arguments.
JUDGED = {
    "clone": (56, 220), "clone3": (435, 435), "prctl": (157, 167), "kill": (62, 129),
    "tgkill": (234, 131), "prlimit64": (302, 261), "fcntl": (72, 25), "open": (2, -1),
    "openat": (257, 56), "openat2": (437, 437),
}  # fmt: skip
FORBIDDEN = {
    # Processes, and leaving the group that is killed at the end.
    "fork": (57, -1), "vfork": (58, -1), "setpgid": (109, 154), "setsid": (112, 157),
    # Sockets.
    "socket": (41, 198), "socketpair": (53, 199),
    # Others of the same user: signals, looks into them, their turn on a processor.
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274),
    # Files by their names that Landlock does not look after: our own user owns all of them.
    "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, -1), "fchown": (93, 55), "lchown": (94, -1), "fchownat": (260, 54),
    "utime": (132, -1), "utimes": (235, -1), "futimesat": (261, -1), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "truncate": (76, 45), "chroot": (161, 51),
    "inotify_init": (253, -1), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    "fanotify_init": (300, 262), "open_by_handle_at": (304, 265),
    # Memory that the limit of address space does not count.
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194),
    # What one child could leave for the next, since a launcher's children share an IPC namespace.
    "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "mq_open": (240, 180),
    # The kernel.
    "personality": (135, 92), "mount": (165, 40), "umount2": (166, 39), "swapon": (167, 224),
    "reboot": (169, 142), "init_module": (175, 105), "delete_module": (176, 106),
    "kexec_load": (246, 104), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "unshare": (272, 97), "perf_event_open": (298, 241),
    "setns": (308, 268), "finit_module": (313, 273), "kexec_file_load": (320, 294),
    "bpf": (321, 280), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "mount_setattr": (442, 442), "syslog": (103, 116),
}  # fmt: skip
O_TMPFILE = 0x400000
# What the launcher needs itself, before its children may not any more.
LAUNCHING = ("fork", "vfork", "setsid", "unshare", "setpriority")
FCNTL_SIGNALS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX (asm-generic/fcntl.h)

# Berkeley Packet Filter codes (linux/filter.h) and verdicts (linux/seccomp.h).
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38
# Stands in a filter for the number of the process that takes it; no process has it (proc(5)).
OWN = 0x7FFF_FFF1


class Failed(Exception):
    """A step of the fence that the platform did not grant."""


def check(result: int, step: str) -> int:
    if result < 0:
        raise Failed(f"{step}: {os.strerror(ctypes.get_errno())}")
    return result


def namespaces() -> None:
    """Step 1: our own users, network (with not even a loopback) and IPC."""
    if os.geteuid() == 0:
        os.setgroups([])
    own_users(CLONE_NEWNET | CLONE_NEWIPC)


def own_users(others: int = 0) -> None:
    """A user namespace, and the `others` with it. Within one, another costs a fifth of a
    millisecond and gives this process a count of processes and threads of its own."""
    uid, gid = os.geteuid(), os.getegid()
    check(libc.unshare(CLONE_NEWUSER | others), "namespaces")
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
    """Steps 2 and 3. An empty bounding set leaves exec nothing to give, even to uid 0; who goes on
    without exec has what it holds taken away too."""
    capability = 0
    while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    check(libc.capset(header, (ctypes.c_uint32 * 6)()), "capabilities")
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def limits(options: dict[str, str]) -> None:
    """Step 4. Soft and hard alike; for CPU the hard limit kills where SIGXCPU was ignored."""
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
    handled = (1 << FS_RIGHTS_BY_ABI.get(abi, NEWEST_KNOWN)) - 1
    fd = _ruleset(abi, handled)

    def allow(path: str, rights: int) -> None:
        try:
            target = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # nothing to allow
        if not os.path.isdir(path):
            rights &= FILE_RIGHTS
        rule = _PathBeneath(rights & handled, target)
        check(libc.syscall(LANDLOCK_ADD_RULE, fd, 1, ctypes.byref(rule), 0), "landlock")
        os.close(target)

    for path in reads:
        allow(path, FS_READ_FILE | FS_READ_DIR | FS_EXECUTE)
    allow("/dev/null", FS_READ_FILE | FS_WRITE_FILE)
    allow("/dev/urandom", FS_READ_FILE)
    for path in writes:
        # Plain files only: no links, sockets, pipes or folders that a parent could trip over. None
        # is removed: what has no name any more, and is still open, could not be weighed.
        allow(path, FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_MAKE_REG | FS_TRUNCATE)
    check(libc.syscall(LANDLOCK_RESTRICT_SELF, fd, 0), "landlock")
    os.close(fd)
    return abi


def landlock_first() -> int:
    """Step 5 for a launcher, which does not know yet what its children are to read and write: what
    none of them ever may. Each child adds a layer of its own, and all layers hold."""
    abi = landlock_abi()
    fd = _ruleset(abi, FS_NEVER & ((1 << FS_RIGHTS_BY_ABI.get(abi, NEWEST_KNOWN)) - 1))
    check(libc.syscall(LANDLOCK_RESTRICT_SELF, fd, 0), "landlock")
    os.close(fd)
    return abi


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("fd", ctypes.c_int32))


def _ruleset(abi: int, handled: int) -> int:
    if not abi:
        raise Failed("landlock: this kernel has none")
    # ABI 4: bind and connect of TCP. ABI 6: abstract Unix sockets and signals to others.
    ruleset = _Ruleset(handled, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    return check(
        libc.syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0),
        "landlock",
    )


def die_with(parent: int) -> None:
    """Step 6. If the parent went before we asked, we have another parent already: go too."""
    check(libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "parent death signal")
    if parent and os.getppid() != parent:
        raise SystemExit(FENCE_FAILED)


def seccomp_filter(*, launches: bool = False) -> bytes:
    """Of step 7: a list of what is forbidden, for a child that decodes and does nothing else, or
    for the process that `launches` such children. Made once, since that takes a millisecond."""
    machine = os.uname().machine
    if machine not in MACHINES:
        raise Failed(f"seccomp: no list for {machine}")
    column, arch = MACHINES[machine]
    program: list[tuple[int, int, int, int]] = []

    def refuse(errno: int) -> tuple[int, int, int, int]:
        return (RETURN, 0, 0, ERRNO | errno)

    def when(name: str, *body: tuple[int, int, int, int]) -> None:
        number = (JUDGED | FORBIDDEN)[name][column]
        if number >= 0:
            program.append((JUMP_EQUAL, 0, len(body), number))
            program.extend(body)

    def unless(name: str, argument: int, test: int, *refused: int) -> None:
        """Refuses a call whose argument passes the test against one of `refused`."""
        tests = [(test, 0, 1, value) for value in refused]
        pairs = [one for check in tests for one in (check, refuse(EPERM))]
        when(name, (LOAD, 0, 0, 16 + 8 * argument), *pairs, (RETURN, 0, 0, ALLOW))

    def only(name: str, *allowed: int) -> None:
        """Allows a call for these values of its first argument."""
        pairs = [one for value in allowed
                 for one in ((JUMP_EQUAL, 0, 1, value), (RETURN, 0, 0, ALLOW))]  # fmt: skip
        when(name, (LOAD, 0, 0, 16), *pairs, refuse(EPERM))

    # struct seccomp_data: nr at 0, arch at 4, the lower halves of the arguments from 16 on.
    program += [(LOAD, 0, 0, 4), (JUMP_EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)]
    if machine == "x86_64":  # the x32 numbers reach the same calls by another door
        program += [(JUMP_AT_LEAST, 0, 1, 0x40000000), refuse(EPERM)]
    # clone3 hides its flags behind a pointer; told that it does not exist, the C library falls
    # back to clone. So it does from openat2.
    when("clone3", refuse(ENOSYS))
    when("openat2", refuse(ENOSYS))
    if not launches:
        # A thread is welcome, a process is not.
        tests = [(LOAD, 0, 0, 16), (JUMP_ANY_BIT, 1, 0, CLONE_THREAD), refuse(EPERM)]
        when("clone", *tests, (RETURN, 0, 0, ALLOW))
        # It may not take back its promise of step 6.
        unless("prctl", 0, JUMP_EQUAL, PR_SET_PDEATHSIG)
        # abort() signals itself; nobody else is signalled, also not by a pipe that becomes ready.
        only("kill", OWN)
        only("tgkill", OWN)
        # Its own limits only: another process of our user could be limited to death.
        only("prlimit64", 0, OWN)
    unless("fcntl", 1, JUMP_EQUAL, *FCNTL_SIGNALS)
    # A file without a name is on the disk, and not among those that the parent weighs.
    unless("open", 1, JUMP_ANY_BIT, O_TMPFILE)
    unless("openat", 2, JUMP_ANY_BIT, O_TMPFILE)
    for name in FORBIDDEN:
        if not (launches and name in LAUNCHING):
            when(name, refuse(EPERM))
    program.append((RETURN, 0, 0, ALLOW))
    return packed(program)


def seccomp(filter_program: bytes) -> None:
    """Step 7, with the number of this process in the places that are kept for it."""
    filter_calls(filter_program.replace(struct.pack("=I", OWN), struct.pack("=I", os.getpid())))


def packed(program: list[tuple[int, int, int, int]]) -> bytes:
    """Instructions as the kernel takes them (struct sock_filter, linux/filter.h)."""
    return b"".join(struct.pack("=HBBI", *each) for each in program)


def filter_calls(program: bytes) -> None:
    """Puts this thread and all that it becomes or starts behind a filter of system calls."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.c_char_p))

    filter_program = Program(len(program) // 8, program)
    check(libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(filter_program), 0, 0), "seccomp")
