"""Passports of peers, read again: what the agreed key says and what a sale proves, no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from msgspec.structs import replace
from tests.border.conftest import Cell, until
from tests.border.test_two_cells import Two

from luciole import peering
from luciole.border import passport, signatures
from luciole.border.asked import Request
from luciole.border.cells import Cell as Known
from luciole.border.cells import Us
from luciole.border.passport import LOGS, Passport
from luciole.border.peers import Answer
from luciole.border.receiving import Receiving, Refused
from luciole.border.renewing import DOUBTED_EVERY_S, EVERY_S, Renewing
from luciole.border.store import peers as store
from luciole.keys.signing import Algorithm, SigningKey
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.ledger import handover
from luciole.ledger.entry import canonical
from luciole.ledger.handover import Handover
from luciole.ledger.merkle import leaf_hash, root_of
from luciole.ledger.note import Checkpoint, KeyKind, Signer
from luciole.ledger.tiles import bundle_of

pytestmark = [pytest.mark.xdist_group("cells")]
ROW = """
SELECT origin, operator, border_key, log_keys, held_log_keys, passport_code
FROM border.peer WHERE name = 'eu'
"""


@dataclass
class Owner:
    """Who runs a cell: its keys."""

    number: str
    seed: int
    key: SigningKey = field(init=False)
    logs: list[Signer] = field(init=False)

    def __post_init__(self) -> None:
        self.key = SigningKey(Algorithm.ED25519, bytes([self.seed] * 32))
        self.logs = [
            Signer(f"luciole/{self.number}/{log}", KeyKind.ED25519, bytes([self.seed + at] * 32))
            for at, log in enumerate(LOGS, 1)
        ]

    @property
    def border(self) -> str:
        return str(passport.key_of(self.number, self.key.public))

    def passport(self, origin: str = "http://127.0.0.1:9", operator: str = "First") -> Passport:
        kinds = (KeyKind.COSIGNATURE, KeyKind.SUBTREE)
        witness = [str(Signer("eu", kind, b"w" * 32).verifier) for kind in kinds]
        logs = tuple(str(log.verifier) for log in self.logs)
        words = ("eu", "Europe", self.number, origin, operator, "FR", self.border, logs)
        return Passport(1, *words, tuple(witness), passport.PROFILE, "2026-11-26T12:00:00Z")

    async def shown(self, said: Passport) -> bytes:
        async def sign(message: bytes) -> bytes:
            return self.key.sign(message)

        return (await passport.made(said, sign)).encode()


class Site:
    """What a cell shows: its passport and its logs, each of fewer than 256 entries."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put_log(self, log: str, entries: Sequence[bytes], signer: Signer) -> str:
        """The head."""
        hashes = [leaf_hash(one) for one in entries]
        for size in range(1, len(entries) + 1):
            self.files[f"ledger/{log}/tile/entries/000.p/{size}"] = bundle_of(entries[:size])
            self.files[f"ledger/{log}/tile/0/000.p/{size}"] = b"".join(hashes[:size])
        head = signer.sign(str(Checkpoint(signer.verifier.name, len(entries), root_of(hashes))))
        self.files[f"ledger/{log}/checkpoint"] = head.encode()
        return head

    def sell(self, old: Owner, new: Owner, border: str, *, last: Owner | None = None) -> None:
        """Hands all logs over; `last` is named by the last entries, if not `new`."""
        for log, before, after, named in zip(
            LOGS, old.logs, new.logs, (last or new).logs, strict=True
        ):
            entries = [handover.entry_of(named.verifier, Clock().now())]
            head = self.put_log(log, entries, before)
            told = handover.listed([Handover(before.verifier, after.verifier, head)])
            self.files[f"ledger/{log}/handover"] = told
            said = {"v": 1, "kind": "adopted", "at": "2026-11-27T00:00:00Z", "border": border}
            more = [b'{"kind":"other","v":1}', canonical(said)] if log == "decisions" else []
            self.put_log(log, [*entries, *more], after)


