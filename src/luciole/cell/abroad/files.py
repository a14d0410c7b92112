"""Files of ours as other cells are told of them: where they are, how large, and their digests."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from hashlib import sha256

from luciole.border import wire
from luciole.kit.blobs import Blobs, Missing

DIGESTS_KEPT = 2_000


class NotYet(Exception):
    """It is to cross, and cannot yet."""


class Files:
    """Digests of objects, each computed once: an object never changes."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._known: OrderedDict[str, tuple[str, int]] = OrderedDict()

    async def of(self, key: str, object_key: str) -> wire.File:
        """The file at a public address. Raises NotYet where it has just moved."""
        if object_key not in self._known:
            self._known[object_key] = await self._digest(object_key)
            while len(self._known) > DIGESTS_KEPT:
                self._known.popitem(last=False)
        digest, size = self._known[object_key]
        return wire.File(f"/media/{key}", digest, size)

    async def _digest(self, object_key: str) -> tuple[str, int]:
        hashed, size = sha256(), 0
        try:
            stat = await self._blobs.stat(object_key)
            async for chunk in self._blobs.stream(object_key, 0, stat.size_bytes):
                await asyncio.to_thread(hashed.update, chunk)
                size += len(chunk)
        except Missing as error:
            raise NotYet from error
        return hashed.hexdigest(), size
