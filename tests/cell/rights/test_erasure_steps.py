"""An erasure that is killed, done twice, or meets what is under way just then."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.cell.house import PIECE, TUS, Browser, House
from tests.cell.rights.log import Log
from tests.cell.rights.support import (
    Cut,
    Killed,
    erasing_of,
    forget,
    leave,
    report,
    workshop_of,
)

from luciole.cell.clips import privacy as clips
from luciole.cell.clips import store as clips_store
from luciole.cell.graph import privacy as graph
from luciole.cell.media import encode
from luciole.cell.media import privacy as media
from luciole.cell.media.service import CLAIM_WITHIN
from luciole.cell.notify import privacy as notify
from luciole.cell.rights.export import journal_part
from luciole.custody.model import KeyGone, NoGrant
from luciole.keys import NoKey
from luciole.kit.db import Database
from luciole.ledger import entry
from luciole.ledger.merkle import leaf_hash
from luciole.ledger.proof import Proof

MOST_POINTS = 100


Pools = tuple[Database, Database]


async def owner_rows(pools: Pools, query: str, *args: Any) -> list[Any]:
    """What the owner of the database finds: other roles may not look everywhere."""
    async with pools[0].read() as tx:
        return list(await tx.fetch(query, *args))


async def erasure_id(house: House) -> UUID:
    (row,) = await house.rows("SELECT id FROM rights.erasure WHERE state <> 'erased'")
    return UUID(str(row["id"]))


async def objects(house: House) -> list[str]:
    return [
        key for prefix in ("p/", "r/", "uploads/") async for key in house.parts.blobs.keys(prefix)
    ]


async def nothing_is_left(house: House, pools: Pools, person_id: UUID) -> None:
    """No row, no object, no key and no job of theirs."""
    assert await objects(house) == []
    for table, column in (
        ("people.person", "id"),
        ("clips.clip", "author_id"),
        ("media.asset", "owner_id"),
        ("media.upload", "owner_id"),
        ("custody.journal", "person_id"),
        ("custody.permit", "person_id"),
        ("custody.subject", "person_id"),
    ):
        query = f"SELECT FROM {table} WHERE {column} = $1"
        assert await owner_rows(pools, query, person_id) == [], table
    for table in ("queue.pgqueuer", "media.unclaimed", "rights.emptied_place"):
        assert await owner_rows(pools, f"SELECT FROM {table}") == [], table
    with pytest.raises(NoKey):
        house.vault.store.data_key(person_id)


# Killed


@pytest.mark.long
async def test_erasure_that_is_killed_anywhere_ends_the_same(
    house: House, pools: Pools, ben: Browser, tiny_film: bytes
) -> None:
    liked = await ben.clip(house, tiny_film)
    await workshop_of(house).sweep_objects()
    kept = await objects(house)
    for point in range(1, MOST_POINTS):
        handle = f"ana{point}"
        ana = await house.person(handle)
        await ana.clip(house, tiny_film)
        await ana.put("/api/me/contacts/email", json={"value": "ana@example.org"})
        await ana.follow(ben)
        await ana.put(f"/api/clips/{liked['id']}/like")
        person_id = await house.person_id(handle)
        ticket = await leave(ana, now=True)
        one, cut = await erasure_id(house), Cut(point)
        try:
            await erasing_of(house, cut).run(one)
        except Killed:
            await house.work()
        told = await report(house, ticket)
        assert told["state"] == "erased", point
        assert told["removed"]["likes"] == told["removed"]["clips"] == 1, point
        assert told["removed"]["following"] == told["removed"]["addresses"] == 1, point
        assert sorted(await objects(house)) == sorted(kept), point
        journal = "SELECT FROM custody.journal WHERE person_id = $1"
        assert await owner_rows(pools, journal, person_id) == [], point
        with pytest.raises(NoKey):
            house.vault.store.data_key(person_id)
        if cut.is_over:
            break
    assert 15 < point < MOST_POINTS - 1, "the cuts above have gone blind"
    assert (await ben.get("/api/people/ben")).json()["followers"] == 0
    assert (await ben.get(f"/api/clips/{liked['id']}")).json()["likes"] == 0
    # One entry for each erasure, whatever happened on the way.
    rows = await owner_rows(pools, "SELECT entry FROM ledger.inbox WHERE log = 'access'")
    kinds = [row["entry"][1] for row in rows]
    assert kinds.count(entry.Kind.ERASE) == point


async def test_two_workers_at_the_same_erasure_take_turns(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    liked = await ben.clip(house, tiny_film)
    await ana.put(f"/api/clips/{liked['id']}/like")
    person_id = await house.person_id("ana")
    ticket = await leave(ana, now=True)
    one = await erasure_id(house)
    await asyncio.gather(*(erasing_of(house).run(one) for _ in range(3)))
    told = await report(house, ticket)
    assert (told["state"], told["removed"]["likes"]) == ("erased", 1)
    assert (await ben.get(f"/api/clips/{liked['id']}")).json()["likes"] == 0
    assert await house.rows("SELECT FROM people.person WHERE id = $1", person_id) == []


async def test_two_people_who_follow_each_other_leave_at_once(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    eve = await house.person("eve")
    for one in (ana, ben, eve):
        made = await one.clip(house, tiny_film)
        for other in (ana, ben, eve):
            await other.put(f"/api/clips/{made['id']}/like")
            if other is not one:
                await one.follow(other)
    tickets = [await leave(one, now=True) for one in (ana, ben)]
    rows = await house.rows("SELECT id FROM rights.erasure")
    await asyncio.gather(*(erasing_of(house).run(row["id"]) for row in rows))
    assert {(await report(house, ticket))["state"] for ticket in tickets} == {"erased"}
    seen = (await eve.get("/api/people/eve")).json()
    assert (seen["followers"], seen["following"]) == (0, 0)
    assert (await eve.get("/api/feeds/latest")).json()["items"][0]["likes"] == 1


async def test_many_rows_go_in_several_steps(
    house: House, ana: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch, tiny_film: bytes
) -> None:
    for module, name in (
        (clips, "LIKES_AT_ONCE"),
        (clips, "CLIPS_AT_ONCE"),
        (graph, "FOLLOWS_AT_ONCE"),
        (media, "FILMS_AT_ONCE"),
        (notify, "LINES_AT_ONCE"),
    ):
        monkeypatch.setattr(module, name, 1)
    for _ in range(2):
        liked = await ben.clip(house, tiny_film)
        await ana.put(f"/api/clips/{liked['id']}/like")
        own = await ana.clip(house, tiny_film)
        await ben.put(f"/api/clips/{own['id']}/like")
    for one in (await house.person("eve"), ben):
        await one.follow(ana)
        await ana.follow(one)
    removed = (await forget(house, ana))["removed"]
    names = ("likes", "clips", "films", "followers", "following")
    assert [removed[name] for name in names] == [2] * len(names)
    assert removed["notifications"] == 8


# Under way just then


async def test_film_that_is_being_encoded_does_not_come_back(
    house: House, pools: Pools, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    person_id = await house.person_id("ana")
    made = await ana.post("/api/clips", json=await ana.draft(tiny_film))
    assert made.status_code == 201
    first_playable = encode.first_playable
    tickets: list[str] = []

    async def meanwhile(*args: Any, **kwargs: Any) -> Any:
        found = await first_playable(*args, **kwargs)
        tickets.append(await leave(ana, now=True))
        await erasing_of(house).run(await erasure_id(house))
        return found

    monkeypatch.setattr(encode, "first_playable", meanwhile)
    await house.work()
    assert (await report(house, tickets[0]))["state"] == "erased"
    await workshop_of(house).sweep_objects()
    await nothing_is_left(house, pools, person_id)


async def test_film_that_is_being_stored_is_waited_for(
    house: House, pools: Pools, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment: announced, not yet written; then the worker that writes it dies."""
    person_id = await house.person_id("ana")
    await ana.post("/api/clips", json=await ana.draft(tiny_film))
    put = type(house.parts.blobs).put
    tickets: list[str] = []

    async def meanwhile(blobs: Any, key: str, data: Any) -> None:
        if key.endswith(".webp"):
            tickets.append(await leave(ana, now=True))
            one = await erasure_id(house)
            await erasing_of(house).run(one)
            assert (await report(house, tickets[0]))["state"] == "emptying"
        await put(blobs, key, data)
        if key.endswith(".webp"):
            raise Killed

    monkeypatch.setattr(type(house.parts.blobs), "put", meanwhile)
    with pytest.raises(Killed):
        await house.work()
    monkeypatch.undo()
    await erasing_of(house).run(await erasure_id(house))
    assert (await report(house, tickets[0]))["state"] == "emptying"
    assert [key for key in await objects(house) if key.endswith(".webp")] == []
    house.clock.advance(CLAIM_WITHIN + timedelta(minutes=1))
    await house.work()
    assert (await report(house, tickets[0]))["state"] == "erased"
    await nothing_is_left(house, pools, person_id)


