"""What is for adults only, where all of a cell's readers take turns on few connections."""

from __future__ import annotations

import pytest
from tests.cell.house import Browser, House, refused
from tests.cell.safety.bench import at_work, decide, report

from luciole.kit.db import Database


@pytest.mark.parametrize("headers", [{}, {"X-Country": "FR"}])
async def test_nobody_sees_it_on_the_connection_of_an_adult_before_them(
    house: House,
    ana: Browser,
    ben: Browser,
    tiny_film: bytes,
    owner_url: str,
    headers: dict[str, str],
) -> None:
    """As the API process connects: from the country of the cell, as whose most requests count."""
    clip = await ana.clip(house, tiny_film)
    teen = await house.person("teo", age_band="16-17")
    await report(ben, "clip", clip["id"])
    await decide(await at_work(house, owner_url, "max"), act="adults")
    home = house.settings.cell.country
    one = await Database.open(owner_url, role="luciole_api", size=1, country=home)
    door = House(one, house.settings, house.vault)
    place = f"/api/clips/{clip['id']}"
    try:
        adult, visitor, minor = door.visitor(**headers), door.visitor(**headers), door.visitor()
        adult.cookies, minor.cookies = ben.cookies, teen.cookies
        for _ in range(2):
            assert (await adult.get(place)).status_code == 200
            refused(await visitor.get(place), 403, "adults-only")
            assert (await visitor.get("/api/feeds/latest")).json()["items"] == []
            assert (await adult.get("/api/feeds/latest")).json()["items"] != []
            assert (await visitor.get(f"/api/people/{ana.handle}/clips")).json()["items"] == []
            refused(await minor.get(place), 403, "adults-only")
    finally:
        await door.close()
        await one.close()
