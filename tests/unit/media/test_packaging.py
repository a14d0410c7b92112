"""Renditions in segments: the same streams, a second at a time, and an index that is true."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.unit.media import films, sealer

from luciole.cell.media import encode, fence, packaging, playlists, probe, recognise, sealing
from luciole.cell.media.encode import Encoded, EncodingFailed
from luciole.cell.media.manifest import Told
from luciole.cell.media.model import NotOurs, Rendition, Segments
from luciole.cell.media.packaging import NotPacked, Packed
from luciole.cell.media.rungs import Cut

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)

LONGEST_MS = 180_000


async def first(source: Path, folder: Path) -> Encoded:
    film = await probe.probe(source, folder)
    made, _ = await encode.first_playable(source, film, Cut(0, film.duration_ms), folder)
    return made


@pytest.fixture(scope="module")
def kept() -> dict[str, Packed]:
    return {}


@pytest.fixture
async def packed(kept: dict[str, Packed], tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Two and a half seconds with sound, as the encoder makes them, in segments."""
    if not kept:
        folder = tmp_path_factory.mktemp("packed")
        source = films.make(folder / "a.mp4", size="180x320", seconds=2.5, rate=15)
        (kept["one"],) = await packaging.pack([await first(source, folder)], folder)
    return kept["one"]


