"""`luciole sale key`, `luciole divest` and `luciole adopt`."""

from __future__ import annotations

import contextlib
import hashlib
import urllib.parse
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from luciole import config, reach
from luciole.border.peers import Peer, PeerAway
from luciole.config import Settings
from luciole.copies.commands import lent, stopped
from luciole.custody.broker import said
from luciole.keys import KeyStore
from luciole.kit import durable, logs
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.console import say
from luciole.kit.db import Database
from luciole.kit.errors import Invalid
from luciole.kit.ids import new_id
from luciole.ledger.archive import Archive
from luciole.ledger.entry import canonical, parse_canonical
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Note, VerifierKey
from luciole.ledger.policy import Policy
from luciole.roots.choose import open_root
from luciole.sale import announcing, elsewhere, store
from luciole.sale.adopt import Adopt
from luciole.sale.buyer import Buyer, BuyerKey
from luciole.sale.divest import Divest
from luciole.sale.model import (
    LEAST_NOTICE_DAYS,
    MOST_NOTICE_DAYS,
    RECEIPT,
    NotAnnounced,
    NoticeTooShort,
)


class NoSuchCell(Invalid):
    code = "sale-no-cell"
    sentence = "This is neither the address of a cell nor its id."
    next_step = "Give the address of its page, such as https://cell.example, or its id from there."


class BadStatement(Invalid):
    code = "sale-statement"
    sentence = "This statement is not signed by who sold this cell."
    next_step = "Ask the seller for the file that ./luciole prove-removal has signed."


async def key(place: Path, cell: str, operator: str, jurisdiction: str) -> int:
    """Writes `place`.key and `place`.pub. Raises BuyerKeyExists, BadBuyer, NoSuchCell."""
    cell_id = await _cell_id(cell)
    secret, public = place.with_suffix(".key"), place.with_suffix(".pub")
    made = BuyerKey.make(secret, cell_id)
    buyer = made.public(operator, jurisdiction)
    durable.replace(public, buyer.text.encode())
    say(f"{secret}: opens the cell {cell_id} once it is sold to you. Keep it where nobody else is.")
    say(f"{public}: for the seller. Read its fingerprint to each other over another channel:")
    say(f"  {buyer.fingerprint}")
    return 0


async def _cell_id(cell: str) -> UUID:
    with contextlib.suppress(ValueError):
        return UUID(cell)
    if urllib.parse.urlsplit(cell).scheme not in ("http", "https"):
        raise NoSuchCell
    try:
        peer = Peer(cell)
        policy = Policy.parse(await peer.get("ledger/policy"))
        return UUID(policy.logs[0].key.name.split("/")[1])
    except (PeerAway, Missing, Refused, ValueError, IndexError) as error:
        raise NoSuchCell from error


def read_buyer(path: Path) -> Buyer:
    """Raises BadBuyer, OSError."""
    return Buyer.parse(path.read_text(encoding="utf-8"))


async def announce(environment: Mapping[str, str], days: int, to: Path) -> int:
    """Tells everybody that the cell goes to somebody else, and when. Raises NoticeTooShort,
    SaleUnderWay, BadBuyer."""
    settings, clock, buyer = _begin(environment), Clock(), read_buyer(to)
    least = 0 if settings.cell.demo else LEAST_NOTICE_DAYS
    if not least <= days <= MOST_NOTICE_DAYS:
        raise NoticeTooShort
    async with _owner(settings) as database:
        not_before = clock.now() + timedelta(days=days)
        count = await announcing.announce(database, buyer, new_id(), clock.now(), not_before)
    say(f"{count} people are told that the cell goes to {buyer.operator} ({buyer.jurisdiction}).")
    say(f"Not before {not_before:%Y-%m-%d %H:%M} UTC; the log says so. Until then they may leave.")
    say(f"Fingerprint of the buyer's file, to compare with the buyer: {buyer.fingerprint}")
    return 0


async def cancel(environment: Mapping[str, str]) -> int:
    """Takes an announced sale back. Raises NotAnnounced, PastReturn."""
    settings, clock = _begin(environment), Clock()
    async with _owner(settings) as database:
        sale = await announcing.cancel(database, clock.now())
    say(f"The cell does not go to {sale.operator}; the log says so.")
    return 0


