"""What other cells hold of a cell that is sold: halves of its keys, its sealed backup.

Before the logs are handed over, each holder is asked to destroy it, and what it answers stands in
both cells' logs. Who is away then is asked by the next operator, through its gateway, as soon as
it has taken the new key at the border: what is left to be told goes along in the bundle's manifest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec

from luciole.ask.alone import Alone
from luciole.ask.gateway import Outward, PeerRefused, PeerUnreachable
from luciole.border import kept
from luciole.border.exchanging import told_of
from luciole.border.store import crossings
from luciole.config import Settings
from luciole.custody.broker import said
from luciole.finding import Finding
from luciole.keys import CellSecret
from luciole.kit import durable
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database, Tx
from luciole.kit.errors import Problem
from luciole.kit.logs import log
from luciole.ledger.entry import canonical
from luciole.reach import Reached
from luciole.sale import store
from luciole.trustee import shares

FILE = "elsewhere.json"
ASKS_EVERY_S = 60.0
TRIES = 2
WORDS = {"share": "halves of keys", "backup": "the sealed backup"}

Ask = Callable[[bytes], Awaitable[bytes]]


class Holding(msgspec.Struct, frozen=True):
    """Something that another cell holds. `destroyed` counts halves or pieces, and is None as long
    as that cell has not said so; `code` says why it has not."""

    kind: Literal["share", "backup"]
    peer: str
    cell_id: UUID
    origin: str
    destroyed: int | None = None
    code: str = ""

    @property
    def is_told(self) -> bool:
        return self.destroyed is not None

    @property
    def words(self) -> str:
        """For people."""
        what = f"{self.peer} held {WORDS[self.kind]} of this cell"
        if self.is_told:
            return f"{what} and has destroyed what was left of it ({self.destroyed})"
        return f"{what} and has not said to have destroyed it ({self.code})"


async def holders(tx: Tx, settings: Settings) -> list[Holding]:
    """Who holds something of this cell, as the owner of its database."""
    rows = await tx.fetch(store.HOLDERS, settings.abroad.peer)
    return [Holding(**dict(row)) for row in rows]


async def destroy(holding: Holding, ask: Ask) -> Holding:
    """Asks a holder to destroy all of it; what came of that."""
    try:
        if holding.kind == "share":
            counted = msgspec.msgpack.decode(
                await ask(shares.encode(shares.Destroy())), type=shares.Counted
            )
            left, count = counted.held, counted.destroyed
        else:
            held = msgspec.msgpack.decode(
                await ask(msgspec.msgpack.encode(kept.DropAll())), type=kept.Kept
            )
            left, count = held.pieces, held.destroyed
    except PeerUnreachable:
        return msgspec.structs.replace(holding, code=PeerUnreachable.code)
    except PeerRefused as refused:
        return msgspec.structs.replace(holding, code=refused.said)
    except msgspec.MsgspecError:
        return msgspec.structs.replace(holding, code="not-understood")
    if left:
        return msgspec.structs.replace(holding, code="some-left")
    return msgspec.structs.replace(holding, destroyed=count, code="")


async def tell(
    database: Database, settings: Settings, secret: CellSecret, clock: Clock
) -> list[Holding]:
    """Has everybody destroy what they hold of a cell that does not run, and puts into its logs what
    they answered and all that was exchanged at once; none of that may wait for its hour. May be
    done again."""
    async with database.read() as tx:
        found = await holders(tx, settings)
    done = []
    for one in found:
        answer = msgspec.structs.replace(one, code="no-peer")
        if one.origin:
            answer = await _tell_one(database, one, secret, clock)
        done.append(answer)
    async with database.tx() as tx:
        for one in done:
            await tx.execute(store.PUT, canonical(entry_of(one, clock.now())))
    await told_of(database, clock, are_over=False)
    write(settings.data, done)
    return done


async def _tell_one(database: Database, one: Holding, secret: CellSecret, clock: Clock) -> Holding:
    try:
        alone = Alone(one.origin, secret, clock, one.kind, tries=TRIES)
    except ValueError:
        return msgspec.structs.replace(one, code="no-peer")
    try:
        return await destroy(one, alone.ask)
    finally:
        alone.close()
        async with database.tx() as tx:
            for each in alone.exchanged:
                await crossings.exchanged(tx, one.peer, one.kind, *each, is_ours=True)


def entry_of(one: Holding, now: datetime) -> dict[str, Any]:
    """What the log `decisions` says of one holder."""
    answer = {"destroyed": one.destroyed} if one.is_told else {"code": one.code}
    return {
        "v": 1,
        "kind": "held-elsewhere",
        "at": said(now),
        "peer": one.peer,
        "cell": str(one.cell_id),
        "of": one.kind,
        **answer,
    }


# What is known of it, in a file beside the statements of the sale


def write(data: Path, holdings: Sequence[Holding]) -> None:
    """Puts down who holds what, and what they said."""
    raw = msgspec.json.format(msgspec.json.encode(list(holdings)))
    durable.replace(data / "sale" / FILE, raw)


def read(data: Path) -> list[Holding]:
    """What was put down; nothing where no cell was sold or bought here."""
    try:
        return msgspec.json.decode((data / "sale" / FILE).read_bytes(), type=list[Holding])
    except FileNotFoundError:
        return []


# At the buyer, in the cell that runs


async def watch(place: Reached, settings: Settings, clock: Clock) -> None:
    """Asks who was away at the sale, each minute until they have destroyed what they hold."""
    while not all(one.is_told for one in read(settings.data)):
        try:
            await ask_again(place.owner_url, settings, clock)
        except (*LOST, TimeoutError, Problem) as error:
            log.error("what others hold was not asked about", error=type(error).__name__)
        await asyncio.sleep(ASKS_EVERY_S)


async def ask_again(url: str, settings: Settings, clock: Clock) -> None:
    """One try, through the gateway. Halves are left where the holder guards the keys of this cell
    again: it cannot tell them from the new ones."""
    outward = Outward.at(settings.gateway_dir / "operator.sock")
    database = await Database.open(url, size=1)
    try:
        names = {one.cell_id: one.name for one in await outward.peers()}
        async with database.read() as tx:
            guards = {row["cell_id"] for row in await tx.fetch(store.GUARDS)}
        known = read(settings.data)
        for at, one in enumerate(known):
            if one.is_told or one.cell_id not in names:
                continue
            if one.kind == "share" and one.cell_id in guards:
                known[at] = msgspec.structs.replace(one, code="guards-again")
            else:
                known[at] = await destroy(one, _way(outward, names[one.cell_id], one.kind))
            if known[at].is_told:
                async with database.tx() as tx:
                    await tx.execute(store.PUT, canonical(entry_of(known[at], clock.now())))
            write(settings.data, known)
    finally:
        await database.close()
        await outward.close()


def _way(outward: Outward, name: str, kind: str) -> Ask:
    async def ask(body: bytes) -> bytes:
        return await outward.ask(name, kind, body)

    return ask


def findings(settings: Settings) -> Iterator[Finding]:
    """What the doctor says of it; nothing where nothing is left to be told."""
    for one in read(settings.data):
        if not one.is_told:
            step = "Be peers with it (./luciole peer add): it is asked each minute then."
            if one.code == "guards-again":
                step = "Turn the guardian off, wait for this line to go, turn it on again."
            yield Finding("WARN", "sale", f"{one.words}.", step)
