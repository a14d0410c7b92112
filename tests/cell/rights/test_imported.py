"""What people bring along from another network: taken within limits, sealed, theirs alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.cell.house import Browser, House

from luciole.cell.rights.imported_model import MAX_FAVOURITES, MAX_HANDLES

LINK = "https://www.tiktokv.com/share/video/7234567890123456789/"
PLACE = "/api/me/imported"
JOURNAL = "SELECT n, sealed FROM custody.entry ORDER BY n"
STORED = "SELECT version, sealed FROM rights.imported WHERE kind = $1"


def favourite(link: str = LINK, **fields: Any) -> dict[str, Any]:
    return {"kind": "video", "link": link, "day": "2024-05-06", **fields}


async def imports(house: House, person: Browser) -> list[dict[str, Any]]:
    """The openings of a person's entries of the kind `import`."""
    grant = await house.parts.custody.session_grant(person.token)
    async with house.db.read() as tx:
        rows = await tx.fetch(JOURNAL)
    pairs = [(row["n"], row["sealed"]) for row in rows]
    opened = await house.parts.custody.open_journal(grant, pairs)
    said = [msgspec.json.decode(each.opening) for each in opened]
    return [each for each in said if each["kind"] == "import"]


async def test_lists_come_back_as_they_were_and_can_be_forgotten(ana: Browser) -> None:
    lists = {
        "suggestions": {"handles": ["noor.moth", "a_1"]},
        "favourites": {"items": [favourite(), favourite(f"{LINK}2", kind="like", day=None)]},
    }
    for kind, given in lists.items():
        empty = (await ana.get(f"{PLACE}/{kind}")).json()
        assert list(empty.values()) == [[]]
        assert (await ana.put(f"{PLACE}/{kind}", json=given)).status_code == 204
        assert (await ana.get(f"{PLACE}/{kind}")).json() == given
        assert (await ana.delete(f"{PLACE}/{kind}")).status_code == 204
        assert (await ana.get(f"{PLACE}/{kind}")).json() == empty


async def test_lists_are_their_owner_s_and_sealed(house: House, ana: Browser, ben: Browser) -> None:
    await ana.put(f"{PLACE}/suggestions", json={"handles": ["noor.moth"]})
    assert (await ben.get(f"{PLACE}/suggestions")).json() == {"handles": []}
    assert (await house.visitor().get(f"{PLACE}/suggestions")).status_code == 401
    answer = await house.visitor().put(f"{PLACE}/suggestions", json={"handles": []})
    assert answer.status_code == 401
    async with house.db.read() as tx:
        before = await tx.fetchrow(STORED, "suggestions")
    assert before is not None
    assert b"noor" not in before["sealed"]
    await ana.put(f"{PLACE}/suggestions", json={"handles": []})
    async with house.db.read() as tx:
        after = await tx.fetchrow(STORED, "suggestions")
    assert after is not None
    assert after["version"] == before["version"] + 1


async def test_each_list_that_is_brought_is_an_entry_of_the_journal(
    house: House, ana: Browser
) -> None:
    await ana.put(f"{PLACE}/suggestions", json={"handles": ["noor.moth", "lamp"]})
    await ana.put(f"{PLACE}/favourites", json={"items": [favourite()]})
    # A refused one is none.
    await ana.put(f"{PLACE}/favourites", json={"items": [favourite("https://example.org/")]})
    entries = await imports(house, ana)
    assert [(each["class"], each["columns"], each["note"]) for each in entries] == [
        ("self", ["imported.suggestions"], "2 from TikTok"),
        ("self", ["imported.favourites"], "1 from TikTok"),
    ]
    # How many, never whom.
    assert "noor" not in str(entries)


@pytest.mark.parametrize(
    "handles",
    [["@noor"], ["Noor"], ["a"], ["a" * 25], ["a b"], ["a\n"], [""], [7], ["ab"] * 10_001],
)
async def test_what_is_no_handle_is_refused(ana: Browser, handles: list[Any]) -> None:
    answer = await ana.put(f"{PLACE}/suggestions", json={"handles": handles})
    assert answer.status_code == 400
    assert (await ana.get(f"{PLACE}/suggestions")).json() == {"handles": []}


@pytest.mark.parametrize(
    "link",
    [
        "http://www.tiktok.com/@a/video/7",
        "https://tiktok.com.example.org/",
        "https://nottiktok.com/",
        "https://a@tiktok.com/",
        "https://tiktok.com:8443/",
        "https://tiktok.com/?token=1",
        "https://tiktok.com/#a",
        "https://tiktok.com/\n",
        "https://tiktok.com/<script>",
        "https://tiktok.com",
        "javascript:alert(1)",
        f"https://tiktok.com/{'a' * 300}",
    ],
)
async def test_link_to_elsewhere_or_with_a_query_is_refused(ana: Browser, link: str) -> None:
    answer = await ana.put(f"{PLACE}/favourites", json={"items": [favourite(), favourite(link)]})
    assert answer.status_code == 400
    assert (await ana.get(f"{PLACE}/favourites")).json() == {"items": []}


async def test_as_much_as_is_allowed_fits_into_the_seal(ana: Browser) -> None:
    handles = [f"{number:024}" for number in range(MAX_HANDLES)]
    assert (await ana.put(f"{PLACE}/suggestions", json={"handles": handles})).status_code == 204
    items = [favourite(f"{LINK}{number:0>240}") for number in range(MAX_FAVOURITES)]
    assert (await ana.put(f"{PLACE}/favourites", json={"items": items})).status_code == 204
    assert len((await ana.get(f"{PLACE}/favourites")).json()["items"]) == MAX_FAVOURITES


async def test_nobody_knows_another_kind_of_list(ana: Browser) -> None:
    for kind in ("messages", "SUGGESTIONS"):
        assert (await ana.get(f"{PLACE}/{kind}")).status_code in (404, 405)
        assert (await ana.delete(f"{PLACE}/{kind}")).status_code in (404, 405)
