"""Poems: words that arrive when they are wanted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luciole.demo.canvas import Frame, Paint, Sprite
from luciole.demo.draw import (
    HEIGHT,
    WIDTH,
    Field,
    clouds,
    cutout,
    ease,
    grid,
    polygon,
    ramp,
    scaled,
    settle,
    soft,
    words,
)
from luciole.demo.fields import Lights
from luciole.demo.scenes.stage import Take, scene


class _Poem:
    """Lines of words with their places and moments; a word rises into its place and clears."""

    def __init__(
        self, lines: list[str], size_px: int, left: int, top: int, moments: list[float]
    ) -> None:
        self.words: list[tuple[Field, int, int, float]] = []
        for number, (line, moment) in enumerate(zip(lines, moments, strict=True)):
            x = left
            for place, word in enumerate(line.split()):
                mask = words(word, size_px)
                filled = np.flatnonzero(mask.max(axis=0) > 0.1)
                self.words.append(
                    (mask, x, top + number * int(size_px * 1.42), moment + 0.055 * place)
                )
                x += int(filled[-1]) - size_px // 8 + int(size_px * 0.30)

    def draw(self, frame: Frame, p: float, colour: str, fade: float = 1.0) -> None:
        for mask, x, y, moment in self.words:
            come = settle((p - moment) / 0.10)
            if come > 0:
                frame.over(x, y + round(26 * (1 - come)), mask, colour, come * fade)


@scene("haiku")
def haiku(take: Take) -> Iterator[Frame]:
    """Ink on paper, one red sun, petals that do not read."""
    rng = take.rng
    paint = Paint.sky([(0, "#f6ecd8"), (0.6, "#f2e4cb"), (1, "#e6d2b2")])
    fibres = clouds(rng, WIDTH, HEIGHT, 7, 3) - np.float32(0.5)
    flecks = ramp(scaled(clouds(rng, 1400, 300, 9, 2), WIDTH, HEIGHT), 0.66, 0.9)
    paint.pixels += (fibres * np.float32(0.07))[..., None]
    paint.over(flecks, "#b99c6e", strength=0.3)
    x, y = grid()
    rough = clouds(rng, WIDTH, HEIGHT, 26, 4) * 16 - 8
    away = np.hypot(x - 372, y - 250) + rough * 0.35
    wash_ = ramp(clouds(rng, WIDTH, HEIGHT, 60, 4), 0.1, 0.9)
    paint.over(np.clip((128 - away) / 2, 0, 1) * (0.72 + 0.28 * wash_), "#d8392e", strength=0.94)
    for i, (base, tone) in enumerate(((700, 0.20), (762, 0.36), (838, 0.62))):
        angle = np.arange(WIDTH) / WIDTH * 6.28
        line = (
            base
            - 70 * np.sin(angle * (0.8 + 0.35 * i) + 1.7 * i)
            + 6 * clouds(rng, WIDTH, 2, 30, 3)[0]
        )
        below = y - line[None, :].astype(np.float32)
        ink = np.exp(-np.maximum(below, 0) / (60 + 16 * i)) * np.clip(below + 1, 0, 1)
        paint.over(ink * (0.7 + 0.3 * wash_), "#1f2430", strength=tone)
    branch = [
        [
            (-10, 96),
            (120, 118),
            (210, 90),
            (330, 124),
            (332, 128),
            (212, 100),
            (118, 130),
            (-10, 116),
        ],
        [(118, 120), (150, 166), (214, 196), (216, 199), (146, 172), (108, 124)],
    ]
    paint.over(cutout(branch, WIDTH, HEIGHT, 3) * (0.75 + 0.25 * wash_), "#2a1f22", strength=0.92)
    for px, py in (
        (40, 100),
        (96, 126),
        (140, 104),
        (168, 172),
        (212, 92),
        (214, 192),
        (262, 110),
        (322, 122),
        (18, 118),
    ):
        for k in range(5):
            a = k * 1.257 + px
            paint.stamp(
                polygon(_petal(px + 10 * np.cos(a), py + 10 * np.sin(a), 10, a)), "#f29bb0", 0.92
            )
        paint.over(soft(4, 0.4), "#c23a5a", px - 4, py - 4)
    still = paint.vignette(0.14).frame(rng)
    poem = _Poem(
        [
            "small light",
            "in the grass",
            "the whole night",
            "leans in to look",
            "then it is not there",
        ],
        50,
        44,
        404,
        [0.06, 0.16, 0.34, 0.46, 0.70],
    )
    petals = [
        (
            *rng.uniform((-200, -500, 40), (WIDTH, HEIGHT - 300, 90)),
            rng.uniform(0, 6),
            int(rng.integers(7, 11)),
        )
        for _ in range(26)
    ]
    masks = [
        [polygon(_petal(20, 20, size * (0.45 + 0.55 * abs(np.cos(k))), k * 0.5)) for k in range(7)]
        for size in range(7, 11)
    ]
    for t, p in take.times():
        frame = still.copy()
        poem.draw(frame, p, "#1c1a22", 0.93)
        for px, py, speed, phase, size in petals:
            left = px + 0.55 * speed * t + 24 * np.sin(1.3 * t + phase)
            shape = masks[size - 7][int(3 * t + 2 * phase) % 7]
            frame.over(
                int(left) + shape.x, int(py + speed * t) + shape.y, shape.mask, "#ef8fa8", 0.9
            )
        yield frame


def _petal(x: float, y: float, size: float, turn: float) -> Field:
    along = np.linspace(0, np.pi, 10)
    half = np.stack([size * -np.cos(along), size * 0.55 * np.sin(along) ** 0.8], 1)
    outline = np.concatenate([half, (half * (1, -1))[::-1]])
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(outline @ spin + (x, y), dtype=np.float32)


@scene("rosee")
def rosee(take: Take) -> Iterator[Frame]:
    """Dew at the end of a leaf, a poem in French, and what happens at its last line."""
    rng = take.rng
    paint = Paint.sky(
        [(0, "#0b3a33"), (0.4, "#1f6a4a"), (0.7, "#6fae5c"), (0.8, "#3f8a6a"), (1, "#0d3a3c")]
    )
    for _ in range(60):
        radius = rng.uniform(12, 52)
        px, py = int(rng.integers(-40, WIDTH)), int(rng.normal(480, 240))
        tint = ("#d8ff8a", "#fff6b0", "#8affb0", "#ffffff")[int(rng.integers(0, 4))]
        paint.light(
            np.clip(soft(radius, 1) * radius / 5, 0, 1),
            tint,
            px,
            min(py, 640),
            rng.uniform(0.04, 0.20),
        )
    x, y = grid()
    water = ramp(y, 752, 772) * np.ones_like(x)
    paint.over(water, "#0e4a4c", strength=0.8)
    paint.light(
        water * np.exp(-(((x - 330) / 150) ** 2)) * np.clip(1.3 - (y - 752) / 170, 0, 1),
        "#9fe0a0",
        strength=0.35,
    )
    rib = np.stack([np.linspace(-30, 330, 30), 96 + 168 * np.linspace(0, 1, 30) ** 1.9], 1)
    wide = 62 * np.sin(np.linspace(0.9, np.pi, 30)) ** 0.9
    leaf = np.concatenate(
        [rib - np.stack([0 * wide, wide], 1), (rib + np.stack([0 * wide, 0.8 * wide], 1))[::-1]]
    )
    blade = cutout([leaf], WIDTH, HEIGHT, 3)
    paint.over(blade, "#2f8a3a")
    middle = np.interp(x[0], rib[:, 0], rib[:, 1])[None, :]
    paint.over(blade * np.clip((y - middle) / 40, 0, 1), "#0f4a2a", strength=0.8)
    paint.light(blade * np.exp(-np.abs(y - middle) / 2), "#d8ff9a", strength=0.5)
    veins = np.clip(np.sin((x - (y - middle) * np.sign(y - middle) * 0.9) * 0.24) - 0.86, 0, 1) * 6
    paint.light(blade * veins, "#a8e07a", strength=0.12)
    still = paint.vignette(0.35).frame(rng)
    poem = _Poem(
        ["rosée du matin", "le monde tient", "dans la goutte", "puis la goutte", "tombe"],
        52,
        48,
        378,
        [0.05, 0.24, 0.34, 0.54, 0.66],
    )
    drops = [_dew(size, rng) for size in range(8, 30)]
    sparkle, rings = soft(46, 3), Lights("#c8ffd8")
    rx, ry = grid(WIDTH, HEIGHT - 760)
    for t, p in take.times():
        frame = still.copy()
        poem.draw(frame, p, "#f6fff0", 0.95)
        fall = max(0.0, (p - 0.70)) * take.seconds
        down = 268 + 900 * fall**2
        size = min(21, int(22 * ease(p / 0.6)))
        if down < 800:
            drop = drops[size]
            wide_px = drop.mask.shape[1]
            frame.put(
                drop, 330 - wide_px // 2 + round(1.5 * np.sin(3 * t) * (fall == 0)), round(down) - 6
            )
            frame.glow(322, down + 12, sparkle, "#ffffff", 0.35 + 0.25 * np.sin(5 * t))
        else:
            since = fall - (532 / 900) ** 0.5
            away = np.hypot(rx - 330, (ry - 70) * 3.1)
            wave = np.sin((away - 190 * since) * 0.13) * np.exp(
                -(((away - 150 * since) / (40 + 50 * since)) ** 2)
            )
            rings.lay(760, np.clip(wave, 0, 1) * np.float32(max(0.0, 0.9 - 0.32 * since)))
            rings.shine(frame)
        yield frame


def _dew(size: int, rng: np.random.Generator) -> Sprite:
    wide, tall = 2 * size + 4, (int(2.9 * size) + 6) & ~1
    x, y = grid(wide, tall)
    dx, dy = (x - wide / 2) / np.float32(size), (y - tall * 0.62) / np.float32(size)
    narrow = np.where(dy < 0, 1 + 0.55 * dy**2, 1)
    away = np.hypot(dx * narrow, np.where(dy < 0, dy * 0.62, dy))
    paint = Paint.sky(
        [(0, "#e8ffd8"), (0.35, "#3f9a5a"), (0.7, "#0d4a3a"), (0.95, "#bff0a0"), (1, "#f0ffe0")],
        wide,
        tall,
    )
    paint.light(np.clip(1 - np.hypot(dx + 0.35, dy + 0.15) / 0.32, 0, 1), "#ffffff")
    paint.light(np.exp(-np.hypot(dx - 0.2, dy - 0.6) * 3), "#d8ffb0", strength=0.6)
    mask = np.clip((1 - away) * size * 0.6 + 0.3, 0, 1) * np.float32(0.93)
    return Sprite.of(paint, mask.astype(np.float32), rng)
