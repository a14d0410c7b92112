"""What a film's content credentials say about AI, and that no bytes of theirs do harm."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.media import c2pa, films

from luciole.cell.media import credentials_child as credentials
from luciole.cell.media import fence, probe

FILM = c2pa.box(b"ftyp", b"isom" + bytes(4)) + c2pa.box(b"mdat", bytes(64))
needs_fence = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


def said(tmp_path: Path, *manifests: bytes) -> str | None:
    return credentials.said(str(c2pa.written(tmp_path / "a.mp4", FILM, manifests)))


@pytest.mark.parametrize(
    ("assertion", "told"),
    [
        (c2pa.actions(c2pa.GENERATED), "made"),
        (c2pa.actions(c2pa.CAPTURED, c2pa.COMPOSITE), "partly"),
        (c2pa.actions(c2pa.COMPOSITE, c2pa.GENERATED), "made"),
        (c2pa.actions(c2pa.CAPTURED), None),
        (c2pa.actions(), None),
        (c2pa.metadata(c2pa.GENERATED), "made"),
        (c2pa.metadata("trainedAlgorithmicMedia"), None),
        (c2pa.metadata("https://example.org/trainedAlgorithmicMedia"), None),
        (c2pa.metadata("http://c2pa.org/digitalsourcetype/trainedAlgorithmicData"), "made"),
    ],
)
def test_assertion_says_how_a_film_was_made(
    tmp_path: Path, assertion: bytes, told: str | None
) -> None:
    assert said(tmp_path, c2pa.manifest(assertion)) == told
    assert said(tmp_path, c2pa.manifest(assertion, field="created_assertions")) == told


def test_assertion_that_was_changed_after_the_claim_is_not_believed(tmp_path: Path) -> None:
    honest = c2pa.manifest(c2pa.actions(c2pa.CAPTURED))
    forged = honest.replace(b"digitalCapture", b"trainedAlgorit")
    assert len(forged) == len(honest)
    assert said(tmp_path, forged) is None
    assert said(tmp_path, c2pa.manifest(c2pa.actions(c2pa.GENERATED), forged=True)) is None


def test_assertion_that_no_claim_lists_says_nothing(tmp_path: Path) -> None:
    manifest = c2pa.manifest(c2pa.actions(c2pa.GENERATED), field="somewhere_else")
    assert said(tmp_path, manifest) is None


def test_film_that_was_edited_keeps_what_it_was_made_from(tmp_path: Path) -> None:
    before = c2pa.manifest(c2pa.actions(c2pa.GENERATED), name="urn:uuid:0")
    edited = c2pa.manifest(c2pa.actions())
    assert said(tmp_path, before, edited) == "partly"
    assert said(tmp_path, edited, before) == "made"
    assert said(tmp_path, b"", edited) is None


def test_film_without_credentials_or_with_other_boxes_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    stored = c2pa.store(c2pa.manifest(c2pa.actions(c2pa.GENERATED)))
    for data in (
        FILM,
        b"",
        b"\0\0",
        FILM + c2pa.box(b"uuid", bytes(40)),
        c2pa.in_film(FILM, stored, purpose=b"merkle"),
        c2pa.in_film(FILM, b""),
        c2pa.in_film(FILM, stored[:-1]),
        c2pa.in_film(FILM, stored + stored),
    ):
        path.write_bytes(data)
        assert credentials.said(str(path)) is None
    path.write_bytes(c2pa.in_film(FILM, stored))
    assert credentials.said(str(path)) == "made"


@pytest.mark.parametrize(
    ("name", "told"),
    [("trained", "made"), ("composite", "partly"), ("capture", None), ("edited", "partly")],
)
def test_what_the_library_of_c2pa_has_written_is_read(
    tmp_path: Path, name: str, told: str | None
) -> None:
    """Boxes out of films that c2pa-python 0.38.1 has signed, for the words of IPTC that they are
    named after, with certificates made for that; in `edited`, another went on with `trained`."""
    path = tmp_path / "a.mp4"
    box = Path(__file__).with_name("credentials") / f"{name}.box"
    path.write_bytes(FILM + box.read_bytes())
    assert credentials.said(str(path)) == told


def test_store_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = c2pa.manifest(c2pa.actions(c2pa.GENERATED))
    monkeypatch.setattr(credentials, "MOST_BYTES", 400)
    assert said(tmp_path, manifest) is None


DEEP = {
    "boxes": lambda: _nested(40),
    "lists": lambda: c2pa.manifest(_cbor(b"\x81" * 3000 + b"\x00")),
    "tags": lambda: c2pa.manifest(_cbor(b"\xc1" * 3000 + b"\x00")),
    "json": lambda: c2pa.manifest(_json(b"[" * 100_000)),
    "items": lambda: c2pa.manifest(_cbor(b"\x9a\xff\xff\xff\xff" + b"\x00" * 100_000)),
    "bytes": lambda: c2pa.manifest(_cbor(b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff")),
    "without end": lambda: c2pa.manifest(_cbor(b"\x9f" + b"\x00" * 60_000)),
    "map without end": lambda: c2pa.manifest(_cbor(b"\xbf\x61a")),
    "number": lambda: c2pa.manifest(_json(b'{"digitalSourceType": ' + b"9" * 10_000 + b"}")),
    "many boxes": lambda: c2pa.superbox(b"c2ma", "x", *[c2pa.box(b"free", b"")] * 10_000),
}


def _nested(depth: int) -> bytes:
    found = c2pa.superbox(b"c2ma", "x")
    for _ in range(depth):
        found = c2pa.superbox(b"c2ma", "x", found)
    return found


def _cbor(data: bytes) -> bytes:
    return c2pa.superbox(b"cbor", "c2pa.actions", c2pa.box(b"cbor", data))


def _json(data: bytes) -> bytes:
    return c2pa.superbox(b"json", "c2pa.metadata", c2pa.box(b"json", data))


@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.timeout(60)
def test_bomb_says_nothing(tmp_path: Path, kind: str) -> None:
    assert said(tmp_path, DEEP[kind]()) is None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(at=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=8))
def test_damaged_credentials_say_nothing_wrong(
    tmp_path_factory: pytest.TempPathFactory, at: list[tuple[int, int]]
) -> None:
    honest = c2pa.in_film(FILM, c2pa.store(c2pa.manifest(c2pa.actions(c2pa.CAPTURED))))
    data = bytearray(honest)
    for place, value in at:
        data[place % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.mp4"
    path.write_bytes(bytes(data))
    assert credentials.said(str(path)) is None


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_in_the_box_are_survived(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mp4"
    path.write_bytes(c2pa.in_film(FILM, data))
    assert credentials.said(str(path)) is None
    path.write_bytes(FILM + struct.pack(">I4s", 900, b"uuid") + data)
    assert credentials.said(str(path)) is None


@needs_fence
async def test_probe_reads_them_inside_the_fence(tmp_path: Path) -> None:
    plain = films.make(tmp_path / "a.mp4", seconds=0.3, size="64x64")
    assert (await probe.probe(plain, tmp_path)).facts.ai is None
    path = c2pa.written(
        tmp_path / "b.mp4", plain.read_bytes(), [c2pa.manifest(c2pa.actions(c2pa.GENERATED))]
    )
    assert (await probe.probe(path, tmp_path)).facts.ai == "made"
