"""The qualities that a film is encoded in, and the part of it that is."""

from __future__ import annotations

import msgspec

FIRST_SHORT_SIDE = 540


class Rung(msgspec.Struct, frozen=True):
    """One quality to encode for. CRF decides where the picture is easy, the cap where it is
    hard; above `top_fps` every other frame goes."""

    name: str
    short_side: int
    crf: float
    cap_bps: int
    top_fps: int

    @property
    def buffer_bits(self) -> int:
        """How far the rate may run ahead of the cap: one and a half seconds of it."""
        return self.cap_bps * 3 // 2


FIRST = Rung("540", FIRST_SHORT_SIDE, 23.5, 2_200_000, 30)
REST = (Rung("1080", 1080, 23, 7_500_000, 60), Rung("720", 720, 23, 4_000_000, 60))


class Cut(msgspec.Struct, frozen=True):
    """The part of the film to encode, and the moment in it that the poster shows."""

    start_ms: int
    length_ms: int
    cover_ms: int = 0
