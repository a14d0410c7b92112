"""The operator's commands about who may join, over a real database."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.cell.house import House, refused

from luciole import admitting, cli
from luciole.cell.people.joining import refusals
from luciole.config import DatabaseSettings, Settings
from luciole.kit.db import Database


@pytest.fixture
def settings(empty_url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=empty_url))


async def say(house: House, settings: Settings, *words: str) -> list[str]:
    return await admitting.done(settings, cli.parser().parse_args(words), house.clock)


async def decisions(pools: tuple[Database, Database]) -> list[dict[str, Any]]:
    query = "SELECT entry FROM ledger.inbox WHERE log = 'decisions' ORDER BY id"
    async with pools[0].read() as tx:
        return [msgspec.json.decode(row["entry"]) for row in await tx.fetch(query)]


def person(handle: str, **fields: Any) -> dict[str, Any]:
    return {
        "handle": handle,
        "display_name": handle.title(),
        "age_band": "18+",
        "locale": "en",
        "password": "seven turquoise herons",
        **fields,
    }


async def test_the_operator_closes_and_invites_and_the_log_says_how(
    house: House, settings: Settings, pools: tuple[Database, Database]
) -> None:
    assert (await say(house, settings, "registration"))[0].startswith("open:")
    assert (await say(house, settings, "registration", "invitation"))[0].startswith("invitation:")
    # Once more changes nothing, and is no entry.
    await say(house, settings, "registration", "invitation")
    said = await say(house, settings, "invite", "--uses", "2", "--days", "3", "--note", "the choir")
    code = next(line for line in said if line.startswith("code:")).split()[1]
    assert any(line.endswith(f"/sign-up#{code}") for line in said)
    visitor = house.visitor()
    refused(await visitor.post("/api/sign-up", json=person("ana")), 403, "invitation-needed")
    answer = await visitor.post("/api/sign-up", json=person("ana", invitation=code))
    assert answer.status_code == 201
    (listed,) = await say(house, settings, "invite", "list")
    assert "for 1 more" in listed
    assert listed.endswith("the choir")
    await say(house, settings, "invite", "withdraw", listed.split()[0])
    answer = await house.visitor().post("/api/sign-up", json=person("ben", invitation=code))
    refused(answer, 403, "invitation-spent")
    await say(house, settings, "registration", "as-set")
    said = [one for one in await decisions(pools) if one["kind"] in ("registration", "admission")]
    assert [(one["kind"], one.get("mode", one.get("act"))) for one in said] == [
        ("registration", "invitation"),
        ("admission", "invite"),
        ("admission", "withdraw"),
        ("registration", "open"),
    ]
    assert (said[1]["uses"], said[1]["days"], said[1]["staff"]) == (2, 3, "")


async def test_the_operator_decides_on_who_waits(
    house: House, settings: Settings, pools: tuple[Database, Database]
) -> None:
    await say(house, settings, "registration", "approval")
    assert await say(house, settings, "people", "list") == ["Nobody waits."]
    for name in ("Ana", "Ben"):
        body = {"name": name, "words": "I film\nherons."}
        answer = await house.visitor().post("/api/sign-up/requests", json=body)
        assert answer.status_code == 201
    ana, ben = await say(house, settings, "people", "list")
    assert ana.endswith("Ana: I film herons.")
    await say(house, settings, "people", "approve", ana.split()[0])
    with pytest.raises(refusals.ReasonNeeded):
        await say(house, settings, "people", "refuse", ben.split()[0])
    await say(house, settings, "people", "refuse", ben.split()[0], "--why", "We know no Ben.")
    assert await say(house, settings, "people", "list") == ["Nobody waits."]
    with pytest.raises(refusals.NoSuchRequest):
        await say(house, settings, "people", "approve", ben.split()[0])
    # At the machine as at the console, each answer is an entry, and names nobody.
    said = [one for one in await decisions(pools) if one["kind"] == "admission"]
    assert [(one["act"], one["staff"]) for one in said] == [("approve", ""), ("refuse", "")]
    assert not {ana.split()[0], ben.split()[0]} & {str(text) for text in said[0].values()}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("people", "approve", "x"), refusals.NoSuchRequest),
        (("invite", "withdraw", "x"), refusals.NoSuchInvitation),
        (("invite", "--uses", "0"), refusals.BadInvitation),
        (("invite", "--days", "366"), refusals.BadInvitation),
    ],
)
async def test_wrong_words_are_refused(
    house: House, settings: Settings, words: tuple[str, ...], problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        await say(house, settings, *words)
