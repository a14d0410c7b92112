"""Every real video is published and plays, or is refused with a reason; nothing else is left."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest
from av.video.frame import VideoFrame
from PIL import Image
from tests.cell.house import Browser, House
from tests.corpus import golden, mp4

from luciole.cell.media import fence, launchers
from luciole.cell.media.model import REFUSALS
from luciole.cell.media.sealing import Sealer
from luciole.cell.media.workshop import Workshop

PLACE = os.environ.get("LUCIOLE_CORPUS", "")
VIDEOS = Path(PLACE) / "videos"
NAMES = (
    sorted(
        path.relative_to(VIDEOS).as_posix()
        for path in VIDEOS.rglob("*")
        if path.is_file() and path.name != "README.md"
    )
    if PLACE
    else []
)
# One of each kind, for every run; the others take a minute.
QUICK = {
    "corrupt/invalid_nalu.mp4",
    "corrupt/mp4parse/overflow.rs",
    "hdr/dolbyVision-hdr.MOV",
    "noaudio/sample_audio_only.mp4",
    "phone/sample_portrait.mp4",
    "phone/samsung_sef_super_slow_motion.mp4",
    "vp9_webm/bear-vp9-odd-dimensions.webm",
}
NO_CORPUS = (
    "LUCIOLE_CORPUS IS NOT SET: no real video is tried here. Point it at the folder of the corpus."
)

pytestmark = [
    pytest.mark.skipif(not PLACE, reason=NO_CORPUS),
    pytest.mark.skipif(
        not fence.available().is_enough, reason="nothing is decoded without a fence"
    ),
]
CASES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in NAMES] or [
    pytest.param("", id="no corpus")
]


@pytest.mark.parametrize("name", CASES)
async def test_real_video_is_published_or_refused(name: str, house: House, ana: Browser) -> None:
    before = set(descendants())
    clip = await ana.clip(house, (VIDEOS / name).read_bytes(), caption="")
    assert await house.rows("SELECT * FROM queue.pgqueuer") == []
    if clip["state"] == "published":
        outcome = f"published | {await published(ana, clip)}"
    else:
        outcome = f"refused | {refused(clip)}"
    await nothing_is_left(house, before)
    if golden.is_renewing():
        golden.ALL.write(name, outcome)
    assert golden.ALL.read().get(name) == outcome


def test_table_has_a_row_for_each_file() -> None:
    for name in set(golden.ALL.read()) - set(NAMES):
        if golden.is_renewing():
            golden.ALL.write(name, None)
    if not golden.is_renewing():
        assert sorted(golden.ALL.read()) == NAMES


@dataclass
class Film:
    """What a rendition is when all of it is decoded."""

    width: int
    height: int
    frames: int
    duration_ms: int
    has_audio: bool
    longest_frame_ms: int


async def published(author: Browser, clip: dict[str, Any]) -> str:
    """The row of a clip that plays, after a look at all that a player would fetch."""
    assert clip["refusal"] is None
    renditions = clip["renditions"]
    heights = [each["height"] for each in renditions]
    assert heights == sorted(heights), "lowest first"
    assert (clip["width"], clip["height"]) == (renditions[0]["width"], renditions[0]["height"])
    for each in renditions:
        data = await fetch(author, each["url"], "video/mp4")
        assert len(data) == each["size_bytes"]
        mp4.nothing_private(data, is_in_segments=each["url"] == each["segments"]["url"])
        await in_segments(author, each, film_ms=clip["duration_ms"])
        film = decoded(data)
        assert (film.width, film.height) == (each["width"], each["height"])
        assert abs(film.duration_ms - clip["duration_ms"]) <= 120
        assert film.has_audio == clip["has_audio"]
        shape = each["width"] / each["height"]
        assert shape == pytest.approx(clip["width"] / clip["height"], rel=0.02)
    poster(await fetch(author, clip["poster_url"], "image/webp"), clip)
    sound = "with sound" if clip["has_audio"] else "silent"
    sizes = ", ".join(f"{each['width']}×{each['height']}" for each in renditions)
    return f"{sizes}; {clip['duration_ms'] / 1000:.2f} s, {sound}"


async def in_segments(author: Browser, rendition: dict[str, Any], film_ms: int) -> None:
    """Fetches each second by its range, and looks at what they are together."""
    segments = rendition["segments"]
    assert abs(sum(segments["durations_ms"]) - film_ms) <= 120
    data, place = b"", 0
    for size in (segments["init_bytes"], *segments["sizes"]):
        part = {"range": f"bytes={place}-{place + size - 1}"}
        answer = await author.get(segments["url"], headers=part)
        assert answer.status_code == 206
        data, place = data + answer.content, place + size
    assert len(data) == segments["size_bytes"]
    mp4.nothing_private(data, is_in_segments=True)
    film = decoded(data)
    assert (film.width, film.height) == (rendition["width"], rendition["height"])
    assert abs(film.duration_ms - film_ms) <= 120
    # A segment ends with the first frame after a full second, and some films have none for long.
    assert max(segments["durations_ms"]) <= max(2000, 1000 + film.longest_frame_ms + 1)
    assert len(segments["sizes"]) >= film_ms // 2000


async def fetch(author: Browser, url: str, mime: str) -> bytes:
    answer = await author.get(url)
    assert answer.status_code == 200, url
    assert answer.headers["content-type"] == mime
    return answer.content


def decoded(data: bytes) -> Film:
    """Decodes every frame and sample strictly, with no help for errors."""
    with av.open(io.BytesIO(data), options={"err_detect": "explode"}) as container:
        assert container.format.name.startswith("mov,mp4")
        assert set(container.metadata) <= {"major_brand", "minor_version", "compatible_brands"}
        assert len(container.streams.video) == 1
        assert len(container.streams) <= 2
        video = container.streams.video[0]
        assert video.codec_context.name == "h264"
        assert video.profile == "High"
        assert (video.sample_aspect_ratio or 1) == 1
        for stream in container.streams:
            assert set(stream.metadata) <= {"language", "handler_name", "vendor_id"}
        frames, end_s, samples = 0, 0.0, 0
        shown_s: list[float] = []
        for packet in container.demux():
            if packet.stream is video and packet.pts is not None:
                end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                shown_s.append(float(packet.pts * packet.time_base))
                no_messages(bytes(packet))
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    assert frame.format.name == "yuv420p"
                    assert not [each for each in frame.side_data if "DISPLAYMATRIX" in str(each)]
                    frames += 1
                else:
                    samples += 1
        for track in container.streams.audio:
            assert track.codec_context.name == "aac"
            assert track.codec_context.sample_rate == 48_000
            assert samples > 0
        size = video.codec_context.width, video.codec_context.height
        has_audio = bool(container.streams.audio)
    assert frames >= 1
    gaps = (after - before for before, after in itertools.pairwise(sorted(shown_s)))
    longest_ms = round(max(gaps, default=0.0) * 1000)
    return Film(*size, frames, round(end_s * 1000), has_audio, longest_ms)


def no_messages(packet: bytes) -> None:
    """Asserts that a packet of H.264 has no SEI (type 6, H.264 table 7-1): cameras and encoders
    write about themselves there."""
    place = 0
    while place < len(packet):
        size = int.from_bytes(packet[place : place + 4], "big")
        assert packet[place + 4] & 31 != 6
        place += 4 + size


def poster(data: bytes, clip: dict[str, Any]) -> None:
    """Asserts that the poster is a picture of the clip's size without a word beside it."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert picture.format == "WEBP"
    assert picture.size == (clip["width"], clip["height"])
    assert not {"exif", "xmp", "icc_profile"} & set(picture.info)


