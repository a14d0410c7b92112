"""Under water: jellyfish."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from luciole.demo.canvas import Frame, Paint
from luciole.demo.draw import (
    HEIGHT,
    WIDTH,
    Field,
    Points,
    cutout,
    polygon,
    rgb,
    soft,
    threads,
)
from luciole.demo.fields import Lights
from luciole.demo.scenes.stage import Take, scene


@scene("jellyfish")
def jellyfish(take: Take) -> Iterator[Frame]:
    """Three lanterns of the deep swim up through the last light."""
    rng = take.rng
    paint = Paint.sky([(0, "#1c7f9c"), (0.25, "#0d4a78"), (0.6, "#0a2350"), (1, "#050a22")])
    for _ in range(7):
        left, lean = rng.uniform(40, 480), rng.uniform(-160, 160)
        wide = rng.uniform(16, 60)
        shape = [(left, 0), (left + wide, 0), (left + lean + wide * 2.6, 760), (left + lean, 760)]
        ray = cutout([shape], WIDTH, 760, 1) * np.linspace(1, 0, 760, dtype=np.float32)[:, None]
        paint.light(ray, "#6fd0e0", 0, 0, 0.10)
    still = paint.vignette(0.45).frame(rng)
    dust = rng.uniform((0, 0, 0.3), (WIDTH, HEIGHT, 1), (70, 3))
    specks, speck = Lights("#a8e6ff"), soft(3.2, 1.4)
    animals = [
        (150.0, 760.0, 0.62, 34.0, "#8f6bff", 0.9),
        (410.0, 900.0, 0.78, 42.0, "#ff6fae", 2.7),
        (262.0, 560.0, 1.25, 26.0, "#4fd8ff", 0.0),
    ]
    for t, _ in take.times():
        frame = still.copy()
        for x, y, deep in dust:
            specks.add((x + 9 * t * deep) % WIDTH, (y - 14 * t * deep) % HEIGHT, speck, 0.55 * deep)
        specks.shine(frame)
        for x, y, size, speed, colour, phase in animals:
            beat = 1.9 * t + phase
            push = np.sin(beat)
            up = y - speed * (t + 0.32 * np.sin(beat - 0.9))
            _jelly(frame, x + 22 * np.sin(0.5 * t + phase), up, size, push, t + phase, colour)
        yield frame


@cache
def _halo(size: float) -> Field:
    return soft(size * 140, 2.4)


def _jelly(
    frame: Frame, x: float, y: float, size: float, push: float, t: float, colour: str
) -> None:
    wide, tall = size * (92 - 15 * push), size * (86 + 12 * push)
    angle = np.linspace(np.pi, 2 * np.pi, 26)
    dome = np.stack([x + wide * np.cos(angle), y + tall * np.sin(angle)], axis=1)
    hem = np.linspace(1, -1, 26)
    rim = np.stack([x + wide * hem * 0.98, y + size * 9 * np.sin(hem * 15 + 2 * t)], axis=1)
    bell = polygon(np.concatenate([dome, rim]), 1)
    rows = np.linspace(1.0, 0.28, bell.mask.shape[0], dtype=np.float32)[:, None]
    span = np.abs(np.linspace(-1, 1, bell.mask.shape[1], dtype=np.float32))[None, :]
    frame.glow(x, y - tall * 0.4, _halo(size), colour, 0.35)
    frame.light(bell.x, bell.y, bell.mask * (0.25 + 0.5 * span**2) * rows, colour, 0.9)
    lines: list[tuple[Points, int, int]] = [(dome, 2, 190), (rim, 3, 210)]
    along = np.linspace(0, 1, 22)
    for i in range(11):
        place = (i - 5) / 5
        length = size * (230 + 60 * np.cos(i * 2.4))
        sway = size * 24 * along * np.sin(along * 5 - 2.3 * t + i * 0.7)
        xs = x + wide * place * 0.9 * (1 - 0.35 * along) + sway
        lines.append((np.stack([xs, y + length * along], axis=1), 2, 110))
    for i in range(4):
        sway = size * 13 * np.sin(along * 9 - 2.6 * t + i * 1.4) * (0.3 + along)
        xs = x + size * 15 * (i - 1.5) + sway
        lines.append((np.stack([xs, y + size * 150 * along], axis=1), int(7 * size) + 1, 150))
    for i in range(5):
        ribs = np.stack(
            [
                x + wide * (i - 2) / 2.6 * np.sin(along * 1.57),
                y - tall * np.cos(along * 1.57) * 0.96,
            ],
            1,
        )
        lines.append((ribs, 1, 90))
    veil = threads(lines, 1.3)
    frame.light(veil.x, veil.y, veil.mask, 0.8 * rgb(colour) + np.float32(0.2))
