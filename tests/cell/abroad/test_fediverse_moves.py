"""Authors who are read on the Fediverse and move: `movedTo`, `alsoKnownAs`, and one `Move`."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cell.abroad.read_out import Author, Read
from tests.cell.abroad.servers import Actor
from tests.cell.house import House

NEW = Actor("https://new.example/ap/people/01a21d17-cb73-7a74-b722-ef6d0b726994")


async def leaves(author: Author, **fields: Any) -> None:
    body = {"address": "https://new.example/@ana", "known_as": NEW.uri, **fields}
    answer = await author.browser.put("/api/me/moved", json=body)
    assert answer.status_code == 200, answer.text


def confirms(read: Read, *former: str, **fields: Any) -> None:
    read.servers.documents[NEW.uri] = NEW.document | {"alsoKnownAs": list(former)} | fields


async def test_move_is_told_once_when_the_new_actor_names_the_former_one(
    read: Read, followed: Author
) -> None:
    confirms(read, followed.uri)
    await leaves(followed)
    updated, moved = await read.told()
    assert (updated["type"], updated["object"]["movedTo"]) == ("Update", NEW.uri)
    assert (moved["type"], moved["actor"], moved["object"]) == ("Move", followed.uri, followed.uri)
    assert moved["target"] == NEW.uri
    assert (await read.document(followed.uri))["movedTo"] == NEW.uri
    await read.made.telling.begin()
    assert await read.told() == []


@pytest.mark.parametrize("why", ["nobody", "another", "gone-on", "not-there"])
async def test_move_that_the_new_actor_does_not_confirm_waits(
    read: Read, followed: Author, why: str
) -> None:
    if why == "nobody":
        confirms(read)
    elif why == "another":
        confirms(read, "https://far.example/users/bob")
    elif why == "gone-on":
        confirms(read, followed.uri, movedTo="https://far.example/users/bob")
    await leaves(followed)
    assert [one["type"] for one in await read.told()] == ["Update"]
    # Once it does, followers are told.
    confirms(read, followed.uri)
    await read.made.telling.upkeep()
    assert [one["type"] for one in await read.told()] == ["Move"]


async def test_address_that_is_not_shown_is_not_told(read: Read, followed: Author) -> None:
    confirms(read, followed.uri)
    await leaves(followed, is_shown=False)
    assert await read.told() == []
    assert "movedTo" not in await read.document(followed.uri)


async def test_who_came_names_the_former_address(
    house: House, read: Read, followed: Author
) -> None:
    answer = await followed.browser.put("/api/me/came-from", json={"known_as": NEW.uri})
    assert answer.status_code == 200, answer.text
    (updated,) = await read.told()
    assert updated["object"]["alsoKnownAs"] == [NEW.uri]
    shown = await read.document(followed.uri)
    assert shown["alsoKnownAs"] == [NEW.uri]
    assert shown["@context"][-1]["alsoKnownAs"] == {"@id": "as:alsoKnownAs", "@type": "@id"}
    assert (await followed.browser.delete("/api/me/came-from")).status_code == 204
    assert "alsoKnownAs" not in await read.document(followed.uri)