def frames(path: Path, stream: str) -> list[str]:
    """Time and digest of each decoded picture or piece of sound."""
    answer = subprocess.run(
        [encode.ffmpeg(), "-v", "error", "-xerror", "-i", str(path), "-map", f"0:{stream}:0",
         "-fps_mode", "passthrough", "-f", "framemd5", "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    lines = [line for line in answer.stdout.splitlines() if not line.startswith("#")]
    return [",".join([line.split(",")[2].strip(), line.split(",")[5].strip()]) for line in lines]


def parts(packed: Packed) -> list[bytes]:
    """The bytes of each segment, with the part before them."""
    data, index = packed.path.read_bytes(), packed.index
    place, found = index.init_bytes, []
    for size in index.sizes:
        found.append(data[: index.init_bytes] + data[place : place + size])
        place += size
    assert place == len(data) == packed.size_bytes
    return found


async def test_streams_and_their_times_stay_as_they_are(packed: Packed) -> None:
    assert frames(packed.path, "v") == frames(packed.of.path, "v")
    whole, cut = frames(packed.of.path, "a"), frames(packed.path, "a")
    # The last piece of a whole file is cut to its length.
    assert cut[: len(whole) - 1] == whole[:-1]


async def test_each_segment_is_a_second_that_plays_alone(packed: Packed, tmp_path: Path) -> None:
    index = packed.index
    assert len(index.sizes) == len(index.durations_ms) == 3
    assert index.durations_ms[:2] == (1000, 1000)
    assert abs(sum(index.durations_ms) - packed.of.duration_ms) <= 100
    for number, data in enumerate(parts(packed)):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(data)
        shown = frames(path, "v")
        assert len(shown) == (15 if number < 2 else 8)
        assert len(films.key_frames(path)) == 1


async def test_codecs_are_named_as_browsers_want_them(packed: Packed, tmp_path: Path) -> None:
    assert packed.index.codecs.startswith("avc1.64")
    assert packed.index.codecs.endswith(",mp4a.40.2")
    source = films.make(tmp_path / "b.mp4", size="160x120", seconds=0.5, sound=False)
    (silent,) = await packaging.pack([await first(source, tmp_path)], tmp_path)
    assert "," not in silent.index.codecs


async def test_av1_is_named_too(tmp_path: Path) -> None:
    source = tmp_path / "av1.mp4"
    films.run("-f", "lavfi", "-i", "testsrc2=s=320x180:r=15:d=1.2", "-c:v", "libsvtav1", "-preset",
              "12", "-g", "15", "-pix_fmt", "yuv420p", str(source))  # fmt: skip
    made = Encoded("av1", source, 320, 180, source.stat().st_size, 1200)
    (found,) = await packaging.pack([made], tmp_path)
    assert found.index.codecs == "av01.0.00M.08"
    assert len(found.index.sizes) == 2


async def test_several_are_packed_at_once_and_none_is_no_work(packed: Packed, out: Path) -> None:
    other = msgspec.structs.replace(packed.of, name="720")
    both = await packaging.pack([packed.of, other], out)
    assert [one.path.name for one in both] == [f"{packed.of.name}.seg.mp4", "720.seg.mp4"]
    assert both[0].path.read_bytes() == both[1].path.read_bytes() == packed.path.read_bytes()
    assert await packaging.pack([], out) == []


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


async def test_put_together_and_cut_again_gives_the_same_bytes(packed: Packed, out: Path) -> None:
    plain = out / "plain.mp4"
    await packaging.unpack(packed.path, plain)
    assert not packaging.is_fragmented(plain)
    assert packaging.is_fragmented(packed.path)
    (again,) = await packaging.pack([msgspec.structs.replace(packed.of, path=plain)], out)
    assert again.path.read_bytes() == packed.path.read_bytes()


async def test_what_cannot_be_read_is_not_packed(out: Path) -> None:
    path = out / "x.mp4"
    path.write_bytes(b"nothing of ours" * 10)
    with pytest.raises(EncodingFailed):
        await packaging.pack([Encoded("540", path, 2, 2, 150, 1000)], out)
    with pytest.raises(EncodingFailed):
        await packaging.unpack(path, out / "y.mp4")
    assert not packaging.is_fragmented(path)
    assert not packaging.is_fragmented(out / "nothing")


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def counted(data: bytes, more: int) -> bytes:
    """With another number of references in the first index (ISO/IEC 14496-12, 8.16.3)."""
    changed = bytearray(data)
    at = data.index(b"sidx") + 4
    place = at + 12 + (8 if data[at] == 0 else 16) + 2
    (count,) = struct.unpack_from(">H", data, place)
    struct.pack_into(">H", changed, place, count + more)
    return bytes(changed)


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[:-5],
    "grown": lambda data: data + b"12345678",
    "another box": lambda data: data + box(b"free", b"hidden"),
    "box without a size": lambda data: data + struct.pack(">I4s", 0, b"moof"),
    "bytes first": lambda data: box(b"mdat") + data,
    "fewer seconds told": lambda data: counted(data, -1),
    "more seconds told": lambda data: counted(data, 1000),
    "no seconds told": lambda data: data.replace(b"sidx", b"ftyp"),
    "codec unknown": lambda data: data.replace(b"avc1", b"xvc1"),
    "no codec": lambda data: data.replace(b"stsd", b"xtsd"),
    "no configuration": lambda data: data.replace(b"avcC", b"xvcC"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_index_is_read_of_whole_files_only(packed: Packed, out: Path, name: str) -> None:
    data = packed.path.read_bytes()
    path = out / "x.mp4"
    path.write_bytes(data)
    assert packaging.read_index(path) == packed.index
    broken = BROKEN[name](data)
    assert broken != data
    path.write_bytes(broken)
    with pytest.raises(NotPacked):
        packaging.read_index(path)


async def test_one_in_segments_is_recognised_and_a_changed_one_is_not(
    packed: Packed, out: Path
) -> None:
    made, has_sound = await recognise.rendition(packed.path, "540", out, LONGEST_MS)
    assert has_sound
    assert (made.width, made.height) == (packed.of.width, packed.of.height)
    data = packed.path.read_bytes()
    # As another cell has sealed it: its own bytes come out again.
    path = out / "sealed.mp4"
    path.write_bytes(data)
    await sealer.sealer().seal(path, Told(author_says_ai=True))
    assert path.read_bytes() != data
    again, _ = await recognise.rendition(path, "540", out, LONGEST_MS)
    assert again.size_bytes == made.size_bytes
    path.write_bytes(path.read_bytes() + box(b"uuid", sealing.manifest.USER + b"hidden"))
    assert await recognise.rendition(path, "540", out, LONGEST_MS) == (again, has_sound)
    at = data.rindex(b"mdat") - 4
    for changed in (
        data + box(b"free", b"hidden"),
        data[:at] + box(b"free", b"hidden") + data[at:],
        data[: len(data) // 2],
        data.replace(b"mvhd\0", b"mvhd\0\0\0\1", 1)[: len(data)],
    ):
        path = out / "x.mp4"
        path.write_bytes(changed)
        with pytest.raises(NotOurs):
            await recognise.rendition(path, "540", out, LONGEST_MS)


def listed(packed: Packed) -> Rendition:
    index = packed.index
    key = f"p/token/{packed.path.name}"
    segments = Segments(key, packed.size_bytes, index.init_bytes, list(index.sizes),
                        list(index.durations_ms), index.codecs)  # fmt: skip
    whole = f"p/token/{packed.of.path.name}"
    return Rendition("540", 180, 320, 100_000, packed.of.size_bytes, whole, segments=segments)


async def test_playlists_lead_a_player_through_the_same_bytes(packed: Packed, out: Path) -> None:
    def url(key: str) -> str:
        return key.rpartition("/")[2]

    rendition = listed(packed)
    assert rendition.segments is not None
    key = playlists.master_key([rendition])
    assert key == "p/token/clip.m3u8"
    master = playlists.written(key, [rendition], url)
    inner = playlists.written(playlists.list_key(rendition.segments), [rendition], url)
    assert master is not None
    assert inner is not None
    assert f'CODECS="{packed.index.codecs}"' in master
    (out / "clip.m3u8").write_text(master)
    (out / playlists.list_key(rendition.segments).rpartition("/")[2]).write_text(inner)
    (out / packed.path.name).write_bytes(packed.path.read_bytes())
    shown = frames(out / "clip.m3u8", "v")
    assert [one.partition(",")[2] for one in shown] == [
        one.partition(",")[2] for one in frames(packed.of.path, "v")
    ]


def test_no_playlist_where_nothing_is_in_segments() -> None:
    plain = Rendition("540", 2, 2, 1, 1, "p/token/540-1.mp4")
    assert playlists.master_key([plain]) is None
    assert playlists.written("p/token/clip.m3u8", [plain], str) is None
