"""Pictures that are computed everywhere at once: colour tables, smooth fields, moving crests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from luciole.demo.canvas import Frame
from luciole.demo.draw import HEIGHT, ORIGIN, TO_YUV, WIDTH, Field, Mask, Plane, gradient, yuv


class Palette:
    """A table of 256 colours that turns a field of 0..1 into a picture."""

    def __init__(self, stops: Sequence[tuple[float, str]] | Field) -> None:
        self.colours = stops if isinstance(stops, np.ndarray) else gradient(stops, 256)
        table = np.clip(self.colours @ TO_YUV.T + ORIGIN + np.float32(0.5), 0, 255)
        self.y, self.u, self.v = (np.ascontiguousarray(c) for c in table.astype(np.uint8).T)

    def frame(self, field: Field) -> Frame:
        """The field as a frame of its own size; width and height must be even."""
        return self.indexed(np.clip(field * np.float32(255), 0, 255).astype(np.uint8))

    def indexed(self, index: Plane) -> Frame:
        quarter = index[::2, ::2]
        return Frame(self.y[index], self.u[quarter], self.v[quarter])


def _larger(plane: Plane, width: int, height: int) -> Plane:
    image = Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).copy()


def enlarge(frame: Frame, width: int, height: int) -> Frame:
    """The frame at another size, smoothly. Cheaper than computing at that size."""
    half = (width // 2, height // 2)
    return Frame(_larger(frame.y, width, height), _larger(frame.u, *half), _larger(frame.v, *half))


def sharpened(field: Field, width: int, height: int) -> Plane:
    """A small field of 0..1 as a large one of 0..255; edges come from the palette's steps."""
    small = np.clip(field * np.float32(255), 0, 255).astype(np.uint8)
    return _larger(small, width, height)


def crest(frame: Frame, tops: Field, palette: Palette, depth_px: int) -> None:
    """Fill below a moving line; the colour goes through the palette down to `depth_px`.

    Only the band between the line and its depth is computed, the rest is one colour.
    """
    width, height = frame.size
    first = max(0, int(tops.min())) & ~1
    last = min(height, int(tops.max()) + depth_px + 2) & ~1
    if first >= height:
        return
    below = np.arange(first, last, dtype=np.float32)[:, None] - tops[None, :width]
    index = np.clip(below * np.float32(255 / depth_px), 0, 255).astype(np.uint8)
    cover = np.clip(below + np.float32(0.5), 0, 1)
    band = frame.y[first:last]
    band[...] = (band + (palette.y[index] - band.astype(np.float32)) * cover).astype(np.uint8)
    quarter, inside = index[::2, ::2], below[::2, ::2] > 0
    half = slice(first // 2, first // 2 + quarter.shape[0])
    frame.u[half] = np.where(inside, palette.u[quarter], frame.u[half])
    frame.v[half] = np.where(inside, palette.v[quarter], frame.v[half])
    frame.y[last:], frame.u[last // 2 :], frame.v[last // 2 :] = (
        palette.y[255],
        palette.u[255],
        palette.v[255],
    )


class Lights:
    """Many small lights of one colour, gathered first and added to the frame at once."""

    def __init__(self, colour: str, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.ink = yuv(colour) - ORIGIN
        self.map = np.zeros((height, width), dtype=np.float32)
        self._clear()

    def _clear(self) -> None:
        """Forget where light is: left, top, right, bottom of all that was added."""
        self.box = (self.map.shape[1], self.map.shape[0], 0, 0)

    @property
    def is_dark(self) -> bool:
        return self.box[2] == 0

    def add(self, x: float, y: float, mask: Field, strength: float = 1.0) -> None:
        """One light around a middle point."""
        height, width = mask.shape
        left, top = round(x - width / 2), round(y - height / 2)
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(self.map.shape[1], left + width), min(self.map.shape[0], top + height)
        if x1 > x0 and y1 > y0:
            cut = mask[y0 - top : y1 - top, x0 - left : x1 - left]
            self.map[y0:y1, x0:x1] += cut * np.float32(strength)
            box = self.box
            self.box = (min(x0, box[0]), min(y0, box[1]), max(x1, box[2]), max(y1, box[3]))

    def lay(self, top: int, light: Field) -> None:
        """Light over the whole width from the row `top` downwards, instead of single ones."""
        self.map[top : top + len(light)] = light
        self.box = (0, top, self.map.shape[1], top + len(light))

    def shine(self, frame: Frame, keep: float = 0.0) -> None:
        """Add the lights to the frame; `keep` is the share that stays for the next one."""
        if self.is_dark:
            return
        left, top = self.box[0] & ~1, self.box[1] & ~1
        right, bottom = (self.box[2] + 1) & ~1, (self.box[3] + 1) & ~1
        part = self.map[top:bottom, left:right]
        luma = frame.y[top:bottom, left:right]
        luma[...] = np.minimum(luma + part * self.ink[0], np.float32(235)).astype(np.uint8)
        quarter = np.minimum(part[::2, ::2], np.float32(1.3))
        half = (slice(top // 2, bottom // 2), slice(left // 2, right // 2))
        for plane, ink in ((frame.u[half], self.ink[1]), (frame.v[half], self.ink[2])):
            plane[...] = np.clip(plane + quarter * ink + np.float32(0.5), 16, 240).astype(np.uint8)
        part *= np.float32(keep)
        if not keep or part.max() < 0.02:
            part[...] = 0
            self._clear()


def wash(frame: Frame, top: int, light: Field, width: int, height: int, mask: Mask) -> None:
    """Add a small picture of coloured light (height, width, RGB), drawn larger, to the frame.

    `mask` (0..1, height by width) says where it arrives; `top` and the sizes are even.
    """
    small = light @ TO_YUV.T
    fine = (width, height)
    for i, plane in enumerate((frame.y, frame.u, frame.v)):
        size = fine if i == 0 else (width // 2, height // 2)
        image = Image.fromarray(np.ascontiguousarray(small[..., i]))
        large = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
        step, start = (1, top) if i == 0 else (2, top // 2)
        part = plane[start : start + size[1], : size[0]]
        sum_ = part + large[: part.shape[0]] * mask[::step, ::step][: part.shape[0]]
        part[...] = np.clip(sum_, 16, 235).astype(np.uint8)


def sample(texture: Plane, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Plane:
    """The texture at the given places, wrapping around."""
    height, width = texture.shape
    flat = (rows % height) * width + columns % width
    return np.asarray(np.take(texture.ravel(), flat), dtype=np.uint8)
