"""Many crossings in one request: each is decided for itself, and a peer that takes one at a time
gets one at a time."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.border.conftest import Cell, until
from tests.border.former_peer import FormerPeer
from tests.border.test_two_cells import Sender, Two, entry, news

from luciole.ask.client import Custody
from luciole.border import batch, crossing, passport, speech
from luciole.border.batch import Load
from luciole.border.crossing import BadCrossing
from luciole.border.own_log import OwnLog
from luciole.border.peers import Peer
from luciole.border.store import peers
from luciole.border.wire import Gone, encode
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.ids import new_id

pytestmark = [pytest.mark.xdist_group("cells")]
PUT_ALL = """
SELECT border.put('gone', ref, id, $4, body)
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS o (ref, id, body)
"""
OTHER_BODY = "UPDATE border.received SET sha256 = $2 WHERE crossing = $1"
SENT = "SELECT count(*) FROM border.news WHERE crossing = ANY ($1) AND state = 'sent'"


async def put_all(cell: Cell, peer: str, refs: Sequence[UUID]) -> list[UUID]:
    numbers = [new_id() for _ in refs]
    bodies = [encode(Gone(f"{cell.origin}/c/{uuid4()}")) for _ in refs]
    await (await cell.owner()).execute(PUT_ALL, list(refs), numbers, bodies, peer)
    return numbers


async def test_more_than_one_request_holds_all_cross_and_both_logs_tell_of_each(
    two_cells: Two,
) -> None:
    us, sg = two_cells
    numbers = await put_all(us, "sg", [uuid4() for _ in range(batch.MOST + 40)])

    async def all_sent() -> bool:
        return await us.rows(SENT, numbers) == [(len(numbers),)]

    await until(all_sent)
    for cell, kind in ((us, "out"), (sg, "in")):

        async def all_told(cell: Cell = cell, kind: str = kind) -> bool:
            told = {one["id"] for one in await cell.entries() if one["kind"] == kind}
            return set(map(str, numbers)) <= told

        # Two requests: the log may have the entries of one before those of the other.
        await until(all_told)


# --- a request that `us` makes by hand ------------------------------------------------------------


class Hand:
    """Makes crossings of `us` to `sg` whose entries are in the log of `us`."""

    def __init__(self, us: Cell, sg: Cell, own_log: OwnLog, witness: Any) -> None:
        self.us, self.sg, self._own_log, self._witness = us, sg, own_log, witness
        self._custody = Custody.at(us.settings.custody_dir / "gateway.sock")

    async def close(self) -> None:
        await self._custody.close()

    async def made(self, number: UUID, *, by: str = "border") -> tuple[bytes, bytes]:
        """Body and entry of something that is taken back; the entry is in the log."""
        now = speech.moment(Clock().now())
        offered = encode(Gone(f"{self.us.origin}/c/{uuid4()}"))
        unsealed = speech.said("gone", offered, number, now, self.us.origin)
        (signature,) = await self._custody.sign_all(by, [unsealed.message])
        body = unsealed.sealed(signature)
        digest = crossing.sha256(body).hexdigest()
        at = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        noted = crossing.out_entry(number, at, "sg", "gone", len(body), digest)
        await (await self.us.owner()).execute("SELECT border.note($1)", noted)
        return body, noted

    async def load(self, made: Sequence[tuple[bytes, bytes]]) -> Load:
        """These in one request, under one head."""
        for _, noted in made:
            self._own_log.want(noted, 0)

        async def placed() -> Load | None:
            await self._own_log.look()
            head = self._own_log.cosigned(self._witness)
            places = [head and self._own_log.place(noted, head) for _, noted in made]
            if head is None or None in places:
                return None
            carried = [
                batch.carried(body, noted, place, await self._own_log.path(place, head))
                for (body, noted), place in zip(made, places, strict=True)
                if place is not None
            ]
            return Load(head.checkpoint, carried)

        found: Load = await until(placed)
        return found


@pytest.fixture
async def hand(two_cells: Two) -> AsyncIterator[Hand]:
    us, sg = two_cells
    passports = [passport.read(await Peer(cell.origin).get(passport.PATH)) for cell in (us, sg)]
    pages = Peer(us.settings.pages_here)
    own_log = OwnLog(
        lambda path: pages.get(f"ledger/border/{path}"), passports[0].log_key("border")
    )
    made = Hand(us, sg, own_log, passport.VerifierKey.parse(passports[1].witness_keys[0]))
    yield made
    await made.close()
    pages.close()


class WholeAnswers(Sender):
    """Gives the body of an answer in the place of its code."""

    async def plain(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        answer = await Peer(self.sg.origin).ask("POST", path, body, headers)
        return answer.status, answer.body.decode()


async def answers(two_cells: Two, load: Load) -> list[tuple[int, str]]:
    """Of each crossing: 200 and the receipt's verdict, or status and code."""
    status, said = await WholeAnswers(*two_cells).send(batch.PATH, batch.encode(load))
    assert status == 200, said
    found = batch.answers_in(said.encode(), len(load.crossings))
    return [
        (200, json.loads(one.receipt.split("\n")[0])["verdict"])
        if one.receipt
        else (one.status, one.code)
        for one in found
    ]


