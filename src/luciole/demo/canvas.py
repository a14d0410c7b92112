"""Where pictures come together: `Paint` for what stands still, `Frame` for what moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luciole.demo.draw import (
    HEIGHT,
    ORIGIN,
    TO_YUV,
    WIDTH,
    Field,
    Mask,
    Plane,
    Stamp,
    gradient,
    grid,
    rgb,
    soft,
    yuv,
)

Ink = str | Field
"""A colour: `#rrggbb` or RGB floats."""


def _ink(colour: Ink) -> Field:
    return rgb(colour) if isinstance(colour, str) else colour


class Paint:
    """A still picture in RGB floats, shape (height, width, 3)."""

    def __init__(self, pixels: Field) -> None:
        self.pixels = pixels

    @classmethod
    def sky(
        cls, stops: Sequence[tuple[float, str]], width: int = WIDTH, height: int = HEIGHT
    ) -> Paint:
        """A vertical gradient."""
        rows = gradient(stops, height)
        return cls(np.repeat(rows[:, None, :], width, axis=1))

    def over(self, mask: Mask, colour: Ink, x: int = 0, y: int = 0, strength: float = 1) -> Paint:
        """Cover with a colour where the mask says so."""
        part, cut = self._part(mask, x, y)
        part += (_ink(colour) - part) * (cut * np.float32(strength))[..., None]
        return self

    def light(self, mask: Mask, colour: Ink, x: int = 0, y: int = 0, strength: float = 1) -> Paint:
        """Add light where the mask says so."""
        part, cut = self._part(mask, x, y)
        part += _ink(colour) * (cut * np.float32(strength))[..., None]
        return self

    def stamp(self, stamp: Stamp, colour: Ink, strength: float = 1) -> Paint:
        return self.over(stamp.mask, colour, stamp.x, stamp.y, strength)

    def hill(self, tops: Field, stops: Sequence[tuple[float, str]], depth_px: float) -> Paint:
        """Fill below a line of heights; the colour goes through `stops` down to `depth_px`."""
        width, height = self.pixels.shape[1], self.pixels.shape[0]
        first = max(0, int(tops.min()) - 1)
        below = np.arange(first, height, dtype=np.float32)[:, None] - tops[None, :width]
        table = gradient(stops, 256)
        colours = table[np.clip(below * (255 / depth_px), 0, 255).astype(np.intp)]
        mask = np.clip(below + 0.5, 0, 1)[..., None]
        part = self.pixels[first:]
        part += (colours - part) * mask
        return self

    def stars(self, rng: np.random.Generator, count: int, bottom: int) -> Paint:
        """Stars of three tints and several sizes above the row `bottom`."""
        for _ in range(count):
            x, y = int(rng.integers(0, self.pixels.shape[1])), int(rng.integers(0, bottom))
            tint = ("#ffffff", "#cfe2ff", "#ffe9cf")[int(rng.integers(0, 3))]
            size = soft(float(rng.choice([0.9, 1.3, 1.3, 2.2])), 1.3)
            self.light(size, tint, x, y, float(rng.uniform(0.2, 0.9)))
        return self

    def vignette(self, strength: float = 0.35) -> Paint:
        """Darker towards the corners, as an old lens sees."""
        height, width = self.pixels.shape[:2]
        x, y = grid(width, height)
        away = ((x / width - 0.5) * 1.7) ** 2 + ((y / height - 0.5) * 1.6) ** 2
        self.pixels *= np.clip(1 - strength * away, 0, 1)[..., None]
        return self

    def frame(self, rng: np.random.Generator, grain: float = 0.006) -> Frame:
        """The picture as video planes; a little grain keeps gradients from showing steps."""
        height, width = self.pixels.shape[:2]
        noise = rng.normal(0, grain, (height, width)).astype(np.float32)
        pixels = np.clip(self.pixels + noise[..., None], 0, 1)
        y = pixels @ TO_YUV[0] + np.float32(16.5)
        quarter = (pixels[::2, ::2] + pixels[1::2, 1::2]) / 2
        u = quarter @ TO_YUV[1] + np.float32(128.5)
        v = quarter @ TO_YUV[2] + np.float32(128.5)
        return Frame(y.astype(np.uint8), u.astype(np.uint8), v.astype(np.uint8))

    def _part(self, mask: Mask, x: int, y: int) -> tuple[Field, Mask]:
        height, width = self.pixels.shape[:2]
        x0, y0 = max(0, x), max(0, y)
        x1, y1 = min(width, x + mask.shape[1]), min(height, y + mask.shape[0])
        x1, y1 = max(x0, x1), max(y0, y1)
        return self.pixels[y0:y1, x0:x1], mask[y0 - y : y1 - y, x0 - x : x1 - x]


@dataclass
class Sprite:
    """A picture with transparency that can be put anywhere on a frame."""

    colours: Frame
    mask: Mask

    @classmethod
    def of(cls, paint: Paint, mask: Mask, rng: np.random.Generator) -> Sprite:
        return cls(paint.frame(rng, grain=0.004), mask)


def _assign(plane: Plane, value: NDArray[np.float32]) -> None:
    plane[...] = value.astype(np.uint8)


class Frame:
    """One picture of a film as planar YUV 4:2:0."""

    __slots__ = ("u", "v", "y")

    def __init__(self, y: Plane, u: Plane, v: Plane) -> None:
        self.y, self.u, self.v = y, u, v

    @classmethod
    def plain(cls, colour: Ink, width: int = WIDTH, height: int = HEIGHT) -> Frame:
        y, u, v = (int(c) for c in yuv(colour))
        half = (height // 2, width // 2)
        return cls(
            np.full((height, width), y, np.uint8),
            np.full(half, u, np.uint8),
            np.full(half, v, np.uint8),
        )

    def copy(self) -> Frame:
        return Frame(self.y.copy(), self.u.copy(), self.v.copy())

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.y.shape[1], self.y.shape[0]

    def data(self) -> Iterator[memoryview]:
        """The planes in the order of the pixel format `yuv420p`, without copying them."""
        for plane in (self.y, self.u, self.v):
            yield np.ascontiguousarray(plane).data

    def rows(self, colours: Mask, noise: Mask | float = 0.0) -> None:
        """Paint everything in horizontal rows of RGB colours, shape (height, 3)."""
        values = colours @ TO_YUV.T + ORIGIN + np.float32(0.5)
        self.y[...] = (values[:, :1] + noise).astype(np.uint8)
        self.u[...] = values[::2, 1:2].astype(np.uint8)
        self.v[...] = values[::2, 2:].astype(np.uint8)

    def over(self, x: int, y: int, mask: Mask, colour: Ink, strength: float = 1.0) -> None:
        """Cover with a colour where the mask says so; x and y are its top left corner."""
        cut = self._cut(x, y, mask)
        if cut is None:
            return
        fine, (ys, xs), coarse, (cy, cx) = cut
        ink = yuv(colour)
        fine, coarse = fine * np.float32(strength), coarse * np.float32(strength)
        for plane, alpha, value in (
            (self.y[ys, xs], fine, ink[0]),
            (self.u[cy, cx], coarse, ink[1]),
            (self.v[cy, cx], coarse, ink[2]),
        ):
            _assign(plane, plane + (value - plane) * alpha + np.float32(0.5))

    def light(self, x: int, y: int, mask: Mask, colour: Ink, strength: float = 1.0) -> None:
        """Add light where the mask says so; x and y are its top left corner."""
        cut = self._cut(x, y, mask)
        if cut is None:
            return
        fine, (ys, xs), coarse, (cy, cx) = cut
        ink = (yuv(colour) - ORIGIN) * np.float32(strength)
        luma = self.y[ys, xs]
        _assign(luma, np.minimum(luma + fine * ink[0], np.float32(235)))
        for plane, value in ((self.u[cy, cx], ink[1]), (self.v[cy, cx], ink[2])):
            _assign(plane, np.clip(plane + coarse * value + np.float32(0.5), 16, 240))

    def stamp(self, stamp: Stamp, colour: Ink, strength: float = 1.0) -> None:
        self.over(stamp.x, stamp.y, stamp.mask, colour, strength)

    def glow(self, x: float, y: float, mask: Mask, colour: Ink, strength: float = 1.0) -> None:
        """Add light around a middle point."""
        height, width = mask.shape
        self.light(round(x - width / 2), round(y - height / 2), mask, colour, strength)

    def disc(
        self, x: float, y: float, radius: float, colour: Ink, edge: float = 1.0, strength: float = 1
    ) -> None:
        """A round spot with sub-pixel place; `edge` is how soft its rim is, in pixels."""
        reach = radius + edge + 1
        left, top, span = int(x - reach), int(y - reach), int(2 * reach + 2)
        across, down = grid(span, span)
        away = np.hypot(across - np.float32(x - left), down - np.float32(y - top))
        self.over(left, top, np.clip((radius - away) / edge + 0.5, 0, 1), colour, strength)

    def put(self, sprite: Sprite, x: int, y: int, strength: float = 1.0) -> None:
        """Lay a sprite on the frame; x and y are its top left corner.

        An odd place shifts the colour by half a colour sample, which no eye sees.
        """
        cut = self._cut(x, y, sprite.mask)
        if cut is None:
            return
        fine, (ys, xs), coarse, (cy, cx) = cut
        top, left = ys.start - y, xs.start - x
        ctop, cleft = max(0, (cy.start * 2 - y) // 2), max(0, (cx.start * 2 - x) // 2)
        if strength != 1:
            fine, coarse = fine * np.float32(strength), coarse * np.float32(strength)
        luma = self.y[ys, xs]
        source = sprite.colours.y[top : top + luma.shape[0], left : left + luma.shape[1]]
        _assign(luma, luma + (source.astype(np.float32) - luma) * fine + np.float32(0.5))
        for plane, colours in ((self.u, sprite.colours.u), (self.v, sprite.colours.v)):
            part = plane[cy, cx]
            source = colours[ctop : ctop + part.shape[0], cleft : cleft + part.shape[1]]
            if source.shape != part.shape:
                part = part[: source.shape[0], : source.shape[1]]
            alpha = coarse[: part.shape[0], : part.shape[1]]
            _assign(part, part + (source.astype(np.float32) - part) * alpha + np.float32(0.5))

    def _cut(
        self, x: int, y: int, mask: Mask
    ) -> tuple[Mask, tuple[slice, slice], Mask, tuple[slice, slice]] | None:
        """The mask inside the frame at full and at half size, with the slices it belongs to."""
        height, width = self.y.shape
        x0, y0 = max(0, x), max(0, y)
        x1, y1 = min(width, x + mask.shape[1]), min(height, y + mask.shape[0])
        if x1 - x0 < 2 or y1 - y0 < 2:
            return None
        fine = mask[y0 - y : y1 - y, x0 - x : x1 - x]
        coarse = fine[y0 & 1 :: 2, x0 & 1 :: 2]
        cy, cx = (y0 + 1) // 2, (x0 + 1) // 2
        half = (slice(cy, cy + coarse.shape[0]), slice(cx, cx + coarse.shape[1]))
        return fine, (slice(y0, y1), slice(x0, x1)), coarse, half
