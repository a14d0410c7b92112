"""Land: mountains cut from paper, dunes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from luciole.demo.canvas import Frame, Paint
from luciole.demo.draw import (
    HEIGHT,
    WIDTH,
    Field,
    blend,
    clouds,
    cutout,
    grid,
    ramp,
    skyline,
    soft,
)
from luciole.demo.fields import Palette
from luciole.demo.scenes.stage import Take, scene

_DAY = {
    "high": [(0, "#31307f"), (0.2, "#3f8fdc"), (0.5, "#2f9be6"), (0.76, "#6a3fa0"), (1, "#0b1038")],
    "low": [(0, "#ff8f7a"), (0.2, "#ffe0a0"), (0.5, "#c9f0f4"), (0.76, "#ff8a4c"), (1, "#2b3f86")],
    "far": [(0, "#c77f9c"), (0.2, "#f3c3a4"), (0.5, "#8fd0d8"), (0.76, "#ee8a6a"), (1, "#33498a")],
    "near": [(0, "#241542"), (0.2, "#1f5a50"), (0.5, "#0b5a4c"), (0.76, "#3d1240"), (1, "#060a22")],
}


_HUES, _SHADES = 24, 10


@scene("mountains")
def mountains(take: Take) -> Iterator[Frame]:
    """A day in a few seconds over seven sheets of paper."""
    rng = take.rng
    land, index = _sheets(rng)
    first = int(np.flatnonzero(land.max(axis=1) > 0)[0]) & ~1
    land, index = land[first:], index[first:]
    coarse, coarse_index = land[::2, ::2], index[::2, ::2]
    grain = rng.normal(0, 1.1, (HEIGHT, WIDTH)).astype(np.float32)
    stars = [(*rng.uniform((0, 0), (WIDTH, 420)), rng.uniform(0.2, 0.9)) for _ in range(60)]
    frame, star, halo = Frame.plain("#000000"), soft(1.9, 1), soft(260, 2.2)
    hue = np.repeat(np.linspace(0, 1, _HUES, dtype=np.float32), _SHADES)[:, None]
    shade = np.tile(np.linspace(0.45, 1.22, _SHADES, dtype=np.float32), _HUES)[:, None]
    for _, p in take.times():
        high, low = blend(_DAY["high"], p), blend(_DAY["low"], p)
        fall = (np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None] * 1.9).clip(0, 1)
        frame.rows(high + (low - high) * fall, grain)
        night = max(0.0, (p - 0.8) * 5)
        if night:
            for x, y, s in stars:
                frame.light(int(x), int(y), star, "#ffffff", s * night)
        angle = np.pi * (p * 1.25 - 0.02)
        x, y = 270 - 250 * np.cos(angle), 560 - 400 * np.sin(angle)
        if y < 720:
            frame.glow(x, y, halo, low, 0.55 * (1 - night * 0.9))
            frame.disc(
                x, y, 46, blend([(0, "#fff3d6"), (0.5, "#fffbe8"), (0.8, "#ffd9a0")], p), 1.4
            )
        if p > 0.72:
            frame.disc(150, 700 - 1900 * (p - 0.72), 34, "#f2f4ff", 1.4, min(1.0, night + 0.2))
        far, near = blend(_DAY["far"], p), blend(_DAY["near"], p)
        table = Palette(np.clip((far + (near - far) * hue) * shade, 0, 1))
        luma = frame.y[first:]
        luma[...] = (luma + (table.y[index] - luma.astype(np.float32)) * land).astype(np.uint8)
        for plane, colours in ((frame.u[first // 2 :], table.u), (frame.v[first // 2 :], table.v)):
            plane[...] = plane + (colours[coarse_index] - plane.astype(np.float32)) * coarse
        yield frame


def _sheets(rng: np.random.Generator) -> tuple[Field, NDArray[np.uint8]]:
    """Where the paper is, and for each place its hue (far to near) and its shade as one number.

    The sheets do not move, so that a frame of the day is one look-up in a table of colours.
    """
    land = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    hue, light = land.copy(), np.ones_like(land)
    _, y = grid()
    for i in range(7):
        peaks = 1 - np.abs(skyline(rng, 2 * WIDTH, 340 - 22 * i, 5)[:WIDTH])
        tops = 520 + 66 * i - (210 - 20 * i) * np.clip(peaks, -0.3, 1)
        below = y - tops[None, :].astype(np.float32)
        light *= 1 - 0.42 * np.exp(-np.maximum(0, -below) / 10) * (below < 2)
        cover = np.clip(below + 0.5, 0, 1)
        hue += (i / 6 - hue) * cover
        paper = (
            0.97 + 0.10 * np.exp(-np.maximum(0, below) / 90) + 0.2 * np.exp(-np.abs(below - 1.5))
        )
        light += (paper - light) * cover
        land = np.maximum(land, cover)
    fibres = (clouds(rng, WIDTH, HEIGHT, 6, 2) - 0.5) * 0.05
    level = (light + fibres - 0.45) / (1.22 - 0.45) * (_SHADES - 1)
    level = np.clip(np.floor(level + rng.random(level.shape)), 0, _SHADES - 1)
    return land, (np.round(hue * (_HUES - 1)) * _SHADES + level).astype(np.uint8)


@scene("dunes")
def dunes(take: Take) -> Iterator[Frame]:
    """A caravan crosses in front of a very large moon."""
    rng = take.rng
    paint = Paint.sky(
        [(0, "#2b1145"), (0.3, "#7b2d5e"), (0.52, "#e2705a"), (0.64, "#ffc27a"), (1, "#ffc27a")]
    )
    x, y = grid()
    away = np.hypot(x - 300, y - 400)
    spots = ramp(clouds(rng, WIDTH, HEIGHT, 90, 4), 0.45, 0.75) * 0.16
    paint.light(np.clip(1 - away / 420, 0, 1) ** 2, "#ff9d6a", strength=0.55)
    paint.over(np.clip(150 - away, 0, 1), "#ffeecb")
    paint.over(np.clip(150 - away, 0, 1) * spots, "#d58a62")
    back = 560 + 40 * skyline(rng, WIDTH, 380, 2)
    paint.hill(back, [(0, "#e39463"), (0.4, "#b8573f"), (1, "#7a2f45")], 200)
    path = 650 - 44 * np.sin(np.linspace(0.2, 3.4, WIDTH)) + 10 * skyline(rng, WIDTH, 300, 2)
    path = path.astype(np.float32)
    paint.hill(path, [(0, "#f2a765"), (0.12, "#b6503f"), (0.6, "#6a2540"), (1, "#4b1838")], 230)
    front = (830 - 130 * np.linspace(-0.6, 1, WIDTH) ** 2 + 6 * skyline(rng, WIDTH, 240, 3)).astype(
        np.float32
    )
    ridges = np.sin((y - front[None, :]) * 0.33 + 3 * clouds(rng, WIDTH, HEIGHT, 120, 2) + x * 0.02)
    paint.hill(front, [(0, "#7d2c44"), (0.5, "#451535"), (1, "#1f0a22")], 210)
    paint.light(
        np.clip(ridges, 0, 1) * (y > front[None, :] + 6) * np.clip(1.2 - (y - 740) / 220, 0, 1),
        "#5a2233",
        strength=0.35,
    )
    still = paint.vignette(0.3).frame(rng)
    sand = rng.uniform((0, -40, 40, 0.2), (WIDTH, 14, 150, 0.8), (90, 4))
    grain = soft(2.4, 1)
    camels = [(_camel(step), step) for step in range(8)]
    for t, _ in take.times():
        frame = still.copy()
        for i in range(5):
            place = (70 + 74 * i + 17 * t + 8 * (i % 2)) % (WIDTH + 120) - 60
            ground = float(np.interp(place, np.arange(WIDTH), path))
            mask = camels[int(t * 7 + i * 3) % 8][0]
            frame.over(int(place) - 34, int(ground) - 57, mask, "#35102d")
        for sx, sy, speed, s in sand:
            at = (sx + speed * t) % WIDTH
            frame.light(int(at), int(front[int(at)] + sy), grain, "#ffb27a", s)
        yield frame


def _camel(step: int) -> Field:
    """A camel in one of the eight moments of its walk."""
    swing = [np.sin(2 * np.pi * (step / 8 + shift)) * 6 for shift in (0, 0.5, 0.25, 0.75)]
    body: list[list[tuple[float, float]]] = [
        [
            (12, 30),
            (17, 20),
            (25, 12),
            (31, 10),
            (37, 14),
            (43, 20),
            (50, 22),
            (54, 15),
            (57, 6),
            (64, 4),
            (68, 8),
            (66, 11),
            (61, 11),
            (59, 20),
            (54, 29),
            (44, 33),
            (18, 34),
        ],
        [(26, 12), (29, -2), (33, -4), (36, 0), (37, 12)],
        [(10, 28), (14, 28), (8, 40), (7, 40)],
    ]
    for at, move in zip((15, 19, 45, 49), swing, strict=True):
        body.append([(at, 30), (at + 5, 30), (at + 3 + move, 58), (at + move, 58)])
    return cutout([[(x, y + 4) for x, y in shape] for shape in body], 74, 62, 4)