async def test_each_crossing_of_a_request_is_decided_for_itself(two_cells: Two, hand: Hand) -> None:
    _, sg = two_cells
    good, wrong = new_id(), new_id()
    first = await hand.made(good)
    forged = await hand.made(wrong, by=f"actor/{uuid4()}")
    load = await hand.load([first, forged])
    one, other = load.crossings
    elsewhere = crossing.out_entry(new_id(), "2026-11-26T12:00:00Z", "eu", "gone", 1, "0" * 64)
    unknown = crossing.out_entry(new_id(), "2026-11-26T12:00:00Z", "sg", "gone", 1, "0" * 64)
    mixed = [
        one,
        batch.carried(b'{"another":"body"}', bytes(other.entry), other.index, other.hashes),
        other,
        one,
        batch.carried(b"1", elsewhere, 0, ()),
        batch.carried(b"1", unknown, one.index, one.hashes),
    ]
    assert await answers(two_cells, Load(load.checkpoint, mixed)) == [
        (200, "accepted"),
        (400, "body-of-another"),
        (200, "wrong-proof"),
        (400, "twice"),
        (400, "entry-not-ours"),
        (503, "not-proven"),
    ]
    arrived = await sg.rows("SELECT crossing FROM border.arrival WHERE crossing = $1", good)
    assert arrived == [(good,)]
    assert not await sg.rows("SELECT 1 FROM border.arrival WHERE crossing = $1", wrong)
    into = await entry(sg, id=str(wrong), kind="in")
    assert into["verdict"] == "wrong-proof"
    # Once more; and as if another body had come before under the same number. Nothing is made that
    # stands twice in a log: the verifier reads these logs in other tests, and says so.
    assert await answers(two_cells, Load(load.checkpoint, [one])) == [(200, "accepted")]
    await (await sg.owner()).execute(OTHER_BODY, good, os.urandom(32))
    assert await answers(two_cells, Load(load.checkpoint, [one, mixed[-1]])) == [
        (409, "replayed"),
        (503, "not-proven"),
    ]


async def test_request_that_is_none_is_refused_as_a_whole(two_cells: Two, hand: Hand) -> None:
    sender = Sender(*two_cells)
    assert await sender.send(batch.PATH, b"x") == (400, "not-understood")
    load = await hand.load([await hand.made(new_id())])
    forged = Load(load.checkpoint.replace("luciole", "Luciole", 1), load.crossings)
    assert await sender.send(batch.PATH, batch.encode(forged)) == (503, "not-proven")
    many = Load(load.checkpoint, load.crossings * (batch.MOST + 1))
    assert await sender.send(batch.PATH, batch.encode(many)) == (400, "not-understood")
    assert await sender.plain(batch.PATH, batch.encode(load), {}) == (401, "not-signed")
    large = b"x" * (batch.MAX_BYTES + 1)
    assert await sender.plain(batch.PATH, large, {}) == (413, "too-large")
    # What they were made of is taken as it is.
    assert await answers(two_cells, load) == [(200, "accepted")]


def test_answer_that_does_not_fit_is_none() -> None:
    for body in (b"", b"[]", b'{"answers":[]}', b'{"answers":[{"status":"x"}]}'):
        with pytest.raises(BadCrossing):
            batch.answers_in(body, 1)
    hashes = batch.carried(b"{}", b"{}", 0, [os.urandom(32)])
    assert len(hashes.hashes) == 1
    broken = batch.Carried(hashes.body, hashes.entry, 0, ["?"])
    with pytest.raises(BadCrossing):
        assert broken.hashes


# --- a peer of a former version -------------------------------------------------------------------


async def test_peer_of_a_former_version_gets_one_at_a_time(two_cells: Two) -> None:
    us, _ = two_cells
    async with FormerPeer("eu").open() as eu:
        gateway = await Database.open(await us.url(), size=2)
        async with gateway.tx() as tx:
            assert await peers.add(tx, eu.passport, "note")
        await gateway.close()
        try:
            ref = uuid4()
            first = await put_all(us, "eu", [ref, uuid4(), uuid4()])
            assert [(await news(us, one))[:2] for one in first] == [("sent", "")] * 3
            assert eu.asked[batch.PATH] == 1
            # What the cell had for every peer comes to a new one, too.
            mine = [one for one in eu.taken if one in map(str, first)]
            assert sorted(mine) == sorted(map(str, first))
            (last,) = await put_all(us, "eu", [ref])
            assert (await news(us, last))[0] == "sent"
            assert eu.asked[batch.PATH] == 1
        finally:
            await (await us.owner()).execute("DELETE FROM border.peer WHERE name = 'eu'")
