"""Renditions in segments, as they are stored and served: index, playlists, other places."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cell.media.support import Cell, Person, refused
from tests.unit.media import films

from luciole.cell.media import fence, packaging
from luciole.cell.media.encode import EncodingFailed

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)

WORK = ("media.prepare", "media.ladder", "media.rename", "media.segment")


def names(found: Any) -> list[tuple[str, str]]:
    """For each rendition the endings of its file, and of the one with its segments."""
    return [
        (one["key"].rpartition("/")[2], (one["segments"] or {}).get("key", "").rpartition("/")[2])
        for one in found["renditions"]
    ]


async def plays(person: Any, url: str, segments: dict[str, Any], folder: Path) -> None:
    """Fetches a file range by range, as its index says, and decodes it."""
    data, place = b"", 0
    for size in (segments["init_bytes"], *segments["sizes"]):
        part = {"range": f"bytes={place}-{place + size - 1}"}
        answer = await person.get(url, headers=part)
        assert answer.status_code == 206
        data, place = data + answer.content, place + size
    assert len(data) == segments["size_bytes"]
    path = folder / "fetched.mp4"
    path.write_bytes(data)
    assert packaging.is_fragmented(path)
    films.run("-xerror", "-i", str(path), "-f", "null", "-")


async def test_first_is_whole_and_in_segments_and_the_others_are_in_segments(
    cell: Cell, ana: Person, film: bytes, tmp_path: Path
) -> None:
    found = await cell.playable(ana, film)
    assert names(found) == [("540-1.mp4", "540-1.seg.mp4"), ("720-2.seg.mp4", "720-2.seg.mp4")]
    for one in found["renditions"]:
        segments = one["segments"]
        assert segments["codecs"].endswith("mp4a.40.2")
        await plays(cell.visitor(), f"/media/{segments['key']}", segments, tmp_path)
    whole = await cell.visitor().get(f"/media/{found['renditions'][0]['key']}")
    assert b"moof" not in whole.content
    await cell.sweep()
    assert await cell.objects() == await cell.referred()


async def older(cell: Cell, asset_id: Any, found: Any) -> None:
    """Makes a film as it was before there were segments: its renditions are whole files."""
    whole = await cell.blobs.get(found["renditions"][0]["key"])
    async with cell.db.tx() as tx:
        await tx.execute(
            "DELETE FROM media.file WHERE asset_id = $1 AND kind = 'segments'", asset_id
        )
        for one in found["renditions"]:
            plain = one["key"].replace(".seg.mp4", ".mp4")
            if plain != one["key"]:
                await cell.blobs.put(plain, whole)
            await tx.execute(
                "UPDATE media.file SET index = NULL, object_key = $3, filename = $4 "
                "WHERE asset_id = $1 AND kind = 'rendition' AND name = $2",
                asset_id, one["name"], plain, plain.rpartition("/")[2],
            )  # fmt: skip
        gone = [one["segments"]["key"] for one in found["renditions"]]
        await cell.media.disown(tx, *gone)


async def test_older_film_plays_as_it_is_and_gets_its_segments_by_a_job(
    cell: Cell, ana: Person, film: bytes, tmp_path: Path
) -> None:
    found = await cell.playable(ana, film)
    asset_id = found["asset_id"]
    await older(cell, asset_id, found)
    before = await cell.look(asset_id)
    assert names(before) == [("540-1.mp4", ""), ("720-2.mp4", "")]
    for one in before["renditions"]:
        assert (await cell.visitor().get(f"/media/{one['key']}")).status_code == 200
    await cell.sweep()
    assert await cell.work(WORK) == 1
    after = await cell.look(asset_id)
    assert names(after) == [("540-3.mp4", "540-3.seg.mp4"), ("720-3.seg.mp4", "720-3.seg.mp4")]
    for one in after["renditions"]:
        url = f"/media/{one['segments']['key']}"
        await plays(cell.visitor(), url, one["segments"], tmp_path)
    await cell.sweep()
    assert await cell.work(WORK) == 0
    assert await cell.objects() == await cell.referred()


async def test_film_that_cannot_be_cut_plays_in_one_piece_and_is_not_tried_for_ever(
    cell: Cell, ana: Person, small_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    async def pack(made: Any, out_dir: Path) -> Any:
        tried.append(out_dir)
        raise EncodingFailed("code 1")

    with monkeypatch.context() as patch:
        patch.setattr(packaging, "pack", pack)
        found = await cell.playable(ana, small_film)
        assert found["state"] == "complete"
        assert names(found) == [("540-1.mp4", "")]
        assert (await cell.visitor().get(f"/media/{found['renditions'][0]['key']}")).is_success
        for _ in range(3):
            await cell.sweep(after=timedelta(minutes=5))
            for name, body in await cell.take(WORK):
                with pytest.raises(EncodingFailed):
                    await cell.queue.run_once(name, body)
    assert len(tried) == 2
    assert (await cell.look(found["asset_id"]))["state"] == "complete"


async def test_job_for_a_film_that_is_gone_does_nothing(
    cell: Cell, ana: Person, small_film: bytes
) -> None:
    found = await cell.playable(ana, small_film)
    async with cell.db.tx() as tx:
        await cell.media.delete(tx, found["asset_id"])
    await cell.workshop.segment(found["asset_id"])
    await cell.sweep()
    assert await cell.objects() == set()


def addresses(playlist: str) -> set[str]:
    return {line for line in playlist.splitlines() if line and not line.startswith("#")}


async def test_playlist_of_a_public_clip(cell: Cell, ana: Person, small_film: bytes) -> None:
    found = await cell.playable(ana, small_film)
    segments = found["renditions"][0]["segments"]
    folder = segments["key"].rpartition("/")[0]
    visitor = cell.visitor()
    master = await visitor.get(f"/media/{folder}/clip.m3u8")
    assert master.status_code == 200
    assert master.headers["content-type"].startswith("application/vnd.apple.mpegurl")
    assert master.headers["cache-control"] == "public, max-age=60"
    same = await visitor.get(
        f"/media/{folder}/clip.m3u8", headers={"if-none-match": master.headers["etag"]}
    )
    assert same.status_code == 304
    (inner,) = addresses(master.text)
    listed = await visitor.get(inner)
    assert addresses(listed.text) == {f"/media/{segments['key']}"}
    ranges = re.findall(r"BYTERANGE:(\d+)@(\d+)", listed.text)
    assert [int(size) for size, _ in ranges] == segments["sizes"]
    assert int(ranges[0][1]) == segments["init_bytes"]
    for other in (f"{folder}/other.m3u8", "p/none/clip.m3u8", "p/none/540-1.seg.m3u8"):
        refused(await visitor.get(f"/media/{other}"), 404, "no-such-file")


async def test_playlist_of_a_private_clip_is_for_one_session(
    cell: Cell, ana: Person, small_film: bytes, tmp_path: Path
) -> None:
    found = await cell.playable(ana, small_film, is_public=False)
    segments = found["renditions"][0]["segments"]
    folder = segments["key"].rpartition("/")[0]
    key = f"{folder}/clip.m3u8"
    url = cell.media.url(key, ana.session_id)
    master = await ana.get(url)
    assert master.headers["cache-control"] == "private, no-store"
    (inner,) = addresses(master.text)
    (film,) = addresses((await ana.get(inner)).text)
    await plays(ana, film, segments, tmp_path)
    for stranger in (await cell.person(), await cell.sign_in(ana.person_id), cell.visitor()):
        for address in (url, inner, film, f"/media/{key}"):
            refused(await stranger.get(address), 404, "no-such-file")
    cell.clock.advance(timedelta(seconds=301))
    for address in (url, inner, film):
        refused(await ana.get(address), 403, "link-expired")


async def test_files_for_everybody_may_come_from_another_place_and_others_never(
    make_cell: Callable[..., Cell], small_film: bytes
) -> None:
    cell = make_cell(delivery_url="https://films.example/media/")
    ana = await cell.person()
    found = await cell.playable(ana, small_film)
    key = found["renditions"][0]["segments"]["key"]
    assert cell.media.url(key, ana.session_id) == f"https://films.example/media/{key}"
    assert cell.media.url(f"{key}.m3u8", None) == f"/media/{key}.m3u8"
    # Who fetches it from here for the pages may pass it on to them.
    answer = await cell.visitor().get(f"/media/{key}")
    assert answer.headers["access-control-allow-origin"] == cell.settings.origin
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    secret = await cell.playable(ana, small_film, is_public=False)
    url = cell.media.url(secret["renditions"][0]["segments"]["key"], ana.session_id)
    assert url.startswith("/media/r/")
    answer = await ana.get(url)
    assert answer.is_success
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
