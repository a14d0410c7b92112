"""A cat on the window sill, and a firefly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luciole.demo.canvas import Frame, Paint
from luciole.demo.draw import (
    HEIGHT,
    WIDTH,
    Field,
    clouds,
    cutout,
    grid,
    oval,
    polygon,
    ramp,
    skyline,
    soft,
    stroke,
)
from luciole.demo.scenes.stage import Take, scene

_FUR = "#07060f"


@scene("cat")
def cat(take: Take) -> Iterator[Frame]:
    """A cat on the sill follows a firefly with its whole head; the tail has its own opinion."""
    rng = take.rng
    paint = Paint.sky([(0, "#0b1440"), (0.4, "#25407c"), (0.7, "#5c7fae"), (1, "#9db6c4")])
    paint.stars(rng, 120, 520)
    paint.light(soft(230, 2.2), "#9fb8e8", 60 - 40, 90 - 30, 0.55)
    paint.over(np.clip(soft(74, 1) * 74, 0, 1), "#fbf3d6", 176, 216)
    craters = ramp(clouds(rng, 149, 149, 40, 3), 0.5, 0.7) * np.clip(soft(74, 1) * 74, 0, 1)
    paint.over(craters, "#d9cba4", 176, 216, 0.5)
    roofs = (690 + 34 * np.abs(skyline(rng, WIDTH, 120, 2))).astype(np.float32)
    paint.hill(roofs, [(0, "#1d2c58"), (1, "#14203f")], 120)
    for _ in range(16):
        pane = np.ones((7, 6), dtype=np.float32)
        paint.over(pane, "#ffd27f", int(rng.integers(0, WIDTH)), int(rng.integers(742, 780)), 0.9)
    frame_dark, (x, y) = "#1a1220", grid()
    bars = (np.abs(x - 270) < 7) | (np.abs(y - 372) < 7) | (x < 34) | (x > 506) | (y < 34)
    paint.over(bars.astype(np.float32), frame_dark)
    edge = (np.abs(x - 34) < 2) | (np.abs(x - 506) < 2) | (np.abs(y - 34) < 2)
    paint.light(edge.astype(np.float32), "#54486a", strength=0.5)
    for side in (0, 1):
        drape = np.clip(1 - (x if side == 0 else WIDTH - x) / (96 - 34 * np.sin(y / 340)), 0, 1)
        folds = 0.75 + 0.25 * np.sin(x * 0.19 + y * 0.004)
        paint.over(np.clip(drape * 40, 0, 1) * folds, "#5a1f3a", strength=0.97)
    paint.over((y > 806) * np.ones_like(x), "#2a1b26")
    paint.light(np.exp(-np.abs(y - 808) / 2.5) * np.ones_like(x), "#8a7690", strength=0.6)
    pot = cutout([[(430, 806), (424, 740), (500, 740), (494, 806)]], WIDTH, HEIGHT)
    leaves = [
        oval(462 + 34 * np.sin(a), 720 - 40 * np.cos(a), 9, 38, a)
        for a in (-0.9, -0.45, 0, 0.4, 0.85)
    ]
    paint.over(cutout(leaves, WIDTH, HEIGHT), "#16313a").over(pot, "#3d2230")
    body = [
        oval(252, 726, 82, 92),
        oval(258, 650, 56, 70),
        oval(222, 796, 40, 16),
        oval(300, 796, 40, 16),
    ]
    body.append(
        np.array(
            [(176, 740), (200, 640), (312, 640), (332, 740), (322, 806), (184, 806)], np.float32
        )
    )
    paint.over(cutout(body, WIDTH, HEIGHT), _FUR)
    still = paint.vignette(0.4).frame(rng)
    glow, core, path = soft(90, 2.8), soft(7, 1.2), np.pi * 2 / max(take.seconds, 0.1)
    for t, _ in take.times():
        frame = still.copy()
        fx = 270 + 165 * np.sin(2 * path * t) + 20 * np.sin(7 * path * t)
        fy = 400 + 120 * np.sin(3 * path * t + 1) + 14 * np.cos(9 * path * t)
        swish = np.sin(2.2 * t) + 0.4 * np.sin(5.1 * t)
        bend = np.linspace(0, 1, 18)
        tail = np.stack(
            [
                320 + 96 * bend + 16 * swish * bend**2,
                792 - 20 * np.sin(bend * 3) + 96 * bend**2 + 22 * swish * bend**2.5,
            ],
            1,
        )
        frame.stamp(stroke(tail, 19, 1), _FUR)
        shine = 0.72 + 0.28 * np.sin(6 * t)
        behind = fy > 560
        if behind:
            _firefly(frame, fx, fy, glow, core, shine)
        _head(frame, fx, fy, t)
        if not behind:
            _firefly(frame, fx, fy, glow, core, shine)
        yield frame


def _firefly(frame: Frame, x: float, y: float, glow: Field, core: Field, shine: float) -> None:
    frame.glow(x, y, glow, "#d8f060", 0.6 * shine)
    frame.glow(x, y, core, "#ffffd8", 1.0)


def _head(frame: Frame, fx: float, fy: float, t: float) -> None:
    dx, dy = fx - 256, fy - 590
    away = max(1.0, float(np.hypot(dx, dy)))
    lean = 0.30 * dx / 250
    x, y = 256 + 20 * dx / away, 592 + 10 * dy / away
    twitch = 0.10 * max(0.0, np.sin(3.1 * t)) ** 8
    cos, sin = np.cos(lean), np.sin(lean)

    def at(px: float, py: float) -> tuple[float, float]:
        return x + px * cos - py * sin, y + px * sin + py * cos

    shapes = [oval(x, y, 64, 54, lean)]
    for side in (-1, 1):
        tip = at(side * (54 + 40 * twitch), -92)
        shapes.append(np.array([at(side * 62, -20), tip, at(side * 12, -48)], np.float32))
    low = np.concatenate(shapes).min(axis=0) - 4
    span = np.concatenate(shapes).max(axis=0) - low + 6
    mask = cutout([s - low.astype(int) for s in shapes], int(span[0]) & ~1, int(span[1]) & ~1, 2)
    frame.over(int(low[0]), int(low[1]), mask, _FUR)
    blink = 0.08 if np.sin(1.3 * t + 1) > 0.985 else 1.0
    for side in (-1, 1):
        ex, ey = at(side * 27, -2)
        frame.stamp(polygon(oval(ex, ey, 15, 13 * blink + 0.5, lean), 3), "#c9e86a")
        px, py = ex + 6 * dx / away, ey + 6 * dy / away * blink
        frame.stamp(polygon(oval(px, py, 6.5, 10 * blink + 0.3, lean), 3), "#05050a")
        frame.disc(px - 2, py - 4 * blink, 2.2, "#ffffff", 1, blink)
    frame.stamp(polygon([at(-5, 20), at(5, 20), at(0, 26)], 3), "#c98a94")
