"""With which cells this one exchanges: agreed by its operator, at the machine, one by one.

Both operators do it, each for the other, and compare fingerprints by a way that is not this one.
Every change is an entry of the log `decisions`.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from luciole import reach
from luciole.ask.gateway import Outward, PeerRefused, PeerUnreachable
from luciole.border import passport
from luciole.border.cells import is_fit
from luciole.border.passport import BadPassport, Passport
from luciole.border.sending import KEPT_S
from luciole.border.store import crossings
from luciole.border.store import peers as store
from luciole.border.store.peers import Known
from luciole.config import Settings
from luciole.finding import Finding
from luciole.kit.db import Database, Tx
from luciole.kit.errors import Conflict, NotFound, Unavailable
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical

# After so long a peer that takes nothing is worth a word.
LONG_S = 3600
SUBJECT = "border"
ASK_THEM = "Ask its operator; what waits is given up after 7 days, except recalls."


class NoPeering(Conflict):
    """This cell has no name for others, or no door."""

    code = "no-peering"
    sentence = "This cell has no name or no door for other cells."
    next_step = "Set LUCIOLE_CELL_SHORT_NAME and LUCIOLE_BORDER_PORT, then start it again."


class NoCellThere(Unavailable):
    """No passport that can be used comes from that address."""

    code = "no-cell-there"
    sentence = "No cell shows a passport at this address."
    next_step = "Ask its operator for the address that `luciole peer invite` prints there."


class AlreadyPeer(Conflict):
    """Its name, its id or its origin is a peer's already."""

    code = "already-peer"
    sentence = "This cell, or another of its name, is a peer already."
    next_step = "Look at `luciole peer list`; remove the former one first."


class NoSuchPeer(NotFound):
    """No peer has this name."""

    code = "no-such-peer"
    sentence = "There is no peer of this name."
    next_step = "`luciole peer list` shows which there are."


class NotAgreed(Conflict):
    """The operator did not confirm the fingerprint."""

    code = "not-agreed"
    sentence = "The fingerprint was not confirmed; nothing was changed."
    next_step = "Ask the other operator what `luciole peer invite` shows, and compare."


async def invite(settings: Settings) -> list[str]:
    """What the operator of another cell needs of this one. The cell runs. Raises NoPeering,
    NoCellThere."""
    found = await own(settings)
    return [
        f"{found.name} ({found.display_name}), run by {found.operator}, {found.jurisdiction}",
        f"address:      {found.origin}",
        f"fingerprint:  {found.fingerprint}",
        "",
        "Send the address to the other operator, and read the fingerprint to them by another way.",
        f"They run:     luciole peer add {found.origin}",
        "and you add theirs in the same way: a peering holds when both have done it.",
    ]


async def own(settings: Settings) -> Passport:
    """The passport that this cell shows. The cell runs. Raises NoPeering, NoCellThere."""
    if not settings.cell.short_name or not settings.border.port:
        raise NoPeering
    return _read(await _note(settings, settings.border_origin))


async def add(
    settings: Settings, origin: str, expected: str, agreed: Callable[[Passport], bool]
) -> list[str]:
    """Takes a cell in as a peer, once its fingerprint is as `expected`, or `agreed` says that it
    is. The cell runs. Raises NoPeering, NoCellThere, NotAgreed, AlreadyPeer."""
    if not settings.cell.short_name:
        raise NoPeering
    note = await _note(settings, origin.rstrip("/"))
    found = _read(note)
    if found.origin != origin.rstrip("/"):
        raise NoCellThere("The passport there names another address.")
    if found.name == settings.cell.short_name:
        raise AlreadyPeer("The other cell has the same short name as this one.")
    if _plain(expected) != _plain(found.fingerprint) if expected else not agreed(found):
        raise NotAgreed

    async def work(tx: Tx) -> None:
        if not await store.add(tx, found, note):
            raise AlreadyPeer
        await _noted(tx, "added", found.name, found.cell_id)

    await _in_database(settings, work)
    return [f"{found.name} is a peer now: {found.origin}"]


async def remove(settings: Settings, name: str) -> list[str]:
    """Ends a peering; what waits for the peer is not sent any more. Raises NoSuchPeer."""

    async def work(tx: Tx) -> None:
        cell_id = await store.remove(tx, name, _now())
        if cell_id is None:
            raise NoSuchPeer
        await _noted(tx, "removed", name, cell_id)

    await _in_database(settings, work)
    return [f"{name} is no peer any more. Nothing crosses to it or from it."]


