"""Bringing everything along to another account."""

from __future__ import annotations

import io

from PIL import Image
from tests.cell.house import Browser, House
from tests.cell.rights.bring import bring
from tests.cell.rights.equal import assert_same
from tests.cell.rights.log import Log
from tests.cell.rights.support import forget
from tests.cell.rights.taken import take

VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"


def picture() -> bytes:
    """A photo as a phone gives it, more or less."""
    made = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(made, "JPEG")
    return made.getvalue()


async def lived_in(house: House, person: Browser, friend: Browser, film: bytes) -> None:
    """An account with something of everything that comes along."""
    answer = await person.put("/api/me/avatar", content=picture())
    assert answer.status_code == 200, answer.text
    await person.patch("/api/me", json={"bio": "Makes films.\nNot only by day.", "locale": "fr"})
    await person.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    await person.put("/api/me/contacts/phone", json={"value": "+33612345678"})
    mine = await person.clip(
        house, film, caption="First #dawn", captions_vtt=VTT, captions_language="en"
    )
    await person.clip(house, film, caption="For two", audience="friends", made_with_ai=True)
    await person.clip(house, film, caption="Alone", audience="only-me")
    theirs = await friend.clip(house, film, caption="Of a friend")
    for clip in (mine, theirs):
        assert (await person.put(f"/api/clips/{clip['id']}/like")).status_code == 200
    await person.follow(friend)
    await friend.follow(person)
    answer = await person.put(
        "/api/me/imported/suggestions", json={"handles": ["somebody.elsewhere"]}
    )
    assert answer.status_code == 204


async def test_export_erase_import_export_differs_in_identifiers_only(
    house: House, log: Log, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    await lived_in(house, ana, ben, tiny_film)
    before = await take(house, ana)
    assert (await forget(house, ana))["state"] == "erased"
    cleo = await house.person("cleo")
    done = await bring(house, cleo, before.raw)
    assert done["state"] == "done", done
    assert done["report"]["signed"] == "here"
    assert done["report"]["counts"] == {
        "account": {"taken": 1},
        "avatar": {"taken": 1},
        "clip": {"taken": 3},
        "contact": {"taken": 2},
        "follow": {"taken": 1},
        "like": {"taken": 2},
    }
    after = await take(house, cleo)
    after.check()
    assert_same(before, after)
