"""PostgreSQL's own tools at work: pg_receivewal, pg_basebackup and pg_verifybackup.

They log in as a role that may replicate and nothing else; the password goes to them by their
environment. What they print is read for a few words and never kept: a path may be in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from luciole.abroad.spool import parse_lsn
from luciole.kit import processes
from luciole.kit.errors import Unavailable
from luciole.kit.logs import log

SLOT = "luciole_abroad"
READ_BYTES = 256 * 1024
LAST_BYTES = 64 * 1024
# In the list of files, which is the end of a base backup.
_END = re.compile(rb'"End-LSN": "([0-9A-F]+/[0-9A-F]+)"')
_LOST = re.compile(
    rb"has already been removed|can no longer|does not exist|has been invalidated|was invalidated"
)


class ToolFailed(Unavailable):
    code = "abroad-tool-failed"
    sentence = "PostgreSQL's own program for backups did not do its work."
    next_step = "Ask ./luciole doctor, and look into log/abroad.log and log/postgresql.log."


class SlotLost(Exception):
    """The server does not have any more what we have not taken yet."""


class Tools:
    """The programs in a folder, for one login."""

    def __init__(self, bin_dir: Path, url: str) -> None:
        self._bin = bin_dir
        parts = urlsplit(url)
        password = unquote(parts.password or "")
        who = f"{parts.username}@" if parts.username else ""
        where = parts.netloc.rpartition("@")[2]
        self._url = parts._replace(netloc=f"{who}{where}").geturl()
        self._environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        if password:
            self._environment["PGPASSWORD"] = password

    @property
    def major(self) -> int:
        said = self._run("pg_basebackup", "--version").stdout
        found = re.search(rb"\(PostgreSQL\) (\d+)", said)
        if found is None:
            raise ToolFailed
        return int(found[1])

    def make_slot(self) -> None:
        """Has the server keep its log for us from now on. Raises ToolFailed."""
        words = ("--create-slot", "--if-not-exists", "--slot", SLOT, "--no-password")
        self._check(self._run("pg_receivewal", *words, "--dbname", self._url))

    def drop_slot(self) -> None:
        """Does nothing where there is none."""
        words = ("--drop-slot", "--slot", SLOT, "--no-password", "--dbname", self._url)
        self._run("pg_receivewal", *words)

    def verify(self, folder: Path) -> None:
        """Compares a base backup with the list of its files and their digests. Raises
        ToolFailed."""
        self._check(self._run("pg_verifybackup", "--no-parse-wal", "--quiet", str(folder)))

    async def receive(self, folder: Path) -> None:
        """Brings the log into a folder until it is cancelled. Raises ToolFailed where it ends by
        itself, SlotLost."""
        process = await self._start(
            "pg_receivewal",
            *("--directory", str(folder), "--slot", SLOT, "--no-loop", "--no-password"),
            *("--status-interval", "2", "--dbname", self._url),
        )
        assert process.stderr is not None
        try:
            said = (await process.stderr.read())[-LAST_BYTES:]
            await process.wait()
        finally:
            await _end(process)
        if _LOST.search(said):
            raise SlotLost
        raise ToolFailed

    @contextlib.asynccontextmanager
    async def base(self) -> AsyncIterator[BaseStream]:
        """A base backup as a tar archive, its list of files last."""
        process = await self._start(
            "pg_basebackup",
            *("--pgdata", "-", "--format", "tar", "--wal-method", "none"),
            *("--checkpoint", "fast", "--no-estimate-size", "--no-password"),
            *("--label", "luciole abroad", "--dbname", self._url),
        )
        try:
            yield BaseStream(process)
        finally:
            await _end(process)

    async def _start(self, program: str, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *processes.launched([self._bin / program, *words]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "pg_basebackup" else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=self._environment,
        )

    def _run(self, program: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [self._bin / program, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=self._environment,
                check=False,
                timeout=600,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolFailed from error

    @staticmethod
    def _check(done: subprocess.CompletedProcess[bytes]) -> None:
        if done.returncode:
            log.error("a program of postgresql failed", exit_code=done.returncode)
            raise ToolFailed


class BaseStream:
    """The bytes of a base backup, and afterwards where it ends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.end_lsn = 0

    async def bytes(self) -> AsyncIterator[bytes]:
        """Raises ToolFailed where it did not come to its end."""
        stdout, stderr = self._process.stdout, self._process.stderr
        assert stdout is not None
        assert stderr is not None
        saying = asyncio.create_task(stderr.read())
        last = b""
        while data := await stdout.read(READ_BYTES):
            last = (last + data)[-LAST_BYTES:]
            yield data
        await saying
        status = await self._process.wait()
        found = _END.search(last)
        if status or found is None:
            log.error("a program of postgresql failed", exit_code=status)
            raise ToolFailed
        self.end_lsn = parse_lsn(found[1].decode())


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()
