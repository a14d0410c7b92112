"""What a cell serves carries content credentials of its own, which anybody can check."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from tests.cell.house import Browser, House
from tests.unit.media import c2pa, films, sealer, signed

from luciole.cell.media import fence

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)
ROOT = "/.well-known/luciole/content-credentials.pem"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Large enough for a rendition above the first, and of more than one segment."""
    path = tmp_path_factory.mktemp("seals") / "film.mp4"
    return films.make(path, size="720x1280", seconds=1.3, rate=10).read_bytes()


# The label's entry in CBOR: its key, its value, and the length of each.
TERM_BYTES = len(f"digitalSourceType{c2pa.GENERATED}") + 3


def named_meanwhile(name: str) -> int:
    """What a seal gains that is made when all pictures are there: the first rendition came with one
    of the three."""
    names = "avif-poster", "preview"
    # In CBOR: each key after one byte, each hash in letters after two.
    return sum(1 + len(each) + 2 + 64 for each in names) if name.startswith("540") else 0


async def root(house: House) -> bytes:
    answer = await house.visitor().get(ROOT)
    assert answer.headers["content-type"].startswith("text/plain")
    return ssl.PEM_cert_to_DER_cert(answer.text)


async def served(viewer: Browser, clip: dict[str, Any]) -> dict[str, bytes]:
    """All films of a clip as this viewer gets them, by name."""
    found = {}
    for one in (await viewer.get(f"/api/clips/{clip['id']}")).json()["renditions"]:
        for kind, url in (("whole", one["url"]), ("segments", one["segments"]["url"])):
            answer = await viewer.get(url)
            assert answer.status_code == 200
            found[f"{one['name']} {kind}"] = answer.content
    return found


async def pictures(viewer: Browser, clip: dict[str, Any]) -> dict[str, bytes]:
    """The posters and the preview of a clip as this viewer gets them."""
    now = (await viewer.get(f"/api/clips/{clip['id']}")).json()
    found = {}
    for name in ("poster_url", "poster_avif_url", "preview_url"):
        answer = await viewer.get(now[name])
        assert answer.status_code == 200
        found[name] = answer.content
    return found


def sources(data: bytes, by: bytes) -> list[str]:
    """The terms for where a film comes from, of credentials that are sound and by this root."""
    report = sealer.judged(data, by)
    assert report["validation_state"] == "Trusted"
    done = sealer.said(report, "c2pa.actions.v2")["actions"]
    return [one["digitalSourceType"] for one in done if "digitalSourceType" in one]


async def test_anybody_can_check_what_is_served_and_a_changed_byte_is_found(
    house: House, ana: Browser, film: bytes
) -> None:
    clip = await ana.clip(house, film)
    by = await root(house)
    found = await served(house.visitor(), clip)
    assert set(found) == {"540 whole", "540 segments", "720 whole", "720 segments"}
    for data in found.values():
        assert sources(data, by) == []
        changed = bytearray(data)
        changed[-9] ^= 1
        assert sealer.judges(bytes(changed)) == "Invalid"


async def test_index_in_the_feed_is_of_the_sealed_bytes(
    house: House, ana: Browser, film: bytes
) -> None:
    clip = await ana.clip(house, film)
    visitor = house.visitor()
    for one in clip["renditions"]:
        parts = one["segments"]
        data = (await visitor.get(parts["url"])).content
        assert parts["size_bytes"] == len(data) == parts["init_bytes"] + sum(parts["sizes"])
        whole = (await visitor.get(one["url"])).content
        assert one["size_bytes"] == len(whole)
        place = parts["init_bytes"]
        for size in parts["sizes"]:
            piece = await visitor.get(
                parts["url"], headers={"range": f"bytes={place}-{place + size - 1}"}
            )
            assert piece.content[4:8] == b"moof"
            place += size
        begin = data[: parts["init_bytes"]]
        assert begin.index(b"moov") < begin.index(c2pa.UUID) < begin.index(b"sidx")


