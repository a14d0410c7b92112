"""Each film is probed and encoded for real once in a test process; after that its renditions and
pictures are copied. For tests of the slices above media: the same film gives the same files."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from luciole.cell.media import encode, looks, pictures, probe
from luciole.cell.media.encode import Encoded, OnProgress
from luciole.cell.media.probe import Probe, Unreadable
from luciole.cell.media.rungs import Cut
from luciole.cell.media.soundtrack import Track

Made = tuple[Encoded, Encoded]


class Once:
    """Keeps what was made below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._probe: Callable[[Path, Path], Awaitable[Probe]] = probe.probe
        self._first = encode.first_playable
        self._small = pictures.small
        self._probed: dict[str, Probe | str] = {}
        self._made: dict[tuple[str, Cut, str], Made] = {}
        self._pictures: dict[tuple[str, Cut], list[Encoded]] = {}

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Takes the place of the real work until the test ends."""
        monkeypatch.setattr(probe, "probe", self.probe)
        monkeypatch.setattr(encode, "first_playable", self.first_playable)
        monkeypatch.setattr(pictures, "small", self.small)

    async def probe(self, source: Path, work_dir: Path) -> Probe:
        key = digest(source)
        if key not in self._probed:
            try:
                self._probed[key] = await self._probe(source, work_dir)
            except Unreadable as refusal:
                self._probed[key] = refusal.code
        found = self._probed[key]
        if isinstance(found, str):
            raise Unreadable(found)
        return found

    async def first_playable(
        self,
        source: Path,
        film: Probe,
        cut: Cut,
        out_dir: Path,
        on_progress: OnProgress | None = None,
        track: Track | None = None,
    ) -> Made:
        key = digest(source), cut, f"{track.mode} {digest(track.path)}" if track else ""
        if key not in self._made:
            first, still = await self._first(source, film, cut, out_dir, on_progress, track)
            kept = self._folder / str(len(self._made))
            kept.mkdir()
            self._made[key] = moved(first, kept), moved(still, kept)
            pixels(out_dir, kept)
        elif on_progress is not None:
            on_progress(100)
        first, still = self._made[key]
        pixels(first.path.parent, out_dir)
        return moved(first, out_dir), moved(still, out_dir)

    async def small(self, source: Path, film: Probe, cut: Cut, out_dir: Path) -> list[Encoded]:
        key = digest(source), cut
        if key not in self._pictures:
            kept = self._folder / f"pictures-{len(self._pictures)}"
            kept.mkdir()
            made = await self._small(source, film, cut, out_dir)
            self._pictures[key] = [moved(one, kept) for one in made]
        return [moved(one, out_dir) for one in self._pictures[key]]


def moved(made: Encoded, folder: Path) -> Encoded:
    """The same file, also in `folder`."""
    path = folder / made.path.name
    if path != made.path:
        shutil.copyfile(made.path, path)
    return msgspec.structs.replace(made, path=path)


def pixels(made: Path, folder: Path) -> None:
    """What an encoding leaves to look at, also in `folder`."""
    if made != folder:
        for name in (looks.TINY, looks.STILLS):
            shutil.copyfile(made / name, folder / name)


def digest(source: Path) -> str:
    return hashlib.sha256(source.read_bytes()).hexdigest()
