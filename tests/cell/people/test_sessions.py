"""Signing in and out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import Parameters, extract_parameters
from argon2.exceptions import VerificationError, VerifyMismatchError
from tests.cell.people.support import PASSWORD, Cell, new_person, refused

from luciole.cell.people.passwords import Passwords
from luciole.cell.people.refusals import Busy
from luciole.cell.people.store import sessions
from luciole.kit.db import Database

RIGHT = {"handle": "ana", "password": PASSWORD}


async def test_password_signs_in(cell: Cell) -> None:
    await cell.sign_up()
    client = cell.client()
    answer = await client.post("/api/sessions", json={**RIGHT, "handle": "@Ana"})
    assert answer.status_code == 201
    assert answer.json()["me"]["handle"] == "ana"
    assert (await client.get("/api/me")).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": PASSWORD + "!"},
        {"password": ""},
        {"password": "\0"},
        {"handle": "bob"},
        {"handle": ""},
        {"handle": "a\0b"},
        {"handle": "\U0001f600"},
    ],
)
async def test_wrong_handle_and_wrong_password_get_one_answer(
    cell: Cell, wrong: dict[str, str]
) -> None:
    await cell.sign_up()
    answer = await cell.client().post("/api/sessions", json=RIGHT | wrong)
    refused(answer, 401, "wrong-sign-in")
    assert "set-cookie" not in answer.headers


async def test_an_unknown_handle_costs_the_work_of_a_wrong_password(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the time of the answer would tell who is here."""
    await cell.sign_up()
    done: list[tuple[Parameters, type[Exception]]] = []
    hasher = cell.people.proofs.passwords._hasher

    class Watched:
        def verify(self, hashed: str, password: bytes) -> None:
            try:
                hasher.verify(hashed, password)
            except VerificationError as error:
                done.append((extract_parameters(hashed), type(error)))
                raise

    monkeypatch.setattr(cell.people.proofs.passwords, "_hasher", Watched())
    for handle in ("ana", "nobody.here"):
        body = {"handle": handle, "password": "no" * 6}
        refused(await cell.client().post("/api/sessions", json=body), 401, "wrong-sign-in")
    known, unknown = done
    assert known == unknown
    assert known[1] is VerifyMismatchError


async def test_guessing_on_a_handle_is_slowed_from_everywhere(
    make_cell: Callable[..., Cell],
) -> None:
    cell = make_cell(sign_ins_per_minute=3)
    await cell.sign_up()
    wrong = RIGHT | {"password": "not this one"}
    spellings = ["ana", "@ana", "ANA"]
    for number, handle in enumerate(spellings):
        answer = await cell.client(f"192.0.2.{number + 9}").post(
            "/api/sessions", json=wrong | {"handle": handle}
        )
        refused(answer, 401, "wrong-sign-in")
    answer = await cell.client("192.0.2.99").post("/api/sessions", json=RIGHT)
    refused(answer, 429, "too-many")
    assert int(answer.headers["retry-after"]) <= 20
    await cell.sign_up("bob")
    other = await cell.client("192.0.2.99").post("/api/sessions", json=RIGHT | {"handle": "bob"})
    assert other.status_code == 201


async def guess_often(cell: Cell, handle: str = "ana") -> None:
    """Strangers try passwords on a handle until they are told to wait."""
    wrong = {"handle": handle, "password": "not this one"}
    for number in range(4):
        answer = await cell.client(f"192.0.2.{number + 9}").post("/api/sessions", json=wrong)
    refused(answer, 429, "too-many")


async def test_guessing_strangers_do_not_keep_the_owner_out(
    make_cell: Callable[..., Cell],
) -> None:
    cell = make_cell(sign_ins_per_minute=3)
    owner = await cell.sign_up()
    await guess_often(cell)
    assert (await owner.delete("/api/sessions/current")).status_code == 204
    assert (await owner.post("/api/sessions", json=RIGHT)).status_code == 201
    changed = {"current": PASSWORD, "password": "eleven green otters"}
    assert (await owner.put("/api/me/password", json=changed)).status_code == 204
    # A known device guesses no faster than strangers do.
    for status in (401, 401, 429):
        answer = await owner.post("/api/sessions", json=RIGHT)
        assert answer.status_code == status