async def show(environment: Mapping[str, str]) -> int:
    """Says how far a sale is. Raises NotAnnounced."""
    settings = _begin(environment)
    async with _owner(settings) as database, database.read() as tx:
        sale = await store.open_sale(tx)
    if sale is None:
        raise NotAnnounced
    say(f"{sale.state}: to {sale.operator} ({sale.jurisdiction}), announced on")
    say(f"{sale.announced_at:%Y-%m-%d}, not before {sale.not_before:%Y-%m-%d %H:%M} UTC.")
    for one in elsewhere.read(settings.data):
        say(f"{one.words}.")
    return 0


async def divest(
    environment: Mapping[str, str], folder: Path, to: Path, halves: Path | None = None
) -> int:
    """Hands the cell over into a bundle. `halves`: the file that the guardian of the keys has lent,
    where there is one. Raises what `Divest.run` does, HalfNeeded, CellRuns."""
    settings, buyer = _begin(environment), read_buyer(to)
    async with stopped(settings) as url:
        keys = KeyStore(settings.keys_dir, open_root(**settings.key_place))
        try:
            if halves is not None:
                keys.lend(lent(halves, keys))
            blobs = Blobs.open(settings.blobs_place)
            made = await Divest(folder, url, blobs, keys, settings, Clock(), say).run(buyer)
        finally:
            keys.close()
    say(f"The bundle in {folder} is whole: {made.persons.records} people, "
        f"{made.objects.records} objects, sealed to {buyer.operator}.")  # fmt: skip
    say("Bring it to the buyer. This cell does not start any more; when you have the buyer's")
    say("receipt, run ./luciole prove-removal.")
    return 0


async def adopt(
    environment: Mapping[str, str], folder: Path, key_file: Path, policy_file: Path | None
) -> int:
    """Goes on with a cell out of its bundle. Raises what `Adopt.run` does, CellRuns."""
    settings = _begin(environment)
    policy = _policy(policy_file) if policy_file else None
    buyer_key = BuyerKey.load(key_file)
    (settings.data / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
    async with stopped(settings) as url:
        done = await Adopt(folder, buyer_key, settings, url, Clock(), policy, say).run()
    counts = f"{done.persons} people, {done.rows} rows, {done.objects} objects"
    say(f"Adopted: {counts}. All of it opens.")
    if done.is_own_word:
        say("Who ran the cell before is known from the bundle alone: with --policy of one of its")
        say("witnesses it would be known from somebody else.")
    say(f"For the seller, who destroys nothing without it: {settings.data / 'sale' / RECEIPT}")
    say("Look through the file of witnesses, set LUCIOLE_CELL_OPERATOR and")
    say("LUCIOLE_CELL_JURISDICTION, then ./luciole serve. Everybody has to sign in again. Destroy")
    say("the buyer's key when the cell runs and its root key is in a safe.")
    return 0


async def removal(environment: Mapping[str, str], statement: Path) -> int:
    """Puts the hash of the seller's statement into the log. Raises BadStatement."""
    settings, clock = _begin(environment), Clock()
    raw = statement.read_bytes()  # noqa: ASYNC240 - nothing else runs here
    verdict = await _checked(settings, raw)
    entry = {
        "v": 1,
        "kind": "removal",
        "at": said(clock.now()),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "verdict": verdict,
    }
    async with _owner(settings) as database, database.tx() as tx:
        await tx.execute(store.PUT, canonical(entry))
    say(f"The log says that the seller has stated the removal: {verdict}.")
    return 0


async def _checked(settings: Settings, raw: bytes) -> str:
    """The verdict of a statement that was signed by the key that the log names. Raises
    BadStatement."""
    tiles = Archive(Blobs.open(settings.blobs_place), "decisions")
    try:
        (*_, last) = await tiles.handovers()
        keys = [
            VerifierKey.parse(said_there["statement_key"])
            async for entries in tiles.entries(0, last.size)
            for said_there in map(parse_canonical, entries)
            if said_there.get("kind") == "divest"
        ]
        note = Note.parse(raw)
        note.verify(keys[-1:])
        _, text, _ = note.text.split("\n")
        return str(msgspec.json.decode(text)["verdict"])
    except (Refused, Missing, ValueError, LookupError, TypeError, msgspec.MsgspecError) as error:
        raise BadStatement from error


def _policy(path: Path) -> Policy:
    return Policy.parse(path.read_bytes())


def _begin(environment: Mapping[str, str]) -> Settings:
    settings = config.load(environment)
    logs.setup("supervisor", level="warning")
    return settings


@contextlib.asynccontextmanager
async def _owner(settings: Settings) -> AsyncIterator[Database]:
    """The database as its owner, whether the cell runs or not."""
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, size=1)
        try:
            yield database
        finally:
            await database.close()
