"""Passports of peers, read again: now and then, and when one of us does not take the other's word.

What the agreed key has signed is taken: another address, another name of the operator, another
witness. Another key is taken only where the logs that were agreed upon say so: each was handed
over, by its last entry, to the key that the passport names now, and whoever holds the log of
decisions has written there which key speaks for the cell (the entry `adopted`). Everything else is
left as it is, and the operator is told, because it may be somebody else who answers there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from luciole.border import passport
from luciole.border.cells import Cell, is_fit
from luciole.border.passport import LOGS, BadPassport, Passport
from luciole.border.peers import PeerAway
from luciole.border.store import peers as store
from luciole.border.store.peers import Known
from luciole.kit.blobs import Missing
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.logs import log
from luciole.ledger.archive import CHECKPOINT, Tiles
from luciole.ledger.entry import canonical, parse_canonical
from luciole.ledger.handover import Handover, named_by
from luciole.ledger.merkle import Refused, leaf_hash, verify_inclusion
from luciole.ledger.note import Checkpoint, Note, VerifierKey

EVERY_S = 3600.0
# After a refusal: not more often than this.
DOUBTED_EVERY_S = 60.0
MAX_TILE_BYTES = 17 * 1024 * 1024
# The entry that names the border key comes soon after the handover.
LOOKED_THROUGH = 4096
_ADOPTED = b'"kind":"adopted"'

Get = Callable[[str], Awaitable[bytes]]


class NotProven(Exception):
    """The logs do not say that this key speaks for the cell. `code` says what is missing."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Renewing:
    """Reads passports of peers again."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._read_at: dict[str, float] = {}

    def is_due(self, cell: Cell) -> bool:
        """Whether a peer's passport is to be read."""
        waited_s = self._now() - self._read_at.get(cell.name, float("-inf"))
        return waited_s >= (DOUBTED_EVERY_S if cell.is_doubted else EVERY_S)

    async def look(self, cell: Cell) -> None:
        """Reads one, and takes what is proven. Raises PeerAway."""
        self._read_at[cell.name] = self._now()
        answer = await cell.get(passport.PATH, most=passport.MAX_BYTES + 1)
        if answer.status != 200:
            return
        cell.is_doubted = False
        known = cell.known
        try:
            found = passport.read(answer.body)
            change = await self._change(cell, known, found)
        except BadPassport:
            await self._doubt(known, "not-read")
        except NotProven as error:
            await self._doubt(known, error.code)
        else:
            await self._renew(known, found, answer.body.decode(), change)

    async def _change(
        self, cell: Cell, known: Known, found: Passport
    ) -> Literal["", "renewed", "handed-over"]:
        """What is new in a passport. Raises NotProven."""
        if found.cell_id != str(known.info.cell_id) or found.name != known.name:
            raise NotProven("another-cell")
        if not is_fit(found.origin):
            raise NotProven("origin-without-tls")
        has_logs = found.log_keys == known.held_log_keys
        if found.border_key == known.key and has_logs:
            return "" if said(found) == said_before(known) else "renewed"
        if known.info.verdict != "GREEN":
            # Our witness has to have followed the logs to their new holder first.
            raise NotProven("other-key")

        async def get(path: str) -> bytes:
            got = await cell.get(f"ledger/{path}", most=MAX_TILE_BYTES)
            if got.status == 404:
                raise Missing(path)
            if got.status != 200:
                raise PeerAway(f"{cell.name} answers {got.status}.")
            return got.body

        await proven(known.held_log_keys, found, get)
        return "handed-over"

    async def _renew(self, known: Known, found: Passport, note: str, change: str) -> None:
        if not change:
            if known.passport_code:
                async with self._db.tx() as tx:
                    await store.doubt(tx, known.name, "")
            return
        async with self._db.tx() as tx:
            if await store.renew(tx, found, note):
                await store.note_peer(tx, self._entry(known, change))
                return
        await self._doubt(known, "origin-of-another")

    async def _doubt(self, known: Known, code: str) -> None:
        """Tells the operator, and the log, once."""
        if known.passport_code == code:
            return
        log.error("the passport of a peer is not taken", code=code)
        async with self._db.tx() as tx:
            await store.doubt(tx, known.name, code)
            await store.note_peer(tx, self._entry(known, f"passport-refused-{code}"))

    def _entry(self, known: Known, change: str) -> bytes:
        return canonical(
            {
                "v": 1,
                "kind": "peer",
                "at": f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}",
                "peer": known.name,
                "cell": str(known.info.cell_id),
                "change": change,
            }
        )

    def _now(self) -> float:
        return self._clock.now().timestamp()