async def test_films_name_their_pictures_and_no_forged_one(
    house: House, ana: Browser, film: bytes
) -> None:
    clip = await ana.clip(house, film)
    by = await root(house)
    visitor = house.visitor()
    shown, films_of = await pictures(visitor, clip), await served(visitor, clip)
    # The first is out before there are the others.
    for name, data in films_of.items():
        assert sealer.names(data, shown["poster_url"], by)
        for other in ("poster_avif_url", "preview_url"):
            assert sealer.names(data, shown[other], by) == name.startswith("720")
        for picture in shown.values():
            assert not sealer.names(data, picture[:-1] + bytes([picture[-1] ^ 1]), by)
    # Sealed anew, all name all.
    await ana.patch(f"/api/clips/{clip['id']}", json={"made_with_ai": True})
    await house.parts.queue.run_periodic("media.sweep")
    await house.work()
    assert await pictures(visitor, clip) == shown
    for data in (await served(visitor, clip)).values():
        assert all(sealer.names(data, picture, by) for picture in shown.values())


async def test_seal_names_neither_author_nor_clip(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    await ana.follow(ben)
    await ben.follow(ana)
    clip = await ana.clip(house, tiny_film, audience="friends", caption="Only for us")
    by = await root(house)
    for data in (await served(ben, clip)).values():
        assert sources(data, by) == []
        for word in (ana.handle, clip["id"], clip["id"].replace("-", ""), "Only for us"):
            assert word.encode() not in data
    assert (await house.visitor().get(clip["renditions"][0]["url"])).status_code != 200


async def test_label_of_the_author_is_in_the_seal_and_goes_with_it(
    house: House, ana: Browser, film: bytes
) -> None:
    by = await root(house)
    clip = await ana.clip(house, film, made_with_ai=True)
    for data in (await served(house.visitor(), clip)).values():
        assert sources(data, by) == [c2pa.GENERATED]
    answer = await ana.patch(f"/api/clips/{clip['id']}", json={"made_with_ai": False})
    assert answer.status_code == 200
    before = await served(house.visitor(), clip)
    await house.parts.queue.run_periodic("media.sweep")
    await house.work()
    after = await served(house.visitor(), clip)
    assert set(after) == set(before)
    for name, data in after.items():
        assert sources(data, by) == []
        assert len(data) + TERM_BYTES == len(before[name]) + named_meanwhile(name)
    rows = await house.rows("SELECT object_key FROM media.file WHERE kind <> 'poster'")
    assert len({row["object_key"] for row in rows}) == len(rows)
    await house.parts.queue.run_periodic("media.sweep")
    assert await house.work() == 0


async def test_sound_word_of_the_file_is_in_the_seal_and_its_makers_are_not(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    by = await root(house)
    clip = await ana.clip(house, signed.camera().signs(tiny_film, c2pa.COMPOSITE))
    for data in (await served(house.visitor(), clip)).values():
        assert sources(data, by) == [c2pa.COMPOSITE]
        (ingredient,) = sealer.active(sealer.judged(data, by))["ingredients"]
        assert ingredient["description"] == (
            "Came with content credentials: valid (signingCredential.untrusted)."
        )
        assert b"Camera Works" not in data


async def test_film_from_before_there_were_seals_gets_one(
    house: House, ana: Browser, film: bytes
) -> None:
    clip = await ana.clip(house, film)
    before = await served(house.visitor(), clip)
    await house.rows("UPDATE media.asset SET sealed_says_ai = NULL RETURNING id")
    await house.parts.queue.run_periodic("media.sweep")
    await house.work()
    by = await root(house)
    after = await served(house.visitor(), clip)
    for name, data in after.items():
        assert sources(data, by) == []
        assert data != before[name]
        assert len(data) == len(before[name]) + named_meanwhile(name)
