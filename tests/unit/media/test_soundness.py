"""Whether content credentials are sound is found out in the fence, by the standard's library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.media import c2pa, films, signed

from luciole.cell.media import credentials, fence, probe
from luciole.cell.media import credentials_check_child as child
from luciole.cell.media.model import Credentials

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("soundness") / "a.mp4"
    return films.make(path, seconds=0.3, size="64x64").read_bytes()


async def found(tmp_path: Path, data: bytes, anchors: str = "") -> Credentials:
    path, listed = tmp_path / "film.mp4", tmp_path / "anchors.pem"
    path.write_bytes(data)
    listed.write_text(anchors)
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    return await credentials.check(path, out, listed if anchors else None)


async def test_sound_ones_are_valid_and_trusted_where_the_signer_is_on_the_list(
    tmp_path: Path, film: bytes
) -> None:
    camera = signed.camera()
    data = camera.signs(film, c2pa.CAPTURED)
    by_nobody = Credentials("valid", "signingCredential.untrusted", "Camera Works")
    assert await found(tmp_path, data) == by_nobody
    assert await found(tmp_path, data, signed.Maker.named("Another").root) == by_nobody
    by_known = Credentials("trusted", "signingCredential.trusted", "Camera Works")
    assert await found(tmp_path, data, camera.root) == by_known


async def test_name_on_another_certificate_is_not_the_one_of_the_list(
    tmp_path: Path, film: bytes
) -> None:
    data = signed.Maker.named("Camera Works").signs(film, c2pa.CAPTURED)
    told = await found(tmp_path, data, signed.camera().root)
    assert told.state == "valid"


async def test_changed_pictures_make_them_invalid(tmp_path: Path, film: bytes) -> None:
    data = bytearray(signed.camera().signs(film, c2pa.CAPTURED))
    data[-20] ^= 1
    told = await found(tmp_path, bytes(data), signed.camera().root)
    assert (told.state, told.code) == ("invalid", "assertion.bmffHash.mismatch")
    assert not told.count


async def test_changed_claim_makes_them_invalid(tmp_path: Path, film: bytes) -> None:
    honest = signed.camera().signs(film, c2pa.CAPTURED)
    changed = honest.replace(b"digitalCapture", b"digitalCupture")
    assert changed != honest
    assert (await found(tmp_path, changed)).state == "invalid"


async def test_credentials_of_another_film_are_invalid(tmp_path: Path, film: bytes) -> None:
    honest = signed.camera().signs(film, c2pa.CAPTURED)
    other = films.make(tmp_path / "b.mp4", seconds=0.3, size="96x96").read_bytes()
    stored = honest[honest.index(c2pa.UUID) - 8 :]
    box = stored[: int.from_bytes(stored[:4])]
    told = await found(tmp_path, other + box)
    assert (told.state, told.code) == ("invalid", "assertion.bmffHash.mismatch")


async def test_unsigned_and_damaged_ones_are_invalid(tmp_path: Path, film: bytes) -> None:
    unsigned = c2pa.in_film(film, c2pa.store(c2pa.manifest(c2pa.actions(c2pa.GENERATED))))
    for data in (unsigned, c2pa.in_film(film, b"nothing"), film):
        told = await found(tmp_path, data)
        assert (told.state, told.signer) == ("invalid", None)
        assert told.code


async def test_child_that_breaks_leaves_them_unproven(
    tmp_path: Path, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = fence.Limits(wall_s=10, cpu_s=5, memory_bytes=1024, file_bytes=0)
    monkeypatch.setattr(credentials, "LIMITS", limits)
    told = await found(tmp_path, signed.camera().signs(film, c2pa.CAPTURED))
    assert told == credentials.NOT_CHECKED


async def test_list_that_holds_no_certificates_proves_nobody(tmp_path: Path, film: bytes) -> None:
    data = signed.camera().signs(film, c2pa.CAPTURED)
    for listed in ("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n", "é"):
        assert (await found(tmp_path, data, listed)).state != "trusted"


async def test_probe_tells_which_films_carry_any(tmp_path: Path, film: bytes) -> None:
    for data, has in (
        (film, False),
        (c2pa.in_film(film, b""), True),
        (c2pa.in_film(film, b"x", purpose=b"merkle"), False),
        (signed.camera().signs(film, c2pa.CAPTURED), True),
    ):
        path = tmp_path / "c.mp4"
        path.write_bytes(data)
        assert (await probe.probe(path, tmp_path)).facts.has_credentials is has


@pytest.mark.parametrize(
    ("report", "told"),
    [
        ({}, ("invalid", "general.error")),
        ({"validation_state": "Valid"}, ("valid", "signingCredential.untrusted")),
        (
            {"validation_state": "Trusted", "validation_status": [{"code": "x.y"}]},
            ("invalid", "x.y"),
        ),
        (
            {
                "validation_state": "Invalid",
                "validation_status": [{"code": child.UNTRUSTED}, {"code": "timeStamp.mismatch"}],
            },
            ("invalid", "timeStamp.mismatch"),
        ),
    ],
)
def test_report_becomes_one_word_and_one_code(
    report: dict[str, object], told: tuple[str, str]
) -> None:
    judged = child.judged(report)
    assert (judged["state"], judged["code"]) == told


def test_signer_is_shown_in_one_short_line() -> None:
    assert child.name("Camera\u202e Works\n\n GmbH") == "Camera Works GmbH"
    assert child.name("x" * 500) == "x" * child.MOST_LETTERS
    assert child.name(" \u200b ") is None
    assert child.name(json.loads("7")) is None
