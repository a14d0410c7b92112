"""A cell of its own for the canary: started as an operator starts one, in a folder that goes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from luciole.audit.canary.play_notify import PUSH_SERVICE
from luciole.kit import postgres
from luciole.kit.errors import Unavailable

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 40.0


class DidNotStart(Unavailable):
    """The cell of the canary did not come up."""

    code = "canary-cell"
    sentence = "The canary's own cell did not start."
    next_step = "Run ./luciole doctor; what stops a cell here is likely the same."


class Cell:
    """`luciole serve` with everything that it writes below `home`."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home, self.data = home, home / "var"
        self.port, self.metrics_port = _free_port(), _free_port()
        for name in ("tmp", "home", "var", "texts"):
            (home / name).mkdir(mode=0o700)
        for name in ("terms", "imprint"):
            self.say_in(f"{name}.md", f"# The {name} of a cell for canaries")
        own = {
            "HOME": str(home / "home"),
            "XDG_CACHE_HOME": str(home / "home" / "cache"),
            "TMPDIR": str(home / "tmp"),
            "LUCIOLE_DATA_DIR": str(self.data),
            "LUCIOLE_WEB_PORT": str(self.port),
            "LUCIOLE_WORKER_METRICS_PORT": str(self.metrics_port),
            "LUCIOLE_LOG_LEVEL": "debug",
            "LUCIOLE_MEDIA_MIN_FREE_BYTES": "0",
            "LUCIOLE_PEOPLE_SIGN_UP_WORK": "2",
            "LUCIOLE_BORDER_PUSH_SERVICES": PUSH_SERVICE,
            "LUCIOLE_CELL_TEXTS_DIR": str(home / "texts"),
        }
        # An operator's own settings would lead to the operator's own data.
        kept = {
            name: value
            for name, value in environment.items()
            if not name.startswith(("LUCIOLE_", "DATABASE_URL")) or name in _KEPT
        }
        self.environment = {**kept, **own}
        self.console = bytearray()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def say_in(self, name: str, text: str) -> None:
        """Puts a page into the operator's folder of texts."""
        (self.home / "texts" / name).write_text(f"{text}\n")

    def url(self, login: str | None = None) -> str:
        """The database's URL for the owner, or for another login."""
        server = postgres.Server(self.data / "postgres", self.data / "log" / "postgresql.log")
        return server.url(login)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """From the first answer to the orderly end. Raises DidNotStart."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "luciole", "serve"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        reading = threading.Thread(target=self._read, daemon=True)
        reading.start()
        try:
            self._wait()
            yield
        finally:
            self._stop()
            reading.join(5)

    def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.console += line

    def _wait(self) -> None:
        end = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError, urllib.error.URLError):
                with urllib.request.urlopen(f"{self.address}/readyz", timeout=2):  # noqa: S310
                    return
            time.sleep(0.05)
        raise DidNotStart(
            "The canary's own cell did not start. It said:\n"
            + bytes(self.console[-2000:]).decode("utf-8", "replace")
        )

    def _stop(self) -> None:
        process = self.process
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def command(self, *words: str) -> str:
        """What another command of the operator's says, on the same machine. Raises DidNotStart."""
        done = subprocess.run(
            [sys.executable, "-m", "luciole", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            raise DidNotStart(
                f"luciole {words[0]} did not work. It said:\n"
                + done.stdout[-2000:].decode("utf-8", "replace")
            )
        return done.stdout.decode("utf-8", "replace")

    async def metrics(self) -> dict[str, bytes]:
        """What each process tells who measures it."""

        def ask(port: int) -> bytes:
            address = f"http://127.0.0.1:{port}/metrics"
            with urllib.request.urlopen(address, timeout=10) as answer:
                return bytes(answer.read())

        ports = {"api": self.port, "worker": self.metrics_port}
        return {name: await asyncio.to_thread(ask, port) for name, port in ports.items()}


# How Luciole itself was started, and what its tests need.
_KEPT = ("LUCIOLE_WEB_DIST",)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
