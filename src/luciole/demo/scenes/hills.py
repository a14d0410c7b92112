"""Land: mountains cut from paper, dunes, the view from a train."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from luciole.demo.canvas import Frame, Paint, Sprite
from luciole.demo.draw import (
    HEIGHT,
    WIDTH,
    Field,
    blend,
    clouds,
    cutout,
    gradient,
    grid,
    polygon,
    ramp,
    rgb,
    scaled,
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
            frame.disc(x, y, 46, blend([(0, "#fff3d6"), (0.5, "#fffbe8"), (0.8, "#ffd9a0")], p), 1.4)
        if p > 0.72:
            frame.disc(150, 700 - 1900 * (p - 0.72), 34, "#f2f4ff", 1.4, min(1.0, night + 0.2))
        far, near = blend(_DAY["far"], p), blend(_DAY["near"], p)
        table = Palette(np.clip((far + (near - far) * hue) * shade, 0, 1))
        luma = frame.y[first:]
        luma[...] = (luma + (table.y[index] - luma.astype(np.float32)) * land).astype(np.uint8)
        for plane, colours in ((frame.u[first // 2 :], table.u), (frame.v[first // 2 :], table.v)):
            plane[...] = (plane + (colours[coarse_index] - plane.astype(np.float32)) * coarse)
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
        paper = 0.97 + 0.10 * np.exp(-np.maximum(0, below) / 90) + 0.2 * np.exp(-np.abs(below - 1.5))
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
    paint = Paint.sky([(0, "#2b1145"), (0.3, "#7b2d5e"), (0.52, "#e2705a"), (0.64, "#ffc27a"), (1, "#ffc27a")])
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
    front = (830 - 130 * np.linspace(-0.6, 1, WIDTH) ** 2 + 6 * skyline(rng, WIDTH, 240, 3)).astype(np.float32)
    ridges = np.sin((y - front[None, :]) * 0.33 + 3 * clouds(rng, WIDTH, HEIGHT, 120, 2) + x * 0.02)
    paint.hill(front, [(0, "#7d2c44"), (0.5, "#451535"), (1, "#1f0a22")], 210)
    paint.light(np.clip(ridges, 0, 1) * (y > front[None, :] + 6) * np.clip(1.2 - (y - 740) / 220, 0, 1), "#5a2233", strength=0.35)
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
        [(12, 30), (17, 20), (25, 12), (31, 10), (37, 14), (43, 20), (50, 22), (54, 15), (57, 6),
         (64, 4), (68, 8), (66, 11), (61, 11), (59, 20), (54, 29), (44, 33), (18, 34)],
        [(26, 12), (29, -2), (33, -4), (36, 0), (37, 12)],
        [(10, 28), (14, 28), (8, 40), (7, 40)],
    ]
    for at, move in zip((15, 19, 45, 49), swing, strict=True):
        body.append([(at, 30), (at + 5, 30), (at + 3 + move, 58), (at + move, 58)])
    return cutout([[(x, y + 4) for x, y in shape] for shape in body], 74, 62, 4)


@scene("train")
def train(take: Take) -> Iterator[Frame]:
    """Looking out: far hills hardly move, the poles fly."""
    rng = take.rng
    evening = take.look == "evening"
    if evening:
        sky = [(0, "#20265e"), (0.25, "#8a5a93"), (0.45, "#ff9f7d"), (0.6, "#ffd9a0"), (1, "#ffd9a0")]
        tones = ["#a86f86", "#7b4f74", "#553a63", "#38294f", "#1f1a38"]
    else:
        sky = [(0, "#5ab3e8"), (0.3, "#a7d9f0"), (0.55, "#fdf3d8"), (1, "#fdf3d8")]
        tones = ["#a9cbd2", "#86b79b", "#6fa35f", "#8fb04a", "#4d7f3a"]
    paint = Paint.sky(sky)
    puff = ramp(clouds(rng, WIDTH, 420, 170, 5), 0.48, 0.75)
    paint.over(puff * np.hanning(420).astype(np.float32)[:, None], "#fff6ea", 0, 20, 0.8)
    paint.light(soft(190, 2), "#ffd08a", 200, 330, 0.5)
    still = paint.frame(rng)
    layers = [_strip(rng, i, tones[i], evening) for i in range(5)]
    speeds = (9, 26, 70, 170, 420)
    wall = _window(rng, evening)
    tops = (405, 462, 500, 545, 610)
    for t, _ in take.times():
        frame = still.copy()
        sway = round(1.7 * np.sin(7 * t) * np.sin(1.1 * t))
        for sprite, speed, top in zip(layers, speeds, (y + sway for y in tops), strict=True):
            offset = int(speed * t) % _STRIP
            frame.put(sprite, -offset, top)
            if offset > _STRIP - WIDTH:
                frame.put(sprite, _STRIP - offset, top)
        _poles(frame, t, evening)
        frame.put(wall, 0, 0)
        yield frame


_STRIP = 1620


def _strip(rng: np.random.Generator, depth: int, tone: str, evening: bool) -> Sprite:
    """A long piece of landscape that joins its own beginning."""
    height = (150, 150, 170, 190, 300)[depth]
    tops = (50, 50, 72, 96, 110)[depth] + (44 - 8 * depth) * skyline(rng, _STRIP, 420 - 60 * depth, 5 if depth < 2 else 2)
    tops = np.maximum(tops, 2).astype(np.float32)
    lower = "#".join(["", *[("%02x" * 3) % tuple(int(200 * c) for c in rgb(tone))]])
    paint = Paint(np.zeros((height, _STRIP, 3), dtype=np.float32))
    paint.hill(np.zeros(_STRIP, np.float32), [(0, tone), (1, lower)], 150)
    _, y = grid(_STRIP, height)
    mask = np.clip(y - tops[None, :] + 0.5, 0, 1)
    if depth >= 2:
        trees = []
        for _ in range((0, 0, 60, 30, 26)[depth]):
            x, size = rng.uniform(60, _STRIP - 60), rng.uniform(9, 15) * (1 + 0.6 * (depth - 2))
            ground = tops[int(x)] + 4
            angle = np.linspace(0, 2 * np.pi, 14)
            bumps = size * rng.uniform(0.8, 1.15, 14)
            trees.append(np.stack([x + bumps * np.cos(angle), ground - size + 1.2 * bumps * np.sin(angle)], 1))
        wood = cutout(trees, _STRIP, height, 1)
        mask = np.maximum(mask, wood)
        paint.over(wood, "#1c1730" if evening else "#3f6f3f", strength=0.75)
    if depth in (2, 3):
        for _ in range(6):
            _house(rng, paint, mask, tops, evening)
    patches = ramp(scaled(clouds(rng, _STRIP, 3 * height, 150, 3), _STRIP, height), 0.45, 0.7)
    paint.light(mask * patches, "#fff3c0", strength=0.07)
    return Sprite.of(paint, mask, rng)


def _house(
    rng: np.random.Generator, paint: Paint, mask: Field, tops: Field, evening: bool
) -> None:
    x = int(rng.integers(80, _STRIP - 120))
    ground, wide = int(tops[x]) + 12, int(rng.integers(22, 36))
    walls = polygon([(x, ground), (x, ground - 17), (x + wide, ground - 17), (x + wide, ground)])
    roof = polygon([(x - 4, ground - 16), (x + wide / 2, ground - 32), (x + wide + 4, ground - 16)])
    for stamp, colour in ((walls, "#2a2140" if evening else "#f3e6cf"), (roof, "#231a36" if evening else "#b4553d")):
        if stamp.y < 0:
            return
        paint.stamp(stamp, colour)
        area = mask[stamp.y : stamp.y + stamp.mask.shape[0], stamp.x : stamp.x + stamp.mask.shape[1]]
        np.maximum(area, stamp.mask[: area.shape[0], : area.shape[1]], out=area)
    for i in range(2):
        glass = np.ones((6, 5), dtype=np.float32)
        paint.over(glass, "#ffd26a" if evening else "#5f7f8f", x + 4 + i * (wide // 2), ground - 12)


def _poles(frame: Frame, t: float, evening: bool) -> None:
    gap, speed = 560, 760
    first = -(speed * t % gap)
    dark = "#17122b" if evening else "#4a3b30"
    x = np.arange(WIDTH, dtype=np.float32)
    part = (x - first) % gap / gap
    for row in (300, 322):
        sag = row + 46 * 4 * part * (1 - part)
        top = int(sag.min()) - 2
        y = np.arange(52, dtype=np.float32)[:, None] + top
        frame.over(0, top, np.clip(1.1 - np.abs(y - sag[None, :]), 0, 1), dark, 0.8)
    for i in range(2):
        left = int(first + i * gap)
        for smear in range(3):
            frame.over(left - 8 + 6 * smear, 270, np.ones((560, 12), dtype=np.float32), dark, 0.62)
        frame.over(left - 34, 296, np.ones((8, 74), dtype=np.float32), dark, 0.9)


def _window(rng: np.random.Generator, evening: bool) -> Sprite:
    """The compartment: a rounded window, a sill, a cup that waits."""
    x, y = grid()
    inside = np.maximum(np.abs(x - 270) - 190, 0) ** 2 + np.maximum(np.abs(y - 440) - 320, 0) ** 2
    edge = np.sqrt(inside) - 40
    mask = np.clip(edge, 0, 1)
    light = "#4a3a4a" if evening else "#c9b79c"
    dark = "#1c1526" if evening else "#8a7459"
    paint = Paint.sky([(0, light), (0.8, light), (0.86, dark), (1, dark)])
    paint.over(np.clip(1 - np.abs(edge - 7) / 7, 0, 1), "#ffffff" if not evening else "#8a6a6a", strength=0.5)
    paint.over(np.clip(1 - edge / 26, 0, 1) * (edge > 13), "#000000", strength=0.25)
    paint.over((np.abs(y - 826) < 9) * np.ones_like(x), "#6f4a30", strength=0.95)
    paint.over(np.clip(1 - (y - 835) / 30, 0, 1) * (y > 835) * np.ones_like(x), "#000000", strength=0.35)
    paint.stamp(polygon([(388, 752), (452, 752), (444, 818), (396, 818)]), "#e8593f")
    paint.stamp(polygon([(388, 752), (410, 752), (412, 818), (396, 818)]), "#ff8a66", 0.6)
    ring = np.hypot(x - 456, y - 780)
    paint.over(np.clip(4 - np.abs(ring - 15), 0, 1) * (x > 449), "#e8593f")
    mask = np.maximum(mask, np.clip(1 - np.maximum(np.abs(x - 420) - 34, np.abs(y - 785) - 34), 0, 1) * ((x > 386) & (x < 452 - (y - 752) * 0.12) & (x > 388 + (y - 752) * 0.12) & (y > 751)))
    mask = np.maximum(mask, np.clip(4 - np.abs(ring - 15), 0, 1) * (x > 449))
    mask = np.maximum(mask, (y > 817) * np.ones_like(x))
    return Sprite.of(paint.vignette(0.2), mask.astype(np.float32), rng)
