"""Objects by key: a local folder by default, S3, GCS or Azure by URL, through obstore.

Keys are `/`-separated plain names. A put is all or nothing: the local store writes a temporary
file and renames it, so that a killed process leaves no half object.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import obstore
from obstore.store import LocalStore, ObjectStore, from_url

READ_CHUNK_BYTES = 256 * 1024


class Stat(msgspec.Struct, frozen=True):
    """An object's size in bytes and its entity tag."""

    size_bytes: int
    etag: str | None


class Missing(Exception):
    """No object has this key."""


class Blobs:
    """The object store of the cell."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def open(cls, place: str) -> Blobs:
        """`place` is a folder (made when missing) or a URL such as `s3://bucket/prefix`."""
        if "://" in place:
            return cls(from_url(place))
        Path(place).mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(LocalStore(place, mkdir=True))

    async def put(self, key: str, data: bytes | Path) -> None:
        """Stores the bytes, or the file at a path (streamed in parts), under `key`."""
        await obstore.put_async(self._store, key, data)

    async def get(self, key: str) -> bytes:
        """The whole object. Raises Missing."""
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
