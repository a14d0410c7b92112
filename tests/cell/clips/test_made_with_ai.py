"""That AI made a clip: said by its author, by the file, or by both; and kept as one word only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cell.house import Browser, House
from tests.unit.media import c2pa

from luciole.cell.media import fence

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


def generated(film: bytes, *sources: str) -> bytes:
    """The film with content credentials that say where it comes from, and who made it."""
    author = {"@type": "CreativeWork", "author": [{"@type": "Person", "name": "Nour Secretname"}]}
    work = c2pa.superbox(
        b"json", "stds.schema-org.CreativeWork", c2pa.box(b"json", json.dumps(author).encode())
    )
    made = c2pa.manifest(c2pa.actions(*sources or (c2pa.GENERATED,)), work)
    return c2pa.in_film(film, c2pa.store(made))


def says(clip: dict[str, Any]) -> tuple[bool, str | None]:
    return clip["made_with_ai"], clip["ai_in_file"]


async def test_both_say_for_themselves(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    for film, label, told in (
        (generated(tiny_film), False, (False, "made")),
        (generated(tiny_film, c2pa.COMPOSITE), True, (True, "partly")),
        (tiny_film, True, (True, None)),
        (generated(tiny_film, c2pa.CAPTURED), False, (False, None)),
    ):
        clip = await ana.clip(house, film, made_with_ai=label)
        assert clip["state"] == "published"
        assert says(clip) == told
        for viewer in (ben, house.visitor()):
            assert says((await viewer.get(f"/api/clips/{clip['id']}")).json()) == told


async def test_author_cannot_take_back_what_the_file_says(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    clip = await ana.clip(house, generated(tiny_film), made_with_ai=True)
    answer = await ana.patch(f"/api/clips/{clip['id']}", json={"made_with_ai": False})
    assert says(answer.json()) == (False, "made")


async def test_nothing_else_of_the_credentials_is_kept(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    film = generated(tiny_film)
    assert b"Nour Secretname" in film
    clip = await ana.clip(house, film)
    await house.parts.queue.run_periodic("media.sweep")
    kept = [path for path in Path(house.settings.blobs_place).rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        data = path.read_bytes()
        for word in (b"Nour Secretname", b"c2pa", c2pa.UUID):
            assert word not in data
    rows = await house.rows("SELECT a::text AS row FROM media.asset a")
    assert "Nour" not in rows[0]["row"]
    assert clip["ai_in_file"] == "made"


async def test_damaged_credentials_keep_no_film_from_being_published(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    clip = await ana.clip(house, generated(tiny_film)[:-40])
    assert (clip["state"], clip["ai_in_file"]) == ("published", None)
