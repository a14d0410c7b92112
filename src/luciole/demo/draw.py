"""A small canvas for moving pictures: video planes, soft masks, gradients, noise, words.

A film frame is kept the way the encoder wants it (planar YUV 4:2:0), because blending is linear
and so looks the same in YUV as in RGB at half the memory traffic, and the pipe needs no
conversion. Everything that stands still is painted once in RGB floats (`Paint`) and then only
copied; a frame of a film therefore costs what moves in it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 540, 960
FRAMES_PER_SECOND = 24

Field = NDArray[np.float32]
Mask = NDArray[np.float32] | NDArray[np.float64] | NDArray[np.bool_]
Plane = NDArray[np.uint8]
Points = Sequence[tuple[float, float]] | NDArray[np.float32] | NDArray[np.float64]

# RGB in 0..1 to video-range Y, U, V in 0..255 (ITU-R BT.709, section 3).
TO_YUV = np.array(
    [
        [0.2126 * 219, 0.7152 * 219, 0.0722 * 219],
        [-0.1146 * 224, -0.3854 * 224, 0.5 * 224],
        [0.5 * 224, -0.4542 * 224, -0.0458 * 224],
    ],
    dtype=np.float32,
)
ORIGIN = np.array([16.0, 128.0, 128.0], dtype=np.float32)


@cache
def rgb(colour: str) -> Field:
    """`#rrggbb` as three floats in 0..1."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], dtype=np.float32)


def yuv(colour: str | Field) -> Field:
    """A colour, `#rrggbb` or RGB floats, as Y, U, V in 0..255."""
    if isinstance(colour, str):
        return _yuv_of_name(colour)
    return np.asarray(TO_YUV @ colour + ORIGIN, dtype=np.float32)


@cache
def _yuv_of_name(colour: str) -> Field:
    return np.asarray(TO_YUV @ rgb(colour) + ORIGIN, dtype=np.float32)


def ease(t: float) -> float:
    """Slow, fast, slow: 0..1 to 0..1, flat at both ends."""
    t = min(1.0, max(0.0, t))
    return t * t * (3 - 2 * t)


def settle(t: float) -> float:
    """Fast, then gently to rest: 0..1 to 0..1."""
    return 1 - (1 - min(1.0, max(0.0, t))) ** 3


