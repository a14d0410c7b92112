"""What the other cell holds, looked through with the recovery key: the newest head, and what
belongs to it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import shutil
import tarfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import msgspec

from luciole.abroad import spool
from luciole.abroad.keeper import PIECES_AT_ONCE, Keeper, fetched, whole
from luciole.abroad.parcels import Label, Names, ParcelBroken, Unpacker
from luciole.abroad.recovery import RecoveryKey
from luciole.abroad.sending import Head, WalPart
from luciole.abroad.state import Base
from luciole.keys import private
from luciole.kit.clock import Clock
from luciole.kit.errors import NotFound

# A head is looked for so far back, and a little ahead where clocks differ.
LOOKS_BACK = timedelta(days=366)
AHEAD = timedelta(minutes=10)


class NothingAbroad(NotFound):
    code = "abroad-nothing"
    sentence = "The other cell has no whole backup that this recovery key opens."
    next_step = "Check that the key and the other cell are the ones that this cell had."


class NotThatFar(NotFound):
    code = "abroad-not-that-far"
    sentence = "The backup abroad does not reach back to that time."
    next_step = "Name a later time; ./luciole abroad status of the running cell says from when on."


class Found:
    """The backup under its newest head. Make one with `look`."""

    def __init__(self, keeper: Keeper, key: RecoveryKey, there: set[bytes], head: Head) -> None:
        self._keeper, self._key, self._there = keeper, key, there
        self.head, self._names = head, Names(key.names, head.era)

    def base(self, until: datetime | None) -> Base:
        """The newest base backup from before a time. Raises NothingAbroad, NotThatFar."""
        if not self.head.bases:
            raise NothingAbroad
        fit = [one for one in self.head.bases if until is None or one.ended_at <= until.timestamp()]
        if not fit:
            begins = datetime.fromtimestamp(self.head.bases[0].ended_at, UTC)
            raise NotThatFar(f"The backup abroad reaches back to {begins:%Y-%m-%d %H:%M:%S} UTC.")
        return fit[-1]

    async def keys(self, folder: Path) -> str:
        """Puts the short copy of the key store into a folder, and gives its name; empty where none
        is abroad. Raises ParcelBroken."""
        if self.head.keys is None:
            return ""
        label, content = await self._whole("keys", self.head.keys)
        private.check_folder(folder)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is None or "/" in member.name or member.name.startswith("."):
                    raise ParcelBroken
                with private.new_file(folder / member.name) as copy:
                    shutil.copyfileobj(file, copy)
        return label.about.decode()

    async def objects(self, work: Path) -> AsyncIterator[tuple[str, Path]]:
        """Every object: its key, and a file with its bytes until the next one is asked for. Raises
        ParcelBroken."""
        numbers = [n for n in range(self.head.objects_next) if self._is_there("object", n)]
        draft = work / "object"
        while numbers:
            names = [self._names.of("object", n, 0) for n in numbers[:PIECES_AT_ONCE]]
            pieces = await self._keeper.get(names)
            if not pieces:
                raise ParcelBroken
            for number, piece in zip(numbers, pieces, strict=False):
                if piece is None:
                    continue  # dropped while we read
                label = await self._write(draft, number, piece)
                yield label.about.decode(), draft
            numbers = numbers[len(pieces) :]
        draft.unlink(missing_ok=True)

    async def _write(self, draft: Path, number: int, piece: bytes) -> Label:
        unpacker = Unpacker(self._key.receiver)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(unpacker.take(piece))
            at = 1
            while not unpacker.is_whole:
                names = [self._names.of("object", number, at + n) for n in range(PIECES_AT_ONCE)]
                for piece in _until_none(await self._keeper.get(names)):
                    file.write(unpacker.take(piece))
                    at += 1
        return unpacker.labelled("object", number)

    async def extract(self, base: Base, folder: Path) -> None:
        """Puts the files of a base backup into a new folder. Raises ParcelBroken."""
        await asyncio.to_thread(folder.mkdir, 0o700, True)
        read, write = os.pipe()
        with os.fdopen(read, "rb") as source:
            extracting = _Extracting(source, folder)
            try:
                with os.fdopen(write, "wb") as sink:
                    await extracting.feed(sink, self._content("base", base.number))
            finally:
                await extracting.ended()

    async def log(self, base: Base, folder: Path) -> tuple[float, int]:
        """Puts the write-ahead log from a base backup on into a folder; gives when the last of it
        came, and how many parts there are. Ends where something is missing. Raises ParcelBroken."""
        end: tuple[str, int] | None = None
        count = 0
        for number in range(base.wal_from, self.head.wal_next):
            if not self._is_there("wal", number):
                continue
            label, data = await self._whole("wal", number)
            part = msgspec.msgpack.decode(label.about, type=WalPart)
            if part.chain != base.chain:
                continue
            if end is not None and not _follows(part, end):
                break
            spool.write_into(folder, part.segment, part.start, data, part.segment_bytes)
            end = (part.segment, part.start + len(data))
            count += 1
        return self.head.covered_at, count

    def _is_there(self, kind: Any, number: int) -> bool:
        return self._names.of(kind, number, 0) in self._there

    async def _whole(self, kind: Any, number: int) -> tuple[Label, bytes]:
        return await whole(self._keeper, self._key.receiver, self._names, kind, number)

    async def _content(self, kind: Any, number: int) -> AsyncIterator[bytes]:
        parts = fetched(self._keeper, self._key.receiver, self._names, kind, number)
        async for _, data in parts:
            yield data


async def look(keeper: Keeper, key: RecoveryKey, clock: Clock) -> Found:
    """Raises NothingAbroad, ParcelBroken, PeerUnreachable, PeerRefused."""
    there = {name async for names in keeper.names() for name in names}
    names = Names(key.names, "")
    now = int((clock.now() + AHEAD).timestamp())
    for second in range(now, now - int(LOOKS_BACK.total_seconds()), -1):
        if there and names.head(second, 0) in there:
            # One that was cut off lacks its end: an older one counts then.
            with contextlib.suppress(ParcelBroken):
                _, content = await whole(keeper, key.receiver, names, "head", second)
                return Found(keeper, key, there, msgspec.msgpack.decode(content, type=Head))
        if not there:
            break
    raise NothingAbroad


class _Extracting:
    """A tar archive that is read in a thread while it comes."""

    def __init__(self, source: IO[bytes], folder: Path) -> None:
        self._task = asyncio.create_task(asyncio.to_thread(_extract, source, folder))

    async def feed(self, sink: IO[bytes], content: AsyncIterator[bytes]) -> None:
        async for data in content:
            try:
                await asyncio.to_thread(sink.write, data)
            except BrokenPipeError:
                break  # the thread says why

    async def ended(self) -> None:
        await self._task


def _extract(source: IO[bytes], folder: Path) -> None:
    try:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            for member in archive:
                path = folder / member.name
                if not path.resolve().is_relative_to(folder.resolve()):
                    raise ParcelBroken
                if member.isdir():
                    path.mkdir(mode=0o700, exist_ok=True, parents=True)
                elif member.isreg():
                    file = archive.extractfile(member)
                    assert file is not None
                    path.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
                    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    with os.fdopen(handle, "wb") as copy:
                        shutil.copyfileobj(file, copy, 1024 * 1024)
                else:
                    raise ParcelBroken  # a link: tables outside of the data folder
        # The rest of the archive is padding.
        while source.read(1024 * 1024):
            pass
    except tarfile.TarError as error:
        raise ParcelBroken from error


def _follows(part: WalPart, end: tuple[str, int]) -> bool:
    segment, reached = end
    if part.segment == segment:
        return part.start <= reached
    return part.start == 0 and part.segment == spool.successor(segment, part.segment_bytes)


def _until_none(pieces: list[bytes | None]) -> Iterator[bytes]:
    if not pieces or pieces[0] is None:
        raise ParcelBroken
    for piece in pieces:
        if piece is None:
            return
        yield piece
