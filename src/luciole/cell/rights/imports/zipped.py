"""A stranger's ZIP, looked at before anything in it is read.

Only what an export of ours has is let through: plain files with plain names, stored or deflated,
one after the other from the first byte to the directory, none twice, none inside another, none that
unpacks to more than the cell takes. The standard library reads the files afterwards; the end
record is looked at first by hand, because the library reads whatever length it names.
"""

from __future__ import annotations

import asyncio
import io
import re
import stat
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from luciole.cell.rights.model import PIECE_BYTES, Unimportable

MOST_FILES = 50_000
MOST_DIRECTORY_BYTES = 16 * 1024 * 1024
MOST_NAME_CHARS = 200
# A rendition has 512 MiB at most; a list has far less.
MOST_FILE_BYTES = 512 * 1024 * 1024
MOST_LIST_BYTES = 64 * 1024 * 1024
# Deflate makes text a thousandth at best; a list of ours some 30 times smaller.
MOST_RATIO, RATIO_FROM_BYTES = 200, 1024 * 1024
PIECES_IN_MEMORY = 4
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1 | 0x40
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,4}", re.ASCII)

# APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16 and 4.3.7.
END = struct.Struct("<4s4H2LH")
END64_PLACE = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCAL_BYTES = 30

GetPiece = Callable[[int], Awaitable[bytes]]


class PiecesFile(io.RawIOBase):
    """A file in numbered pieces, as a plain file that can be read anywhere; for a thread, while
    the pieces are fetched in the loop."""

    def __init__(self, get: GetPiece, size_bytes: int, loop: asyncio.AbstractEventLoop) -> None:
        self._get = get
        self._size_bytes = size_bytes
        self._loop = loop
        self._at = 0
        self._held: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # a writable buffer
        if self._at >= self._size_bytes or not len(view):
            return 0
        number, offset = divmod(self._at, PIECE_BYTES)
        part = self._piece(number)[offset : offset + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _piece(self, number: int) -> bytes:
        if number in self._held:
            self._held.move_to_end(number)
        else:
            waiting = asyncio.run_coroutine_threadsafe(_awaited(self._get(number)), self._loop)
            self._held[number] = waiting.result()
            if len(self._held) > PIECES_IN_MEMORY:
                self._held.popitem(last=False)
        return self._held[number]


async def _awaited(piece: Awaitable[bytes]) -> bytes:
    return await piece


def opened(file: io.RawIOBase, size_bytes: int, most_bytes: int) -> zipfile.ZipFile:
    """The archive, if it is in every respect like one of ours. Raises Unimportable."""
    directory_at = _directory(file, size_bytes)
    try:
        archive = zipfile.ZipFile(io.BufferedReader(file, 64 * 1024))
    except (zipfile.BadZipFile, ValueError, struct.error, NotImplementedError) as error:
        raise Unimportable("import-not-a-zip") from error
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise Unimportable("import-too-many-files")
    names: set[str] = set()
    for info in infos:
        _check(info)
        if info.filename.lower() in names:
            raise Unimportable("import-twice")
        names.add(info.filename.lower())
    if sum(info.file_size for info in infos) > most_bytes:
        raise Unimportable("import-too-much-inside")
    _check_places(infos, directory_at)
    return archive


def _directory(file: io.RawIOBase, size_bytes: int) -> int:
    """Where the directory begins, if it is of a size that can be read, and the file ends with it
    and its end record. Raises Unimportable."""
    refused = Unimportable("import-not-a-zip")
    if size_bytes < END.size:
        raise refused
    # 1. The end record without a comment: exports have none, and a comment could hold another.
    at = size_bytes - END.size
    magic, disk, first_disk, here, count, length, start, comment = END.unpack(_at(file, at))
    if magic != b"PK\5\6" or disk or first_disk or here != count or comment:
        raise refused
    # 2. Above 4 GiB or 65,535 files the numbers stand in front of it.
    if 0xFFFF in (count, here) or 0xFFFFFFFF in (length, start):
        at -= END64_PLACE.size
        magic, disk, place, disks = END64_PLACE.unpack(_at(file, at, END64_PLACE.size))
        if magic != b"PK\6\7" or disk or disks != 1 or place != at - END64.size:
            raise refused
        at = place
        magic, rest, _, _, disk, first_disk, here, count, length, start = END64.unpack(
            _at(file, at, END64.size)
        )
        if magic != b"PK\6\6" or rest != END64.size - 12 or disk or first_disk or here != count:
            raise refused
    if count > MOST_FILES:
        raise Unimportable("import-too-many-files")
    if length > MOST_DIRECTORY_BYTES or start + length != at:
        raise refused
    return int(start)


def _at(file: io.RawIOBase, at: int, size_bytes: int = END.size) -> bytes:
    if at < 0:
        raise Unimportable("import-not-a-zip")
    file.seek(at)
    found = b""
    while len(found) < size_bytes:
        part = file.read(size_bytes - len(found))
        if not part:
            raise Unimportable("import-not-a-zip")
        found += part
    return found


def _check(info: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if (
        info.is_dir()
        or kind not in (0, stat.S_IFREG)
        or info.flag_bits & ENCRYPTED
        or info.compress_type not in METHODS
    ):
        raise Unimportable("import-no-plain-file")
    # `orig_filename`: the library cuts a name at its first zero byte.
    name = info.orig_filename
    if len(name) > MOST_NAME_CHARS or not NAME.fullmatch(name) or name != info.filename:
        raise Unimportable("import-bad-name")
    most = MOST_FILE_BYTES if name.startswith("media/") else MOST_LIST_BYTES
    is_bomb = info.file_size > RATIO_FROM_BYTES + info.compress_size * MOST_RATIO
    if info.file_size > most or is_bomb:
        raise Unimportable("import-too-much-inside")


def _check_places(infos: list[zipfile.ZipInfo], directory_at: int) -> None:
    """No file begins before the one in front of it has ended."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise Unimportable("import-twice")
        end = info.header_offset + LOCAL_BYTES + len(info.filename) + info.compress_size
    if end > directory_at:
        raise Unimportable("import-not-a-zip")
