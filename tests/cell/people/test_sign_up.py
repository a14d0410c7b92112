"""Making an account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.cell.people.support import PASSWORD, Cell, new_person, refused

from luciole.kit.web import session_cookie


async def test_sign_up_gives_an_account_a_session_and_ten_codes(cell: Cell) -> None:
    client = cell.client()
    answer = await client.post("/api/sign-up", json=new_person("Ana.Luz"))
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    me = body["me"]
    assert me.pop("id")
    assert me == {
        "handle": "ana.luz",
        "display_name": "Ana Luz",
        "bio": "",
        "avatar_url": None,
        "locale": "en",
        "age_band": "18+",
        "is_private": False,
        "leaving_at": None,
        "has_password": True,
        "recovery_codes_left": 10,
    }
    assert len(set(body["recovery_codes"])) == 10
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    # Both ways to carry the session work.
    assert (await client.get("/api/me")).json()["handle"] == "ana.luz"
    bearer = {"authorization": f"Bearer {body['token']}"}
    assert (await cell.client().get("/api/me", headers=bearer)).status_code == 200
    refused(await cell.client().get("/api/me"), 401, "not-signed-in")


async def test_cookie_is_secure_where_the_origin_is(make_cell: Callable[..., Cell]) -> None:
    assert session_cookie("t", secure=True, max_age_s=1).secure
    answer = await make_cell().client().post("/api/sign-up", json=new_person())
    assert "secure" not in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("alike", ["ana1", "ANA1", "@ana1", "anal", "an.a1", "ana_1", "a_n.al"])
async def test_taken_handle_and_its_look_alikes_are_refused(cell: Cell, alike: str) -> None:
    await cell.sign_up("ana1")
    refused(await cell.client().post("/api/sign-up", json=new_person(alike)), 409, "handle-taken")
    await cell.sign_up("ana2")


@pytest.mark.parametrize("handle", ["admin", "Adm1n", "lu.ci.o.le", "ad_min", "setting5", "r00t"])
async def test_reserved_words_are_refused(cell: Cell, handle: str) -> None:
    refused(await cell.client().post("/api/sign-up", json=new_person(handle)), 409, "handle-taken")


@pytest.mark.parametrize(
    "handle",
    [
        "ab",
        "a" * 25,
        "",
        "1234",
        "___",
        ".ana",
        "ana.",
        "a..na",
        "a na",
        "анна",
        "\u212aana",
        "a\0b",
    ],
)
async def test_bad_handles_are_refused(cell: Cell, handle: str) -> None:
    refused(await cell.client().post("/api/sign-up", json=new_person(handle)), 400, "bad-handle")


async def test_of_two_who_take_a_handle_at_once_one_gets_it(cell: Cell) -> None:
    answers = await asyncio.gather(
        *(cell.client().post("/api/sign-up", json=new_person(h)) for h in ("ana.l", "anal") * 3)
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert len(await cell.rows("SELECT id FROM people.person")) == 1


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 51, "a\u202eb", "a\nb", "a\0", "\u3164", "a" + "\u0301" * 9]
)
async def test_bad_names_are_refused(cell: Cell, name: str) -> None:
    body = new_person(display_name=name)
    refused(await cell.client().post("/api/sign-up", json=body), 400, "bad-display-name")


async def test_minors_start_private_and_grown_ups_public(cell: Cell) -> None:
    minor = await cell.sign_up("teen", age_band="16-17")
    assert minor.signed_up["me"]["is_private"] is True
    adult = await cell.sign_up("adult")
    assert adult.signed_up["me"]["is_private"] is False


@pytest.mark.parametrize(
    ("minimum", "refused_bands", "fine"),
    [("13-15", ["under-13"], "13-15"), ("18+", ["under-13", "13-15", "16-17"], "18+")],
)
async def test_below_the_minimum_age_there_is_no_account(
    make_cell: Callable[..., Cell], minimum: str, refused_bands: list[str], fine: str
) -> None:
    cell = make_cell(cell={"minimum_age_band": minimum})
    for band in refused_bands:
        answer = await cell.client().post("/api/sign-up", json=new_person(age_band=band))
        refused(answer, 403, "too-young")
    assert await cell.rows("SELECT id FROM people.person") == []
    await cell.sign_up(age_band=fine)


@pytest.mark.parametrize(
    "password", ["short", "password123", "ana.luz-2026", "qwertyuiop12", "aaaaaaaaaaaaaaaa"]
)
async def test_guessable_passwords_are_refused(cell: Cell, password: str) -> None:
    body = new_person("ana.luz", password=password)
    refused(await cell.client().post("/api/sign-up", json=body), 400, "weak-password")


async def test_a_way_in_is_needed(cell: Cell) -> None:
    answer = await cell.client().post("/api/sign-up", json=new_person(password=None))
    refused(answer, 400, "no-way-in")


@pytest.mark.parametrize(
    "change",
    [
        {"handle": 7},
        {"locale": "de"},
        {"age_band": "30+"},
        {"password": "x" * 257},
        {"birth_date": "2000-01-01"},
        {"passkey": {"challenge_id": "x"}},
    ],
)
async def test_wrong_shapes_are_refused(cell: Cell, change: dict[str, Any]) -> None:
    refused(await cell.client().post("/api/sign-up", json=new_person(**change)), 400, "invalid")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"handle": "\\ud800"}', b"null"])
async def test_wrong_json_is_refused(cell: Cell, body: bytes) -> None:
    answer = await cell.client().post(
        "/api/sign-up", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400


async def test_too_many_sign_ups_from_one_address(make_cell: Callable[..., Cell]) -> None:
    cell = make_cell(sign_ups_per_hour=2)
    for handle in ("ana", "bob"):
        await cell.sign_up(handle)
    answer = await cell.client().post("/api/sign-up", json=new_person("eve"))
    refused(answer, 429, "too-many")
    assert 1 <= int(answer.headers["retry-after"]) <= 1800
    elsewhere = await cell.client("198.51.100.7").post("/api/sign-up", json=new_person("eve"))
    assert elsewhere.status_code == 201


async def test_nothing_secret_is_in_the_database(cell: Cell) -> None:
    client = await cell.sign_up()
    secrets = [PASSWORD, client.signed_up["token"], *client.signed_up["recovery_codes"], "192.0.2"]
    tables = await cell.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema IN ('people', 'queue')"
    )
    assert len(tables) > 10
    for table in tables:
        schema = "queue" if "pgqueuer" in table["table_name"] else "people"
        for row in await cell.rows(f"SELECT * FROM {schema}.{table['table_name']}"):
            assert not [secret for secret in secrets if secret in repr(dict(row))]


async def test_cross_site_sign_up_with_a_cookie_is_refused(cell: Cell) -> None:
    client = await cell.sign_up()
    answer = await client.post(
        "/api/me/recovery-codes", json={}, headers={"sec-fetch-site": "cross-site"}
    )
    refused(answer, 403, "cross-site")
    assert (await client.post("/api/me/recovery-codes", json={})).status_code == 201
