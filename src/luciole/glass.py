"""What everybody may see of a cell at a glance: who it exchanges with, what crosses, how its logs
are watched, what it withholds. Of the published logs and public tables only: nothing here is about
a person, and nothing needs to be believed, since all of it can be checked with the verifier.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Router, get
from litestar.params import QueryParameter

from luciole import __version__
from luciole.cell.console.logs import heads
from luciole.kit.blobs import Blobs, Missing
from luciole.ledger.archive import Archive
from luciole.ledger.entry import parse_canonical
from luciole.ledger.merkle import Refused
from luciole.mirrors import MirroredLog, Mirrors, State
from luciole.parts import Parts

# So far back is looked for the newest statement and the newest counts of guards.
MOST_BACK = 2_000
MOST_CROSSINGS = 60
KEPT_S = 1.0
PEERS = """
SELECT name, cell_id, origin, display_name, operator, jurisdiction, verdict, verdict_code,
       verdict_at
FROM border.peers ORDER BY name
"""
# Facts of a crossing that the page shows; a log may have more, and older ones less.
SHOWN = ("kind", "at", "to", "from", "wire", "reason", "law", "verdict", "of", "id", "sha256")


class GlassCell(msgspec.Struct):
    name: str
    short_name: str
    operator: str
    jurisdiction: str
    origin: str
    cell_id: str
    version: str


class GlassMirror(msgspec.Struct):
    """What this cell keeps of the logs of another, and serves below `/mirror/`: each log up to a
    size. `state`: `kept`; `limit` or `disk` where entries are no longer kept for want of room."""

    state: State
    bytes: int
    logs: list[MirroredLog]


class GlassPeer(msgspec.Struct):
    """Another cell. RED: its logs contradict what they were, and nothing crosses."""

    name: str
    cell_id: UUID
    origin: str
    display_name: str
    operator: str
    jurisdiction: str
    verdict: str
    verdict_code: str
    verdict_at: datetime
    mirror: GlassMirror | None = None


class GlassWitness(msgspec.Struct):
    name: str
    is_own: bool
    seen_at: datetime


class GlassLog(msgspec.Struct):
    """The published head of a log, and who has seen it when."""

    log: str
    size: int
    root: str
    witnesses: list[GlassWitness]


class GlassCrossing(msgspec.Struct, omit_defaults=True):
    """An entry of the log of crossings, as it is there."""

    index: int
    kind: str
    at: str
    peer: str = ""
    wire: str = ""
    reason: str = ""
    law: str = ""
    size_bytes: int = 0
    verdict: str = ""
    id: str = ""
    """By which both logs name it."""
    sha256: str = ""
    """Of what crossed, in hex."""
    exchanges: int = 0
    """How many immediate exchanges it tells of."""


class GlassGuard(msgspec.Struct):
    """What this cell says that it guards for another."""

    cell: str
    at: str
    held: int
    given: int
    refused: int


class GlassNotices(msgspec.Struct):
    in_force: int
    ended: int
    orders: int
    gagged: int


class Glass(msgspec.Struct):
    cell: GlassCell
    peers: list[GlassPeer]
    logs: list[GlassLog]
    crossings: list[GlassCrossing]
    notices: GlassNotices
    statement: dict[str, Any] | None
    """The newest daily statement, as the log has it."""
    guards: list[GlassGuard]
    commands: list[str]
    """What anybody may run to check this."""


class Crossings(msgspec.Struct):
    items: list[GlassCrossing]


class Looking:
    """Reads the published logs. What was just read serves all who ask in the same second."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = asyncio.Lock()
        self._kept: tuple[float, Glass] | None = None

    async def whole(self) -> Glass:
        """All of it."""
        async with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > KEPT_S:
                self._kept = (time.monotonic(), await self._read())
            return self._kept[1]

    async def crossings(self, after: int) -> list[GlassCrossing]:
        """The newest entries of the log of crossings behind an index, the oldest first."""
        return [one for one in (await self.whole()).crossings if one.index > after]

    async def _read(self) -> Glass:
        parts = self._parts
        cell, origin = parts.settings.cell, parts.settings.origin
        found, cell_id = await heads(parts.blobs)
        logs = msgspec.convert(found, list[GlassLog], from_attributes=True)
        sizes = {log.log: log.size for log in logs}
        statement, guards = await _decisions(parts.blobs, sizes.get("decisions", 0))
        async with parts.db.read() as tx:
            peers = [GlassPeer(*row) for row in await tx.fetch(PEERS)]
            report = await parts.notices.report(tx)
        for one in await Mirrors(parts.settings.mirrors_dir).told():
            for peer in peers:
                if str(peer.cell_id) == one.cell_id:
                    peer.mirror = GlassMirror(one.state, one.bytes, one.logs)
        states = [one["state"] for one in report["notices"]]
        return Glass(
            GlassCell(
                cell.name,
                cell.short_name,
                cell.operator,
                cell.jurisdiction,
                origin,
                cell_id,
                __version__,
            ),
            peers,
            logs,
            await _crossings(parts.blobs, sizes.get("border", 0)),
            GlassNotices(
                states.count("in-force"),
                states.count("ended"),
                report["counts"]["orders"],
                report["counts"]["gagged"],
            ),
            statement,
            guards,
            _commands(cell.short_name, origin, peers),
        )


