"""How loud a sound is (EBU R 128, ITU-R BS.1770), and what brings it to where all clips are.

All clips play at −14 LUFS, so that nobody reaches for the volume between two of them. One gain for
the whole clip, so that quiet and loud moments stay what they are; only peaks that would then lie
above −1.5 dB are rounded off, which leaves AAC the room it needs to stay below full scale.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from luciole.cell.media import fence
from luciole.cell.media.fence import Limits

TARGET_LUFS = -14.0
PEAK_DB = -1.5
# Below this there is nothing to hear but the noise of the microphone.
SILENCE_LUFS = -50.0
MOST_GAIN_DB = 20.0
# So much of a peak may be rounded off; a sound of loud strokes stays quieter than others instead.
MOST_LIMITED_DB = 8.0
LEAST_CHANGE_DB = 0.5

_LOUDNESS = re.compile(rb"\n +I: +(-?\d+\.\d) LUFS")
_PEAK = re.compile(rb"\n +Peak: +(-?\d+\.\d|-inf) dBFS")


class Loudness(msgspec.Struct, frozen=True):
    """Of a whole sound: integrated loudness in LUFS and true peak in dB of full scale."""

    lufs: float
    peak_db: float

    @property
    def gain_db(self) -> float:
        """What brings the sound to the target, as far as its peaks let it."""
        if self.lufs < SILENCE_LUFS:
            return 0.0
        room_db = PEAK_DB - self.peak_db + MOST_LIMITED_DB
        return min(TARGET_LUFS - self.lufs, MOST_GAIN_DB, room_db)

    def filters(self) -> list[str]:
        """Filters of FFmpeg that bring it there; none where it is near enough."""
        gain_db = self.gain_db
        is_loud = self.peak_db + gain_db > PEAK_DB
        chain = [f"volume={gain_db:.1f}dB"] if abs(gain_db) >= LEAST_CHANGE_DB else []
        if is_loud and (chain or self.peak_db > 0):
            limit = 10 ** (PEAK_DB / 20)
            # Four points for each one: the peaks between two samples are seen, too.
            chain += [
                "aresample=192000",
                f"alimiter=limit={limit:.4f}:attack=5:release=60:level=0:latency=1",
            ]
        return chain


async def of(
    inputs: Sequence[str], index: str, reads: Sequence[Path], work_dir: Path, ffmpeg: str
) -> Loudness | None:
    """The loudness of one track of what `inputs` (options of FFmpeg) open. None where it cannot be
    told; the encoding finds out what is wrong."""
    outcome = await fence.run(
        [
            ffmpeg, "-nostdin", "-hide_banner", "-nostats", *inputs, "-map", index,
            "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-",
        ],
        reads=reads,
        writes=[work_dir],
        limits=Limits(wall_s=60, cpu_s=60),
    )  # fmt: skip
    return parsed(outcome.stderr) if outcome.code == 0 else None


def parsed(told: bytes) -> Loudness | None:
    """What FFmpeg's summary says; the last one, if there are several."""
    lufs, peaks = _LOUDNESS.findall(told), _PEAK.findall(told)
    if not lufs or not peaks:
        return None
    return Loudness(float(lufs[-1]), max(-99.0, float(peaks[-1])))
