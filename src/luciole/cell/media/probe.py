"""Judges a stranger's file by what the fenced child found in it."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Annotated

import msgspec

from luciole.cell.media import fence
from luciole.cell.media.fence import Limits
from luciole.cell.media.launchers import Warm
from luciole.cell.media.model import REFUSALS, SHORTEST_MS, Ai, Edit

CHILD = Path(__file__).with_name("probe_child.py")
LIMITS = Limits(wall_s=20, cpu_s=20, memory_bytes=1536 * fence.MIB, file_bytes=0)

SMALLEST_SIDE = 16
# Below this share of the declared length, the rest of the file is missing.
ENOUGH_OF_IT = 0.5
# Beyond these, the ratio is a mistake or a trap rather than an anamorphic picture.
ODDEST_PIXEL_RATIO = 4.0
PQ, HLG = 16, 18  # ITU-T H.273, table 3

Size = Annotated[int, msgspec.Meta(ge=1, le=16384)]
Small = Annotated[int, msgspec.Meta(ge=0, le=255)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Duration = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class Facts(msgspec.Struct, frozen=True):
    """What the child says about the main video track. Read strictly: the child has been in
    touch with the file and may say anything."""

    container: Annotated[str, msgspec.Meta(pattern="^[a-z0-9]{1,20}$")]
    video_index: Small
    audio_index: Small | None
    codec: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_]{1,20}$")]
    width: Size
    height: Size
    pixel_ratio: Annotated[float, msgspec.Meta(ge=0)]
    matrix: Annotated[list[int], msgspec.Meta(min_length=4, max_length=4)]
    duration_ms: Duration
    lead_ms: Duration
    """How long the sound goes on before the first frame."""
    declared_ms: Annotated[int, msgspec.Meta(ge=-(10**15), le=10**15)]
    frames: Count
    frames_in_first_second: Count
    gap_ms: Annotated[float, msgspec.Meta(ge=0)]
    is_interlaced: bool
    transfer: Small
    primaries: Small
    matrix_coefficients: Small
    is_full_range: bool
    bits: Small
    ai: Ai | None = None
    """What its content credentials say about AI."""
    has_credentials: bool = False


class Probe(msgspec.Struct, frozen=True):
    """A film that can become a clip, as it is to be shown."""

    facts: Facts
    width: int
    """Displayed: pixels made square, then turned upright."""
    height: int
    is_turned: bool
    """Stored lying; width and height above are swapped against the stored ones."""
    turn: str
    """The filters that turn the stored picture upright; empty where it is."""
    duration_ms: int
    fps: float

    @property
    def is_hdr(self) -> bool:
        return self.facts.transfer in (PQ, HLG)

    @property
    def has_audio(self) -> bool:
        return self.facts.audio_index is not None

    def without_sound(self) -> Probe:
        """The same film, as if it had no sound."""
        facts = msgspec.structs.replace(self.facts, audio_index=None)
        return msgspec.structs.replace(self, facts=facts)

    def with_credentials_of(self, film: Probe) -> Probe:
        """This one, which was made from that film: what that film's file said is said of it."""
        facts = msgspec.structs.replace(
            self.facts, ai=film.facts.ai, has_credentials=film.facts.has_credentials
        )
        return msgspec.structs.replace(self, facts=facts)


class Unreadable(Exception):
    """The file cannot become a clip; `code` names the refusal."""

    def __init__(self, code: str) -> None:
        self.code = code if code in REFUSALS else "cannot-be-read"
        super().__init__(self.code)


async def probe(source: Path, work_dir: Path) -> Probe:
    """What `source` is. Raises Unreadable with the reason, FenceBroke."""
    outcome = await fence.run(
        [str(source)],
        reads=[source],
        writes=[work_dir],
        limits=LIMITS,
        warm=_warm(),
    )
    if outcome.killed_by in ("time", "cpu"):
        raise Unreadable("takes-too-long")
    if outcome.code != 0:
        # A crash or too much memory on a file that a decoder should have refused.
        raise Unreadable("damaged")
    try:
        answer = msgspec.json.decode(outcome.stdout, type=dict[str, msgspec.Raw])
        if "failed" in answer:
            raise Unreadable(msgspec.json.decode(answer["failed"], type=str))
        facts = msgspec.json.decode(outcome.stdout, type=Facts)
    except msgspec.DecodeError as error:
        raise Unreadable("cannot-be-read") from error
    return judge(facts)


def judge(facts: Facts) -> Probe:
    """The film behind the facts. Raises Unreadable."""
    if 0 < facts.duration_ms < facts.declared_ms * ENOUGH_OF_IT:
        raise Unreadable("damaged")
    if facts.frames < 2 or facts.duration_ms < SHORTEST_MS:
        raise Unreadable("too-short")
    ratio = facts.pixel_ratio
    if not 1 / ODDEST_PIXEL_RATIO <= ratio <= ODDEST_PIXEL_RATIO:
        ratio = 1.0
    width = round(facts.width * max(ratio, 1.0))
    height = round(facts.height * max(1 / ratio, 1.0))
    turn, is_turned = upright(facts.matrix)
    if is_turned:
        width, height = height, width
    if min(width, height) < SMALLEST_SIDE:
        raise Unreadable("too-small-picture")
    return Probe(
        facts=facts,
        width=width,
        height=height,
        is_turned=is_turned,
        turn=turn,
        duration_ms=facts.duration_ms,
        fps=(facts.frames - 1) * 1000 / max(1, facts.duration_ms - round(facts.gap_ms)),
    )


def upright(matrix: list[int]) -> tuple[str, bool]:
    """FFmpeg filters that do what a display matrix (a, b, c, d) asks for, rounded to quarter
    turns, and whether they swap the sides.

    A stored point (x, y) is shown at (a x + c y, b x + d y), y downwards (ISO/IEC 14496-12,
    6.2.2). The eight cases are the eight ways to lay a rectangle.
    """
    a, b, c, d = matrix
    if abs(a) + abs(d) >= abs(b) + abs(c):
        flips = [name for name, value in (("hflip", a), ("vflip", d)) if value < 0]
        return ",".join(flips), False
    kind = {
        (False, False): "cclock_flip",  # both positive: mirrored along the main diagonal
        (False, True): "clock",
        (True, False): "cclock",
        (True, True): "clock_flip",
    }[b < 0, c < 0]
    return f"transpose={kind}", True


def check_length(film: Probe, edit: Edit, longest_ms: int) -> tuple[int, int]:
    """Start and length in ms of the part that the author keeps. Raises Unreadable where it is
    too long, or outside the film."""
    end_ms = min(edit.trim_end_ms or film.duration_ms, film.duration_ms)
    length_ms = end_ms - edit.trim_start_ms
    if length_ms < SHORTEST_MS:
        raise Unreadable("too-short")
    # A camera that was told "three minutes" records a frame or two more.
    if length_ms > longest_ms + 500:
        raise Unreadable("too-long")
    return edit.trim_start_ms, length_ms


@functools.cache
def _warm() -> Warm:
    """The launcher with `av`, which is found without importing it into this process."""
    spec = importlib.util.find_spec("av")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("av")
    return Warm(CHILD, Path(next(iter(spec.submodule_search_locations))).parent)