def said(found: Passport) -> Mapping[str, object]:
    """What a passport says beside names and keys that stay."""
    return {
        "origin": found.origin,
        "operator": found.operator,
        "jurisdiction": found.jurisdiction,
        "display_name": found.display_name,
        "witness_keys": found.witness_keys,
    }


def said_before(known: Known) -> Mapping[str, object]:
    """The same of what is known."""
    info = known.info
    return {
        "origin": info.origin,
        "operator": info.operator,
        "jurisdiction": info.jurisdiction,
        "display_name": info.display_name,
        "witness_keys": info.witness_keys,
    }


async def proven(held: tuple[str, ...], found: Passport, get: Get) -> None:
    """That logs were handed over from the keys `held` to those of a passport, and that its border
    key is the one which their new holder has named. `get` finds what the cell shows, by its path
    below `ledger/`. Raises NotProven, and what `get` raises but Missing."""
    try:
        ends = {
            name: await _handed_over(VerifierKey.parse(old), found.log_key(name), _tiles(get, name))
            for name, old in zip(LOGS, held, strict=True)
        }
        named = await _border_key(found.log_key("decisions"), ends["decisions"], get)
    except (Missing, Refused, ValueError) as error:
        raise NotProven("handover-not-proven") from error
    if named != found.key:
        raise NotProven("key-not-named")


def _tiles(get: Get, name: str) -> Tiles:
    return Tiles(lambda path: get(f"{name}/{path}"))


async def _handed_over(old: VerifierKey, new: VerifierKey, tiles: Tiles) -> int:
    """The size with which the last key before `new` ended. Raises NotProven."""
    key, size = old, 0
    for one in await tiles.handovers():
        if key != new and one.old == key:
            await _check_last(one, tiles)
            key, size = one.new, one.size
    if key != new or key == old:
        raise NotProven("other-key")
    return size


async def _check_last(one: Handover, tiles: Tiles) -> None:
    """That the last entry below the head of a handover, which the old key has signed, names the new
    key. Raises Refused."""
    head = Checkpoint.parse(Note.parse(one.head).text)
    at = head.size - 1
    async for entries in tiles.entries(at, head.size):
        entry = entries[0]
        path = await tiles.path(at, head.size)
        verify_inclusion(at, head.size, leaf_hash(entry), path, head.root)
        if named_by(one.old.name, entry) == one.new:
            return
    raise Refused("The last entry hands the log over to nobody, or to somebody else.")


async def _border_key(key: VerifierKey, start: int, get: Get) -> str:
    """The key (vkey) that the holder of the log of decisions says speaks for the cell; empty where
    it does not say. Raises Refused."""
    tiles = _tiles(get, "decisions")
    note = Note.parse(await get(f"decisions/{CHECKPOINT}"))
    note.verify([key])
    head, at = Checkpoint.parse(note.text), start
    async for entries in tiles.entries(start, min(head.size, start + LOOKED_THROUGH)):
        for entry in entries:
            if _ADOPTED in entry and (told := parse_canonical(entry)).get("kind") == "adopted":
                path = await tiles.path(at, head.size)
                verify_inclusion(at, head.size, leaf_hash(entry), path, head.root)
                return str(told.get("border", ""))
            at += 1
    return ""
