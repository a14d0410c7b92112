"""Things that fly: paper lanterns, starlings."""

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
    ramp,
    scaled,
    skyline,
    soft,
)
from luciole.demo.scenes.stage import Take, scene


@scene("lanterns")
def lanterns(take: Take) -> Iterator[Frame]:
    """Paper lanterns leave for the sky, the near ones slow and large."""
    rng = take.rng
    paint = Paint.sky(
        [(0, "#0a0f2c"), (0.4, "#241f55"), (0.75, "#6a3468"), (0.9, "#a8504f"), (1, "#3a1c33")]
    )
    paint.stars(rng, 120, 600)
    line = (820 + 40 * skyline(rng, WIDTH, 280, 4)).astype(np.float32)
    paint.hill(line, [(0, "#2a1738"), (1, "#120a1e")], 130)
    still = paint.vignette(0.35).frame(rng)
    flight = []
    for i in range(48):
        size = 0.16 + 0.9 * (i / 47) ** 2.6
        flight.append(
            (rng.uniform(0, WIDTH), rng.uniform(-80, HEIGHT + 200), size, rng.uniform(0, 6))
        )
    masks = {i: _lantern(0.14 * 1.24**i) for i in range(10)}
    sizes = np.array([0.14 * 1.24**i for i in range(10)])
    halo = [soft(max(6, 92 * s), 2.4) for s in sizes]
    for t, _ in take.times():
        frame = still.copy()
        for x, y, size, phase in flight:
            i = int(np.argmin(np.abs(sizes - size)))
            span = HEIGHT + 320
            at = (y - (26 + 52 * size) * t) % span - 160
            place = x + (8 + 18 * size) * np.sin(0.6 * t + phase)
            flicker = 0.85 + 0.15 * np.sin(5 * t + 3 * phase) * np.sin(3.1 * t + phase)
            mask, core, hem = masks[i]
            left, top = round(place - mask.shape[1] / 2), round(at - mask.shape[0] / 2)
            frame.glow(place, at + 8 * size, halo[i], "#ff8a3a", 0.5 * flicker)
            frame.over(left, top, mask, "#e8672a", 0.35 + 0.6 * min(1.0, size + 0.2))
            frame.light(left, top, core, "#ffc870", flicker)
            frame.over(left, top, hem, "#5a2018", 0.8)
        yield frame


def _lantern(size: float) -> tuple[Field, Field, Field]:
    """The paper, the light inside it, and the ring at its mouth."""
    wide, tall = int(76 * size) + 4, int(100 * size) + 4
    shape = [(0.22, 0.02), (0.78, 0.02), (0.96, 0.2), (0.80, 0.97), (0.20, 0.97), (0.04, 0.2)]
    mask = cutout([[(x * wide, y * tall) for x, y in shape]], wide, tall, 4)
    x, y = grid(wide, tall)
    away = np.hypot((x / wide - 0.5) * 1.3, y / tall - 0.86)
    core = np.asarray(np.clip(1.05 - away * 1.25, 0, 1) ** 1.5 * mask, dtype=np.float32)
    hem = np.asarray(
        (y / tall > 0.93) * mask + 0.25 * (np.abs(x / wide - 0.5) < 0.6 / wide) * mask,
        dtype=np.float32,
    )
    return mask, core, hem


@scene("starlings")
def starlings(take: Take) -> Iterator[Frame]:
    """Thirteen hundred birds and one mind, before sleep."""
    rng = take.rng
    paint = Paint.sky(
        [(0, "#3c4f86"), (0.3, "#8f7aa8"), (0.55, "#f0a58a"), (0.75, "#ffd9a0"), (1, "#ffd9a0")]
    )
    haze = scaled(clouds(rng, WIDTH, 2400, 260, 5), WIDTH, 800)
    paint.light(
        ramp(haze, 0.5, 0.9) * np.hanning(800).astype(np.float32)[:, None], "#ff9d80", strength=0.4
    )
    paint.over(np.clip(soft(52, 1) * 52, 0, 1), "#fff0c8", 330, 640)
    paint.light(soft(240, 2), "#ff9a5a", 382 - 240, 692 - 240, 0.5)
    for i, tone in enumerate(("#a8747f", "#6d4a63", "#33243f")):
        line = (765 + 55 * i + (20 - 4 * i) * skyline(rng, WIDTH, 300, 4)).astype(np.float32)
        paint.hill(line, [(0, tone), (1, tone)], 80)
    paint.over(_reeds(rng), "#150e1e")
    still = paint.vignette(0.25).frame(rng)
    count = 1300
    birth = rng.normal(0, 1, (count, 3)).astype(np.float32)
    birth /= np.maximum(1, np.linalg.norm(birth, axis=1, keepdims=True) / 1.5)
    wing = [_bird(step) for step in range(4)]
    beat = rng.integers(0, 4, count)
    for number, (t, _) in enumerate(take.times()):
        frame = still.copy()
        turn = 0.55 * t
        a, b, c = birth.T
        bend = np.sin(1.4 * a + 1.5 * t)
        x = 270 + 60 * np.sin(turn) + (96 + 34 * np.sin(0.8 * t)) * a + 44 * bend * b
        y = (
            330
            + 70 * np.sin(1.3 * turn + 1)
            + (58 - 24 * np.sin(0.8 * t)) * b
            + 54 * np.sin(1.7 * a - 1.1 * t)
        )
        y += 22 * np.sin(3 * c + 2 * t)
        dark = np.full((HEIGHT, WIDTH), 0, dtype=np.float32)
        for px, py, step in zip(
            x.astype(int), y.astype(int), (beat + number // 2) % 4, strict=True
        ):
            if 4 <= px < WIDTH - 8 and 4 <= py < 700:
                dark[py : py + 5, px : px + 7] += wing[step]
        rows = np.flatnonzero(dark.max(axis=1))
        if len(rows):
            top, last = int(rows[0]) & ~1, int(rows[-1]) + 1
            frame.over(0, top, np.minimum(dark[top:last], 0.95), "#241a30")
        yield frame


def _bird(step: int) -> Field:
    lift = (1.4, 0.2, -1.0, 0.2)[step]
    shape = [(0, 2.2 - lift), (3, 1.8), (6.6, 2.2 - lift), (3.6, 3.6), (3, 3.6)]
    return cutout([shape], 7, 5, 4) * np.float32(0.85)


def _reeds(rng: np.random.Generator) -> Field:
    shapes = []
    for _ in range(70):
        x, tall, lean = rng.uniform(0, WIDTH), rng.uniform(40, 170), rng.uniform(-26, 26)
        top = HEIGHT - tall
        shapes.append([(x - 1.4, HEIGHT), (x + lean, top), (x + 1.4, HEIGHT)])
        if rng.random() < 0.4:
            px, py = x + lean * 0.8, HEIGHT - tall * 0.8
            shapes.append(
                [
                    (px - 2.5, py),
                    (px - 2 + lean * 0.1, py - 24),
                    (px + 2 + lean * 0.1, py - 24),
                    (px + 2.5, py),
                ]
            )
    return cutout(shapes, WIDTH, HEIGHT, 2)
