"""Objects by key: a local folder by default, S3, GCS or Azure by URL, through obstore.

Keys are `/`-separated plain names. A put is all or nothing: the local store writes a temporary
file and renames it, so that a killed process leaves no half object. `put_new` and `exchange` also
survive a loss of power once they have returned.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore, ObjectStore, from_url

if TYPE_CHECKING:
    from obstore.store import RetryConfig

from luciole.kit import durable
from luciole.kit.durable import Differs, Moved

__all__ = ["AWAY", "Blobs", "Differs", "Missing", "Moved", "Stat", "is_full"]

READ_CHUNK_BYTES = 256 * 1024
# Objects that are written at the same time; more flushes at once do not make a disk faster.
AT_ONCE = 8
# A store that does not answer is not waited for longer: whoever asked goes on with something else,
# and comes back. (The library's own ten tries take minutes.)
RETRIES: RetryConfig = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}


class Stat(msgspec.Struct, frozen=True):
    """An object's size in bytes and its entity tag."""

    size_bytes: int
    etag: str | None


class Missing(Exception):
    """No object has this key."""


# What a store raises that does not answer, may not be used, or has no room.
AWAY = (BaseError, OSError)


def is_full(error: BaseException) -> bool:
    """Whether it says that a disk, or a person's share of it, is full."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    # The libraries underneath have the system's words only.
    return any(f"os error {number}" in str(error) for number in (errno.ENOSPC, errno.EDQUOT))


class Blobs:
    """The object store of the cell."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def open(cls, place: str) -> Blobs:
        """`place` is a folder (made when missing) or a URL such as `s3://bucket/prefix`."""
        if "://" in place:
            return cls(from_url(place, retry_config=RETRIES))
        Path(place).mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(LocalStore(place, mkdir=True), Path(place))

    async def put(self, key: str, data: bytes | Path) -> None:
        """Stores the bytes, or the file at a path (streamed in parts), under `key`."""
        await obstore.put_async(self._store, key, data)

    async def put_new(self, objects: Mapping[str, bytes]) -> None:
        """Stores objects that never change once they are there. When this returns, all of them
        are there and stay. Raises Differs with the key of one that has another content already."""
        items = list(objects.items())
        if self._folder is None:
            for start in range(0, len(items), AT_ONCE):
                await asyncio.gather(*(self._create(*one) for one in items[start:][:AT_ONCE]))
            return
        files = [(self._folder / key, data) for key, data in items]
        try:
            await asyncio.gather(
                *(asyncio.to_thread(durable.create, files[n::AT_ONCE]) for n in range(AT_ONCE))
            )
        except Differs as differs:
            raise Differs(str(Path(str(differs)).relative_to(self._folder))) from None
        await asyncio.to_thread(durable.flush, {path.parent for path, _ in files})

    async def put_durably(self, key: str, data: bytes) -> None:
        """As `put`, and the object is there for good when this returns."""
        if self._folder is None:
            await self.put(key, data)
        else:
            await asyncio.to_thread(durable.replace, self._folder / key, data)

    async def _create(self, key: str, data: bytes) -> None:
        try:
            await obstore.put_async(self._store, key, data, mode="create")
        except AlreadyExistsError:
            if await self.get(key) != data:
                raise Differs(key) from None

    async def exchange(self, key: str, data: bytes, expected: bytes | None) -> None:
        """Stores the bytes, durably, if the object still holds `expected` (None: there is none);
        one step among all who do the same. Raises Moved."""
        if self._folder is not None:
            await asyncio.to_thread(durable.exchange, self._folder / key, data, expected)
            return
        mode: Any = "create"
        try:
            if expected is not None:
                found = await obstore.get_async(self._store, key)
                if bytes(await found.bytes_async()) != expected:
                    raise Moved(key)
                mode = {name: found.meta[name] for name in ("e_tag", "version") if found.meta[name]}
            await obstore.put_async(self._store, key, data, mode=mode)
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            raise Moved(key) from None

    async def get(self, key: str) -> bytes:
        """The whole object. Raises Missing."""
        if self._folder is not None:
            # As a value: where an exception comes out of a thread, Python 3.11 tells no debugger
            # and no measure of coverage about what follows.
            found = await asyncio.to_thread(_read, self._folder / key)
            if found is None:
                raise Missing(key)
            return found
        try:
            return bytes(await (await obstore.get_async(self._store, key)).bytes_async())
        except FileNotFoundError as error:
            raise Missing(key) from error

    async def stat(self, key: str) -> Stat:
        """Raises Missing."""
        try:
            head = await obstore.head_async(self._store, key)
        except FileNotFoundError as error:
            raise Missing(key) from error
        return Stat(head["size"], head.get("e_tag"))

    async def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes [start, end) in chunks of at most READ_CHUNK_BYTES. Raises Missing."""
        place = start
        while place < end:
            upto = min(place + READ_CHUNK_BYTES, end)
            try:
                chunk = await obstore.get_range_async(self._store, key, start=place, end=upto)
            except FileNotFoundError as error:
                raise Missing(key) from error
            yield bytes(chunk)
            place = upto

    async def copy(self, source: str, target: str) -> None:
        """Raises Missing."""
        try:
            await obstore.copy_async(self._store, source, target)
        except FileNotFoundError as error:
            raise Missing(source) from error

    async def delete(self, *keys: str) -> None:
        """Deletes what is there; a key without an object is no error."""
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                continue

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """All keys below a prefix that ends in `/`."""
        async for batch in obstore.list(self._store, prefix.rstrip("/")):
            for meta in batch:
                yield meta["path"]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
