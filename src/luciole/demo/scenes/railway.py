"""The view from a train, by day and in the evening."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luciole.demo.canvas import Frame, Paint, Sprite
from luciole.demo.draw import (
    WIDTH,
    Field,
    clouds,
    cutout,
    grid,
    polygon,
    ramp,
    rgb,
    scaled,
    skyline,
    soft,
)
from luciole.demo.scenes.stage import Take, scene


@scene("train")
def train(take: Take) -> Iterator[Frame]:
    """Looking out: far hills hardly move, the poles fly."""
    rng = take.rng
    evening = take.look == "evening"
    if evening:
        sky = [
            (0, "#20265e"),
            (0.25, "#8a5a93"),
            (0.45, "#ff9f7d"),
            (0.6, "#ffd9a0"),
            (1, "#ffd9a0"),
        ]
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
    tops = (50, 50, 72, 96, 110)[depth] + (44 - 8 * depth) * skyline(
        rng, _STRIP, 420 - 60 * depth, 5 if depth < 2 else 2
    )
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
            trees.append(
                np.stack(
                    [x + bumps * np.cos(angle), ground - size + 1.2 * bumps * np.sin(angle)], 1
                )
            )
        wood = cutout(trees, _STRIP, height, 1)
        mask = np.maximum(mask, wood)
        paint.over(wood, "#1c1730" if evening else "#3f6f3f", strength=0.75)
    if depth in (2, 3):
        for _ in range(6):
            _house(rng, paint, mask, tops, evening)
    patches = ramp(scaled(clouds(rng, _STRIP, 3 * height, 150, 3), _STRIP, height), 0.45, 0.7)
    paint.light(mask * patches, "#fff3c0", strength=0.07)
    return Sprite.of(paint, mask, rng)


def _house(rng: np.random.Generator, paint: Paint, mask: Field, tops: Field, evening: bool) -> None:
    x = int(rng.integers(80, _STRIP - 120))
    ground, wide = int(tops[x]) + 12, int(rng.integers(22, 36))
    walls = polygon([(x, ground), (x, ground - 17), (x + wide, ground - 17), (x + wide, ground)])
    roof = polygon([(x - 4, ground - 16), (x + wide / 2, ground - 32), (x + wide + 4, ground - 16)])
    for stamp, colour in (
        (walls, "#2a2140" if evening else "#f3e6cf"),
        (roof, "#231a36" if evening else "#b4553d"),
    ):
        if stamp.y < 0:
            return
        paint.stamp(stamp, colour)
        area = mask[
            stamp.y : stamp.y + stamp.mask.shape[0], stamp.x : stamp.x + stamp.mask.shape[1]
        ]
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
    paint.over(
        np.clip(1 - np.abs(edge - 7) / 7, 0, 1),
        "#ffffff" if not evening else "#8a6a6a",
        strength=0.5,
    )
    paint.over(np.clip(1 - edge / 26, 0, 1) * (edge > 13), "#000000", strength=0.25)
    paint.over((np.abs(y - 826) < 9) * np.ones_like(x), "#6f4a30", strength=0.95)
    paint.over(
        np.clip(1 - (y - 835) / 30, 0, 1) * (y > 835) * np.ones_like(x), "#000000", strength=0.35
    )
    paint.stamp(polygon([(388, 752), (452, 752), (444, 818), (396, 818)]), "#e8593f")
    paint.stamp(polygon([(388, 752), (410, 752), (412, 818), (396, 818)]), "#ff8a66", 0.6)
    ring = np.hypot(x - 456, y - 780)
    paint.over(np.clip(4 - np.abs(ring - 15), 0, 1) * (x > 449), "#e8593f")
    mask = np.maximum(
        mask,
        np.clip(1 - np.maximum(np.abs(x - 420) - 34, np.abs(y - 785) - 34), 0, 1)
        * ((x > 386) & (x < 452 - (y - 752) * 0.12) & (x > 388 + (y - 752) * 0.12) & (y > 751)),
    )
    mask = np.maximum(mask, np.clip(4 - np.abs(ring - 15), 0, 1) * (x > 449))
    mask = np.maximum(mask, (y > 817) * np.ones_like(x))
    return Sprite.of(paint.vignette(0.2), mask.astype(np.float32), rng)