def refused(clip: dict[str, Any]) -> str:
    """The row of a clip that was refused."""
    assert clip["state"] == "refused"
    assert clip["renditions"] == []
    assert clip["poster_url"] is None
    why = clip["refusal"]
    assert why["code"] in REFUSALS
    assert why["code"] != "cannot-be-read", "a reason that says nothing"
    assert why["sentence"].endswith(".")
    assert why["next_step"].endswith(".")
    return f"`{why['code']}`: {why['sentence']} {why['next_step']}"


async def nothing_is_left(house: House, before: set[int]) -> None:
    """No process, no work folder, no upload, no object that nothing refers to."""
    parts = house.parts

    async def show(*_: object) -> None: ...

    await Workshop(
        parts.db,
        parts.media,
        parts.blobs,
        parts.queue,
        parts.settings,
        parts.clock,
        show,
        Sealer(parts.custody, "0"),
    ).sweep()
    assert await house.rows("SELECT * FROM media.unclaimed") == []
    assert await house.rows("SELECT * FROM media.upload") == []
    assert await house.rows("SELECT * FROM media.chunk") == []
    kept = {row["object_key"] for row in await house.rows("SELECT object_key FROM media.file")}
    root = Path(house.settings.blobs_place)
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert found == kept
    assert list((house.settings.work_dir / "media").glob("*")) == []
    assert [pid for pid in descendants() if pid not in before and is_ours(pid)] == []


def descendants(pid: int | None = None) -> Iterator[int]:
    """All processes below this one."""
    pid = os.getpid() if pid is None else pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            yield int(child)
            yield from descendants(int(child))


def is_ours(pid: int) -> bool:
    """Whether it is a child in the fence (PostgreSQL starts some of its own as it likes, and the
    launchers of the children stay)."""
    if pid in (launcher.pid for launcher in launchers.running()):
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return any(word in command for word in (b"ffmpeg", b"fence_launcher"))
