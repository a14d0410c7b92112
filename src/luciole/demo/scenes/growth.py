"""Things that grow: a coral of two chemicals, a tree through one year."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from luciole.demo.canvas import Frame
from luciole.demo.draw import HEIGHT, WIDTH, Field, blend, clouds, cutout, ease, grid, scaled, soft
from luciole.demo.fields import Lights, Palette
from luciole.demo.scenes.stage import Take, scene

_REEF = [
    (0, "#04283c"),
    (0.30, "#0a4f63"),
    (0.40, "#0f6d78"),
    (0.46, "#e8354f"),
    (0.7, "#ff6a5a"),
    (1, "#ffb07a"),
]


@scene("coral")
def coral(take: Take) -> Iterator[Frame]:
    """Two substances that feed and eat each other (Gray and Scott, 1984), lit from the left."""
    rng, width, height = take.rng, 90, 160
    a = np.ones((height + 2, width + 2), dtype=np.float32)
    b = np.zeros_like(a)
    for _ in range(34):
        x, y, r = (
            int(rng.integers(8, width - 8)),
            int(rng.integers(10, height - 10)),
            int(rng.integers(2, 5)),
        )
        b[y - r : y + r, x - r : x + r] = 0.5
        a[y - r : y + r, x - r : x + r] = 0.4
    b += rng.random(b.shape, dtype=np.float32) * np.float32(0.02)
    palette = Palette(_REEF)
    gx, gy = grid(WIDTH // 2, HEIGHT // 2)
    deep = 1 - 0.45 * (((gx / 135 - 1) ** 2 + (gy / 240 - 1) ** 2) / 2)
    steps = max(8, round(2600 / max(24, take.frames)))
    for t, _ in take.times():
        for _ in range(steps):
            _react(a, b)
        large = scaled(b[1:-1, 1:-1], WIDTH // 2, HEIGHT // 2) * np.float32(2.7)
        frame = palette.frame(np.clip(large, 0, 1))
        slope = large[:-2, :-2] - large[2:, 2:]
        light = np.zeros_like(large)
        light[1:-1, 1:-1] = np.clip(-slope * 130, -60, 80)
        water = 5 * np.sin(gx * 0.05 + 4 * np.sin(gy * 0.021 + 0.7 * t) + 1.4 * t)
        luma = (frame.y + light + water) * deep
        frame.y[...] = np.clip(luma, 16, 235).astype(np.uint8)
        yield frame


def _react(a: Field, b: Field) -> None:
    """One step of both substances, in place; the border copies its neighbour."""
    ab = a[1:-1, 1:-1] * b[1:-1, 1:-1] ** 2
    spread_a = a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] - 4 * a[1:-1, 1:-1]
    spread_b = b[:-2, 1:-1] + b[2:, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] - 4 * b[1:-1, 1:-1]
    a[1:-1, 1:-1] += np.float32(0.13) * spread_a - ab + np.float32(0.0545) * (1 - a[1:-1, 1:-1])
    b[1:-1, 1:-1] += np.float32(0.065) * spread_b + ab - np.float32(0.1165) * b[1:-1, 1:-1]
    for field in (a, b):
        field[0], field[-1] = field[1], field[-2]
        field[:, 0], field[:, -1] = field[:, 1], field[:, -2]


_SKY = {
    "high": [
        (0, "#bfe3f0"),
        (0.3, "#8fd0f0"),
        (0.5, "#5fb4e8"),
        (0.68, "#f0a860"),
        (0.85, "#7f9ac8"),
        (1, "#56688f"),
    ],
    "low": [
        (0, "#fff0e0"),
        (0.3, "#ffe3e6"),
        (0.5, "#e6f6d8"),
        (0.68, "#ffeab8"),
        (0.85, "#dfe6f0"),
        (1, "#eef3fa"),
    ],
    "ground": [
        (0, "#7a6a4a"),
        (0.22, "#7fa85a"),
        (0.5, "#4f9a4a"),
        (0.7, "#b98a3f"),
        (0.84, "#a8a090"),
        (0.92, "#f2f6fb"),
        (1, "#ffffff"),
    ],
    "leaf": [
        (0.2, "#ff9fc0"),
        (0.36, "#ffc4d4"),
        (0.44, "#8fd05a"),
        (0.56, "#3f9a3f"),
        (0.66, "#f0a832"),
        (0.76, "#d9502a"),
        (1, "#8a3a24"),
    ],
    "dark": [
        (0.2, "#e0709a"),
        (0.36, "#ff9fba"),
        (0.44, "#5faf40"),
        (0.56, "#226f32"),
        (0.66, "#cf7a20"),
        (0.76, "#a8301c"),
        (1, "#6a2818"),
    ],
}


@scene("seasons")
def seasons(take: Take) -> Iterator[Frame]:
    """A tree grows, blossoms, shades, burns, and sleeps."""
    rng = take.rng
    branches, tips = _tree(rng)
    image = Image.new("L", (WIDTH * 2, 840 * 2))
    pen, drawn = ImageDraw.Draw(image), 0
    wood: Field = np.zeros((840, WIDTH), dtype=np.float32)
    hill = np.clip(
        np.arange(HEIGHT)[700:, None] - (800 + 16 * np.sin(np.arange(WIDTH) * 0.008 + 1))[None, :],
        0,
        1,
    )
    hill = hill.astype(np.float32)
    mottle = (clouds(rng, WIDTH, HEIGHT, 120, 4) - np.float32(0.5)) * np.float32(9)
    shapes = [cutout([_leaf(10, a)], 20, 20, 4) for a in np.linspace(0, np.pi, 7)]
    order = rng.permutation(len(tips))
    maps = [np.zeros((700, WIDTH), dtype=np.float32) for _ in range(2)]
    kind = rng.integers(0, 7, len(tips))
    grown, fallen = 0, 0
    top = max(0, int(min(y for _, y in tips)) - 14) & ~1
    foot = min(700, int(max(y for _, y in tips)) + 14)
    falling: list[tuple[float, float, float, int, float]] = []
    snow, flake = Lights("#ffffff"), soft(3.0, 1.2)
    flakes = rng.uniform((0, 0, 0.5), (WIDTH, HEIGHT, 1), (150, 3))
    frame = Frame.plain("#000000")
    for t, p in take.times():
        high, low = blend(_SKY["high"], p), blend(_SKY["low"], p)
        fall = np.linspace(0, 1.15, HEIGHT, dtype=np.float32)[:, None].clip(0, 1)
        frame.rows(high + (low - high) * fall, mottle)
        reach = ease(p / 0.24) * 1.02
        while drawn < len(branches) and branches[drawn][4] < reach:
            x0, y0, x1, y1, _, wide = branches[drawn]
            pen.line((x0 * 2, y0 * 2, x1 * 2, y1 * 2), fill=255, width=max(1, round(wide * 2)))
            pen.ellipse((x1 * 2 - wide, y1 * 2 - wide, x1 * 2 + wide, y1 * 2 + wide), fill=255)
            drawn += 1
            if drawn == len(branches) or branches[drawn][4] >= reach:
                wood = np.asarray(image.reduce(2), dtype=np.float32) / np.float32(255)
        frame.over(0, top, wood[top:], "#3d2a24", 0.96)
        frame.over(0, 700, hill, blend(_SKY["ground"], p))
        while grown < len(tips) * ease((p - 0.17) / 0.16):
            _paste(maps, tips[order[grown]], shapes[kind[order[grown]]], order[grown], 1)
            grown += 1
        while fallen < len(tips) * ease((p - 0.68) / 0.2):
            at = order[fallen]
            _paste(maps, tips[at], shapes[kind[at]], at, -1)
            if fallen % 4 == 0:
                falling.append((*tips[at], t, int(kind[at]), rng.uniform(0, 6)))
            fallen += 1
        for leaves, tone in zip(maps, ("dark", "leaf"), strict=True):
            if fallen < len(tips) and grown:
                frame.over(0, top, np.clip(leaves[top:foot], 0, 1), blend(_SKY[tone], p))
        tint = blend(_SKY["leaf"], p)
        falling = [leaf for leaf in falling if leaf[1] + 190 * (t - leaf[2]) < 840]
        for x, y, start, shape, phase in falling:
            age = t - start
            across = x + 30 * np.sin(2 * age + phase) + 26 * age
            down = y + 190 * age + 14 * np.sin(3 * age + phase)
            frame.over(int(across), int(down), shapes[(shape + int(6 * age)) % 7], tint)
        if p > 0.82:
            for x, y, s in flakes:
                where = (x + 14 * np.sin(t + 9 * s)) % WIDTH, (y + 150 * s * t) % HEIGHT
                snow.add(*where, flake, s * min(1.0, (p - 0.82) * 9))
            snow.shine(frame)
        yield frame


def _paste(
    maps: list[Field], at: tuple[float, float], shape: Field, number: int, sign: int
) -> None:
    x, y = int(at[0]) - 10, int(at[1]) - 10
    if 0 <= x < WIDTH - 20 and 0 <= y < 680:
        maps[number % 2][y : y + 20, x : x + 20] += sign * shape


def _leaf(size: float, turn: float) -> Field:
    along = np.linspace(0, np.pi, 9)
    half = np.stack([size * 0.85 * -np.cos(along), size * 0.42 * np.sin(along)], 1)
    outline = np.concatenate([half, (half * (1, -1))[::-1]])
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(outline @ spin + size, dtype=np.float32)


def _tree(
    rng: np.random.Generator,
) -> tuple[list[tuple[float, float, float, float, float, float]], list[tuple[float, float]]]:
    """Branches as (from x, y, to x, y, moment 0..1, width), by moment; and where leaves are."""
    branches: list[tuple[float, float, float, float, float, float]] = []
    tips: list[tuple[float, float]] = []

    def grow(x: float, y: float, angle: float, length: float, wide: float, depth: int) -> None:
        for piece in range(4):
            angle += rng.normal(0, 0.07)
            nx, ny = x + length / 4 * np.sin(angle), y - length / 4 * np.cos(angle)
            branches.append((x, y, nx, ny, (depth + piece / 4) / 8, wide * (1 - 0.08 * piece)))
            x, y = nx, ny
            if depth >= 4:
                tips.extend((x + rng.normal(0, 12), y + rng.normal(0, 12)) for _ in range(2))
        if depth == 7:
            return
        for turn in (-1, 1) if depth else (-1, 0.1, 1):
            if depth < 3 or rng.random() < 0.86:
                lean = angle * 0.9 + turn * rng.uniform(0.28, 0.5)
                grow(x, y, lean, length * rng.uniform(0.70, 0.84), wide * 0.66, depth + 1)

    grow(270, 830, 0.0, 160, 25, 0)
    branches.sort(key=lambda branch: branch[4])
    return branches, tips
