"""That AI made a clip: said by its author, by the file, or by both; and kept as one word only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cell.house import Browser, House
from tests.unit.media import c2pa, signed

from luciole.cell.media import fence
from luciole.cell.media.workshop import Workshop

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


def generated(film: bytes, *sources: str) -> bytes:
    """The film with sound content credentials that say where it comes from, and who made it."""
    author = {"@type": "CreativeWork", "author": [{"@type": "Person", "name": "Nour Secretname"}]}
    work = {"label": "stds.schema-org.CreativeWork", "data": author, "kind": "Json"}
    return signed.camera().signs(film, *sources or (c2pa.GENERATED,), assertions=[work])


PIECES = [{"start_ms": 0, "end_ms": 200}, {"start_ms": 300, "end_ms": 500}]


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
        for word in (b"Nour Secretname", b"Camera Works", ana.handle.encode()):
            assert word not in data
    rows = await house.rows("SELECT a::text AS row FROM media.asset a")
    assert "Nour" not in rows[0]["row"]
    assert clip["ai_in_file"] == "made"


async def test_viewer_reads_who_signed_and_that_nobody_has_checked_whom(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    clip = await ana.clip(house, generated(tiny_film))
    for viewer in (ben, house.visitor()):
        assert (await viewer.get(f"/api/clips/{clip['id']}")).json()["credentials"] == {
            "state": "valid",
            "code": "signingCredential.untrusted",
            "signer": "Camera Works",
            "says_ai": "made",
        }
    assert (await ana.clip(house, tiny_film))["credentials"] is None


async def test_tampered_credentials_are_shown_as_that_and_never_as_a_fact(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    changed = bytearray(generated(tiny_film))
    changed[-20] ^= 1
    unsigned = c2pa.store(c2pa.manifest(c2pa.actions(c2pa.GENERATED)))
    for film, code in (
        (bytes(changed), "assertion.bmffHash.mismatch"),
        (c2pa.in_film(tiny_film, unsigned), None),
    ):
        clip = await ana.clip(house, film)
        assert clip["state"] == "published"
        assert says(clip) == (False, None)
        told = clip["credentials"]
        assert (told["state"], told["says_ai"]) == ("invalid", "made")
        assert code is None or told["code"] == code
    rows = await house.rows("SELECT ai FROM media.playable")
    assert [row["ai"] for row in rows] == [None, None]


async def test_signer_on_the_list_of_the_operator_is_trusted(
    house: House, ana: Browser, tiny_film: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tmp_path / "anchors.pem"
    listed.write_text(signed.camera().root)
    monkeypatch.setattr(Workshop, "_anchors", lambda _: listed)
    clip = await ana.clip(house, generated(tiny_film))
    assert clip["credentials"]["state"] == "trusted"


async def test_edited_film_keeps_what_its_file_said(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    clip = await ana.clip(house, generated(tiny_film), edit={"pieces": PIECES})
    assert says(clip) == (False, "made")


async def test_damaged_credentials_keep_no_film_from_being_published(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    unsigned = c2pa.store(c2pa.manifest(c2pa.actions(c2pa.GENERATED)))
    clip = await ana.clip(house, c2pa.in_film(tiny_film, unsigned)[:-40])
    assert (clip["state"], clip["ai_in_file"]) == ("published", None)
