"""Changing an account: profile, handle, age, password, avatar, addresses."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.cell.people.support import PASSWORD, Cell, new_person, refused

from luciole.cell.people.model import NoSuchPerson
from luciole.kit.blobs import Missing

NEW_PASSWORD = "eight vermilion otters"


async def test_profile_changes_only_what_is_given(cell: Cell) -> None:
    client = await cell.sign_up()
    before = client.signed_up["me"]
    changes: list[dict[str, Any]] = [
        {"display_name": " Ana   Luz Ré "},
        {"bio": "Two lines\r\nand 👩‍🚀"},
        {"locale": "fr"},
        {"is_private": True},
        {},
    ]
    for change in changes:
        assert (await client.patch("/api/me", json=change)).status_code == 200
    after = (await client.get("/api/me")).json()
    assert after == before | {
        "display_name": "Ana Luz Ré",
        "bio": "Two lines\nand 👩‍🚀",
        "locale": "fr",
        "is_private": True,
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"bio": "x" * 301}, "bad-bio"),
        ({"bio": "a\u202eb"}, "bad-bio"),
        ({"bio": "a\0"}, "bad-bio"),
        ({"display_name": "\u200d"}, "bad-display-name"),
        ({"locale": "de"}, "invalid"),
        ({"age_band": "18+"}, "invalid"),
        ({"is_private": "yes"}, "invalid"),
    ],
)
async def test_bad_profile_changes_are_refused(
    cell: Cell, change: dict[str, Any], code: str
) -> None:
    client = await cell.sign_up()
    refused(await client.patch("/api/me", json=change), 400, code)
    assert (await client.get("/api/me")).json() == client.signed_up["me"]
    refused(await cell.client().patch("/api/me", json={}), 401, "not-signed-in")


async def test_opening_a_private_account_queues_the_news_once(cell: Cell) -> None:
    client = await cell.sign_up(age_band="13-15")
    await client.patch("/api/me", json={"bio": "hello"})
    assert await cell.queued("people.opened") == []
    assert await cell.queued("people.privacy-changed") == []
    for _ in range(2):
        await client.patch("/api/me", json={"is_private": False})
    news = {"person_id": client.signed_up["me"]["id"]}
    assert await cell.queued("people.opened") == [news]
    assert await cell.queued("people.privacy-changed") == [news]
    for _ in range(2):
        await client.patch("/api/me", json={"is_private": True})
    assert await cell.queued("people.opened") == [news]
    assert await cell.queued("people.privacy-changed") == [news, news]


async def test_a_handle_changes_and_the_old_one_goes_to_nobody(cell: Cell) -> None:
    client = await cell.sign_up("ana")
    answer = await client.put("/api/me/handle", json={"handle": "Ana.B"})
    assert answer.json()["handle"] == "ana.b"
    async with cell.db.read() as tx:
        assert (await cell.people.by_handle(tx, "@ana.b")).display_name == "Ana Luz"
    eve = await cell.sign_up("eve")
    refused(await eve.put("/api/me/handle", json={"handle": "ana"}), 409, "handle-taken")
    refused(await eve.put("/api/me/handle", json={"handle": "ana.b"}), 409, "handle-taken")
    refused(await eve.put("/api/me/handle", json={"handle": "x"}), 400, "bad-handle")
    # Its owner may return to it.
    assert (await client.put("/api/me/handle", json={"handle": "ana"})).status_code == 200


async def test_a_handle_changes_twice_in_thirty_days(cell: Cell) -> None:
    client = await cell.sign_up("ana")
    for handle in ("ana.b", "ana.b", "ana.c"):  # the same again is no change
        assert (await client.put("/api/me/handle", json={"handle": handle})).status_code == 200
        cell.clock.advance(timedelta(days=1))
    answer = await client.put("/api/me/handle", json={"handle": "ana.d"})
    refused(answer, 429, "handle-changed-often")
    assert int(answer.headers["retry-after"]) == 27 * 86_400 + 1
    cell.clock.advance(timedelta(days=27, seconds=1))
    assert (await client.put("/api/me/handle", json={"handle": "ana.d"})).status_code == 200


async def test_a_handle_outlives_its_person(cell: Cell) -> None:
    await cell.sign_up("ana")
    async with cell.db.tx() as tx:
        await tx.execute("DELETE FROM people.person")
    answer = await cell.client().post("/api/sign-up", json=new_person("ana"))
    refused(answer, 409, "handle-taken")
    assert [r["person_id"] for r in await cell.rows("SELECT * FROM people.handle_taken")] == [None]


async def test_an_age_band_moves_up_only(cell: Cell) -> None:
    client = await cell.sign_up(age_band="13-15")
    for band in ("16-17", "16-17", "18+"):
        answer = await client.put("/api/me/age-band", json={"age_band": band})
        assert answer.json()["age_band"] == band
    # Growing up opens nothing by itself.
    assert (await client.get("/api/me")).json()["is_private"] is True
    refused(
        await client.put("/api/me/age-band", json={"age_band": "13-15"}), 409, "age-band-only-up"
    )


async def test_a_new_password_needs_the_old_one_and_ends_other_sessions(cell: Cell) -> None:
    client = await cell.sign_up()
    other = cell.client()
    await other.post("/api/sessions", json={"handle": "ana", "password": PASSWORD})
    change = {"password": NEW_PASSWORD, "current": PASSWORD}
    for wrong in ({"current": "not this one"}, {"current": None}):
        refused(await client.put("/api/me/password", json=change | wrong), 403, "wrong-password")
    refused(
        await client.put("/api/me/password", json=change | {"password": "ana ana ana"}),
        400,
        "weak-password",
    )
    assert (await other.get("/api/me")).status_code == 200
    assert (await client.put("/api/me/password", json=change)).status_code == 204
    assert (await client.get("/api/me")).status_code == 200
    refused(await other.get("/api/me"), 401, "not-signed-in")
    for password, status in ((PASSWORD, 401), (NEW_PASSWORD, 201)):
        body = {"handle": "ana", "password": password}
        assert (await cell.client().post("/api/sessions", json=body)).status_code == status


async def test_forgotten_password_is_replaced_with_recovery_codes(cell: Cell) -> None:
    codes = (await cell.sign_up()).signed_up["recovery_codes"]
    client = cell.client()
    entry = {"handle": "ana", "code": codes[0]}
    assert (await client.post("/api/sessions/recovery", json=entry)).status_code == 201
    other = (await cell.sign_up("bob")).signed_up["recovery_codes"][0]
    change = {"password": NEW_PASSWORD}
    for wrong in (codes[0], other, "", "\0"):
        answer = await client.put("/api/me/password", json=change | {"recovery_code": wrong})
        refused(answer, 403, "wrong-recovery-code")
    change |= {"recovery_code": codes[1].upper()}
    assert (await client.put("/api/me/password", json=change)).status_code == 204
    assert (await client.get("/api/me")).json()["recovery_codes_left"] == 8
    refused(await client.put("/api/me/password", json=change), 403, "wrong-recovery-code")
    for password, status in ((PASSWORD, 401), (NEW_PASSWORD, 201)):
        body = {"handle": "ana", "password": password}
        assert (await cell.client().post("/api/sessions", json=body)).status_code == status


async def test_of_two_password_changes_at_once_one_counts(cell: Cell) -> None:
    client = await cell.sign_up()
    answers = await asyncio.gather(
        *(
            client.put("/api/me/password", json={"password": new, "current": PASSWORD})
            for new in (NEW_PASSWORD, NEW_PASSWORD + "!")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [204, 403]


async def test_a_sign_in_that_began_before_a_password_change_fails(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await cell.sign_up()
    check = cell.people.proofs.passwords.check

    async def check_then_change(hashed: str | None, password: str) -> bool:
        right = await check(hashed, password)
        async with cell.db.tx() as tx:
            await tx.execute("UPDATE people.password SET hash = 'changed meanwhile'")
        return right

    monkeypatch.setattr(cell.people.proofs.passwords, "check", check_then_change)
    answer = await cell.client().post("/api/sessions", json={"handle": "ana", "password": PASSWORD})
    refused(answer, 401, "wrong-sign-in")
    assert (await client.get("/api/me")).status_code == 200


async def test_an_avatar_is_shown_replaced_and_removed(cell: Cell) -> None:
    client = await cell.sign_up()
    first = (await client.put("/api/me/avatar", content=b"picture 1")).json()["avatar_url"]
    assert first.startswith("/media/p/")
    assert first.endswith("/avatar.webp")
    assert await cell.blobs.get(first.removeprefix("/media/")) == b"webp of picture 1"
    second = (await client.put("/api/me/avatar", content=b"picture 2")).json()["avatar_url"]
    assert second != first
    gone = (await client.delete("/api/me/avatar")).json()
    assert gone["avatar_url"] is None
    jobs = await cell.queued("people.forget-avatar")
    for _ in range(2):  # each job may run twice
        for body in jobs:
            await cell.queue.run_once("people.forget-avatar", body)
    for url in (first, second):
        with pytest.raises(Missing):
            await cell.blobs.get(url.removeprefix("/media/"))


async def test_an_avatar_in_use_is_not_forgotten(cell: Cell) -> None:
    client = await cell.sign_up()
    shown = (await client.put("/api/me/avatar", content=b"picture 1")).json()["avatar_url"]
    announced = await cell.queued("people.forget-avatar")
    assert len(announced) == 1
    await cell.queue.run_once("people.forget-avatar", announced[0])
    assert await cell.blobs.get(shown.removeprefix("/media/"))


@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        (b"", 400, "bad-avatar"),
        (b"not one", 400, "bad-avatar"),
        (b"picture" + bytes(5 * 1024 * 1024), 413, "too-large"),
    ],
)
async def test_bad_avatars_are_refused(cell: Cell, picture: bytes, status: int, code: str) -> None:
    client = await cell.sign_up()
    refused(await client.put("/api/me/avatar", content=picture), status, code)
    refused(await cell.client().put("/api/me/avatar", content=b"picture"), 401, "not-signed-in")
    assert [key async for key in cell.blobs.keys("p/")] == []
    large = b"picture" + bytes(4 * 1024 * 1024)
    assert (await client.put("/api/me/avatar", content=large)).status_code == 200


async def test_addresses_are_sealed_and_found_by_index_only(cell: Cell) -> None:
    client = await cell.sign_up()
    given = {"email": "Ana.Luz@Example.org", "phone": "+33 6 12-34 56.78"}
    for kind, value in given.items():
        answer = await client.put(f"/api/me/contacts/{kind}", json={"value": value})
        assert answer.status_code == 200, answer.text
    items = (await client.get("/api/me/contacts")).json()["items"]
    assert items == [
        {"kind": "email", "value": "Ana.Luz@Example.org"},
        {"kind": "phone", "value": "+33612345678"},
    ]
    stored = repr([dict(row) for row in await cell.rows("SELECT * FROM people.contact")])
    assert "luz" not in stored.lower()
    assert "33612345678" not in stored
    person = client.signed_up["me"]["id"]
    async with cell.db.read() as tx:
        found = [
            await cell.people.contacts.find(tx, "email", "ana.luz@example.ORG"),
            await cell.people.contacts.find(tx, "phone", "+33612345678"),
        ]
        assert [str(each) for each in found] == [person, person]
        assert await cell.people.contacts.find(tx, "email", "bob@example.org") is None


async def test_a_sealed_address_moved_to_another_person_or_kind_does_not_open(cell: Cell) -> None:
    ana, eve = await cell.sign_up("ana"), await cell.sign_up("eve")
    for client in (ana, eve):
        await client.put("/api/me/contacts/email", json={"value": "someone@example.org"})
    async with cell.db.tx() as tx:
        await tx.execute(
            "UPDATE people.contact SET sealed ="
            " (SELECT sealed FROM people.contact WHERE person_id = $1) WHERE person_id = $2",
            ana.signed_up["me"]["id"],
            eve.signed_up["me"]["id"],
        )
    refused(await eve.get("/api/me/contacts"), 409, "not-opened")
    assert (await ana.get("/api/me/contacts")).status_code == 200


async def test_an_address_that_another_gave_looks_like_any_other(cell: Cell) -> None:
    ana, eve = await cell.sign_up("ana"), await cell.sign_up("eve")
    answers = [
        await client.put("/api/me/contacts/email", json={"value": "both@example.org"})
        for client in (ana, eve)
    ]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert (await eve.get("/api/me/contacts")).json() == (await ana.get("/api/me/contacts")).json()
    async with cell.db.read() as tx:
        found = await cell.people.contacts.find(tx, "email", "both@example.org")
    assert str(found) == ana.signed_up["me"]["id"]


async def test_an_address_is_replaced_and_forgotten(cell: Cell) -> None:
    client = await cell.sign_up()
    for value in ("one@example.org", "two@example.org"):
        await client.put("/api/me/contacts/email", json={"value": value})
    items = (await client.get("/api/me/contacts")).json()["items"]
    assert items == [{"kind": "email", "value": "two@example.org"}]
    async with cell.db.read() as tx:
        assert await cell.people.contacts.find(tx, "email", "one@example.org") is None
    assert (await client.delete("/api/me/contacts/email")).status_code == 204
    refused(await client.delete("/api/me/contacts/email"), 404, "no-such-contact")
    assert await cell.rows("SELECT * FROM people.contact") == []


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("email", "ana", "bad-email"),
        ("email", "ana@localhost", "bad-email"),
        ("email", "a b@example.org", "bad-email"),
        ("email", "ana@example.org\0", "bad-email"),
        ("email", "<ana@example.org>", "bad-email"),
        ("email", "a" * 250 + "@example.org", "bad-email"),
        ("phone", "0612345678", "bad-phone"),
        ("phone", "+12", "bad-phone"),
        ("phone", "+" + "1" * 16, "bad-phone"),
        ("phone", "+\u0663\u0663\u0663\u0663\u0663\u0663\u0663\u0663\u0663", "bad-phone"),
        ("fax", "+33612345678", "invalid"),
    ],
)
async def test_bad_addresses_are_refused(cell: Cell, kind: str, value: str, code: str) -> None:
    client = await cell.sign_up()
    refused(await client.put(f"/api/me/contacts/{kind}", json={"value": value}), 400, code)
    assert (await client.get("/api/me/contacts")).json() == {"items": []}


async def test_addresses_are_for_their_owner(cell: Cell) -> None:
    ana, eve = await cell.sign_up("ana"), await cell.sign_up("eve")
    await ana.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    assert (await eve.get("/api/me/contacts")).json() == {"items": []}
    for method in ("GET", "PUT", "DELETE"):
        path = "/api/me/contacts" + ("" if method == "GET" else "/email")
        body = {"value": "x@example.org"} if method == "PUT" else None
        refused(await cell.client().request(method, path, json=body), 401, "not-signed-in")


async def test_look_ups_for_other_slices(cell: Cell) -> None:
    await cell.sign_up("ana")
    async with cell.db.read() as tx:
        ana = await cell.people.by_handle(tx, "ANA")
        assert await cell.people.cards(tx, [ana.id]) == {ana.id: ana}
        assert not await cell.people.hold_privacy(tx, ana.id)
        assert await cell.people.hold_privacy(tx, uuid4())
    assert cell.people.avatar_url("p/x/avatar.webp") == "/media/p/x/avatar.webp"
    assert cell.people.avatar_url(None) is None
    async with cell.db.read() as tx:
        for nobody in ("bob", "", "a\0", "Ана"):
            with pytest.raises(NoSuchPerson):
                await cell.people.by_handle(tx, nobody)
        rows = await tx.fetch("SELECT age_band_minor FROM people.card")
    assert [row["age_band_minor"] for row in rows] == [False]
