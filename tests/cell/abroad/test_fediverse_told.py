"""Read-out to the Fediverse: what followers elsewhere are told, and how it gets there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.cell.abroad.read_out import BOB, OUR_RSA, Author, Read, share, webfinger
from tests.cell.house import House

from luciole.border import proofs
from luciole.border.fediverse.hearing import public
from luciole.border.fediverse.service import Fediverse
from luciole.border.store.fediverse import Terms
from luciole.cell.abroad.store.crossings import export_fediverse

# --- what changes ---------------------------------------------------------------------------------


async def test_change_of_a_clip_is_told_and_so_is_its_end(read: Read, followed: Author) -> None:
    answer = await followed.browser.patch(
        f"/api/clips/{followed.clip['id']}", json={"caption": "High tide"}
    )
    assert answer.is_success, answer.text
    (updated,) = await read.told()
    assert (updated["type"], updated["object"]["content"]) == ("Update", "<p>High tide</p>")
    assert updated["object"]["updated"] == updated["published"]
    assert (await followed.browser.delete(f"/api/clips/{followed.clip['id']}")).is_success
    (deleted,) = await read.told()
    assert deleted["type"] == "Delete"
    assert deleted["object"] == {"id": followed.clip_uri, "type": "Tombstone"}
    assert (await read.get(followed.clip_uri)).status == 404


@pytest.mark.parametrize("reach", ["region", "cells"])
async def test_clip_that_is_called_back_is_taken_back(
    read: Read, followed: Author, reach: str
) -> None:
    if reach == "region":
        path = f"/api/clips/{followed.clip['id']}/reach"
        answer = await followed.browser.put(path, json={"reach": reach})
    else:
        path = f"/api/clips/{followed.clip['id']}"
        answer = await followed.browser.patch(path, json={"audience": "friends"})
    assert answer.is_success, answer.text
    assert [one["type"] for one in await read.told()] == ["Delete"]
    assert (await read.get(followed.clip_uri)).status == 404


async def test_consent_that_ends_takes_everything_back(read: Read, followed: Author) -> None:
    answer = await followed.browser.delete("/api/me/abroad/consents/fediverse")
    assert answer.is_success, answer.text
    told = await read.told()
    assert [one["type"] for one in told] == ["Delete", "Delete"]
    assert [one["object"] for one in told] == [
        {"id": followed.clip_uri, "type": "Tombstone"},
        followed.uri,
    ]
    assert (await read.get(followed.uri)).status == 404
    assert (await read.get(webfinger("acct:ana@border.example"))).status == 404
    assert await read.rows("SELECT * FROM border.fedi_follower") == []
    assert await read.rows("SELECT * FROM border.fedi_shown") == []


async def test_new_operator_shows_nobody_until_they_are_asked_again(
    read: Read, followed: Author
) -> None:
    sold = Fediverse(
        read.made._speaking, read.made._db, Terms("Somebody Else Ltd.", "SG"), read.clock
    )
    read.made = sold
    assert (await read.get(followed.uri)).status == 404
    assert (await read.get(followed.clip_uri)).status == 404
    await sold.telling.begin()
    assert [one["type"] for one in await read.told()] == ["Delete", "Delete"]


async def test_account_that_goes_is_gone_there_too(read: Read, followed: Author) -> None:
    answer = await followed.browser.post("/api/me/erasure", json={"now": True})
    assert answer.is_success, answer.text
    await read.house.work()
    assert [one["type"] for one in await read.told()] == ["Delete", "Delete"]
    for table in ("fedi_follower", "fedi_shown", "fedi_delivery", "fedi_stale", "fedi_told"):
        assert await read.rows(f"SELECT * FROM border.{table}") == [], table


async def test_change_of_the_page_is_told(read: Read, followed: Author) -> None:
    assert (await followed.browser.patch("/api/me", json={"bio": "Egrets now."})).is_success
    (updated,) = await read.told()
    assert (updated["type"], updated["object"]["id"]) == ("Update", followed.uri)
    assert updated["object"]["summary"] == "<p>Egrets now.</p>"
    assert updated["object"]["publicKey"]["publicKeyPem"] == OUR_RSA.public.decode()
    proofs.verify(updated, public(read.servers.keys[proofs.method_of(updated)]).verifies)


async def test_what_changed_while_nobody_looked_is_found_at_the_start(
    read: Read, followed: Author, house: House, tiny_film: bytes
) -> None:
    await share(followed.browser, house, tiny_film)
    async with read.owner.tx() as tx:
        await tx.execute("DELETE FROM border.fedi_stale")
    assert await read.told() == []
    await read.made.telling.begin()
    assert [one["type"] for one in await read.told()] == ["Create"]


# --- how it gets there ----------------------------------------------------------------------------


async def test_server_that_knows_the_older_signatures_only_is_told_all_the_same(
    read: Read, author: Author, house: House, tiny_film: bytes
) -> None:
    read.servers.add(BOB)
    read.servers.old.add("far.example")
    assert await read.tell(BOB, BOB.act("Follow", author.uri)) == 202
    await read.round()
    assert [one.is_new for one in read.servers.refused] == [True]
    assert [one.is_new for one in read.servers.posts] == [False]
    # Found out once.
    await share(author.browser, house, tiny_film)
    await read.round()
    assert len(read.servers.refused) == 1
    assert [one.is_new for one in read.servers.posts] == [False, False]
    # And tried anew after a month.
    read.clock.advance(timedelta(days=31))
    read.servers.old.clear()
    await read.made.telling.upkeep()
    await share(author.browser, house, tiny_film)
    await read.round()
    assert read.servers.posts[-1].is_new


@pytest.mark.parametrize(
    ("status", "left"), [(0, 1), (503, 1), (429, 1), (500, 1), (403, 0), (404, 0), (410, 0)]
)
async def test_delivery_that_fails_is_tried_again_or_given_up(
    read: Read, followed: Author, house: House, tiny_film: bytes, status: int, left: int
) -> None:
    read.servers.answers["https://far.example/inbox"] = status
    await share(followed.browser, house, tiny_film)
    await read.round()
    waiting = await read.rows("SELECT attempts, due_at > now() FROM border.fedi_delivery")
    assert waiting == [(1, True)] * left
    followers = await read.rows("SELECT * FROM border.fedi_follower")
    assert len(followers) == (0 if status in (404, 410) else 1)
    read.servers.answers.clear()
    async with read.owner.tx() as tx:
        await tx.execute("UPDATE border.fedi_delivery SET due_at = now()")
    assert len(await read.told()) == left


async def test_delivery_that_is_too_old_is_dropped(
    read: Read, followed: Author, house: House, tiny_film: bytes
) -> None:
    await share(followed.browser, house, tiny_film)
    await read.made.telling.look()
    async with read.owner.tx() as tx:
        await tx.execute("UPDATE border.fedi_delivery SET made_at = now() - interval '8 days'")
    assert await read.told() == []
    assert await read.rows("SELECT * FROM border.fedi_delivery") == []


async def test_each_delivery_is_noted_for_the_log_of_crossings(
    read: Read, followed: Author
) -> None:
    crossed = await read.rows("SELECT kind, service FROM border.crossing")
    assert crossed == [("fediverse", "https://far.example:443")]


async def test_addresses_of_followers_are_looked_up_after_a_month(
    read: Read, followed: Author, house: House, tiny_film: bytes
) -> None:
    moved = {**BOB.document, "endpoints": {}, "inbox": f"{BOB.uri}/new-inbox"}
    read.servers.documents[BOB.uri] = moved
    await read.made.telling.upkeep()
    inboxes = "SELECT inbox FROM border.fedi_follower"
    assert await read.rows(inboxes) == [("https://far.example/inbox",)]
    read.clock.advance(timedelta(days=31))
    await read.made.telling.upkeep()
    assert await read.rows(inboxes) == [(f"{BOB.uri}/new-inbox",)]


async def crossings(author: Author) -> list[dict[str, Any]]:
    answer = await author.browser.get("/api/me/crossings")
    assert answer.is_success, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_what_servers_were_brought_is_among_ones_crossings_and_can_be_called_back(
    read: Read, followed: Author, house: House, tiny_film: bytes
) -> None:
    assert await crossings(followed) == []  # Bob came later than the clip.
    clip = await share(followed.browser, house, tiny_film)
    assert await crossings(followed) == []
    await read.round()
    (one,) = await crossings(followed)
    assert (one["kind"], one["subject_id"], one["state"]) == ("clip", clip["id"], "crossed")
    assert (one["peer"], one["operator"], one["jurisdiction"]) == (
        "https://far.example:443",
        "",
        "",
    )
    assert (one["reason"], one["ground"], one["has_receipt"]) == ("published", "consent", False)
    assert one["can_revoke"]
    # Told again, it is one thing at one server still.
    await followed.browser.patch(f"/api/clips/{clip['id']}", json={"caption": "Later"})
    await followed.browser.patch("/api/me", json={"bio": "Egrets."})
    await read.round()
    kinds = [(each["kind"], each["subject_kind"]) for each in await crossings(followed)]
    assert sorted(kinds) == [("clip", "clip"), ("person", "person")]
    (one,) = [each for each in await crossings(followed) if each["kind"] == "clip"]
    assert (await followed.browser.get(f"/api/me/crossings/{one['id']}/receipt")).is_error
    exported = [row async for row in _exported(read, one["id"])]
    assert exported == [("clip", "https://far.example:443", False)]
    read.servers.posts.clear()
    assert (await followed.browser.delete(f"/api/me/crossings/{one['id']}")).is_success
    assert [each["type"] for each in await read.told()] == ["Delete"]
    gone = [each for each in await crossings(followed) if each["subject_id"] == clip["id"]]
    assert [(each["kind"], each["can_revoke"]) for each in gone] == [("gone", False)]


async def _exported(read: Read, crossing: str) -> AsyncIterator[tuple[str, str, bool]]:
    async with read.owner.tx() as tx:
        (person_id,) = (await tx.fetch("SELECT person_id FROM abroad.persona"))[0]
        async for row in export_fediverse(tx, person_id):
            if str(row["id"]) == crossing:
                yield row["kind"], row["server"], row["is_gone"]


async def test_crossings_of_both_kinds_come_page_by_page(
    read: Read, followed: Author, house: House, tiny_film: bytes
) -> None:
    for _ in range(2):
        await share(followed.browser, house, tiny_film)
    await read.round()
    first = (await followed.browser.get("/api/me/crossings?limit=1")).json()
    assert len(first["items"]) == 1
    path = f"/api/me/crossings?limit=1&cursor={first['next']}"
    second = (await followed.browser.get(path)).json()
    both = [first["items"][0]["subject_id"], second["items"][0]["subject_id"]]
    assert len(set(both)) == 2
    assert second["next"] is None


async def test_delivery_that_was_refused_is_no_crossing(
    read: Read, followed: Author, house: House, tiny_film: bytes
) -> None:
    read.servers.answers["https://far.example/inbox"] = 403
    await share(followed.browser, house, tiny_film)
    await read.round()
    assert await crossings(followed) == []
