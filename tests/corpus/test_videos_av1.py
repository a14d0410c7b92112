"""AV1 of real films, through the whole cell: it decodes, frame for frame, beside its H.264."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.video.frame import VideoFrame
from tests.cell.house import Browser, House
from tests.corpus import golden, mp4

from luciole.cell.media import fence

PLACE = os.environ.get("LUCIOLE_CORPUS", "")
VIDEOS = Path(PLACE) / "videos"
# Short ones of each kind: upright and turned, HDR, odd frames, no sound, as small as can be.
NAMES = (
    "hdr/hdr10-video-with-sdr-container.mp4",
    "misc/bt601.mov",
    "misc/bt709_full_range.mp4",
    "misc/h265_10bits.mp4",
    "phone/h265_with_metadata_track.mp4",
    "phone/pixel7_videoOnly.mp4",
    "phone/sample_portrait.mp4",
    "rotate_vfr_odd/rotate-buck-bunny.mp4",
    "vp9_webm/frames.webm",
)
NO_CORPUS = (
    "LUCIOLE_CORPUS IS NOT SET: no AV1 of a real video is tried here. Point it at the corpus."
)
pytestmark = [
    pytest.mark.skipif(not PLACE, reason=NO_CORPUS),
    pytest.mark.skipif(
        not fence.available().is_enough, reason="nothing is decoded without a fence"
    ),
]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
async def test_watched_film_gets_av1_with_all_its_frames(
    name: str, house: House, ana: Browser
) -> None:
    clip = await ana.clip(house, (VIDEOS / name).read_bytes(), caption="")
    assert clip["state"] == "published"
    (asset,) = await house.rows("SELECT id, av1 FROM media.asset")
    assert asset["av1"] == "no"
    async with house.db.tx() as tx:
        await house.parts.media.want_av1(tx, [asset["id"]])
    await house.parts.queue.run_periodic("media.sweep")
    await house.work()
    (state,) = await house.rows("SELECT av1, crashes FROM media.asset")
    assert tuple(state) == ("made", 0)
    after = (await ana.get(f"/api/clips/{clip['id']}")).json()
    made, alone = [], []
    for rendition in after["renditions"]:
        if rendition["av1"] is None:
            alone.append(f"{rendition['width']}×{rendition['height']}")
        else:
            made.append(await beside(ana, rendition))
    outcome = f"{'; '.join(made) or 'none'} | {', '.join(alone) or 'none'}"
    if golden.is_renewing():
        golden.AV1.write(name, outcome)
    assert golden.AV1.read().get(name) == outcome


def test_table_has_a_row_for_each_film() -> None:
    for name in set(golden.AV1.read()) - set(NAMES):
        if golden.is_renewing():
            golden.AV1.write(name, None)
    if not golden.is_renewing():
        assert sorted(golden.AV1.read()) == sorted(NAMES)


async def beside(viewer: Browser, rendition: dict[str, Any]) -> str:
    """What stands beside a rendition, after a look at all that a player would fetch."""
    found = rendition["av1"]
    data = await fetched(viewer, found)
    assert found["size_bytes"] == len(data) < rendition["size_bytes"]
    mp4.nothing_private(data, is_in_segments=True)
    film, other = decoded(data), decoded(await fetched(viewer, rendition["segments"]))
    assert (film.codec, other.codec) == ("av1", "h264")
    assert (film.width, film.height) == (rendition["width"], rendition["height"])
    assert film.frames == other.frames
    assert film.ends_ms == pytest.approx(other.ends_ms, abs=60)
    assert film.samples == other.samples
    kind = found["codecs"].partition(",")[0]
    return f"{film.width}×{film.height}, `{kind}`, {film.frames} frames"


async def fetched(viewer: Browser, segments: dict[str, Any]) -> bytes:
    """All segments, each by its range."""
    data, place = b"", 0
    for size in (segments["init_bytes"], *segments["sizes"]):
        part = {"range": f"bytes={place}-{place + size - 1}"}
        answer = await viewer.get(segments["url"], headers=part)
        assert answer.status_code == 206
        data, place = data + answer.content, place + size
    assert len(data) == segments["size_bytes"]
    return data


@dataclass
class Film:
    """What a file is when all of it is decoded."""

    codec: str
    width: int
    height: int
    frames: int
    samples: int
    ends_ms: float


def decoded(data: bytes) -> Film:
    """Decodes every frame and sample strictly, with no help for errors."""
    with av.open(io.BytesIO(data), options={"err_detect": "explode"}) as container:
        assert isinstance(container, InputContainer)
        video = container.streams.video[0]
        frames, samples, end_s = 0, 0, 0.0
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    assert frame.format.name == "yuv420p"
                    assert frame.time is not None
                    frames, end_s = frames + 1, max(end_s, frame.time)
                elif isinstance(frame, AudioFrame):
                    samples += frame.samples
        context = video.codec_context
        name = {"libdav1d": "av1"}.get(context.name, context.name)
        return Film(name, context.width, context.height, frames, samples, end_s * 1000)