@dataclass
class House:
    """The gateway of `us` as far as passports go, and one peer that is not there."""

    us: Cell
    db: Database
    old: Owner
    site: Site
    verdict: str = "GREEN"
    clock: Any = field(default_factory=lambda: SimpleNamespace(now=Clock().now))

    async def look(self, note: bytes) -> tuple[Any, ...]:
        """The row of the peer once it has shown a passport."""
        self.site.files[passport.PATH] = note
        async with self.db.read() as tx:
            (known,) = [one for one in await store.peers(tx) if one.name == "eu"]
        known = known._replace(info=replace(known.info, verdict=cast(Any, self.verdict)))

        async def get(path: str, **_: Any) -> Answer:
            found = self.site.files.get(path)
            return Answer(404, b"") if found is None else Answer(200, found)

        cell = SimpleNamespace(name="eu", known=known, is_doubted=True, get=get)
        await Renewing(self.db, Clock()).look(cast(Known, cell))
        assert cell.is_doubted is (passport.PATH not in self.site.files)
        (row,) = await self.us.rows(ROW)
        return row


@pytest.fixture
async def house(two_cells: Two) -> AsyncIterator[House]:
    us, _ = two_cells
    old = Owner(str(uuid4()), 10)
    db = await Database.open(await us.url(), role="luciole_gateway_process", size=2)
    async with db.tx() as tx:
        assert await store.add(tx, old.passport(), "note")
    yield House(us, db, old, Site())
    await db.close()
    await (await us.owner()).execute("DELETE FROM border.peer WHERE name = 'eu'")


async def test_what_the_agreed_key_says_anew_is_taken_and_told(house: House) -> None:
    said = house.old.passport("http://127.0.0.1:10", "Renamed")
    row = await house.look(await house.old.shown(said))
    assert (row[0], row[1], row[5]) == ("http://127.0.0.1:10", "Renamed", "")
    number = house.old.number
    told = await until(lambda: _decided(house.us, number))
    assert [one["change"] for one in told] == ["renewed"]
    # What says nothing new changes nothing.
    await house.look(await house.old.shown(said))
    assert len(await _decided(house.us, number)) == 1


async def _decided(us: Cell, number: str) -> list[dict[str, Any]]:
    return [one for one in await us.entries("decisions") if one.get("cell") == number]


async def test_key_of_the_buyer_is_taken_where_all_logs_were_handed_over(house: House) -> None:
    new = Owner(house.old.number, 40)
    house.site.sell(house.old, new, new.border)
    row = await house.look(await new.shown(new.passport(operator="Second")))
    assert (row[1], row[2], row[5]) == ("Second", new.key.public, "")
    # Our witness goes on knowing the cell by the keys that people have compared.
    assert row[3] == [str(one.verifier) for one in house.old.logs]
    assert row[4] == [str(one.verifier) for one in new.logs]
    told = await until(lambda: _decided(house.us, house.old.number))
    assert [one["change"] for one in told] == ["handed-over"]
    # And of the one after.
    third = Owner(house.old.number, 70)
    house.site.sell(new, third, third.border)
    row = await house.look(await third.shown(third.passport()))
    assert (row[2], row[5]) == (third.key.public, "")


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("no-handover", "other-key"),
        ("not-seen-by-our-witness", "other-key"),
        ("another-border-key", "key-not-named"),
        ("border-key-not-named", "key-not-named"),
        ("last-entry-names-another", "handover-not-proven"),
        ("entries-of-another-log", "handover-not-proven"),
        ("a-log-left-out", "other-key"),
        ("another-cell", "another-cell"),
        ("no-passport", "not-read"),
        ("address-without-tls", "origin-without-tls"),
    ],
)
async def test_another_key_is_not_taken_without_proof(house: House, case: str, code: str) -> None:
    old, new = house.old, Owner(house.old.number, 40)
    thief = Owner(old.number, 90)
    said, signer = new.passport(), new
    house.site.sell(old, new, new.border)
    match case:
        case "no-handover":
            house.site.files = {}
        case "not-seen-by-our-witness":
            house.verdict = "CANNOT TELL"
        case "another-border-key":
            # Logs are public: somebody names their keys beside a border key of his own.
            said, signer = replace(said, key=thief.border), thief
        case "border-key-not-named":
            house.site.sell(old, new, "")
        case "last-entry-names-another":
            house.site.sell(old, new, new.border, last=thief)
        case "entries-of-another-log":
            house.site.files["ledger/border/tile/entries/000.p/1"] = bundle_of([b"{}"])
        case "a-log-left-out":
            del house.site.files["ledger/access/handover"]
        case "another-cell":
            other = Owner(str(uuid4()), 40)
            said, signer = other.passport(), other
        case "address-without-tls":
            said, signer = old.passport("http://eu.example"), old
    note = b"nothing" if case == "no-passport" else await signer.shown(said)
    row = await house.look(note)
    assert (row[2], row[5]) == (old.key.public, code)
    told = await until(lambda: _decided(house.us, old.number))
    assert [one["change"] for one in told] == [f"passport-refused-{code}"]
    await house.look(note)
    assert len(await _decided(house.us, old.number)) == 1
    findings = await peering.looked(house.us.settings, await house.us.url())
    assert any(code in one.sentence and one.verdict == "FAIL" for one in findings)
    assert any(f"is not taken ({code})" in line for line in await peering.listed(house.us.settings))
    # The agreed one again: all is well.
    row = await house.look(await old.shown(old.passport()))
    assert row[5] == ""


