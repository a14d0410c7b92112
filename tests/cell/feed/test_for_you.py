"""For You through the API: pages, sessions, cursors."""

from __future__ import annotations

from tests.cell.house import Browser, House

FOR_YOU = "/api/feeds/for-you"


async def test_first_page_has_what_is_there(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption="one #cats")
    answer = await ben.get(FOR_YOU)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert [item["id"] for item in page["items"]] == [made["id"]]