async def listed(settings: Settings) -> list[str]:
    """All peers: who, where, what our witness says of their logs, and what waits for them."""
    found = list[str]()

    async def work(tx: Tx) -> None:
        waits, owed = await crossings.waits(tx), await crossings.owed(tx, KEPT_S)
        for one in await store.peers(tx):
            info = one.info
            waiting = f", oldest offer waits for {waits[one.name]} s" if one.name in waits else ""
            if one.name in owed:
                waiting += f", recalls owed for {owed[one.name] // 86400} days"
            found.append(
                f"{one.name}  {info.origin}  {info.operator}, {info.jurisdiction}  "
                f"logs: {info.verdict} ({info.verdict_code}){_doubt_of(one)}{waiting}  "
                f"key {passport.fingerprint(one.key.public)}"
            )

    await _in_database(settings, work)
    return found or ["No peers. `luciole peer invite` says what another operator needs."]


def asked_at_console(found: Passport) -> bool:
    """Shows a passport, and whether whoever sits here says that the fingerprint is right."""
    sys.stdout.write(
        f"{found.name} ({found.display_name}), run by {found.operator}, {found.jurisdiction}\n"
        f"fingerprint:  {found.fingerprint}\n"
        "Compare it with what the other operator reads to you from `luciole peer invite`.\n"
        "Type yes if they are equal: "
    )
    sys.stdout.flush()
    return sys.stdin.readline().strip() == "yes"


def _read(note: str) -> Passport:
    try:
        return passport.read(note.encode())
    except BadPassport as error:
        raise NoCellThere(str(error)) from error


async def _note(settings: Settings, origin: str) -> str:
    if not is_fit(origin):
        raise NoCellThere("Cells speak with TLS (https), except on a private network.")
    outward = Outward.at(settings.gateway_dir / "operator.sock")
    try:
        return (await outward.look(origin)).decode(errors="replace")
    except (PeerUnreachable, PeerRefused) as error:
        raise NoCellThere from error
    finally:
        await outward.close()


async def looked(settings: Settings, owner_url: str) -> list[Finding]:
    """How it stands with other cells. Raises one of `kit.db.LOST` where the database is away."""
    if not settings.cell.short_name:
        return [Finding("OK", SUBJECT, "exchanges with no other cell")]
    found = list[Finding]()
    if not settings.border.port:
        step = "Set LUCIOLE_BORDER_PORT."
        found.append(Finding("WARN", SUBJECT, "has a name for others and no door", step))
    if not is_fit(settings.border_origin):
        step = "Put a proxy with TLS before the gateway, and set LUCIOLE_BORDER_ORIGIN to https."
        found.append(Finding("FAIL", SUBJECT, "other cells may not come without TLS", step))
    database = await Database.open(owner_url, size=1)
    try:
        async with database.read() as tx:
            peers, waits = await store.peers(tx), await crossings.waits(tx)
            owed = await crossings.owed(tx, KEPT_S)
    finally:
        await database.close()
    found += [_of_peer(peer, waits.get(peer.name, 0)) for peer in peers]
    found += [_owed(name, waited_s) for name, waited_s in sorted(owed.items())]
    return found or [Finding("OK", SUBJECT, "no peers yet")]


def _doubt_of(peer: Known) -> str:
    return f", its passport is not taken ({peer.passport_code})" if peer.passport_code else ""


def _of_peer(peer: Known, waited_s: int) -> Finding:
    name, verdict, code = peer.name, peer.info.verdict, peer.info.verdict_code
    if peer.passport_code:
        return Finding(
            "FAIL",
            SUBJECT,
            f"the passport that {name} shows is not taken ({peer.passport_code})",
            "Ask its operator by another way; if it is theirs, remove the peer and add it again.",
        )
    if verdict == "RED":
        return Finding(
            "FAIL",
            SUBJECT,
            f"the logs of {name} are RED ({code}): nothing crosses",
            "Keep the folder witness, ask its operator in public what happened, and compare.",
        )
    if verdict != "GREEN":
        return Finding("WARN", SUBJECT, f"the logs of {name} cannot be read ({code})", ASK_THEM)
    if waited_s > LONG_S:
        said = f"offers to {name} have waited for {waited_s // 3600} h"
        return Finding("WARN", SUBJECT, said, ASK_THEM)
    return Finding("OK", SUBJECT, f"{name} is a peer, and its logs are GREEN")


def _owed(name: str, waited_s: int) -> Finding:
    return Finding(
        "WARN",
        SUBJECT,
        f"recalls of what people took back are owed to {name} for {waited_s // 86400} days",
        "Ask its operator to delete what they name, or to answer; they are sent until it does.",
    )


async def _in_database(settings: Settings, work: Callable[[Tx], Awaitable[None]]) -> None:
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, size=1)
        try:
            async with database.tx() as tx:
                await work(tx)
        finally:
            await database.close()


async def _noted(tx: Tx, change: str, name: str, cell_id: str) -> None:
    said = {"v": 1, "kind": "peer", "at": _now(), "peer": name, "cell": cell_id, "change": change}
    await ledger.put(tx, "decisions", canonical(said))


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _plain(text: str) -> str:
    return "".join(text.lower().split())
