"""Edit lists through the API: what comes of them, and what is refused."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from tests.cell.house import Browser, House, refused
from tests.unit.media import films
from tests.unit.media.test_editing import BAD, frames, loud, numbered, png

from luciole.cell.media import fence

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds in which each frame says which one it is."""
    return numbered(tmp_path_factory.mktemp("numbers") / "film.mp4", 50).read_bytes()


def layer(**fields: Any) -> dict[str, Any]:
    picture = png(180, 320, (255, 255, 255, 255))
    return {"png": base64.b64encode(picture).decode(), **fields}


async def fetched(viewer: Browser, url: str, path: Path) -> Path:
    answer = await viewer.get(url)
    assert answer.status_code == 200, answer.text
    path.write_bytes(answer.content)
    return path


async def test_clip_is_made_of_the_edited_film(
    house: House, ana: Browser, numbers: bytes, tmp_path: Path
) -> None:
    pieces = [{"start_ms": 1200, "end_ms": 1600}, {"start_ms": 0, "end_ms": 800}]
    made = await ana.clip(
        house, numbers, edit={"pieces": pieces, "layers": [layer(start_ms=1000)]}, cover_ms=1100
    )
    assert (made["state"], made["has_audio"]) == ("published", True)
    assert abs(made["duration_ms"] - 1200) <= 60
    film = await fetched(ana, made["renditions"][0]["url"], tmp_path / "film.mp4")
    # Within one of each: a rendition has fewer shades than frames have numbers.
    found = frames(film)
    wanted = [*range(30, 40), *range(15)]
    assert all(abs(one - other) <= 1 for one, other in zip(found, wanted, strict=False))
    assert [each > 53 for each in found] == [False] * 25 + [True] * 5
    heard = loud(film)
    assert heard[:19] == [False] * 19
    assert heard[21:29] == [True] * 8
    # The poster and the hashes come out of the edited film, too: white is what the cover shows.
    poster = await fetched(ana, made["poster_url"], tmp_path / "poster.webp")
    assert min(films.frame(poster, size="4:4")) > 245
    stills = await house.rows("SELECT at_ms FROM media.still ORDER BY at_ms")
    assert [row["at_ms"] for row in stills] == [0, 1000]
    # And nothing is left of what was laid over it but the film.
    assert await house.rows("SELECT 1 FROM media.layer") == []


async def test_muted_film_has_no_sound_and_gives_none(
    house: House, ana: Browser, numbers: bytes, tmp_path: Path
) -> None:
    made = await ana.clip(house, numbers, edit={"is_muted": True})
    assert (made["state"], made["has_audio"], made["sound"]) == ("published", False, None)
    film = await fetched(ana, made["renditions"][0]["url"], tmp_path / "film.mp4")
    assert "Audio" not in films.described(film)
    assert await house.rows("SELECT 1 FROM clips.sound") == []


async def test_trim_still_trims_with_and_without_an_edit(
    house: House, ana: Browser, numbers: bytes
) -> None:
    for edit in (None, {"layers": [layer()]}):
        made = await ana.clip(
            house, numbers, trim_start_ms=400, trim_end_ms=1200, cover_ms=600, edit=edit
        )
        assert made["state"] == "published"
        assert abs(made["duration_ms"] - 800) <= 60


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"edit": {"pieces": [{"start_ms": 0, "end_ms": 50}]}}, "bad-pieces"),
        ({"edit": {"pieces": [{"start_ms": 0, "end_ms": 500}] * 17}}, "bad-pieces"),
        ({"edit": {"pieces": [{"start_ms": 0, "end_ms": 90_000}] * 3}}, "bad-pieces"),
        (
            {"edit": {"pieces": [{"start_ms": 0, "end_ms": 500}]}, "trim_end_ms": 400},
            "bad-pieces",
        ),
        ({"edit": {"layers": [layer()] * 5}}, "bad-layer"),
        ({"edit": {"layers": [layer(start_ms=500, end_ms=500)]}}, "bad-layer"),
        *(
            ({"edit": {"layers": [{"png": base64.b64encode(data).decode()}]}}, "bad-layer")
            for data in BAD.values()
        ),
    ],
)
async def test_bad_list_is_refused_and_the_upload_can_be_published_otherwise(
    house: House, ana: Browser, numbers: bytes, fields: dict[str, Any], code: str
) -> None:
    draft = await ana.draft(numbers)
    refused(await ana.post("/api/clips", json={**draft, **fields}), 400, code)
    assert (await ana.post("/api/clips", json=draft)).status_code == 201


@pytest.mark.parametrize(
    "edit",
    [
        {"pieces": [{"start_ms": -1, "end_ms": 500}]},
        {"pieces": [{"start_ms": 0, "end_ms": 500, "speed": 2}]},
        {"filters": "crop"},
        {"layers": [{"png": "not base64!"}]},
    ],
)
async def test_list_of_another_shape_is_refused(
    ana: Browser, numbers: bytes, edit: dict[str, Any]
) -> None:
    answer = await ana.post("/api/clips", json=await ana.draft(numbers, edit=edit))
    assert answer.status_code == 400


async def test_piece_outside_the_film_refuses_the_clip_with_a_reason(
    house: House, ana: Browser, numbers: bytes
) -> None:
    pieces = [{"start_ms": 0, "end_ms": 500}, {"start_ms": 5000, "end_ms": 6000}]
    made = await ana.clip(house, numbers, edit={"pieces": pieces})
    assert (made["state"], made["refusal"]["code"]) == ("refused", "outside-the-film")


async def test_layers_go_with_the_clip(house: House, ana: Browser, numbers: bytes) -> None:
    answer = await ana.post("/api/clips", json=await ana.draft(numbers, edit={"layers": [layer()]}))
    assert len(await house.rows("SELECT 1 FROM media.layer")) == 1
    await ana.delete(f"/api/clips/{answer.json()['id']}")
    assert await house.rows("SELECT 1 FROM media.layer") == []
