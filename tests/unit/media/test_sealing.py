"""The cell's own content credentials: sound for the standard's library, and in nobody's way."""

from __future__ import annotations

import asyncio
import hashlib
import random
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from tests.unit.media import films, sealer, signed

from luciole.cell.media import encode, fence, manifest, packaging, sealing
from luciole.cell.media.encode import Encoded, EncodingFailed
from luciole.cell.media.manifest import Told
from luciole.cell.media.model import Credentials
from luciole.cell.media.seals import naming
from luciole.cell.media.store import File

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)
SIZE = "160x284"


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A film in one piece and the same in segments, as they are before they are sealed."""
    folder = tmp_path_factory.mktemp("sealing")
    source = films.make(folder / "film.mp4", seconds=2.2, size=SIZE)
    whole, parts = folder / "540.mp4", folder / "540.seg.mp4"
    for target, options in ((whole, encode.CLEAN), (parts, packaging.FRAGMENTED)):
        command = [encode.ffmpeg(), "-v", "error", "-y", "-i", str(source), "-c", "copy"]
        subprocess.run([*command, *options, "-f", "mp4", str(target)], check=True)
    return {"whole": whole.read_bytes(), "segments": parts.read_bytes()}


@pytest.fixture(params=["whole", "segments"])
def film(request: pytest.FixtureRequest, laid: dict[str, bytes]) -> bytes:
    return laid[request.param]


async def sealed(tmp_path: Path, film: bytes, told: Told = Told()) -> bytes:  # noqa: B008
    path = tmp_path / "film.mp4"
    path.write_bytes(film)
    await sealer.sealer().seal(path, told)
    assert [one.name for one in tmp_path.iterdir()] == ["film.mp4"]
    return path.read_bytes()


def frames(path: Path, film: bytes) -> str:
    path.write_bytes(film)
    command = [encode.ffmpeg(), "-v", "error", "-i", str(path), "-f", "framemd5", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


async def test_library_finds_them_sound_and_by_the_cell(tmp_path: Path, film: bytes) -> None:
    data = await sealed(tmp_path, film)
    report = sealer.judged(data)
    assert report["validation_state"] == "Trusted"
    assert not report.get("validation_status")
    found = sealer.active(report)
    assert found["signature_info"]["issuer"] == sealer.HOST
    assert found["claim_generator_info"][0]["name"] == "Luciole"
    results = report["validation_results"]["activeManifest"]
    codes = {one["code"] for one in results["success"]}
    assert {"claimSignature.validated", "assertion.bmffHash.match"} <= codes
    assert [one["code"] for one in results["informational"]] == ["signingCredential.ocsp.skipped"]
    assert sealer.judged(data, None)["validation_state"] == "Valid"
    assert sealer.judged(data, sealer.other_root())["validation_state"] == "Valid"


async def test_changed_byte_makes_them_invalid(tmp_path: Path, film: bytes) -> None:
    data = await sealed(tmp_path, film)
    drawn = random.Random(7)
    places = [data.rindex(b"mdat") + 9, len(data) - 1, data.index(b"mvhd") + 12]
    places += [drawn.randrange(40, len(data)) for _ in range(40)]
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1
        assert sealer.judges(bytes(changed)) == "Invalid", place


async def test_they_are_small_and_of_the_same_size_each_time(tmp_path: Path, film: bytes) -> None:
    sizes = {len(await sealed(tmp_path, film)) - len(film) for _ in range(3)}
    (size,) = sizes
    assert size < 2_200


async def test_film_plays_as_before(tmp_path: Path, film: bytes) -> None:
    data = await sealed(tmp_path, film)
    other = tmp_path / "other"
    assert frames(other, data) == frames(other, film)


async def test_index_points_to_the_same_segments(tmp_path: Path, laid: dict[str, bytes]) -> None:
    path = tmp_path / "before.mp4"
    path.write_bytes(laid["segments"])
    before = packaging.read_index(path)
    (tmp_path / "x").mkdir()
    data = await sealed(tmp_path / "x", laid["segments"])
    path.write_bytes(data)
    after = packaging.read_index(path)
    assert (after.sizes, after.durations_ms, after.codecs) == (
        before.sizes,
        before.durations_ms,
        before.codecs,
    )
    assert data[after.init_bytes :] == laid["segments"][before.init_bytes :]
    assert after.init_bytes - before.init_bytes == len(data) - len(laid["segments"])
    assert packaging.is_fragmented(path)


async def test_taken_out_again_the_file_is_what_it_was(tmp_path: Path, film: bytes) -> None:
    source, target = tmp_path / "s.mp4", tmp_path / "t.mp4"
    (tmp_path / "x").mkdir()
    source.write_bytes(await sealed(tmp_path / "x", film))
    assert sealing.bare(source, target)
    assert target.read_bytes() == film
    source.write_bytes(film)
    assert not sealing.bare(source, target)


async def test_second_seal_takes_the_place_of_the_first(tmp_path: Path, film: bytes) -> None:
    once = await sealed(tmp_path, film, Told(author_says_ai=True))
    twice = await sealed(tmp_path, once, Told())
    report = sealer.judged(twice)
    assert report["validation_state"] == "Trusted"
    assert len(report["manifests"]) == 1
    assert twice.count(manifest.USER) == once.count(manifest.USER)
    assert "digitalSourceType" not in str(report)


FOUND = Credentials("valid", "signingCredential.untrusted", "Nour Secretname")
BROKEN = Credentials("invalid", "claimSignature.mismatch", "Nour Secretname")


@pytest.mark.parametrize(
    ("told", "term"),
    [
        (Told(), None),
        (Told(author_says_ai=True), "trainedAlgorithmicMedia"),
        (Told(False, "made", FOUND), "trainedAlgorithmicMedia"),
        (Told(True, "partly", FOUND), "compositeWithTrainedAlgorithmicMedia"),
        (Told(False, "made", BROKEN), None),
        (Told(True, "partly", BROKEN), "trainedAlgorithmicMedia"),
        (Told(False, None, FOUND), None),
    ],
)
async def test_they_say_what_is_known_of_the_film(
    tmp_path: Path, laid: dict[str, bytes], told: Told, term: str | None
) -> None:
    data = await sealed(tmp_path, laid["segments"], told)
    report = sealer.judged(data)
    assert report["validation_state"] == "Trusted"
    opened, done = sealer.said(report, "c2pa.actions.v2")["actions"]
    assert (opened["action"], done["action"]) == ("c2pa.opened", "c2pa.transcoded")
    assert opened.get("digitalSourceType") == (manifest.TERMS + term if term else None)
    (ingredient,) = sealer.active(report)["ingredients"]
    assert ingredient["relationship"] == "parentOf"
    came = told.came_with
    assert ("description" in ingredient) == (came is not None)
    if came is not None and came.code is not None:
        assert came.code in ingredient["description"]
        assert b"Secretname" not in data


async def test_edits_are_said(tmp_path: Path, laid: dict[str, bytes]) -> None:
    report = sealer.judged(await sealed(tmp_path, laid["segments"], Told(is_edited=True)))
    done = [one["action"] for one in sealer.said(report, "c2pa.actions.v2")["actions"]]
    assert done == ["c2pa.opened", "c2pa.edited", "c2pa.transcoded"]


async def test_pictures_are_named_and_a_forged_one_is_not(
    tmp_path: Path, laid: dict[str, bytes]
) -> None:
    hung = []
    for kind in ("poster", "avif-poster", "preview"):
        path = tmp_path / kind
        path.write_bytes(kind.encode() * 99)
        hung.append((File(kind, kind, kind, kind, "image/avif", 2, 2, 1, 9, None), path))
    (tmp_path / "x").mkdir()
    worst = Told(True, "partly", FOUND, is_edited=True)
    told = await naming(worst, hung)
    data = await sealed(tmp_path / "x", laid["segments"], told)
    assert sealer.judged(data)["validation_state"] == "Trusted"
    # The longest of all that may be said; three hashes are some 250 bytes of it.
    assert len(data) - len(laid["segments"]) < 2_450
    for _, path in hung:
        picture = path.read_bytes()
        assert sealer.names(data, picture)
        assert not sealer.names(data, picture + b"\0")
        assert not sealer.names(data, picture, sealer.other_root())
        # Who names a forged one in the place of the real one breaks the credentials.
        real, forged = (
            hashlib.sha256(one).hexdigest().encode() for one in (picture, picture + b"\0")
        )
        assert data.count(real) == 1
        assert sealer.judges(data.replace(real, forged)) == "Invalid"
    bare = await sealed(tmp_path / "x", laid["segments"], worst)
    assert "org.luciole.pictures" not in str(sealer.judged(bare))


async def test_film_of_a_stranger_in_another_layout_is_refused(
    tmp_path: Path, laid: dict[str, bytes]
) -> None:
    film = laid["whole"]
    moov = film.index(b"moov") - 4
    size = int.from_bytes(film[moov : moov + 4])
    odd = film[moov : moov + size]
    stco = odd.index(b"stco")
    for data in (
        b"",
        film[:moov] + film[moov + size :],
        film[:-3],
        film + b"\0\0\0\1mdat",
        film.replace(b"ftyp", b"free"),
        film.replace(odd, odd[: stco + 8] + b"\xff\xff\xff\xff" + odd[stco + 12 :]),
        film.replace(odd, odd[: stco + 12] + b"\xff\xff\xff\xf0" + odd[stco + 16 :]),
        signed.camera().signs(film)[:-3],
    ):
        with pytest.raises(EncodingFailed):
            await sealed(tmp_path, data)
        (tmp_path / "film.mp4.sealed").unlink(missing_ok=True)


async def test_what_was_packed_and_sealed_is_packed_again_without(tmp_path: Path) -> None:
    film = films.make(tmp_path / "f.mp4", seconds=1.2, size=SIZE)
    path = tmp_path / "540.mp4"
    command = [encode.ffmpeg(), "-v", "error", "-i", str(film), "-c", "copy", *encode.CLEAN]
    await asyncio.to_thread(subprocess.run, [*command, "-f", "mp4", str(path)], check=True)
    made = Encoded("540", path, 160, 284, path.stat().st_size, encode.duration_ms(path))
    (before,) = await packaging.pack([made], tmp_path)
    data = before.path.read_bytes()
    await sealer.sealer().seal(path, Told())
    assert encode.duration_ms(path) == made.duration_ms
    (after,) = await packaging.pack([made], tmp_path)
    assert after.path.read_bytes() == data


def test_certificates_are_the_same_each_time_and_chain() -> None:
    root, leaf = (x509.load_der_x509_certificate(one) for one in (sealer.ROOT, sealer.LEAF))
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert sealer.certificate.chain(b"r" * 32, sealer.KEY.public, sealer.HOST)[1] == sealer.LEAF
