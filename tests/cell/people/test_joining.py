"""Who may join: modes, invitations, those who wait, work, terms, and the ages of countries."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cell.people.support import Cell, Client, new_person, refused

from luciole import effort
from luciole.cell.people.joining import ages

MakeCell = Callable[..., Cell]


async def invited(cell: Cell, uses: int = 1, days: int = 14) -> str:
    async with cell.db.tx() as tx:
        return (await cell.people.joining.invite(tx, uses, days, "", by=None))[1]


async def join(client: Client, handle: str = "ana", **fields: Any) -> Any:
    return await client.post("/api/sign-up", json=new_person(handle, **fields))


async def worked(client: Client) -> dict[str, str] | None:
    answer = await client.post("/api/sign-up/work", json={})
    assert answer.status_code == 200, answer.text
    return effort.answered(answer.json())


# --- modes and invitations -----------------------------------------------------------------------


async def test_a_closed_cell_takes_nobody_not_even_with_an_invitation(make_cell: MakeCell) -> None:
    cell = make_cell(registration="closed")
    code = await invited(cell)
    refused(await join(cell.client()), 403, "registration-closed")
    refused(await join(cell.client(), invitation=code), 403, "registration-closed")


async def test_by_invitation_only_who_has_one_comes_in(make_cell: MakeCell) -> None:
    cell = make_cell(registration="invitation")
    refused(await join(cell.client()), 403, "invitation-needed")
    code = await invited(cell, uses=2)
    assert (await join(cell.client(), invitation=code.upper().replace("-", " "))).status_code == 201
    assert (await join(cell.client(), "ben", invitation=code)).status_code == 201
    refused(await join(cell.client(), "cleo", invitation=code), 403, "invitation-spent")
    refused(await join(cell.client(), "cleo", invitation="abcd"), 403, "invitation-spent")


async def test_an_invitation_ends(make_cell: MakeCell) -> None:
    cell = make_cell(registration="invitation")
    code = await invited(cell, days=2)
    cell.clock.advance(timedelta(days=2))
    refused(await join(cell.client(), invitation=code), 403, "invitation-spent")


async def test_of_two_who_use_the_last_use_at_once_one_comes_in(make_cell: MakeCell) -> None:
    cell = make_cell(registration="invitation")
    code = await invited(cell)
    answers = await asyncio.gather(
        *(join(cell.client(), handle, invitation=code) for handle in ("ana", "ben", "cleo"))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403]
    assert len(await cell.rows("SELECT id FROM people.person")) == 1


async def test_a_refused_sign_up_uses_no_invitation(make_cell: MakeCell) -> None:
    cell = make_cell(registration="invitation")
    code = await invited(cell, uses=2)
    await join(cell.client(), invitation=code)
    refused(await join(cell.client(), invitation=code), 409, "handle-taken")
    assert (await join(cell.client(), "ben", invitation=code)).status_code == 201


async def test_the_operators_word_counts_more_than_the_setting(cell: Cell) -> None:
    async with cell.db.tx() as tx:
        await cell.people.joining.set_mode(tx, "closed", by=None)
    assert (await cell.client().get("/api/sign-up")).json()["registration"] == "closed"
    refused(await join(cell.client()), 403, "registration-closed")
    async with cell.db.tx() as tx:
        await cell.people.joining.set_mode(tx, None, by=None)
    assert (await join(cell.client())).status_code == 201


# --- who waits -----------------------------------------------------------------------------------

ASKS = {"name": "Ana Luz", "words": "I film herons at the pond."}


async def ticket_of(client: Client) -> str:
    answer = await client.post("/api/sign-up/requests", json=ASKS)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ticket"])


async def state_of(client: Client, ticket: str) -> Any:
    return (await client.post("/api/sign-up/requests/state", json={"ticket": ticket})).json()


async def test_who_asks_waits_is_approved_and_comes_in_once(make_cell: MakeCell) -> None:
    cell = make_cell(registration="approval")
    client, joining = cell.client(), cell.people.joining
    refused(await join(client), 403, "approval-needed")
    ticket = await ticket_of(client)
    assert (await state_of(client, ticket))["state"] == "waiting"
    refused(await join(client, invitation=ticket), 403, "invitation-spent")
    async with cell.db.tx() as tx:
        (one,) = await joining.waiting(tx)
        assert (one.name, one.words) == (ASKS["name"], ASKS["words"])
        await joining.approve(tx, one.id, by=None)
        assert await joining.waiting(tx) == []
    assert (await state_of(client, ticket))["state"] == "approved"
    assert (await join(client, invitation=ticket)).status_code == 201
    refused(await join(cell.client(), "ben", invitation=ticket), 403, "invitation-spent")
    assert await cell.rows("SELECT * FROM people.request") == []


async def test_who_is_refused_is_told_why(make_cell: MakeCell) -> None:
    cell = make_cell(registration="approval")
    client, joining = cell.client(), cell.people.joining
    ticket = await ticket_of(client)
    async with cell.db.tx() as tx:
        (one,) = await joining.waiting(tx)
        await joining.refuse(tx, one.id, "We know no Ana.", by=None)
    assert await state_of(client, ticket) == {"state": "refused", "reason": "We know no Ana."}
    refused(await join(client, invitation=ticket), 403, "invitation-spent")
    answer = await client.post("/api/sign-up/requests/state", json={"ticket": "wrong"})
    refused(answer, 404, "no-such-ticket")


async def test_a_request_is_forgotten_after_a_month(make_cell: MakeCell) -> None:
    cell = make_cell(registration="approval")
    await ticket_of(cell.client())
    cell.clock.advance(timedelta(days=31))
    async with cell.db.tx() as tx:
        await cell.people.tidy(tx)
    assert await cell.rows("SELECT * FROM people.request") == []


@pytest.mark.parametrize("words", ["", "  ", "x" * 301, "a\0b"])
async def test_words_that_are_none_are_refused(make_cell: MakeCell, words: str) -> None:
    cell = make_cell(registration="approval")
    body = {**ASKS, "words": words}
    answer = await cell.client().post("/api/sign-up/requests", json=body)
    refused(answer, 400, "bad-request-words")


async def test_an_open_cell_needs_no_request(cell: Cell) -> None:
    refused(await cell.client().post("/api/sign-up/requests", json=ASKS), 409, "not-awaited")


# --- work ----------------------------------------------------------------------------------------


async def test_without_work_there_is_no_account_and_with_it_one(make_cell: MakeCell) -> None:
    cell = make_cell(sign_up_work=3)
    client = cell.client()
    refused(await join(client), 400, "work-needed")
    done = await worked(client)
    assert (await join(client, work=done)).status_code == 201
    refused(await join(cell.client(), "ben", work=done), 400, "work-needed")


async def test_a_refused_sign_up_does_not_use_the_work(make_cell: MakeCell) -> None:
    cell = make_cell(sign_up_work=3)
    first = cell.client()
    await join(first, work=await worked(first))
    client = cell.client()
    done = await worked(client)
    refused(await join(client, work=done), 409, "handle-taken")
    assert (await join(client, "ben", work=done)).status_code == 201


async def test_wrong_old_and_foreign_work_is_refused(make_cell: MakeCell) -> None:
    cell = make_cell(sign_up_work=3)
    client = cell.client()
    done = await worked(client)
    assert done is not None
    for wrong in (
        {**done, "answer": "A" * 22},
        {**done, "answer": "ü"},
        {**done, "challenge": ""},
        {**done, "challenge": "A" * len(done["challenge"])},
    ):
        refused(await join(client, work=wrong), 400, "work-needed")
    cell.clock.advance(timedelta(hours=1))
    refused(await join(client, work=done), 400, "work-needed")


async def test_who_is_invited_does_no_work(make_cell: MakeCell) -> None:
    cell = make_cell(registration="invitation", sign_up_work=100)
    assert (await join(cell.client(), invitation=await invited(cell))).status_code == 201


async def test_a_request_for_an_account_costs_work_too(make_cell: MakeCell) -> None:
    cell = make_cell(registration="approval", sign_up_work=3)
    client = cell.client()
    refused(await client.post("/api/sign-up/requests", json=ASKS), 400, "work-needed")
    body = {**ASKS, "work": await worked(client)}
    assert (await client.post("/api/sign-up/requests", json=body)).status_code == 201
    refused(await client.post("/api/sign-up/requests", json=body), 400, "work-needed")


async def test_work_grows_with_the_sign_ups_of_the_hour_up_to_its_bound(
    make_cell: MakeCell,
) -> None:
    cell = make_cell(sign_up_work=1, sign_ups_usual=2)
    client = cell.client()

    async def asked() -> int:
        return int((await client.post("/api/sign-up/work", json={})).json()["tries"])

    assert await asked() == 1
    for number in range(4):
        each = cell.client()
        assert (await join(each, f"many{number}", work=await worked(each))).status_code == 201
    assert await asked() == 3
    async with cell.db.tx() as tx:
        await tx.execute(
            "INSERT INTO people.spent_work (mark, spent_at) "
            "SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), $1 FROM generate_series(1, 2000) n",
            cell.clock.now(),
        )
    assert await asked() == effort.MAX_TRIES
    cell.clock.advance(timedelta(hours=3))
    assert await asked() == 1
    async with cell.db.tx() as tx:
        await cell.people.tidy(tx)
    assert await cell.rows("SELECT * FROM people.spent_work") == []


async def test_a_demo_asks_for_no_work(make_cell: MakeCell) -> None:
    cell = make_cell(cell={"demo": True}, sign_up_work=100)
    assert (await cell.client().post("/api/sign-up/work", json={})).json()["tries"] == 0
    assert (await join(cell.client())).status_code == 201


def test_the_work_is_the_function_that_browsers_have() -> None:
    told, sought = effort.hashed(b"s" * 16, 7)
    expected = hashlib.pbkdf2_hmac("sha256", b"\0\0\0\x07", b"s" * 16, effort.ITERATIONS)
    assert told + sought == expected
    assert effort.done(b"s" * 16, told, 8) == sought
    with pytest.raises(ValueError, match="fits"):
        effort.done(b"s" * 16, told, 7)


# --- terms ---------------------------------------------------------------------------------------


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "terms.md").write_text("# Terms\n\nBe *kind*. <script>x</script>\n")
    (tmp_path / "terms.fr.md").write_text("# Conditions\n\nSoyez *gentils*.\n")
    return tmp_path


async def version_of(client: Client) -> str:
    return str((await client.get("/api/cell/terms")).json()["version"])


async def test_terms_are_agreed_to_at_sign_up_and_kept_with_their_words(
    make_cell: MakeCell, texts: Path
) -> None:
    cell = make_cell(cell={"texts_dir": str(texts)})
    client = cell.client()
    refused(await join(client), 409, "terms-not-agreed")
    refused(await join(client, terms="another"), 409, "terms-not-agreed")
    version = await version_of(client)
    assert (await join(client, terms=version)).status_code == 201
    assert (await client.get("/api/me/terms")).json() == {"version": None}
    (row,) = await cell.rows(
        "SELECT a.version, a.agreed_at, t.said FROM people.agreement a JOIN people.terms t "
        "ON t.version = a.version"
    )
    assert (row["version"], row["agreed_at"]) == (version, cell.clock.now())
    assert "Be *kind*" in row["said"]
    assert "Soyez" in row["said"]


async def test_who_was_here_before_is_asked_once_when_terms_change(
    make_cell: MakeCell, texts: Path
) -> None:
    cell = make_cell(cell={"texts_dir": str(texts)})
    client = cell.client()
    first = await version_of(client)
    await join(client, terms=first)
    (texts / "terms.fr.md").write_text("# Conditions\n\nSoyez gentils et brefs.\n")
    second = (await client.get("/api/me/terms")).json()["version"]
    assert second not in (None, first)
    assert second == await version_of(client)
    refused(await client.post("/api/me/terms", json={"version": first}), 409, "terms-not-agreed")
    assert (await client.post("/api/me/terms", json={"version": second})).status_code == 204
    assert (await client.get("/api/me/terms")).json() == {"version": None}
    rows = await cell.rows("SELECT version FROM people.agreement ORDER BY agreed_at, version")
    assert {row["version"] for row in rows} == {first, second}


async def test_texts_come_in_their_language_and_without_scripts(
    make_cell: MakeCell, texts: Path
) -> None:
    (texts / "imprint.md").write_text(
        "Ana Luz, [mail](mailto:a@x.example) [bad](javascript:alert(1)) ![p](https://x.example/p)"
    )
    client = make_cell(cell={"texts_dir": str(texts)}).client()
    english = (await client.get("/api/cell/terms")).json()
    french = (await client.get("/api/cell/terms", params={"language": "fr"})).json()
    assert "<em>kind</em>" in english["html"]
    assert "<script" not in english["html"]
    assert "gentils" in french["html"]
    assert french["version"] == english["version"]
    imprint = (await client.get("/api/cell/imprint")).json()["html"]
    assert 'href="mailto:a@x.example"' in imprint
    assert "<img" not in imprint
    assert 'href="javascript' not in imprint


async def test_without_texts_nothing_is_asked(cell: Cell) -> None:
    client = await cell.sign_up()
    refused(await client.get("/api/cell/terms"), 404, "no-text")
    refused(await client.post("/api/me/terms", json={"version": "x"}), 404, "no-text")
    assert (await client.get("/api/me/terms")).json() == {"version": None}


# --- ages of countries ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "chosen", "least"),
    [
        ("ZZ", "13-15", "13-15"),
        ("US", "13-15", "13-15"),
        ("US", "18+", "18+"),
        ("FR", "13-15", "16-17"),
        ("DE", "13-15", "16-17"),
        ("de-BY", "13-15", "16-17"),
    ],
)
async def test_a_country_may_raise_the_least_age(
    make_cell: MakeCell, country: str, chosen: str, least: str
) -> None:
    cell = make_cell(cell={"jurisdiction": country, "minimum_age_band": chosen})
    assert (await cell.client().get("/api/sign-up")).json()["minimum_age_band"] == least
    below = {"13-15": "under-13", "16-17": "13-15", "18+": "16-17"}[least]
    refused(await join(cell.client(), age_band=below), 403, "too-young")
    assert (await join(cell.client(), age_band=least)).status_code == 201


def test_a_table_that_was_changed_on_the_machine_is_noticed(tmp_path: Path) -> None:
    changed = tmp_path / "ages.txt"
    changed.write_text(ages.TABLE.read_text().replace("FR 15", "FR 13"))
    with pytest.raises(ages.TableChanged, match="not the table of this version"):
        ages.table(changed, ages.SHA256)
    for text, said in (("FR 15 law\n", "which version"), ("# Version 1.\nFR fifteen\n", "be read")):
        changed.write_text(text)
        with pytest.raises(ages.TableChanged, match=said):
            ages.table(changed, hashlib.sha256(changed.read_bytes()).hexdigest())


def test_each_line_of_the_table_has_its_source() -> None:
    assert len(ages.table()) > 30
    assert all(13 <= age <= 18 for age in ages.table().values())


def test_the_table_says_the_version_whose_digest_the_code_has() -> None:
    """A changed table gets a new number: the log has one digest for each, for good."""
    assert ages.current().version == ages.VERSION
    assert len(set(ages.VERSIONS.values())) == len(ages.VERSIONS)
