"""What of ours goes to other cells, when it does, and that it is called back."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from tests.cell.abroad.conftest import agree
from tests.cell.abroad.peer import Peer
from tests.cell.house import Browser, House, refused
from tests.unit.media import c2pa, signed

from luciole.border import wire
from luciole.cell.abroad import sheets
from luciole.kit.db import Database


async def send(house: House, person: Browser, film: bytes, **fields: Any) -> dict[str, Any]:
    """A clip that its author lets go to other cells."""
    clip = await person.clip(house, film, **fields)
    answer = await person.put(f"/api/clips/{clip['id']}/reach", json={"reach": "cells"})
    assert answer.status_code == 200, answer.text
    return clip


async def crossings(person: Browser) -> list[dict[str, Any]]:
    return list((await person.get("/api/me/crossings")).json()["items"])


def kinds(taken: list[wire.Crossing]) -> list[str]:
    return [str(one.__struct_config__.tag) for one in taken]


async def test_clip_stays_in_its_region_by_default(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clip = await ana.clip(house, tiny_film)
    assert (await ana.get(f"/api/clips/{clip['id']}/reach")).json()["reach"] == "region"
    assert await sg.takes() == []
    assert await crossings(ana) == []


async def test_nothing_leaves_before_a_yes(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    clip = await ana.clip(house, tiny_film)
    path = f"/api/clips/{clip['id']}/reach"
    refused(await ana.put(path, json={"reach": "cells"}), 403, "consent-needed")
    assert await sg.takes() == []
    await agree(ana)
    assert (await ana.put(path, json={"reach": "cells"})).status_code == 200
    assert kinds(await sg.takes()) == ["person", "clip"]


async def test_sheet_names_what_leaves_to_whom_and_under_which_law(
    ana: Browser, sg: Peer, house: House
) -> None:
    for locale, cell in (("en", "under the law of SG"), ("fr", "sous le droit de SG")):
        sheet = (await ana.get(f"/api/me/abroad/sheets/clip?locale={locale}")).json()
        assert len(sheet["leaves"]) == 4
        assert len(sheet["stays"]) == 2
        (to,) = sheet["to"]
        assert "Singapore (sg)" in to
        assert sg.operator in to
        assert cell in to
        assert (sheet["countries"], sheet["version"]) == (["SG"], sheets.VERSION)
        assert house.settings.cell.jurisdiction in sheet["ground"]


async def test_yes_to_another_text_is_no_yes(ana: Browser, sg: Peer) -> None:
    sheet = (await ana.get("/api/me/abroad/sheets/clip")).json()
    await sg.changes_hands("Somebody Else Ltd.")
    body = {"sha256": sheet["sha256"], "locale": "en"}
    refused(await ana.put("/api/me/abroad/consents/clip", json=body), 409, "sheet-changed")
    body = {"sha256": sha256(b"").hexdigest(), "locale": "en"}
    refused(await ana.put("/api/me/abroad/consents/clip", json=body), 409, "sheet-changed")
    await agree(ana)


@pytest.mark.parametrize("changed", ["country", "text"])
async def test_other_countries_or_another_text_are_asked_about_again(
    house: House,
    ana: Browser,
    sg: Peer,
    pools: tuple[Database, Database],
    tiny_film: bytes,
    changed: str,
) -> None:
    await agree(ana)
    clip = await send(house, ana, tiny_film)
    await sg.takes()
    other = await ana.clip(house, tiny_film)
    path = f"/api/clips/{other['id']}/reach"
    (said,) = (await ana.get("/api/me/abroad")).json()["consents"]
    assert not said["asks_again"]
    if changed == "country":
        await Peer(pools[0], house, "eu", "Luciole Europe", "FR-75").begin()
    else:
        async with pools[0].tx() as tx:
            await tx.execute("UPDATE abroad.consent SET text_version = text_version - 1")
    (said,) = (await ana.get("/api/me/abroad")).json()["consents"]
    assert (said["asks_again"], said["covers"]) == (True, ["sg"])
    refused(await ana.put(path, json={"reach": "cells"}), 403, "consent-needed")
    # What is there stays, may change there and be called back.
    await ana.patch(f"/api/clips/{clip['id']}", json={"caption": "after"})
    assert kinds(await sg.takes()) == ["clip"]
    await agree(ana)
    (said,) = (await ana.get("/api/me/abroad")).json()["consents"]
    assert not said["asks_again"]
    assert (await ana.put(path, json={"reach": "cells"})).status_code == 200
    sheet = (await ana.get("/api/me/abroad/sheets/clip?locale=fr")).json()
    assert sheet["countries"] == (["FR", "SG"] if changed == "country" else ["SG"])


async def test_without_peers_there_is_nothing_to_say_yes_to(ana: Browser) -> None:
    refused(await ana.get("/api/me/abroad/sheets/clip"), 409, "no-peers")


async def test_clip_crosses_with_its_author_and_nothing_of_the_account(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await ana.patch("/api/me", json={"bio": "Herons, mostly."})
    await agree(ana)
    clip = await send(house, ana, tiny_film, caption="Low tide #herons", made_with_ai=True)
    person, made = await sg.takes()
    assert isinstance(person, wire.Person)
    assert isinstance(made, wire.Clip)
    account = await house.person_id("ana")
    assert (person.handle, person.name, person.bio) == ("ana", "Ana", "Herons, mostly.")
    assert str(account) not in person.uri
    assert made.by == person.uri
    assert made.uri == f"{house.settings.border_origin}/ap/clips/{clip['id']}"
    assert (made.caption, made.made_with_ai, made.comments) == ("Low tide #herons", True, True)
    for file in wire.files_of(made):
        answer = await house.visitor().get(file.path)
        assert sha256(answer.content).hexdigest() == file.sha256
        assert len(answer.content) == file.size_bytes
    assert str(account) not in wire.encode(made).decode()


async def test_what_the_file_says_of_ai_crosses_as_the_label_does(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    await send(house, ana, signed.camera().signs(tiny_film, c2pa.COMPOSITE))
    _, made = await sg.takes()
    assert isinstance(made, wire.Clip)
    assert made.made_with_ai


async def test_what_crossed_is_shown_with_its_receipt_and_is_in_the_journal(
    house: House, ana: Browser, ben: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clip = await send(house, ana, tiny_film)
    await house.beside.traffic.catch_up()
    assert [(one["kind"], one["state"]) for one in await crossings(ana)] == [
        ("clip", "offered"),
        ("person", "offered"),
    ]
    await sg.takes()
    made, _ = await crossings(ana)
    assert made["subject_id"] == clip["id"]
    assert (made["peer"], made["operator"], made["jurisdiction"]) == ("sg", sg.operator, "SG")
    assert (made["reason"], made["ground"], made["state"]) == ("published", "consent", "crossed")
    assert made["can_revoke"]
    receipt = f"/api/me/crossings/{made['id']}/receipt"
    assert (await ana.get(receipt)).text == f"received {made['id']}"
    refused(await ben.get(receipt), 404, "no-such-crossing")
    assert await crossings(ben) == []
    place = (await ana.get(f"/api/clips/{clip['id']}/reach")).json()
    assert place["cells"] == [{"peer": "sg", "state": "crossed"}]
    journal = (await ana.get("/api/me/journal")).json()["items"]
    crossed = [one for one in journal if one["kind"] == "crossing"]
    assert len(crossed) == 2
    assert {one["purpose"] for one in crossed} == {"published"}


async def test_recall_that_never_left_ends_nothing_that_a_later_one_names(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clip = await send(house, ana, tiny_film)
    await sg.takes()
    for reach in ("region", "cells"):
        await ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": reach})
        await house.beside.traffic.catch_up()
    assert kinds(await sg.takes()) == ["clip"]
    await ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": "region"})
    (gone,) = await sg.takes()
    mine = [one for one in await crossings(ana) if one["subject_id"] == clip["id"]]
    assert [(one["kind"], one["state"]) for one in mine] == [
        ("gone", "crossed"),
        ("clip", "crossed"),
        ("gone", "replaced"),
        ("clip", "crossed"),
    ]
    assert isinstance(gone, wire.Gone)
    assert gone.recalls == [mine[1]["id"], mine[3]["id"]]


async def test_change_crosses_and_the_same_again_does_not(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clip = await send(house, ana, tiny_film, caption="before")
    await sg.takes()
    await ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": "cells"})
    assert await sg.takes() == []
    await ana.patch(f"/api/clips/{clip['id']}", json={"caption": "after"})
    (changed,) = await sg.takes()
    assert isinstance(changed, wire.Clip)
    assert changed.caption == "after"
    await ana.patch("/api/me", json={"display_name": "Ana of the Herons"})
    (person,) = await sg.takes()
    assert isinstance(person, wire.Person)
    assert person.name == "Ana of the Herons"
    assert [one["can_revoke"] for one in await crossings(ana)] == [True, True, False, False]


async def test_newer_offer_takes_the_place_of_one_that_waits(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clip = await send(house, ana, tiny_film, caption="before")
    await house.beside.traffic.catch_up()
    await ana.patch(f"/api/clips/{clip['id']}", json={"caption": "after"})
    assert [getattr(one, "caption", "") for one in await sg.takes()] == ["", "after"]
    assert [(one["kind"], one["state"]) for one in await crossings(ana)] == [
        ("clip", "crossed"),
        ("clip", "replaced"),
        ("person", "crossed"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/api/clips/{clip}", None),
        ("PUT", "/api/clips/{clip}/reach", {"reach": "region"}),
        ("PATCH", "/api/clips/{clip}", {"audience": "friends"}),
        ("PATCH", "/api/me", {"is_private": True}),
        ("PUT", "/api/me/past-clips", {"days": 3}),
    ],
)
async def test_what_not_everybody_may_see_any_more_is_called_back(
    house: House,
    ana: Browser,
    sg: Peer,
    tiny_film: bytes,
    method: str,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    await agree(ana)
    clip = await send(house, ana, tiny_film)
    _, made = await sg.takes()
    assert isinstance(made, wire.Clip)
    brought = [one["id"] for one in await crossings(ana) if one["kind"] == "clip"]
    if "past" in path:
        await house.rows("UPDATE clips.clip SET published_at = now() - interval '4 days'")
    answer = await ana.request(method, path.format(clip=clip["id"]), json=body)
    assert answer.is_success, answer.text
    await house.work()
    gone = await sg.takes()
    assert gone == [wire.Gone(made.uri, brought)]
    newest = (await crossings(ana))[0]
    assert (newest["kind"], newest["state"], newest["can_revoke"]) == ("gone", "crossed", False)
    assert (await ana.get(f"/api/me/crossings/{newest['id']}/receipt")).status_code == 200
    assert await sg.takes() == []


async def test_clip_with_a_narrow_audience_cannot_leave(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clip = await ana.clip(house, tiny_film, audience="friends")
    path = f"/api/clips/{clip['id']}/reach"
    refused(await ana.put(path, json={"reach": "cells"}), 409, "not-for-outside")
    await ana.patch(f"/api/clips/{clip['id']}", json={"audience": "everyone"})
    await house.work()
    assert (await ana.put(path, json={"reach": "cells"})).status_code == 200


async def test_nobody_sends_what_is_not_theirs(
    house: House, ana: Browser, ben: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ben)
    clip = await ana.clip(house, tiny_film)
    path = f"/api/clips/{clip['id']}/reach"
    refused(await ben.put(path, json={"reach": "cells"}), 404, "no-such-clip")
    refused(await ben.get(path), 404, "no-such-clip")


async def test_revoking_calls_back_one_clip_or_all_of_a_person(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clips = [await send(house, ana, tiny_film, caption=str(n)) for n in range(2)]
    await sg.takes()
    shown = {one["subject_id"]: one["id"] for one in await crossings(ana)}
    assert (await ana.delete(f"/api/me/crossings/{shown[clips[0]['id']]}")).status_code == 204
    assert kinds(await sg.takes()) == ["gone"]
    person = next(one for one in await crossings(ana) if one["kind"] == "person")
    assert (await ana.delete(f"/api/me/crossings/{person['id']}")).status_code == 204
    gone = await sg.takes()
    assert sorted(kinds(gone)) == ["gone", "gone"]
    assert {one.uri.rsplit("/", 2)[1] for one in gone if isinstance(one, wire.Gone)} == {
        "clips",
        "people",
    }
    assert (await ana.get("/api/me/abroad")).json()["consents"] == []
    path = f"/api/clips/{clips[0]['id']}/reach"
    refused(await ana.put(path, json={"reach": "cells"}), 403, "consent-needed")


async def test_other_operator_suspends_and_another_yes_goes_on(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clip = await send(house, ana, tiny_film)
    await sg.takes()
    await sg.changes_hands("Somebody Else Ltd.")
    (consent,) = (await ana.get("/api/me/abroad")).json()["consents"]
    assert consent["covers"] == []
    await ana.patch(f"/api/clips/{clip['id']}", json={"caption": "not for them"})
    other = await ana.clip(house, tiny_film)
    path = f"/api/clips/{other['id']}/reach"
    refused(await ana.put(path, json={"reach": "cells"}), 403, "consent-needed")
    assert await sg.takes() == []
    await agree(ana)
    (consent,) = (await ana.get("/api/me/abroad")).json()["consents"]
    assert consent["covers"] == ["sg"]
    (changed,) = await sg.takes()
    assert isinstance(changed, wire.Clip)
    assert changed.caption == "not for them"


async def test_what_is_suspended_can_still_be_called_back(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clip = await send(house, ana, tiny_film)
    await sg.takes()
    await sg.changes_hands("Somebody Else Ltd.")
    await ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": "region"})
    assert kinds(await sg.takes()) == ["gone"]
    await ana.delete("/api/me/abroad/consents/clip")
    assert kinds(await sg.takes()) == ["gone"]


async def test_refusal_of_the_other_cell_is_shown(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    await send(house, ana, tiny_film)
    await sg.takes(state="refused", code="not-wanted")
    newest = (await crossings(ana))[0]
    assert (newest["state"], newest["refusal"]) == ("refused", "not-wanted")
    assert not newest["can_revoke"]
    refused(await ana.get(f"/api/me/crossings/{newest['id']}/receipt"), 404, "no-crossing-receipt")


async def test_who_leaves_is_called_back_and_who_is_erased_leaves_nothing(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    await send(house, ana, tiny_film)
    person, _ = await sg.takes()
    assert isinstance(person, wire.Person)
    account = await house.person_id("ana")
    answer = await ana.post("/api/me/erasure", json={"now": True})
    assert answer.is_success, answer.text
    await house.work()
    taken = await sg.takes()
    assert person.uri in {one.uri for one in taken if isinstance(one, wire.Gone)}
    for table in ("persona", "consent", "reach", "crossing"):
        rows = await house.rows(f"SELECT 1 FROM abroad.{table} WHERE person_id = $1", account)
        assert rows == []