async def _entries(
    blobs: Blobs, log: str, start: int, end: int
) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """Entries that are of our form. Whether a log is in order, the verifier says; here the rest of
    it is shown."""
    index = start
    with contextlib.suppress(Missing, Refused):
        async for some in Archive(blobs, log).entries(start, end):
            for raw in some:
                with contextlib.suppress(Refused):
                    said = parse_canonical(raw)
                    if isinstance(said.get("kind"), str):
                        yield index, said
                index += 1


async def _decisions(blobs: Blobs, size: int) -> tuple[dict[str, Any] | None, list[GlassGuard]]:
    """The newest statement, and the newest word on each cell that this one guards keys for."""
    statement: dict[str, Any] | None = None
    guards: dict[str, GlassGuard] = {}
    async for _, said in _entries(blobs, "decisions", max(0, size - MOST_BACK), size):
        if said["kind"] == "residency":
            statement = said
        elif said["kind"] == "guarding":
            with contextlib.suppress(msgspec.ValidationError):
                guard = msgspec.convert(said, GlassGuard)
                guards[guard.cell] = guard
    return statement, list(guards.values())


async def _crossings(blobs: Blobs, size: int) -> list[GlassCrossing]:
    start = max(0, size - MOST_CROSSINGS)
    return [_shown(index, said) async for index, said in _entries(blobs, "border", start, size)]


def _shown(index: int, said: dict[str, Any]) -> GlassCrossing:
    facts = {name: said.get(name, "") for name in SHOWN}
    bodies, size_bytes = said.get("bodies"), said.get("bytes")
    return GlassCrossing(
        index,
        str(facts["kind"]),
        str(facts["at"]),
        str(facts["to"] or facts["from"]),
        str(facts["wire"] or facts["of"]),
        str(facts["reason"] or ("workings" if bodies is not None else "")),
        str(facts["law"]),
        size_bytes if isinstance(size_bytes, int) else 0,
        str(facts["verdict"]),
        str(facts["id"]),
        str(facts["sha256"]),
        len(bodies) if isinstance(bodies, list) else 0,
    )


def _commands(name: str, origin: str, peers: list[GlassPeer]) -> list[str]:
    verifier = "python verifier/luciole_verify.py"
    checks = [
        f"curl -o report.json {origin}/api/notices/report",
        f"{verifier} {origin} --notices report.json",
    ]
    checks += [f"{verifier} crossings {name}={origin} {peer.name}={peer.origin}" for peer in peers]
    return checks + [
        f"python comparer/luciole_mirror.py {peer.origin} {origin}/mirror/{peer.name}"
        for peer in peers
        if peer.mirror
    ]


def routes(parts: Parts) -> Router:
    """The routes of the page Glass."""
    looking = Looking(parts)

    @get("/glass")
    async def glass() -> Glass:
        """What everybody may see of this cell at a glance; all of it is in its public logs."""
        return await looking.whole()

    @get("/glass/crossings")
    async def crossings(
        after: Annotated[int, QueryParameter(ge=-1)] = -1,
    ) -> Crossings:
        """What has crossed the border behind an entry of its log, the oldest first."""
        return Crossings(await looking.crossings(after))

    return Router("/api", route_handlers=[glass, crossings], tags=["glass"])