async def test_recovery_code_works_while_strangers_guess(make_cell: Callable[..., Cell]) -> None:
    cell = make_cell(sign_ins_per_minute=3)
    code = (await cell.sign_up()).signed_up["recovery_codes"][0]
    await guess_often(cell)
    answer = await cell.client("192.0.2.99").post(
        "/api/sessions/recovery", json={"handle": "ana", "code": code}
    )
    assert answer.status_code == 201


async def test_recovery_codes_are_tried_slowly_from_one_address(
    make_cell: Callable[..., Cell],
) -> None:
    cell = make_cell(sign_ins_per_minute=3)
    await cell.sign_up()
    for status in (401, 401, 401, 429):
        body = {"handle": "ana", "code": "aaaa-bbbb-cccc-dddd"}
        answer = await cell.client("192.0.2.99").post("/api/sessions/recovery", json=body)
        assert answer.status_code == status


async def test_who_is_signed_in_guesses_the_password_as_slowly(
    make_cell: Callable[..., Cell],
) -> None:
    client = await make_cell(sign_ins_per_minute=3).sign_up()
    change = {"password": "eleven green otters", "current": "not this one"}
    for status in (403, 403, 403, 429):
        assert (await client.put("/api/me/password", json=change)).status_code == status


@pytest.mark.parametrize("mark", ["", ".", "a.b", "é.é", "x" * 5000, "other"])
async def test_only_a_mark_of_ones_own_is_counted_apart(
    make_cell: Callable[..., Cell], mark: str
) -> None:
    cell = make_cell(sign_ins_per_minute=3)
    await cell.sign_up()
    if mark == "other":
        mark = (await cell.sign_up("bob")).cookies["luciole_device"]
    await guess_often(cell)
    cookie = f"luciole_device={mark}".encode()
    answer = await cell.client("192.0.2.99", cookie=cookie).post("/api/sessions", json=RIGHT)
    refused(answer, 429, "too-many")


async def test_mark_of_a_device_is_sent_to_sign_ins_only(cell: Cell) -> None:
    answer = await cell.client().post("/api/sign-up", json=new_person())
    [mark] = [c for c in answer.headers.get_list("set-cookie") if c.startswith("luciole_device=")]
    assert "Path=/api/sessions;" in mark
    assert "HttpOnly" in mark
    assert "SameSite=lax" in mark
    assert "ana" not in mark


async def test_more_checks_than_the_queue_holds_are_told_to_come_again(
    make_cell: Callable[..., Cell],
) -> None:
    cell = make_cell()
    await cell.sign_up()
    slow = cell.people.proofs.passwords = Passwords(1, memory_kib=16_384, passes=2)
    hashed = await slow.hash(PASSWORD)
    async with cell.db.tx() as tx:
        await tx.execute("UPDATE people.password SET hash = $1", hashed)
    answers = await asyncio.gather(
        *(cell.client().post("/api/sessions", json=RIGHT) for _ in range(8))
    )
    busy = [answer for answer in answers if answer.status_code == 503]
    assert 1 <= len(busy) <= 5  # two at work and one in the queue
    assert len(busy) + sum(a.status_code == 201 for a in answers) == 8
    refused(busy[0], 503, "busy")
    assert busy[0].headers["retry-after"] == "2"
    # The places are free again.
    assert (await cell.client().post("/api/sessions", json=RIGHT)).status_code == 201


async def test_an_outdated_hash_is_replaced_at_sign_in(cell: Cell) -> None:
    await cell.sign_up()
    before = await cell.rows("SELECT hash FROM people.password")
    cell.people.proofs.passwords = Passwords(4, memory_kib=128, passes=1)
    for _ in range(2):
        assert (await cell.client().post("/api/sessions", json=RIGHT)).status_code == 201
    after = await cell.rows("SELECT hash FROM people.password")
    assert "m=64," in before[0]["hash"]
    assert "m=128," in after[0]["hash"]


