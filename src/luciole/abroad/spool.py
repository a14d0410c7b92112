"""The write-ahead log as PostgreSQL's own pg_receivewal brings it into a folder, and what is new.

pg_receivewal holds a replication slot, so that the server keeps what it has not taken yet, and
writes each segment as `NAME.partial` from its beginning, then renames it. A page of the log begins
with a number that is never zero, and what is not written yet is zero: so the pages of a segment
that are there can be told without asking the server. The last page may still be growing and is sent
again with the next ones.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import NamedTuple

PAGE_BYTES = 8192
PARTIAL = ".partial"
_SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.partial)?")


class Gap(Exception):
    """Some of the log was lost: a new base backup has to follow."""


class Position(NamedTuple):
    """How far the log has been sent: the segment, the first byte that is sent next, and a digest
    of the page there as it was last sent (empty: none of it was)."""

    segment: str
    offset: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> Position:
        segment, offset, digest = text.split("/")
        return cls(segment, int(offset), digest)

    def __str__(self) -> str:
        return f"{self.segment}/{self.offset}/{self.digest}"


class Range(NamedTuple):
    """Bytes of a segment that are new, and how far the log has been sent with them."""

    segment: str
    start: int
    data: bytes
    after: Position


class Spool:
    """The folder that pg_receivewal writes into."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder

    def segments(self) -> list[tuple[str, Path]]:
        """The segments that are there, in order."""
        found: dict[str, Path] = {}
        for path in sorted(self.folder.iterdir()):
            if _SEGMENT.fullmatch(path.name):
                # A whole one comes before its partial twin, and counts.
                found.setdefault(path.name.removesuffix(PARTIAL), path)
        return sorted(found.items())

    def size_bytes(self) -> int:
        """What the folder holds, in bytes that the disk has to keep."""
        return sum(path.stat().st_blocks * 512 for path in self.folder.iterdir())

    def new(self, position: Position | None) -> tuple[list[Range], Position | None]:
        """What has come since, and how far the log has been sent with it. Raises Gap where
        something in between is missing, FileNotFoundError where a segment is just being renamed."""
        found: list[Range] = []
        for name, path in self.segments():
            if position is None:
                position = Position(name, 0, "")
            if name < position.segment:
                continue
            if name != position.segment:
                raise Gap
            part = self._part(path, position)
            if part is not None:
                found.append(part)
                position = part.after
            if not path.name.endswith(PARTIAL):
                position = Position(successor(name, path.stat().st_size), 0, "")
        return found, position

    def drop_before(self, position: Position) -> None:
        """Deletes segments that were sent whole; the newest that is there stays, from which
        pg_receivewal goes on."""
        for name, path in self.segments()[:-1]:
            if name < position.segment:
                path.unlink()

    def clear(self) -> None:
        for path in self.folder.iterdir():
            path.unlink()

    @staticmethod
    def _part(path: Path, position: Position) -> Range | None:
        with path.open("rb") as file:
            file.seek(position.offset)
            data = file.read()
        end = 0
        while end < len(data) and data[end : end + 2] != b"\0\0":
            end += PAGE_BYTES
        data = data[:end]
        if not data:
            return None
        last = max(0, end - PAGE_BYTES)
        digest = hashlib.sha256(data[last:]).hexdigest()
        if last == 0 and digest == position.digest:
            return None
        after = Position(position.segment, position.offset + last, digest)
        return Range(position.segment, position.offset, data, after)


def successor(segment: str, size_bytes: int) -> str:
    """The name of the segment after one, where each has that size."""
    timeline, number = segment[:8], number_of(segment, size_bytes) + 1
    each = (1 << 32) // size_bytes
    return f"{timeline}{number // each:08X}{number % each:08X}"


def number_of(segment: str, size_bytes: int) -> int:
    """The how manieth segment it is."""
    return int(segment[8:16], 16) * ((1 << 32) // size_bytes) + int(segment[16:24], 16)


def lsn_of(position: Position, size_bytes: int) -> int:
    """The place in the log, in bytes from its beginning."""
    return number_of(position.segment, size_bytes) * size_bytes + position.offset


def parse_lsn(text: str) -> int:
    """`0/3000120` as a number."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def write_into(folder: Path, segment: str, start: int, data: bytes, size_bytes: int) -> None:
    """Puts bytes of a segment into a folder of segments, each as long as the server wants it."""
    if not _SEGMENT.fullmatch(segment) or start + len(data) > size_bytes:
        raise ValueError("no part of a segment")
    handle = os.open(folder / segment, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "r+b") as file:
        file.truncate(size_bytes)
        file.seek(start)
        file.write(data)
