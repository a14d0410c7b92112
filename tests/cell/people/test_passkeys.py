"""Passkeys, with an authenticator in software."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.cell.people.authenticator import Authenticator, b64, unb64
from tests.cell.people.support import ORIGIN, Cell, Client, new_person, refused

from luciole.cell.people.store import proofs as store


async def begin(client: Client, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await client.post(path, json=body or {})
    assert answer.status_code == 200, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


async def begin_sign_up(client: Client, handle: str = "ana") -> dict[str, Any]:
    subject = {"handle": handle, "display_name": "Ana"}
    return await begin(client, "/api/sign-up/passkey-options", subject)


async def sign_up(cell: Cell, key: Authenticator, handle: str = "ana") -> Client:
    client = cell.client()
    begun = await begin_sign_up(client, handle)
    passkey = {
        "challenge_id": begun["challenge_id"],
        "credential": key.create(begun["options"]),
        "name": "My phone",
    }
    answer = await client.post(
        "/api/sign-up", json=new_person(handle, password=None, passkey=passkey)
    )
    assert answer.status_code == 201, answer.text
    client.signed_up = answer.json()
    return client


async def sign_in(client: Client, key: Authenticator) -> Any:
    begun = await begin(client, "/api/sessions/passkey-options")
    return await client.post(
        "/api/sessions/passkey",
        json={"challenge_id": begun["challenge_id"], "credential": key.get(begun["options"])},
    )


async def add(client: Client, key: Authenticator, name: str = "Key") -> Any:
    begun = await begin(client, "/api/me/passkeys/options")
    return await client.post(
        "/api/me/passkeys",
        json={
            "challenge_id": begun["challenge_id"],
            "credential": key.create(begun["options"]),
            "name": name,
        },
    )


@pytest.fixture
def key() -> Authenticator:
    return Authenticator(ORIGIN)


async def test_sign_up_and_sign_in_without_a_password(cell: Cell, key: Authenticator) -> None:
    client = await sign_up(cell, key)
    assert client.signed_up["me"]["has_password"] is False
    assert client.signed_up["me"]["id"].replace("-", "") == key.user_handle.hex()
    answer = await sign_in(cell.client(), key)
    assert answer.status_code == 201
    assert answer.json()["me"]["handle"] == "ana"
    item = (await client.get("/api/me/passkeys")).json()["items"][0]
    assert (item["name"], item["last_used_on"]) == ("My phone", "2026-11-24")


async def test_a_password_does_not_open_an_account_without_one(
    cell: Cell, key: Authenticator
) -> None:
    await sign_up(cell, key)
    answer = await cell.client().post("/api/sessions", json={"handle": "ana", "password": "x" * 12})
    refused(answer, 401, "wrong-sign-in")


@pytest.mark.parametrize("path", ["sign-up", "sign-in"])
async def test_a_challenge_serves_once(cell: Cell, key: Authenticator, path: str) -> None:
    client = cell.client()
    if path == "sign-up":
        begun = await begin_sign_up(client)
        made = key.create(begun["options"])
        passkey = {"challenge_id": begun["challenge_id"], "credential": made}
        first = new_person("ana", password=None, passkey=passkey)
        again = first | {"handle": "bob"}
        url = "/api/sign-up"
    else:
        await sign_up(cell, key)
        begun = await begin(client, "/api/sessions/passkey-options")
        first = {"challenge_id": begun["challenge_id"], "credential": key.get(begun["options"])}
        again = first
        url = "/api/sessions/passkey"
    assert (await client.post(url, json=first)).status_code == 201
    refused(await client.post(url, json=again), 401, "passkey-refused")


async def test_a_challenge_answered_twice_at_once_signs_in_once(
    cell: Cell, key: Authenticator
) -> None:
    await sign_up(cell, key)
    begun = await begin(cell.client(), "/api/sessions/passkey-options")
    body = {"challenge_id": begun["challenge_id"], "credential": key.get(begun["options"])}
    answers = await asyncio.gather(
        *(cell.client().post("/api/sessions/passkey", json=body) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]


async def test_a_refused_answer_has_used_its_challenge_up(cell: Cell, key: Authenticator) -> None:
    await sign_up(cell, key)
    client = cell.client()
    begun = await begin(client, "/api/sessions/passkey-options")
    right = key.get(begun["options"])
    wrong = {**right, "response": {**right["response"], "signature": b64(b"no")}}
    for credential in (wrong, right):
        body = {"challenge_id": begun["challenge_id"], "credential": credential}
        refused(await client.post("/api/sessions/passkey", json=body), 401, "passkey-refused")
    assert (await sign_in(client, key)).status_code == 201


async def test_a_challenge_expires(cell: Cell, key: Authenticator) -> None:
    await sign_up(cell, key)
    client = cell.client()
    for minutes, status in ((4, 201), (6, 401)):
        begun = await begin(client, "/api/sessions/passkey-options")
        cell.clock.advance(timedelta(minutes=minutes))
        body = {"challenge_id": begun["challenge_id"], "credential": key.get(begun["options"])}
        assert (await client.post("/api/sessions/passkey", json=body)).status_code == status


async def test_challenges_are_stored_hashed(cell: Cell) -> None:
    begun = await begin(cell.client(), "/api/sessions/passkey-options")
    rows = await cell.rows("SELECT * FROM people.challenge")
    assert len(rows) == 1
    assert unb64(begun["options"]["challenge"]) not in dict(rows[0]).values()


@pytest.mark.parametrize("bend", ["origin", "rp_id", "challenge", "stranger", "user", "unknown"])
async def test_bent_answers_are_refused(cell: Cell, key: Authenticator, bend: str) -> None:
    await sign_up(cell, key)
    other = Authenticator(ORIGIN)
    await sign_up(cell, other, "bob")
    client = cell.client()
    begun = await begin(client, "/api/sessions/passkey-options")
    options = begun["options"]
    bad = key.copy()
    if bend == "origin":
        bad.origin = "https://luciole.example"
    elif bend == "rp_id":
        bad.rp_id = "luciole.example"
        options = options | {"rpId": bad.rp_id}
    elif bend == "challenge":
        options = options | {"challenge": b64(b"x" * 32)}
    elif bend == "stranger":
        bad.key = other.key
    elif bend == "user":
        bad.user_handle = other.user_handle
    else:
        bad.credential_id = b"x" * 32
    body = {"challenge_id": begun["challenge_id"], "credential": bad.get(options)}
    refused(await client.post("/api/sessions/passkey", json=body), 401, "passkey-refused")
    assert (await sign_in(client, key)).status_code == 201


async def test_a_copied_authenticator_is_noticed_by_its_counter(cell: Cell) -> None:
    key = Authenticator(ORIGIN, sign_count=5)
    await sign_up(cell, key)
    thief = key.copy()
    for _ in range(2):
        assert (await sign_in(cell.client(), key)).status_code == 201
    refused(await sign_in(cell.client(), thief), 401, "passkey-refused")
    assert (await sign_in(cell.client(), key)).status_code == 201


@pytest.mark.parametrize("garbage", [b"", b"\xa0", b"\xff" * 40, b"\x9f" * 2000])
async def test_garbage_in_place_of_an_attestation_is_refused(
    cell: Cell, key: Authenticator, garbage: bytes
) -> None:
    client = cell.client()
    begun = await begin_sign_up(client)
    credential = key.create(begun["options"])
    credential["response"]["attestationObject"] = b64(garbage)
    passkey = {"challenge_id": begun["challenge_id"], "credential": credential}
    body = new_person(password=None, passkey=passkey)
    refused(await client.post("/api/sign-up", json=body), 401, "passkey-refused")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "e30",
        "W10",
        "bnVsbA",
        b64(b'{"challenge": 7}'),
        b64(b'{"challenge": "\xff"}'),
        b64(b"[" * 20_000 + b"]" * 20_000),
    ],
    ids=["nothing", "sign", "object", "list", "null", "number", "not-utf-8", "deep"],
)
async def test_garbage_in_place_of_client_data_is_refused(
    cell: Cell, key: Authenticator, text: str
) -> None:
    await sign_up(cell, key)
    begun = await begin(cell.client(), "/api/sessions/passkey-options")
    credential = key.get(begun["options"])
    credential["response"]["clientDataJSON"] = text
    body = {"challenge_id": begun["challenge_id"], "credential": credential}
    refused(await cell.client().post("/api/sessions/passkey", json=body), 401, "passkey-refused")


async def test_an_answer_for_one_ceremony_does_not_serve_another(
    cell: Cell, key: Authenticator
) -> None:
    client = await sign_up(cell, key)
    begun = await begin(client, "/api/me/passkeys/options")
    made = Authenticator(ORIGIN).create(begun["options"])
    passkey = {"challenge_id": begun["challenge_id"], "credential": made}
    answer = await cell.client().post(
        "/api/sign-up", json=new_person("eve", password=None, passkey=passkey)
    )
    refused(answer, 401, "passkey-refused")


async def test_an_unknown_challenge_is_refused(cell: Cell, key: Authenticator) -> None:
    await sign_up(cell, key)
    begun = await begin(cell.client(), "/api/sessions/passkey-options")
    body = {"challenge_id": str(uuid4()), "credential": key.get(begun["options"])}
    refused(await cell.client().post("/api/sessions/passkey", json=body), 401, "passkey-refused")


async def test_several_passkeys_each_sign_in(cell: Cell, key: Authenticator) -> None:
    client = await sign_up(cell, key)
    second = Authenticator(ORIGIN)
    answer = await add(client, second, "  Security   key ")
    assert answer.status_code == 201
    assert answer.json()["name"] == "Security key"
    for each in (key, second):
        assert (await sign_in(cell.client(), each)).status_code == 201
    begun = await begin(client, "/api/me/passkeys/options")
    excluded = {each["id"] for each in begun["options"]["excludeCredentials"]}
    assert excluded == {b64(key.credential_id), b64(second.credential_id)}


async def test_a_passkey_is_not_added_twice_nor_for_somebody_else(
    cell: Cell, key: Authenticator
) -> None:
    client = await sign_up(cell, key)
    refused(await add(client, key.copy()), 409, "passkey-known")
    eve = await cell.sign_up("eve")
    refused(await add(eve, key.copy()), 409, "passkey-known")
    begun = await begin(client, "/api/me/passkeys/options")
    credential = Authenticator(ORIGIN).create(begun["options"])
    body = {"challenge_id": begun["challenge_id"], "credential": credential, "name": "Eve's"}
    refused(await eve.post("/api/me/passkeys", json=body), 401, "passkey-refused")


async def test_too_many_passkeys_are_refused(
    cell: Cell, key: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await sign_up(cell, key)
    begun = await begin(client, "/api/me/passkeys/options")
    monkeypatch.setattr("luciole.cell.people.model.MAX_PASSKEYS", 1)
    refused(await client.post("/api/me/passkeys/options", json={}), 409, "too-many-passkeys")
    credential = Authenticator(ORIGIN).create(begun["options"])
    body = {"challenge_id": begun["challenge_id"], "credential": credential}
    refused(await client.post("/api/me/passkeys", json=body), 409, "too-many-passkeys")


async def test_the_last_way_in_stays(cell: Cell, key: Authenticator) -> None:
    client = await sign_up(cell, key)
    first = (await client.get("/api/me/passkeys")).json()["items"][0]["id"]
    refused(await client.delete(f"/api/me/passkeys/{first}"), 409, "last-way-in")
    assert (await sign_in(cell.client(), key)).status_code == 201
    # With a password beside it, it may go; then it does not sign in any more.
    await client.put("/api/me/password", json={"password": "seven turquoise herons"})
    assert (await client.delete(f"/api/me/passkeys/{first}")).status_code == 204
    refused(await sign_in(cell.client(), key), 401, "passkey-refused")
    refused(await client.delete(f"/api/me/passkeys/{first}"), 404, "no-such-passkey")


async def test_two_removals_at_once_leave_one(cell: Cell, key: Authenticator) -> None:
    client = await sign_up(cell, key)
    await add(client, Authenticator(ORIGIN))
    ids = [item["id"] for item in (await client.get("/api/me/passkeys")).json()["items"]]
    answers = await asyncio.gather(*(client.delete(f"/api/me/passkeys/{each}") for each in ids))
    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_a_passkey_removed_while_it_signs_in(
    cell: Cell, key: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await sign_up(cell, key)
    second = Authenticator(ORIGIN)
    await add(client, second)
    (first, _) = (await client.get("/api/me/passkeys")).json()["items"]
    find = store.passkey_by_credential
    removals: list[asyncio.Future[Any]] = []

    async def find_then_remove(*args: Any) -> Any:
        found = await find(*args)
        removals.append(asyncio.ensure_future(client.delete(f"/api/me/passkeys/{first['id']}")))
        await asyncio.wait(removals, timeout=0.3)
        return found

    monkeypatch.setattr(store, "passkey_by_credential", find_then_remove)
    answer = await sign_in(cell.client(), key)
    assert answer.status_code == 201, answer.text
    assert (await removals[0]).status_code == 204


async def test_nobody_sees_or_removes_the_passkeys_of_another(
    cell: Cell, key: Authenticator
) -> None:
    ana = await sign_up(cell, key)
    await add(ana, Authenticator(ORIGIN))
    eve = await cell.sign_up("eve")
    passkey = (await ana.get("/api/me/passkeys")).json()["items"][0]["id"]
    refused(await eve.delete(f"/api/me/passkeys/{passkey}"), 404, "no-such-passkey")
    assert (await eve.get("/api/me/passkeys")).json() == {"items": []}
    refused(await cell.client().get("/api/me/passkeys"), 401, "not-signed-in")
    assert (await ana.delete(f"/api/me/passkeys/{passkey}")).status_code == 204


async def test_options_are_limited_by_address(make_cell: Callable[..., Cell]) -> None:
    cell = make_cell(sign_ins_per_minute=1)
    client = cell.client()
    await begin(client, "/api/sessions/passkey-options")
    refused(await client.post("/api/sessions/passkey-options", json={}), 429, "too-many")
    await begin(cell.client("2001:db8:1::1"), "/api/sessions/passkey-options")
    neighbour = cell.client("2001:db8:1::2")
    refused(await neighbour.post("/api/sessions/passkey-options", json={}), 429, "too-many")


async def test_options_for_a_taken_handle_are_refused(cell: Cell) -> None:
    await cell.sign_up("ana")
    subject = {"handle": "ana", "display_name": "Ana"}
    answer = await cell.client().post("/api/sign-up/passkey-options", json=subject)
    refused(answer, 409, "handle-taken")
    await begin_sign_up(cell.client(), "bob")