async def test_address_of_another_peer_is_not_taken(house: House, two_cells: Two) -> None:
    _, sg = two_cells
    row = await house.look(await house.old.shown(house.old.passport(sg.origin)))
    assert (row[0], row[5]) == ("http://127.0.0.1:9", "origin-of-another")


async def test_gateway_may_put_nothing_else_into_the_log_of_decisions(house: House) -> None:
    with pytest.raises(Exception, match="only entries about peers"):
        async with house.db.tx() as tx:
            await store.note_peer(tx, canonical({"v": 1, "kind": "adopted"}))


async def test_passport_is_due_now_and_then_and_sooner_after_a_refusal() -> None:
    now = 1_000_000.0
    clock = SimpleNamespace(now=lambda: SimpleNamespace(timestamp=lambda: now))
    cell = SimpleNamespace(name="eu", known=None, is_doubted=False)

    async def get(path: str, **_: Any) -> Answer:
        return Answer(404, b"")

    cell.get = get
    renewing = Renewing(cast(Database, None), cast(Clock, clock))
    assert renewing.is_due(cast(Known, cell))
    await renewing.look(cast(Known, cell))
    assert not renewing.is_due(cast(Known, cell))
    now += DOUBTED_EVERY_S
    assert not renewing.is_due(cast(Known, cell))
    cell.is_doubted = True
    assert renewing.is_due(cast(Known, cell))
    cell.is_doubted = False
    now += EVERY_S
    assert renewing.is_due(cast(Known, cell))


async def test_peer_in_whose_name_another_key_signs_is_looked_at(house: House) -> None:
    async with house.db.read() as tx:
        (known,) = [one for one in await store.peers(tx) if one.name == "eu"]
    receiving = Receiving(cast(Us, None), house.db, Clock())
    receiving.known = {"eu": known}
    now = int(Clock().now().timestamp())

    def asked(key: SigningKey, name: str) -> Request:
        url = "http://127.0.0.1:9/border/ask/cosign"
        headers = signatures.signed("POST", url, {}, b"x", name, key.sign, now)
        return Request("POST", "/border/ask/cosign", "", url, headers, b"x", "here")

    stranger = SigningKey(Algorithm.ED25519, b"s" * 32)
    assert receiving.sender(asked(house.old.key, known.key.name)) == known
    for request in (asked(stranger, "luciole/nobody/cell"), Request(*[""] * 4, {}, b"", "here")):
        with pytest.raises(Refused):
            receiving.sender(request)
    assert receiving.doubted == set()
    with pytest.raises(Refused):
        receiving.sender(asked(stranger, known.key.name))
    assert receiving.doubted == {"eu"}
