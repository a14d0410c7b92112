"""Water: waves at dusk and under the moon, a boat of paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from luciole.demo.canvas import Frame, Paint
from luciole.demo.draw import (
    WIDTH,
    Field,
    Points,
    clouds,
    gradient,
    polygon,
    ramp,
    scaled,
    soft,
)
from luciole.demo.fields import Palette, crest
from luciole.demo.scenes.stage import Take, scene

_HORIZON = 470

Stops = list[tuple[float, str]]


@dataclass(frozen=True)
class _Look:
    sky: Stops
    disc: str
    halo: str
    radius_px: float
    height_px: int
    far: Stops
    near: Stops
    glitter: str


_LOOKS = {
    "dusk": _Look(
        sky=[
            (0, "#2a1f4f"),
            (0.2, "#6b3a6e"),
            (0.36, "#d8626a"),
            (0.48, "#ffb26b"),
            (1, "#ffb26b"),
        ],
        disc="#ffe9b0",
        halo="#ff9a56",
        radius_px=64,
        height_px=430,
        far=[(0, "#f0a070"), (0.3, "#a8566e"), (1, "#5b3566")],
        near=[(0, "#e08a78"), (0.06, "#6d3a6b"), (0.4, "#3a2250"), (1, "#150d26")],
        glitter="#ffc98a",
    ),
    "moon": _Look(
        sky=[(0, "#03061a"), (0.3, "#0c1c42"), (0.48, "#2c5a8a"), (1, "#5f93b4")],
        disc="#fbfbea",
        halo="#5a80b0",
        radius_px=46,
        height_px=210,
        far=[(0, "#4f83a4"), (0.25, "#234a78"), (1, "#122c56")],
        near=[(0, "#9cc4d8"), (0.05, "#1f4672"), (0.4, "#0d2347"), (1, "#040a1c")],
        glitter="#dff0ff",
    ),
}


def _wave(x: Field, t: float, long_px: float, tall: float, speed: float, phase: float) -> Field:
    """A swell with sharper crests than troughs (two terms of Stokes' expansion)."""
    angle = x * np.float32(2 * np.pi / long_px) - np.float32(speed * t + phase)
    swell = np.cos(angle) + 0.22 * np.cos(2 * angle) + 0.25 * np.cos(2.7 * angle + 1.3 * t + phase)
    return np.asarray(-tall * swell, dtype=np.float32)


@scene("waves")
def waves(take: Take) -> Iterator[Frame]:
    """Six rows of waves between us and the light on the horizon."""
    rng, look = take.rng, _LOOKS[take.look or "dusk"]
    halo, radius, height = look.halo, look.radius_px, look.height_px
    paint = Paint.sky(look.sky)
    streaks = scaled(clouds(rng, WIDTH, 1600, 240, 5), WIDTH, 470)  # Flat, as clouds far away are.
    fading = np.hanning(470).astype(np.float32)[:, None]
    paint.light(ramp(streaks, 0.5, 0.95) * fading, halo, 0, 0, 0.75)
    paint.light(soft(300, 2.4), halo, 270 - 300, height - 300, 0.85)
    paint.over(
        np.clip(soft(radius, 1) * radius, 0, 1), look.disc, int(270 - radius), int(height - radius)
    )
    if take.look == "moon":
        paint.stars(rng, 170, 400)
    paint.hill(np.full(WIDTH, _HORIZON, np.float32), look.far, 230)
    still = paint.vignette(0.3).frame(rng)
    x = np.arange(WIDTH, dtype=np.float32)
    far, near = gradient(look.far, 256), gradient(look.near, 256)
    rows = []
    for i in range(5):
        table = Palette(far + (near - far) * np.float32(0.3 + 0.7 * i / 4))
        rows.append((560 + 78 * i + 6 * i * i, 5 + 4.6 * i, 150 + 95 * i, table, rng.uniform(0, 6)))
    glitter = _Glitter(rng, look.glitter)
    for t, _ in take.times():
        frame = still.copy()
        glitter.draw(frame, t)
        for i, (y, tall, long_px, table, phase) in enumerate(rows):
            tops = y + _wave(x, t, long_px, tall, 0.75 + 0.13 * i, phase)
            crest(frame, tops, table, 150 + 30 * i)
            if i in (1, 3):
                glitter.draw(frame, t + 3.7 * i, int(y) + 18, 0.5)
        yield frame


class _Glitter:
    """The path of light on the water: two patterns slide over each other."""

    def __init__(self, rng: np.random.Generator, colour: str) -> None:
        self.colour = colour
        self.first = np.tile(scaled(clouds(rng, 270, 900, 13, 2), 270, 200), (1, 2))
        self.second = np.tile(scaled(clouds(rng, 270, 700, 9, 2), 270, 200), (1, 2))
        y = np.linspace(0, 1, 200, dtype=np.float32)[:, None]
        across = np.abs(np.arange(270, dtype=np.float32) - 135)[None, :]
        self.path = np.exp(-((across / (22 + 62 * y)) ** 2)) * np.minimum(1, 6 * (1 - y))

    def draw(self, frame: Frame, t: float, top: int = _HORIZON, strength: float = 1.0) -> None:
        a, b = int(t * 22) % 270, int(270 - t * 31) % 270
        shift = int(t * 5) % 200
        pattern = np.roll(self.first[:, a : a + 270], shift, axis=0) * self.second[:, b : b + 270]
        mask = np.clip(pattern * 9 - 2.6, 0, 1) * self.path
        frame.light(0, top, np.repeat(mask, 2, axis=1), self.colour, strength)


def _turned(points: Points, angle: float, x: float, y: float) -> Field:
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    return np.asarray(np.asarray(points) @ turn + (x, y), dtype=np.float32)


@scene("boat")
def boat(take: Take) -> Iterator[Frame]:
    """A folded boat rides over waves that are cut from paper."""
    rng = take.rng
    paint = Paint.sky([(0, "#8fd3e8"), (0.35, "#cdeae4"), (0.6, "#fff1d0"), (1, "#ffe2c0")])
    for radius, colour in ((150, "#ffe9a8"), (118, "#ffdc7a"), (88, "#ffca4f")):
        paint.over(soft(radius + 6, 0.6) * 0.25, "#8a6a2a", 395 - radius, 130 - radius + 8)
        paint.over(np.clip(soft(radius, 1) * radius, 0, 1), colour, 390 - radius, 120 - radius)
    still = paint.frame(rng)
    puffs = [(_cloud(rng), rng.uniform(0, WIDTH), 90 + 95 * i, 14 + 9 * i) for i in range(4)]
    colours = ["#bfe6dd", "#7cc9c6", "#3fa7b0", "#1f7f95", "#155e7a", "#0f4563"]
    tables = [
        Palette([(0, "#ffffff"), (0.025, c), (0.3, c), (1, d)])
        for c, d in zip(colours, [*colours[1:], "#07263d"], strict=True)
    ]
    x = np.arange(WIDTH, dtype=np.float32)
    for t, _ in take.times():
        frame = still.copy()
        for mask, start, y, speed in puffs:
            left = int((start + speed * t) % (WIDTH + 240)) - 240
            frame.over(left + 5, y + 9, mask, "#6d93a0", 0.25)
            frame.over(left, y, mask, "#fffdf6", 0.96)
        for i, table in enumerate(tables):
            speed = (1 if i % 2 else -1) * (34 + 8 * i)
            angle = (x + speed * t) * np.float32(np.pi / (52 + 16 * i))
            lift = 10 * np.sin(1.3 * t + i * 1.1)
            tops = 545 + 62 * i + lift - (13 + 4 * i) * (np.abs(np.sin(angle)) * 1.6 - 0.8)
            if i == 3:
                _draw_boat(frame, t)
            crest(frame, tops.astype(np.float32), table, 90)
        yield frame


def _cloud(rng: np.random.Generator) -> Field:
    mask = np.zeros((90, 230), dtype=np.float32)
    for cx, cy, size in ((60, 58, 26), (105, 44, 38), (150, 52, 32), (185, 64, 20)):
        r = size * rng.uniform(0.85, 1.1)
        y, x = np.mgrid[0:90, 0:230].astype(np.float32)
        mask = np.maximum(mask, np.clip(r - np.hypot(x - cx, y - cy), 0, 1))
    mask[72:] = 0
    return mask


def _draw_boat(frame: Frame, t: float) -> None:
    x, y = 270 + 26 * np.sin(0.7 * t), 668 + 13 * np.sin(1.3 * t + 2.6)
    lean = 0.11 * np.sin(1.3 * t + 1.2)
    parts: list[tuple[list[tuple[float, float]], str]] = [
        ([(0, -170), (0, -42), (-74, -42)], "#fdf6ea"),
        ([(0, -170), (74, -42), (0, -42)], "#e9d9c3"),
        ([(-150, -62), (-74, -42), (74, -42), (150, -62), (92, 40), (-92, 40)], "#fff9ef"),
        ([(150, -62), (74, -42), (0, -42), (40, 40), (92, 40)], "#e2cfb6"),
        ([(-150, -62), (-74, -42), (0, -42), (-40, 10)], "#f4e7d4"),
    ]
    for shape, colour in parts:
        frame.stamp(polygon(_turned(shape, lean, x, y), 2), colour)