async def test_upload_that_is_under_way_ends_and_leaves_nothing(
    house: House, pools: Pools, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    person_id = await house.person_id("ana")
    answer = await ana.post("/api/uploads", headers={**TUS, "upload-length": str(len(tiny_film))})
    place = answer.headers["location"]
    accept = house.parts.media.accept
    tickets: list[str] = []

    async def meanwhile(*args: Any, **kwargs: Any) -> int:
        tickets.append(await leave(ana, now=True))
        await erasing_of(house).run(await erasure_id(house))
        return await accept(*args, **kwargs)

    monkeypatch.setattr(house.parts.media, "accept", meanwhile)
    await ana.patch(place, content=tiny_film, headers={**PIECE, "upload-offset": "0"})
    # The piece was announced when the erasure looked, so the erasure came back for it.
    assert (await report(house, tickets[0]))["state"] == "emptying"
    await house.work()
    assert (await report(house, tickets[0]))["state"] == "erased"
    await nothing_is_left(house, pools, person_id)


async def test_export_that_is_being_made_does_not_come_back(
    house: House,
    log: Log,
    pools: Pools,
    ana: Browser,
    tiny_film: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await ana.clip(house, tiny_film)
    await log.take()
    person_id = await house.person_id("ana")
    assert (await ana.post("/api/me/exports", json={})).status_code == 201
    write, tickets = journal_part.write, []

    async def meanwhile(*args: Any, **kwargs: Any) -> Any:
        written = await write(*args, **kwargs)
        tickets.append(await leave(ana, now=True))
        await erasing_of(house).run(await erasure_id(house))
        return written

    monkeypatch.setattr(journal_part, "write", meanwhile)
    with pytest.raises((KeyGone, NoGrant)):
        await house.work()
    assert (await report(house, tickets[0]))["state"] == "erased"
    assert [key async for key in house.parts.blobs.keys("exports/")] == []
    # The queue tries it again, and there is nothing to make any more.
    await house.work()
    await nothing_is_left(house, pools, person_id)


async def test_like_that_is_under_way_is_taken_back(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    liked = await ben.clip(house, tiny_film)
    add_likes, begun = clips_store.add_likes, asyncio.Event()

    async def slowly(*args: Any, **kwargs: Any) -> int:
        begun.set()
        await asyncio.sleep(0.3)
        return await add_likes(*args, **kwargs)

    ticket = await leave(ana, now=True)
    one = await erasure_id(house)
    monkeypatch.setattr(clips_store, "add_likes", slowly)
    liking = asyncio.create_task(ana.put(f"/api/clips/{liked['id']}/like"))
    await begun.wait()
    await erasing_of(house).run(one)
    assert (await liking).status_code == 200
    told = await report(house, ticket)
    assert (told["state"], told["removed"]["likes"]) == ("erased", 1)
    assert (await ben.get(f"/api/clips/{liked['id']}")).json()["likes"] == 0


# The log


async def test_ticket_holder_can_check_the_entry_in_the_log(
    house: House, pools: Pools, ana: Browser
) -> None:
    label_key = house.vault.store.label_key(await house.person_id("ana"))
    told = await forget(house, ana)
    leaf = base64.b64decode(told["entry"]["leaf"])
    nonce = base64.b64decode(told["entry"]["nonce"])
    opening = told["entry"]["opening"]
    said = json.loads(opening)
    assert (said["kind"], said["class"], said["actor"]) == ("erase", "self", "you")
    # kind, class, then minute, label and commitment: what the log publishes.
    assert leaf[:3] == bytes([1, entry.Kind.ERASE, entry.Class.SELF])
    assert leaf[7:39] == entry.label_of(label_key, said["n"])
    committed = hashlib.sha256(b"luciole/open/v1" + nonce + opening.encode()).digest()
    assert leaf[39:] == committed
    (row,) = await house.rows("SELECT ref FROM rights.erasure")
    assert await owner_rows(
        pools,
        "SELECT FROM ledger.inbox WHERE log = 'access' AND entry = $1 AND ref = $2",
        leaf,
        row["ref"],
    )


async def test_person_whose_key_is_lost_is_erased_without_an_entry(
    house: House, pools: Pools, ana: Browser
) -> None:
    person_id = await house.person_id("ana")
    ticket = await leave(ana, now=True)
    await house.parts.custody.shred(person_id)
    await house.work()
    told = await report(house, ticket)
    assert (told["state"], told["entry"]) == ("erased", None)
    await nothing_is_left(house, pools, person_id)


async def test_ticket_gives_the_proof_that_the_entry_is_in_the_log(
    house: House, log: Log, ana: Browser, ben: Browser
) -> None:
    await log.take()
    person_id = await house.person_id("ana")
    refs = {
        row["ref"]
        for row in await house.rows("SELECT ref FROM custody.entry WHERE person_id = $1", person_id)
    }
    ticket = await leave(ana, now=True)
    await house.work()
    assert (await report(house, ticket))["entry"]["proof"] is None
    await log.take()
    told = (await report(house, ticket))["entry"]
    leaf = base64.b64decode(told["leaf"])
    Proof.parse(told["proof"]).verify(leaf_hash(leaf), log.policy)
    # Which of the earlier entries were about the person is known no more; those of others are.
    placed = {row["ref"] for row in await house.rows("SELECT ref FROM ledger.placed")}
    kept = {row["ref"] for row in await house.rows("SELECT ref FROM custody.entry")}
    assert refs
    assert not refs & placed
    assert kept <= placed
