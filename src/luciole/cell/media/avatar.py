"""A person's picture, made small and plain in the fence."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from luciole.cell.media import encode, fence
from luciole.cell.media.fence import Limits
from luciole.cell.media.launchers import Warm
from luciole.cell.media.model import BadPicture, PicturesBusy
from luciole.kit.ids import new_id
from luciole.kit.workplace import open_folder, sweep_folders

CHILD = Path(__file__).with_name("avatar_child.py")
SIDE = 256
# A large picture takes a core for a second and some hundred megabytes.
AT_ONCE = 2
WAITING = 16
RETRY_AFTER_S = 5
LIMITS = Limits(wall_s=10, cpu_s=8, memory_bytes=1024 * fence.MIB, file_bytes=fence.MIB)


def maker(work_dir: Path, *, allow_unfenced: bool) -> Callable[[bytes], Awaitable[bytes]]:
    """A function that makes a 256 by 256 WebP of a JPEG, PNG, WebP or GIF, AT_ONCE of them at the
    same time in this process. It raises BadPicture, PicturesBusy, and NoFence where the platform
    cannot keep a hostile picture harmless. Pictures that a killed process has left go at once."""
    sweep_folders(work_dir)
    turns = asyncio.Semaphore(AT_ONCE)
    inside = 0

    async def make(picture: bytes) -> bytes:
        nonlocal inside
        fence.require(fence.available(), allow_unfenced=allow_unfenced)
        if inside >= AT_ONCE + WAITING:
            raise PicturesBusy(retry_after_s=RETRY_AFTER_S)
        inside += 1
        try:
            async with turns:
                return await small(picture)
        finally:
            inside -= 1

    async def small(picture: bytes) -> bytes:
        folder, lock = await asyncio.to_thread(_prepare, work_dir, picture)
        try:
            await _make(folder)
            return await asyncio.to_thread(_take, folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            os.close(lock)

    return make


def _prepare(work_dir: Path, picture: bytes) -> tuple[Path, int]:
    folder = work_dir / f"avatar-{new_id()}"
    lock = open_folder(folder)
    # If we are killed from here on, the next start finds the folder without a lock on it.
    (folder / "source").write_bytes(picture)
    return folder, lock


async def _make(folder: Path) -> None:
    source, target = folder / "source", folder / "out" / "avatar.webp"
    outcome = await fence.run(
        [str(source), str(target), str(SIDE)],
        reads=[source],
        writes=[target.parent],
        limits=LIMITS,
        warm=_warm(),
    )
    if outcome.code != 0:
        raise BadPicture


def _take(folder: Path) -> bytes:
    target = folder / "out" / "avatar.webp"
    encode.size_bytes(target)  # a plain file, and nothing else that the child may have left
    made = target.read_bytes()
    if made[:4] != b"RIFF" or made[8:12] != b"WEBP":
        raise BadPicture
    return made


@functools.cache
def _warm() -> Warm:
    spec = importlib.util.find_spec("PIL")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("PIL")
    return Warm(CHILD, Path(next(iter(spec.submodule_search_locations))).parent)
