"""Land: mountains cut from paper, dunes, the view from a train."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

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
    skyline,
    soft,
)
from luciole.demo.scenes.stage import Take, scene

_DAY = {
    "high": [(0, "#27306b"), (0.18, "#5b8fd0"), (0.5, "#4fa3dd"), (0.78, "#7a5aa8"), (1, "#10163f")],
    "low": [(0, "#f7a08a"), (0.18, "#ffe2b0"), (0.5, "#d8f0ee"), (0.78, "#ff9a5c"), (1, "#31508c")],
    "far": [(0, "#b98aa8"), (0.18, "#e8c4b0"), (0.5, "#a9cfd6"), (0.78, "#d97f72"), (1, "#30487c")],
    "near": [(0, "#2b1f45"), (0.18, "#3f5a52"), (0.5, "#1f5c53"), (0.78, "#4a2342"), (1, "#080d26")],
}


@scene("mountains")
def mountains(take: Take) -> Iterator[Frame]:
    """A day in a few seconds over seven sheets of paper; the last light is ours."""
    rng = take.rng
    sheets = []
    for i in range(7):
        rough = skyline(rng, WIDTH, 330 - 26 * i, 4)
        peaks = np.abs(skyline(rng, WIDTH, 260 - 20 * i, 2)) * (70 - 8 * i)
        tops = (430 + 74 * i + (66 - 5 * i) * rough - peaks).astype(np.float32)
        sheets.append(_Sheet(rng, tops))
    grain = rng.normal(0, 1.1, (HEIGHT, WIDTH)).astype(np.float32)
    stars = [(*rng.uniform((0, 0), (WIDTH, 420)), rng.uniform(0.2, 0.9)) for _ in range(60)]
    frame, star = Frame.plain("#000000"), soft(1.9, 1)
    for _, p in take.times():
        high, low = blend(_DAY["high"], p), blend(_DAY["low"], p)
        fall = (np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None] * 1.55).clip(0, 1)
        frame.rows(high + (low - high) * fall, grain)
        night = max(0.0, (p - 0.8) * 5)
        if night:
            for x, y, s in stars:
                frame.light(int(x), int(y), star, "#ffffff", s * night)
        angle = np.pi * (p * 1.25 - 0.02)
        x, y = 270 - 250 * np.cos(angle), 560 - 400 * np.sin(angle)
        frame.glow(x, y, _HALO, low, 0.55 * (1 - night * 0.9))
        frame.disc(x, y, 46, blend([(0, "#fff3d6"), (0.5, "#fffbe8"), (0.8, "#ffd9a0")], p), 1.4)
        if p > 0.72:
            rise = 270 - 210 * np.cos(np.pi * (p - 0.72) * 1.2)
            frame.disc(rise, 700 - 1500 * (p - 0.72), 30, "#f2f4ff", 1.4, night)
        far, near = blend(_DAY["far"], p), blend(_DAY["near"], p)
        for i, sheet in enumerate(sheets):
            sheet.draw(frame, far + (near - far) * np.float32(i / 6))
        yield frame


_HALO = soft(300, 2.2)


class _Sheet:
    """A torn sheet: its shape, the texture of its fibres, and the shadow that it casts behind."""

    def __init__(self, rng: np.random.Generator, tops: Field) -> None:
        self.first = int(tops.min()) - 26
        _, y = grid(WIDTH, min(170, HEIGHT - self.first) + 26)
        below = y + self.first - tops[None, :]
        self.shadow = np.exp(-np.maximum(0, -below) / 9) * (below < 2) * np.float32(0.34)
        self.mask = np.clip(below + 0.5, 0, 1)
        self.rim = np.exp(-np.abs(below - 1.5) / 1.6) * np.float32(0.22)
        self.dark = "#120a24"
        self.height = self.mask.shape[0]
        self.fibres = (clouds(rng, WIDTH, self.height, 5, 2) - 0.5) * np.float32(7)

    def draw(self, frame: Frame, colour: Field) -> None:
        crop = slice(0, 130)
        frame.over(0, self.first, self.shadow[crop], self.dark)
        frame.over(0, self.first, self.mask, colour)
        frame.light(0, self.first, self.rim[crop], "#ffffff", 0.8)
        last = self.first + self.height
        if last < HEIGHT:
            frame.y[last:] = frame.y[last - 1]
            frame.u[last // 2 :] = frame.u[last // 2 - 1]
            frame.v[last // 2 :] = frame.v[last // 2 - 1]


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
    for t, _ in take.times():
        frame = still.copy()
        for sprite, speed, top in zip(layers, speeds, (410, 470, 520, 580, 660), strict=True):
            offset = int(speed * t) % _STRIP
            frame.put(sprite, -offset, top)
            if offset > _STRIP - WIDTH:
                frame.put(sprite, _STRIP - offset, top)
        _poles(frame, t, evening)
        frame.put(wall, 0, round(1.6 * np.sin(7 * t) * np.sin(1.1 * t)))
        yield frame


_STRIP = 1620


def _strip(rng: np.random.Generator, depth: int, tone: str, evening: bool) -> Sprite:
    """A long piece of landscape that joins its own beginning."""
    height = (150, 150, 150, 160, 300)[depth]
    tops = 50 + (44 - 8 * depth) * skyline(rng, _STRIP, 420 - 60 * depth, 5 if depth < 2 else 2)
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
    field = np.sin(np.arange(_STRIP, dtype=np.float32) * (0.09 - 0.012 * depth) * 2)[None, :]
    paint.light((mask * np.clip(field + y * 0.01 - 0.6, 0, 1)), "#ffffff", strength=0.06)
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
            frame.over(left - 8 + 6 * smear, 270, np.ones((560, 12), dtype=np.float32), dark, 0.42)
        frame.over(left - 34, 296, np.ones((8, 74), dtype=np.float32), dark, 0.7)


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
