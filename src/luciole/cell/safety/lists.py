"""Block lists of hashes of pictures (PDQ): loaded and removed in the open, compared with stills.

A list points at a clip and decides nothing (ADR 0041).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from luciole.cell.safety import list_refusals as refusals
from luciole.cell.safety import model, statement, suggesting
from luciole.cell.safety.likeness import HASH_BYTES, MAX_NEAR_BITS, Likeness
from luciole.cell.safety.model import BlockList, Category
from luciole.cell.safety.reporting import MATCH_JOB
from luciole.cell.safety.store import lists
from luciole.cell.safety.store.lists import Still
from luciole.cell.safety.suggesting import LOG
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue
from luciole.ledger import store as ledger

LIST_JOB = "safety.list"
# What media puts when it has looked at a film, and clips when its maker first shows it to others.
LOOKED_JOB, SHOWN_JOB = "media.looked", "clips.shown"
STILLS_AT_ONCE = 5000
MAX_LINE = 200
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
HASH = re.compile(r"[0-9a-fA-F]{64}")
MAX_SOURCE = 200
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def parsed(lines: Iterable[bytes]) -> bytes:
    """The hashes of a file: one in a line, 64 hex digits; empty lines and those that begin with #
    are left out, and what is there twice. In their order as numbers, so that the same hashes give
    the same digest. Raises BadList, which names the line."""
    found: set[bytes] = set()
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode("ascii").strip()
        except UnicodeDecodeError:
            text = "?"
        if not text or text.startswith("#"):
            continue
        if len(line) > MAX_LINE or not HASH.fullmatch(text):
            raise refusals.BadList(f"Line {number} is no PDQ hash of 64 hex digits.")
        found.add(bytes.fromhex(text))
        if len(found) > model.MAX_HASHES:
            raise refusals.ListTooLong
    if not found:
        raise refusals.BadList("There is no hash in this file.")
    return b"".join(sorted(found))


class Lists:
    """Loads, removes and compares block lists."""

    def __init__(self, clock: Clock, queue: Queue) -> None:
        self._clock = clock
        self._queue = queue
        self._known: dict[UUID, Likeness] = {}
        self._knowing = asyncio.Lock()

    async def load(
        self,
        tx: Tx,
        hashes: bytes,
        *,
        name: str,
        version: str,
        source: str = "",
        category: Category = "other-violation-tc",
        near_bits: int = MAX_NEAR_BITS,
    ) -> BlockList:
        """Loads a list in the place of the version that was there, and has old clips compared in
        the background. Raises BadListName, ListLoaded, ListTooLong."""
        if (
            not NAME.fullmatch(name)
            or not VERSION.fullmatch(version)
            or len(source) > MAX_SOURCE
            or not source.isprintable()
            or not 0 <= near_bits <= MAX_NEAR_BITS
        ):
            raise refusals.BadListName
        await lists.hold(tx)
        size = len(hashes) // HASH_BYTES
        others = [one for one in await lists.loaded(tx) if one.name != name]
        if size + sum(one.size for one in others) > model.MAX_HASHES_TOGETHER:
            raise refusals.ListTooLong
        for one in await lists.loaded(tx):
            if one.name == name and one.version == version:
                raise refusals.ListLoaded
            if one.name == name:
                await self._remove(tx, one)
        made = BlockList(
            new_id(),
            name,
            version,
            source,
            category,
            near_bits,
            size,
            sha256(hashes).digest(),
            self._clock.now(),
            None,
        )
        await lists.add(tx, made, hashes)
        await ledger.put(tx, LOG, statement.list_loaded_entry(made))
        return made

    async def remove(self, tx: Tx, name: str) -> BlockList:
        """From now on it points at nothing; its hashes are forgotten. Raises NoSuchList."""
        await lists.hold(tx)
        for one in await lists.loaded(tx):
            if one.name == name:
                await self._remove(tx, one)
                return one
        raise refusals.NoSuchList

    async def _remove(self, tx: Tx, one: BlockList) -> None:
        now = self._clock.now()
        await lists.remove(tx, one.id, now)
        await ledger.put(tx, LOG, statement.list_removed_entry(one, now))

    async def loaded(self, tx: Tx) -> list[BlockList]:
        return await lists.loaded(tx)

    # --- comparing ------------------------------------------------------------------------------

    async def compare_film(self, db: Database, asset_id: UUID) -> None:
        """Compares one film with all lists."""
        async with db.read() as tx:
            loaded = await lists.loaded(tx)
            stills = await lists.stills_of(tx, asset_id, model.LEAST_QUALITY) if loaded else []
        for one in loaded:
            await self._compare(db, one, stills)

    async def go_on(self, tx: Tx) -> None:
        """Has old clips compared with lists that are new: whoever loads one may put no jobs."""
        for list_id, checked_to in await lists.unchecked(tx):
            body = {"list_id": str(list_id), "after": str(checked_to)}
            await self._queue.put(tx, LIST_JOB, body, once=f"{LIST_JOB}/{list_id}")

    async def compare_old(self, db: Database, list_id: UUID, after: UUID) -> None:
        """Compares one batch of films with a list that is new, and puts the job for the next."""
        async with db.read() as tx:
            loaded = {one.id: one for one in await lists.loaded(tx)}
            if (list_id, after) not in await lists.unchecked(tx):
                return
            stills = await lists.stills_after(tx, after, model.LEAST_QUALITY, STILLS_AT_ONCE)
        one = loaded[list_id]
        is_more = len(stills) == STILLS_AT_ONCE
        if is_more:
            # The last film may be cut off here: it is the first of the next batch.
            cut = stills[-1].asset_id
            stills = [still for still in stills if still.asset_id != cut]
        await self._compare(db, one, stills)
        async with db.tx() as tx:
            # If we stop before this, the batch is done again, and points at nothing twice.
            if await lists.checked_to(tx, list_id) != after:
                return  # somebody else has done it, and goes on
            last = stills[-1].asset_id if stills else after
            await lists.set_checked(tx, list_id, last, None if is_more else self._clock.now())
            if is_more:
                await self._queue.put(tx, LIST_JOB, {"list_id": str(list_id), "after": str(last)})

    async def _compare(self, db: Database, one: BlockList, stills: Sequence[Still]) -> None:
        likeness = await self._likeness(db, one.id)
        if likeness is None:
            return
        films: dict[UUID, list[Still]] = {}
        for still in stills:
            films.setdefault(still.asset_id, []).append(still)
        for asset_id, of_film in films.items():
            joined = b"".join(still.pdq for still in of_film)
            close = await asyncio.to_thread(likeness.close, joined, one.near_bits)
            if close is None:
                continue
            facts = {
                "bits": close.bits,
                "near_bits": one.near_bits,
                "stills": close.stills,
                "at_ms": of_film[close.still].at_ms,
            }
            async with db.tx() as tx:
                for found in await lists.clips(tx, [asset_id]):
                    await self._suggest(tx, one, found, facts)

    async def _suggest(
        self, tx: Tx, one: BlockList, found: model.Found, facts: dict[str, int]
    ) -> None:
        made = await suggesting.suggest(
            tx,
            found,
            method="list",
            name=one.name,
            version=one.version,
            facts=facts,
            category=one.category,
            since=_BEGINNING,
            now=self._clock.now(),
        )
        if made is not None and made[1]:
            await self._queue.put(tx, MATCH_JOB, {"review_id": str(made[0])})

    async def _likeness(self, db: Database, list_id: UUID) -> Likeness | None:
        """What finds what is close to entries of a list; None where it is removed by now."""
        async with self._knowing:
            async with db.read() as tx:
                loaded = {one.id for one in await lists.loaded(tx)}
                wanted = list_id in loaded and list_id not in self._known
                hashes = await lists.hashes(tx, list_id) if wanted else None
            self._known = {key: one for key, one in self._known.items() if key in loaded}
            if hashes:
                self._known[list_id] = await asyncio.to_thread(Likeness, hashes)
            return self._known.get(list_id)
