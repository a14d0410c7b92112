"""What a pasted link to a clip shows: tags for what everybody may see, none for anything else."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.cell.house import Browser, House

PAGE = "<!doctype html><html><head><title>Luciole</title></head><body></body></html>"


@pytest.fixture
def built(house: House, tmp_path: Path) -> House:
    """The house with a built client."""
    (tmp_path / "index.html").write_text(PAGE)
    web = msgspec.structs.replace(house.settings.web, dist=str(tmp_path))
    return House(house.db, msgspec.structs.replace(house.settings, web=web), house.vault)


def tags(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', answer.text))


async def test_link_of_a_public_clip_shows_its_words_and_its_picture(
    built: House, house: House, ana: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption='Look: <b>"sea"</b> & sun')
    found = tags(await built.visitor().get(f"/c/{made['id']}"))
    assert found["og:title"] == "Ana (@ana)"
    assert found["og:description"] == "Look: &lt;b&gt;&quot;sea&quot;&lt;/b&gt; &amp; sun"
    origin = house.settings.origin
    assert found["og:url"] == f"{origin}/c/{made['id']}"
    assert found["og:image"] == origin + made["poster_url"]
    assert (await house.visitor().get(made["poster_url"])).status_code == 200
    assert found["og:video"] == origin + made["renditions"][0]["url"]
    # Nothing of it is anybody else's.
    assert all(
        value.startswith(f"{origin}/") for value in found.values() if value.startswith("http")
    )
    await built.close()


@pytest.mark.parametrize("audience", ["friends", "only-me"])
async def test_link_of_a_clip_for_some_shows_nothing(
    built: House, house: House, ana: Browser, tiny_film: bytes, audience: str
) -> None:
    made = await ana.clip(house, tiny_film, audience=audience, caption="ours")
    for who in (built.visitor(), built.visitor(cookie=f"luciole_session={ana.token}")):
        answer = await who.get(f"/c/{made['id']}")
        assert answer.text == PAGE
    await built.close()


async def test_link_of_a_private_account_or_of_no_clip_shows_nothing(
    built: House, house: House, ana: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption="mine")
    await ana.patch("/api/me", json={"is_private": True})
    for clip_id in (made["id"], "01a21995-51d5-7ef7-bd9e-19fce684f77b"):
        assert (await built.visitor().get(f"/c/{clip_id}")).text == PAGE
    await built.close()
