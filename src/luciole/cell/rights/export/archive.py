"""A ZIP that is written from front to back, a bit at a time, and never held as a whole.

Each file is hashed on its way, so that the manifest can come last. Names come in the order in which
they are written, times are all the same, and rights are those of plain files: the same files give
the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import IO

import msgspec

Put = Callable[[bytes], Awaitable[None]]

FLUSH_BYTES = 256 * 1024
PLAIN_FILE = 0o100644 << 16
UNIX = 3


class Listed(msgspec.Struct, frozen=True):
    """A file of the archive, as the manifest lists it."""

    path: str
    sha256: str
    size_bytes: int


class _Waiting:
    """What the ZIP writer has written and nobody has taken yet. It cannot seek, so that sizes
    follow each file's bytes."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._taken = 0

    def write(self, data: bytes, /) -> int:
        self.data += data
        return len(data)

    def tell(self) -> int:
        return self._taken + len(self.data)

    def close(self) -> None:
        """Asked for by the type only."""

    def flush(self) -> None:
        """Nothing is ever held back."""

    def take(self) -> bytes:
        taken = bytes(self.data)
        self._taken += len(taken)
        self.data.clear()
        return taken


class Entry:
    """A file that is being written."""

    def __init__(self, archive: Archive, target: IO[bytes]) -> None:
        self._archive = archive
        self._target = target
        self.sha256 = hashlib.sha256()
        self.size_bytes = 0

    async def write(self, data: bytes) -> None:
        self._target.write(data)
        self.sha256.update(data)
        self.size_bytes += len(data)
        await self._archive.flush(FLUSH_BYTES)


class Archive:
    """The ZIP on its way to `put`, which gets its bytes in order."""

    def __init__(self, put: Put, made_at: datetime) -> None:
        self._put = put
        self._waiting = _Waiting()
        self._zip = zipfile.ZipFile(self._waiting, "w")
        moment = made_at.timetuple()[:6]
        self._moment = (moment[0], moment[1], moment[2], moment[3], moment[4], moment[5])
        self.files: list[Listed] = []

    @contextlib.asynccontextmanager
    async def file(
        self, path: str, *, is_packed: bool = True, size_bytes: int = 0
    ) -> AsyncIterator[Entry]:
        """A new file, to be written while the block lasts. Films are not packed: they are as
        small as they get. `size_bytes` has to be given where it may be 2 GiB or more."""
        info = zipfile.ZipInfo(path, self._moment)
        info.compress_type = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
        info.external_attr = PLAIN_FILE
        info.create_system = UNIX
        info.file_size = size_bytes
        with self._zip.open(info, "w") as target:
            entry = Entry(self, target)
            yield entry
        self.files.append(Listed(path, entry.sha256.hexdigest(), entry.size_bytes))
        await self.flush(FLUSH_BYTES)

    async def text(self, path: str, text: str | bytes) -> None:
        """A whole small file."""
        async with self.file(path) as entry:
            await entry.write(text.encode() if isinstance(text, str) else text)

    async def flush(self, at_least_bytes: int = 1) -> None:
        """Hands on what waits, if it is that much."""
        if len(self._waiting.data) >= at_least_bytes:
            await self._put(self._waiting.take())

    async def close(self) -> None:
        """Writes the directory."""
        self._zip.close()
        await self.flush()