async def test_sign_ins_at_once_over_an_outdated_hash_all_succeed(cell: Cell) -> None:
    await cell.sign_up()
    cell.people.proofs.passwords = Passwords(8, memory_kib=128, passes=1)
    answers = await asyncio.gather(
        *(cell.client().post("/api/sessions", json=RIGHT) for _ in range(3))
    )
    assert [answer.status_code for answer in answers] == [201] * 3


async def test_an_outdated_hash_waits_while_the_cell_is_busy(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cell.sign_up()
    renewed = Passwords(4, memory_kib=128, passes=1)

    async def busy(_password: str) -> str:
        raise Busy

    monkeypatch.setattr(renewed, "hash", busy)
    cell.people.proofs.passwords = renewed
    assert (await cell.client().post("/api/sessions", json=RIGHT)).status_code == 201
    assert "m=64," in (await cell.rows("SELECT hash FROM people.password"))[0]["hash"]


async def test_sessions_are_listed_coarsely_and_ended_one_by_one(cell: Cell) -> None:
    phone = await cell.sign_up()
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0"
    desk = cell.client(**{"user-agent": firefox})
    cell.clock.advance(timedelta(hours=1))
    await desk.post("/api/sessions", json=RIGHT)
    items = (await phone.get("/api/sessions")).json()["items"]
    assert [(item["label"], item["current"]) for item in items] == [
        ("Firefox on Windows", False),
        ("Chrome on Android", True),
    ]
    assert items[0]["created_at"] == "2026-11-24T10:00:00Z"
    assert items[0]["last_seen_on"] == "2026-11-24"
    assert set(items[0]) == {"id", "label", "created_at", "last_seen_on", "current"}

    assert (await phone.delete(f"/api/sessions/{items[0]['id']}")).status_code == 204
    refused(await desk.get("/api/me"), 401, "not-signed-in")
    refused(await phone.delete(f"/api/sessions/{items[0]['id']}"), 404, "no-such-session")
    assert (await phone.get("/api/me")).status_code == 200


async def test_nobody_ends_the_session_of_another(cell: Cell) -> None:
    ana, eve = await cell.sign_up("ana"), await cell.sign_up("eve")
    session = (await ana.get("/api/sessions")).json()["items"][0]["id"]
    refused(await eve.delete(f"/api/sessions/{session}"), 404, "no-such-session")
    refused(await cell.client().delete(f"/api/sessions/{session}"), 401, "not-signed-in")
    assert (await ana.delete(f"/api/sessions/{session}")).status_code == 204


async def test_signing_out_ends_the_session_and_clears_the_cookie(cell: Cell) -> None:
    client = await cell.sign_up()
    token = client.signed_up["token"]
    answer = await client.delete("/api/sessions/current")
    assert answer.status_code == 204
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    bearer = {"authorization": f"Bearer {token}"}
    refused(await cell.client().get("/api/me", headers=bearer), 401, "not-signed-in")
    assert (await cell.client().delete("/api/sessions/current")).status_code == 204


async def test_use_prolongs_a_session_once_a_day_and_rest_ends_it(cell: Cell) -> None:
    client = await cell.sign_up()
    for _ in range(3):
        cell.clock.advance(timedelta(days=29))
        assert (await client.get("/api/me")).status_code == 200
    first = await cell.rows("SELECT last_seen_on, expires_at FROM people.session")
    cell.clock.advance(timedelta(hours=3))
    await client.get("/api/me")
    assert await cell.rows("SELECT last_seen_on, expires_at FROM people.session") == first
    cell.clock.advance(timedelta(days=31))
    refused(await client.get("/api/me"), 401, "not-signed-in")


@pytest.mark.parametrize(
    "token", ["", "x", "x" * 5000, "\u00e9\u00e9", "01a20b54-4c56-7218-acab-8f80a39ef8f6", "%00"]
)
async def test_forged_sessions_are_nobody(cell: Cell, token: str) -> None:
    await cell.sign_up()
    headers = {"authorization": f"Bearer {token}".encode("latin-1")}
    answer = await cell.client().get("/api/me", headers=headers)  # type: ignore[arg-type]
    refused(answer, 401, "not-signed-in")


async def test_the_oldest_of_too_many_sessions_ends(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luciole.cell.people.model.MAX_SESSIONS", 3)
    first = await cell.sign_up()
    for _ in range(3):
        cell.clock.advance(timedelta(minutes=1))
        await cell.client().post("/api/sessions", json=RIGHT)
    refused(await first.get("/api/me"), 401, "not-signed-in")
    assert len(await cell.rows("SELECT id FROM people.session")) == 3


async def test_a_recovery_code_signs_in_once(cell: Cell) -> None:
    code = (await cell.sign_up()).signed_up["recovery_codes"][3]
    await cell.sign_up("eve")
    typed = code.upper().replace("-", " ").replace("O", "0").replace("L", "1")
    wrong = await cell.client().post("/api/sessions/recovery", json={"handle": "eve", "code": code})
    refused(wrong, 401, "wrong-sign-in")
    client = cell.client()
    answer = await client.post("/api/sessions/recovery", json={"handle": "ana", "code": typed})
    assert answer.status_code == 201
    assert answer.json()["me"]["recovery_codes_left"] == 9
    assert (await client.get("/api/me")).status_code == 200
    again = await cell.client().post("/api/sessions/recovery", json={"handle": "ana", "code": code})
    refused(again, 401, "wrong-sign-in")


async def test_a_recovery_code_used_twice_at_once_signs_in_once(cell: Cell) -> None:
    code = (await cell.sign_up()).signed_up["recovery_codes"][0]
    answers = await asyncio.gather(
        *(
            cell.client().post("/api/sessions/recovery", json={"handle": "ana", "code": code})
            for _ in range(4)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]


async def test_new_recovery_codes_replace_the_old(cell: Cell) -> None:
    client = await cell.sign_up()
    fresh = (await client.post("/api/me/recovery-codes", json={})).json()["recovery_codes"]
    old = client.signed_up["recovery_codes"][0]
    answer = await cell.client().post("/api/sessions/recovery", json={"handle": "ana", "code": old})
    refused(answer, 401, "wrong-sign-in")
    answer = await cell.client().post(
        "/api/sessions/recovery", json={"handle": "ana", "code": fresh[0]}
    )
    assert answer.status_code == 201
    refused(await cell.client().post("/api/me/recovery-codes", json={}), 401, "not-signed-in")


async def test_tidying_takes_what_has_expired_and_nothing_else(cell: Cell) -> None:
    client = await cell.sign_up("ana")
    await client.post("/api/sessions/passkey-options", json={})
    await client.put("/api/me/handle", json={"handle": "ana.b"})
    cell.clock.advance(timedelta(days=31))
    await cell.sign_up("bob")
    await cell.client().post("/api/sessions/passkey-options", json={})
    for _ in range(2):
        async with cell.db.tx() as tx:
            await cell.people.tidy(tx)
        assert len(await cell.rows("SELECT id FROM people.session")) == 1
        assert len(await cell.rows("SELECT id FROM people.challenge")) == 1
        assert await cell.rows("SELECT changed_at FROM people.handle_change") == []


async def test_token_of_nobody_says_that_no_adult_asks(db: Database) -> None:
    """The connection may have been an adult's before."""
    async with db.tx() as tx:
        await tx.execute("SELECT set_config('luciole.adult', 'yes', false)")
        assert await sessions.by_token(tx, bytes(32), datetime.now(UTC)) is None
        assert await tx.fetchval("SELECT current_setting('luciole.adult')") == ""
