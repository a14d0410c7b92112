"""Films made in a few processes beside the cell, in the order of the reel."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from luciole.demo.film import FilmFailed, Job, Order
from luciole.demo.reel import Clip


class Studio:
    """Processes that make films; use it as `async with`."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.folder, self.count = folder, processes
        self._idle: asyncio.Queue[asyncio.subprocess.Process] = asyncio.Queue()
        self._all: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> Studio:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            for _ in range(self.count):
                process = await self._start()
                self._all.append(process)
                self._idle.put_nowait(process)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _start(self) -> asyncio.subprocess.Process:
        # One thread each: the films are small, and the threads of the matrix library only wait.
        quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        command = (sys.executable, "-m", "luciole.demo.film", "studio")
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **quiet},
        )

    async def __aexit__(self, *_: object) -> None:
        for process in self._all:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def film(self, clip: Clip) -> Path:
        """The clip's film, made now unless an earlier run has left it. Raises FilmFailed."""
        path = self.folder / f"{clip.key}.mp4"
        if path.exists():
            return path
        process = await self._idle.get()
        try:
            job = Job(clip.scene, clip.mood, clip.seconds, clip.seed, clip.look)
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(msgspec.json.encode(Order(job, str(path))) + b"\n")
            await process.stdin.drain()
            answer = (await process.stdout.readline()).decode().strip()
        finally:
            self._idle.put_nowait(process)
        if answer != "done":
            raise FilmFailed(f"The film `{clip.key}` could not be made: {answer or 'it stopped'}.")
        return path
