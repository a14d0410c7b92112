"""Stands fenced and ready, and starts each child in a few milliseconds.

Run as `python -I -S fence_launcher.py KEY=VALUE…` by `launchers.py`, never imported by the server.
It locks itself down by the steps of `fence_steps.py`, loads what its children need (a decoder for
those that only look at a file), and then answers requests on a socket. A child is a fork of it
that narrows its own fence to the files of one request before it meets a hostile byte, and that
either becomes another program or calls what was loaded.

A request is one message: JSON {"options", "reads", "writes", "argv"} and three file descriptors:
control, standard output, standard error. When the child has ended, its wait status is written to
the control socket. Who closes the control socket, or its sending half, has the child killed. When
the requests end, because whoever started the launcher is gone, everything is killed.

The launcher never reads what a child writes and never opens a file of a stranger. A step of the
fence that was asked for and fails ends the child, or the launcher, with code 125 before anything
hostile is touched: the fence closes rather than opens. With `--describe` each step reports instead.
"""

import contextlib
import gc
import importlib.machinery
import json
import os
import resource
import select
import signal
import socket
import sys
from typing import Any

FENCE_FAILED = 125
MOST_REQUEST_BYTES = 200_000
DESCRIPTORS = 3
HERE = os.path.dirname(os.path.abspath(__file__))


def load(path: str, name: str) -> Any:
    """A module by its file: nothing else that lies beside it can be imported."""
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = type(sys)(name)
    module.__file__ = path
    sys.modules[name] = module
    loader.exec_module(module)
    return module


steps = load(os.path.join(HERE, "fence_steps.py"), "fence_steps")


def describe() -> None:
    """Try every step on this process and print what the platform granted, one a line."""

    def namespaces() -> None:
        steps.namespaces()
        steps.own_users()

    for name, step in (
        ("namespaces", namespaces),
        ("no_new_privs", steps.no_privileges),
        ("landlock", lambda: (steps.landlock_first(), steps.landlock([], []))[1]),
        ("seccomp", lambda: steps.seccomp(steps.seccomp_filter())),
    ):
        try:
            print(f"{name}={step() or 1}")
        except (steps.Failed, OSError, AttributeError) as reason:
            print(f"{name}=0 {reason}")


class Launcher:
    """Starts children and tells how they ended."""

    def __init__(self, asked: set[str], program: Any, requests: socket.socket) -> None:
        self.asked = asked
        self.program = program
        self.requests = requests
        self.pid = os.getpid()
        self.filter = steps.seccomp_filter() if "seccomp" in asked else b""
        self.children: dict[int, socket.socket] = {}
        self.ended, waking = os.pipe()
        os.set_blocking(self.ended, False)
        os.set_blocking(waking, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.poll = select.poll()
        self.poll.register(self.ended, select.POLLIN)
        self.poll.register(requests, select.POLLIN)

    def serve(self) -> None:
        """Returns when there will be no more requests, with all children killed."""
        while True:
            by_control = {control.fileno(): pid for pid, control in self.children.items()}
            for fd, _ in self.poll.poll():
                if fd == self.ended:
                    with contextlib.suppress(BlockingIOError):
                        os.read(fd, 4096)
                    self.reap()
                elif fd in by_control:
                    # It says nothing; whatever happens on it means that nobody waits any more.
                    self.poll.unregister(fd)
                    self.kill(by_control[fd])
                elif fd == self.requests.fileno() and not self.accept():
                    for pid in self.children:
                        self.kill(pid)
                    return

    def accept(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self.requests, MOST_REQUEST_BYTES, DESCRIPTORS)
        if not message:
            return False
        control, out, err = descriptors
        request = json.loads(message)
        pid = os.fork()
        if pid == 0:
            self.become(request, out, err)
        os.close(out)
        os.close(err)
        self.children[pid] = socket.socket(fileno=control)
        self.poll.register(control, select.POLLIN)
        return True

    def reap(self) -> None:
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            control = self.children.pop(pid)
            with contextlib.suppress(KeyError):
                self.poll.unregister(control)
            with contextlib.suppress(OSError):
                control.send(str(os.waitstatus_to_exitcode(status)).encode())
            control.close()

    def kill(self, pid: int) -> None:
        """Not reaped yet, so the number is still this child's."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def become(self, request: dict[str, Any], out: int, err: int) -> None:
        """The child. Never returns."""
        code = FENCE_FAILED
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            os.dup2(out, 1)
            os.dup2(err, 2)
            # The socket of requests among them: a hostile child must not take those of others.
            os.closerange(3, 1 << 16)
            options, writes, argv = request["options"], request["writes"], request["argv"]
            place = writes[0] if writes else "/"
            os.chdir(place)
            if "namespaces" in self.asked:
                steps.own_users()
            if "no_new_privs" in self.asked:
                steps.no_privileges()
            steps.limits(options)
            if "landlock" in self.asked:
                steps.landlock(request["reads"], writes)
            if sys.platform == "linux":
                steps.die_with(self.pid)
            # Late, so that on a busy machine the fence itself does not wait.
            os.nice(options["nice"])
            if "seccomp" in self.asked:
                steps.seccomp(self.filter)
            if self.program is None:
                environment = {"LANG": "C.UTF-8", "HOME": place, "TMPDIR": place}
                os.execve(argv[0], argv, environment)  # noqa: S606
            code = self.call(argv)
        except (steps.Failed, OSError, ValueError) as reason:
            with contextlib.suppress(OSError):
                os.write(2, f"fence: {reason}\n".encode())
        finally:
            os._exit(code)

    def call(self, argv: list[str]) -> int:
        """What was loaded, with the standard streams of this child."""
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        try:
            code: int = self.program.main(argv)
            sys.stdout.flush()
            return code
        except BaseException as error:
            # Not the text: a stranger's file may have had a hand in it.
            os.write(2, f"child: {type(error).__name__}\n".encode())
            return 1


def main(arguments: list[str]) -> None:
    if arguments == ["--describe"]:
        describe()
        return
    options = dict(argument.split("=", 1) for argument in arguments)
    asked = set(options["steps"].split(","))
    os.umask(0o077)
    os.chdir("/")
    if "namespaces" in asked:
        steps.namespaces()
    if "no_new_privs" in asked:
        steps.no_privileges()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if "landlock" in asked:
        steps.landlock_first()
    if sys.platform == "linux":
        steps.die_with(int(options["parent"]))
    if "seccomp" in asked:
        steps.seccomp(steps.seccomp_filter(launches=True))
    program = None
    if options.get("program"):
        sys.path.append(options["packages"])
        program = load(options["program"], "fence_program")
        program.load()
        if sys.platform == "linux" and len(os.listdir("/proc/self/task")) != 1:
            # A fork would take a lock along that nobody there will ever open.
            raise steps.Failed("loading has started threads")
    # Collecting would copy the pages that children share with us.
    gc.disable()
    gc.freeze()
    launcher = Launcher(asked, program, socket.socket(fileno=int(options["requests"])))
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    launcher.serve()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (steps.Failed, OSError, ImportError) as reason:
        sys.stderr.write(f"fence: {reason}\n")
        sys.exit(FENCE_FAILED)