def ramp(value: Field, low: float, high: float) -> Field:
    """Where each value lies between `low` and `high`, smoothed, 0..1."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def gradient(stops: Sequence[tuple[float, str]], steps: int) -> Field:
    """`steps` RGB rows through the colours at their places (0..1), shape (steps, 3)."""
    places = [place for place, _ in stops]
    colours = np.array([rgb(colour) for _, colour in stops])
    where = np.linspace(0, 1, steps)
    rows = np.stack([np.interp(where, places, colours[:, i]) for i in range(3)], axis=1)
    return np.asarray(rows, dtype=np.float32)


def blend(stops: Sequence[tuple[float, str]], place: float) -> Field:
    """One RGB colour on the way through `stops`."""
    places = [at for at, _ in stops]
    colours = np.array([rgb(colour) for _, colour in stops])
    return np.array([np.interp(place, places, colours[:, i]) for i in range(3)], dtype=np.float32)


def grid(width: int = WIDTH, height: int = HEIGHT) -> tuple[Field, Field]:
    """Pixel coordinates that broadcast to (height, width): x as a row, y as a column."""
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    return x, y


def scaled(field: Field, width: int, height: int) -> Field:
    """The field drawn larger or smaller, smoothly."""
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def clouds(
    rng: np.random.Generator, width: int, height: int, cell_px: float, octaves: int = 4
) -> Field:
    """Smooth noise in about 0..1; each octave is half as large and half as strong."""
    total = np.zeros((height, width), dtype=np.float32)
    weight, cell = 1.0, cell_px
    for _ in range(octaves):
        across, down = max(2, round(width / cell) + 2), max(2, round(height / cell) + 2)
        total += weight * scaled(rng.random((down, across), dtype=np.float32), width, height)
        weight, cell = weight / 2, max(1.0, cell / 2)
    return np.asarray(total / (2 - 2 * weight), dtype=np.float32)


def skyline(rng: np.random.Generator, length: int, cell_px: float, octaves: int = 5) -> Field:
    """A rolling line of `length` heights in about -1..1, the same at both ends."""
    total, weight = np.zeros(length, dtype=np.float32), 1.0
    x = np.arange(length, dtype=np.float32)
    for octave in range(octaves):
        knots = max(2, round(length / cell_px * 2**octave))
        values = rng.uniform(-1, 1, knots + 1)
        values[-1] = values[0]
        t = x / length * knots
        left = t.astype(np.intp)
        part = t - left
        part = part * part * (3 - 2 * part)
        total += (weight * (values[left] * (1 - part) + values[left + 1] * part)).astype(np.float32)
        weight *= 0.45
    return total


def soft(radius: float, power: float = 2.0) -> Field:
    """A round glow: 1 in the middle, 0 at `radius`."""
    size = int(2 * np.ceil(radius) + 1)
    x, y = grid(size, size)
    away = np.hypot(x - size // 2, y - size // 2) / np.float32(radius)
    return np.asarray(np.clip(1 - away, 0, 1) ** np.float32(power), dtype=np.float32)


@dataclass
class Stamp:
    """A mask (0..1) and where its top left corner belongs."""

    x: int
    y: int
    mask: Mask


def polygon(points: Points, sharp: int = 3) -> Stamp:
    """The inside of an outline, with smooth edges."""
    return _drawn(points, 1.0, sharp, closed=True)


def _mask(image: Image.Image) -> Field:
    return np.asarray(np.asarray(image, dtype=np.float32) / np.float32(255), dtype=np.float32)


def cutout(outlines: Sequence[Points], width: int, height: int, sharp: int = 2) -> Field:
    """Many outlines on one mask."""
    image = Image.new("L", (width * sharp, height * sharp))
    pen = ImageDraw.Draw(image)
    for outline in outlines:
        pen.polygon([(float(x) * sharp, float(y) * sharp) for x, y in outline], fill=255)
    return _mask(image.reduce(sharp))


def threads(lines: Sequence[tuple[Points, int, int]], blur_px: float = 1.0) -> Stamp:
    """Many soft lines at once, each with its width in pixels and its brightness, 0..255."""
    ends = np.concatenate([np.asarray(points, dtype=np.float32) for points, _, _ in lines])
    margin = 6 + 2 * blur_px
    left, top = np.floor(ends.min(axis=0) - margin).astype(int)
    right, bottom = np.ceil(ends.max(axis=0) + margin).astype(int)
    image = Image.new("L", (int(right - left), int(bottom - top)))
    pen = ImageDraw.Draw(image)
    for points, width_px, brightness in lines:
        flat = (np.asarray(points, dtype=np.float32) - (left, top)).ravel().tolist()
        pen.line(flat, fill=brightness, width=width_px)
    image = image.filter(ImageFilter.BoxBlur(blur_px))
    return Stamp(int(left), int(top), _mask(image))


def oval(x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> Field:
    """The outline of an ellipse, turned by an angle."""
    angle = np.linspace(0, 2 * np.pi, 48)
    px, py = rx * np.cos(angle), ry * np.sin(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([x + px * cos - py * sin, y + px * sin + py * cos], 1).astype(np.float32)


def stroke(points: Points, width_px: float, sharp: int = 3) -> Stamp:
    """A line through the points, with round joints and smooth edges."""
    return _drawn(points, width_px, sharp, closed=False)


def _drawn(points: Points, width_px: float, sharp: int, closed: bool) -> Stamp:
    outline = np.asarray(points, dtype=np.float64)
    margin = width_px / 2 + 2
    left, top = np.floor(outline.min(axis=0) - margin).astype(int)
    right, bottom = np.ceil(outline.max(axis=0) + margin).astype(int)
    size = ((right - left) * sharp, (bottom - top) * sharp)
    image = Image.new("L", size)
    pen = ImageDraw.Draw(image)
    flat = [(float(x), float(y)) for x, y in (outline - (left, top)) * sharp]
    if closed:
        pen.polygon(flat, fill=255)
    else:
        thick = max(1, round(width_px * sharp))
        pen.line(flat, fill=255, width=thick, joint="curve")
        for x, y in (flat[0], flat[-1]):
            r = thick / 2
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    mask = _mask(image.reduce(sharp))
    return Stamp(int(left), int(top), mask)


_MARKS = {"\u0301": (1, -1), "\u0300": (-1, 1), "\u0302": (0, 0), "\u0308": (2, 2)}


def words(text: str, size_px: int, sharp: int = 2) -> Field:
    """The text as a mask. The font inside Pillow knows plain letters; accents are drawn here."""
    font = ImageFont.load_default(size=size_px * sharp)
    plain = unicodedata.normalize("NFD", text)
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    box = font.getbbox(letters)
    unit = size_px * sharp
    image = Image.new("L", (int(box[2]) + unit // 2, int(unit * 1.5)))
    pen = ImageDraw.Draw(image)
    pen.text((unit // 8, unit // 6), letters, font=font, fill=255)
    thick = max(2, unit // 14)
    for at, mark in enumerate(plain):
        if mark not in _MARKS:
            continue
        before = "".join(c for c in plain[:at] if not unicodedata.combining(c))
        high = unicodedata.category(before[-1]) == "Lu"
        middle = unit // 8 + font.getlength(before) - font.getlength(before[-1]) / 2
        top, r = unit * (0.12 if high else 0.30), unit * 0.09
        if mark == "\u0308":
            for dx in (-r, r):
                dot = (middle + dx - thick * 0.7, top, middle + dx + thick * 0.7, top + thick * 1.4)
                pen.ellipse(dot, fill=255)
        elif mark == "\u0302":
            roof = [(middle - r, top + r), (middle, top), (middle + r, top + r)]
            pen.line(roof, fill=255, width=thick, joint="curve")
        else:
            lean = _MARKS[mark][0]
            ends = [(middle - lean * r * 0.8, top + r * 1.2), (middle + lean * r * 0.8, top)]
            pen.line(ends, fill=255, width=thick)
    return _mask(image.reduce(sharp))
