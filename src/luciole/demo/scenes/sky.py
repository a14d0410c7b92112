"""The sky at night: northern lights, falling stars, fireworks."""

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
    rgb,
    skyline,
    soft,
)
from luciole.demo.fields import Lights, wash
from luciole.demo.music import burst_times
from luciole.demo.scenes.stage import Take, scene


def _pines(
    rng: np.random.Generator,
    tops: Field,
    count: int,
    tall: float,
    height: int,
    left: float = -10,
    right: float = WIDTH + 10,
) -> Field:
    """A wood of firs along a line, as one mask."""
    shapes = []
    for _ in range(count):
        x = rng.uniform(left, right)
        y = float(np.interp(x, np.arange(WIDTH), tops)) + 8
        size = tall * rng.uniform(0.5, 1.0)
        for tier in range(5):
            wide, base = size * (0.30 - 0.045 * tier), y - size * 0.17 * tier
            shapes.append([(x - wide, base), (x, base - size * 0.34), (x + wide, base)])
    return cutout(shapes, WIDTH, height, 2)


@scene("aurora")
def aurora(take: Take) -> Iterator[Frame]:
    """Curtains of light over a lake that keeps still to see them twice."""
    rng, shore = take.rng, 610
    paint = Paint.sky([(0, "#020512"), (0.4, "#08203a"), (0.63, "#123f4c"), (1, "#123f4c")])
    paint.stars(rng, 260, 560)
    ridge = (570 + 34 * skyline(rng, WIDTH, 300, 4)).astype(np.float32)
    paint.hill(ridge, [(0, "#0d2733"), (1, "#091a26")], 60)
    wood = _pines(rng, np.full(WIDTH, 606, np.float32), 110, 92, shore)
    paint.over(wood, "#03090f")
    paint.pixels[shore:] = paint.pixels[shore - 1 : 2 * shore - HEIGHT - 1 : -1] * np.float32(0.62)
    still = paint.vignette(0.3).frame(rng)
    dark = np.maximum(wood, np.clip(np.arange(shore)[:, None] - ridge[None, :], 0, 1))
    clear = (1 - dark)[:560].astype(np.float32)
    mirrored = clear[::-1]
    rays = np.tile(clouds(rng, 240, 1, 9, 3), (1, 3))[0]
    sheets = [("#2bff9a", 0.0, 300, 0.95), ("#39d6ff", 2.1, 240, 0.5), ("#c04bff", 4.0, 180, 0.6)]
    x, y = grid(135, 140)
    deep = np.arange(140, dtype=np.float32)
    for t, _ in take.times():
        frame = still.copy()
        glow = np.zeros((140, 135, 3), dtype=np.float32)
        for colour, phase, base, strength in sheets:
            edge = base / 4 + 34 + 13 * np.sin(x * 0.035 + 0.35 * t + phase)
            above = edge + 6 * np.sin(x * 0.09 - 0.6 * t) - y
            shift = ((x + 17 * np.sin(0.31 * t + phase) + y * 0.12) * 1.2).astype(np.intp) % 480
            curtain = np.exp(np.where(above > 0, above * np.float32(-1 / 30), above / 2.2))
            beat = strength * (0.75 + 0.25 * np.sin(0.9 * t + phase))
            glow += (curtain * (0.25 + 1.5 * rays[shift] ** 2) * beat)[..., None] * rgb(colour)
        wash(frame, 0, glow, WIDTH, 560, clear)
        rows = np.clip(139 - deep + 0.9 * np.sin(deep * 1.1 + 3 * t), 0, 139).astype(np.intp)
        wash(frame, shore + 50, glow[rows] * np.float32(0.42), WIDTH, 560, mirrored)
        yield frame


@scene("perseids")
def perseids(take: Take) -> Iterator[Frame]:
    """A tent, the Milky Way, and a wish every half second."""
    rng = take.rng
    paint = Paint.sky(
        [(0, "#04071c"), (0.45, "#122457"), (0.7, "#5b4a8a"), (0.82, "#d98a7a"), (1, "#d98a7a")]
    )
    x, y = grid()
    band = (x - 90) * 0.83 - (y - 330) * 0.56
    dust = clouds(rng, WIDTH, HEIGHT, 130, 5)
    milk = np.exp(-((band / 105) ** 2)) * ramp(dust, 0.2, 0.85)
    lane = np.exp(-(((band - 14) / 26) ** 2)) * ramp(clouds(rng, WIDTH, HEIGHT, 70, 4), 0.4, 0.7)
    paint.light(milk * np.clip(1.2 - y / 640, 0, 1), "#b9a6e8", strength=0.6)
    paint.over(lane * np.clip(1 - y / 600, 0, 1), "#0a1030", strength=0.55)
    paint.stars(rng, 420, 620)
    for i, (top, tones) in enumerate(((690, "#4a3a6a #2b2450"), (770, "#231c44 #140f2e"))):
        line = (top + (52 - 14 * i) * skyline(rng, WIDTH, 320, 5)).astype(np.float32)
        paint.hill(line, [(0, tones.split()[0]), (1, tones.split()[1])], 120)
    ground = (850 + 12 * skyline(rng, WIDTH, 260, 3)).astype(np.float32)
    for left, right in ((-10, 130), (440, WIDTH + 10)):
        paint.over(_pines(rng, ground, 8, 190, HEIGHT, left, right), "#07061a")
    paint.hill(ground, [(0, "#0b0920"), (1, "#05040f")], 90)
    paint.light(soft(150, 2), "#ff9a3c", 150, 720, 0.55)
    paint.over(cutout([[(218, 866), (300, 780), (382, 866)]], WIDTH, HEIGHT), "#ffb14a")
    paint.over(cutout([[(300, 780), (382, 866), (326, 866)]], WIDTH, HEIGHT), "#c9622a")
    paint.over(cutout([[(284, 866), (300, 806), (312, 866)]], WIDTH, HEIGHT), "#ffe9a8")
    still = paint.vignette(0.3).frame(rng)
    falls = []
    at = 0.2
    while at < take.seconds:
        falls.append(
            (at, *rng.uniform((40, 20), (520, 300)), rng.uniform(0.35, 0.7), rng.uniform(240, 480))
        )
        at += rng.uniform(0.25, 0.75)
    lights, head, tail = Lights("#e6f0ff"), soft(5, 1.1), soft(2.6, 1.0)
    twinkle = [(*rng.uniform((0, 0), (WIDTH, 560)), rng.uniform(0, 6)) for _ in range(50)]
    for t, _ in take.times():
        frame = still.copy()
        for sx, sy, phase in twinkle:
            lights.add(sx, sy, tail, 0.5 + 0.5 * np.sin(4 * t + phase))
        for start, fx, fy, life, length in falls:
            part = (t - start) / life
            if not 0 <= part < 1.6:
                continue
            fade = min(1.0, 5 * part) * max(0.0, 1 - max(0.0, part - 0.6))
            for i in range(46):
                back = part - 0.009 * i
                if 0 <= back <= 1:
                    where = fx - 0.72 * length * back, fy + 0.62 * length * back
                    lights.add(*where, head if i == 0 else tail, fade * (1 - i / 46) ** 1.6)
        lights.shine(frame)
        yield frame


@scene("fireworks")
def fireworks(take: Take) -> Iterator[Frame]:
    """Fireworks above a river town; the water shows them again."""
    rng, water = take.rng, 640
    paint = Paint.sky([(0, "#050716"), (0.45, "#121a3c"), (0.66, "#34305c"), (1, "#34305c")])
    paint.stars(rng, 90, 420)
    roofs: list[list[tuple[float, float]]] = []
    x = -10.0
    while x < WIDTH:
        wide, tall = rng.uniform(22, 52), rng.uniform(26, 96)
        top = water - tall
        roofs.append([(x, water), (x, top), (x + wide, top), (x + wide, water)])
        roofs.append(
            [
                (x - 2, top),
                (x + wide / 2, top - wide * rng.choice([0.3, 0.5, 1.1])),
                (x + wide + 2, top),
            ]
        )
        x += wide
    paint.over(cutout(roofs, WIDTH, water, 2), "#0a0c1f")
    for _ in range(110):
        wx, wy = int(rng.integers(4, WIDTH - 8)), int(rng.integers(water - 40, water - 6))
        paint.light(np.ones((4, 3), dtype=np.float32), "#ffc45c", wx, wy, rng.uniform(0.3, 0.9))
    mirror = paint.pixels[water - 1 : 2 * water - HEIGHT - 1 : -1] * np.float32(0.5)
    paint.pixels[water:] = mirror + np.array([0.01, 0.02, 0.05], dtype=np.float32)
    still = paint.vignette(0.3).frame(rng)
    tints = ["#ffd27a", "#ff6f91", "#7ad7ff", "#b38bff", "#8dffb0", "#ffffff"]
    trails = [Lights(c) for c in tints]
    big, spark = soft(6.5, 1.6), soft(4.0, 1.2)
    bursts = []
    for at, size in burst_times(take.seconds, take.seed):
        count = int(70 * size) + 20
        angle, speed = rng.uniform(0, 2 * np.pi, count), rng.uniform(0.86, 1.0, count)
        if rng.random() < 0.4:
            speed = np.where(np.arange(count) % 2 == 0, speed, 0.5 * speed)
        lift = np.sqrt(rng.random(count)) if rng.random() < 0.35 else 1.0
        velocity = (
            np.stack([np.cos(angle), np.sin(angle)], 1) * (speed * lift)[:, None] * 420 * size
        )
        place = rng.uniform((100, 130), (440, 380))
        bursts.append((at, place, velocity, int(rng.integers(0, len(tints))), rng.random(count)))
    flash = soft(320, 2)
    for t, _ in take.times():
        frame = still.copy()
        for at, place, velocity, tint, twinkle in bursts:
            age = t - at
            if -0.55 < age < 0:
                rise = 1 + age / 0.55
                way = place[1] + (water - place[1]) * (1 - rise) ** 1.6
                for i in range(4):
                    trails[0].add(
                        place[0] + 6 * np.sin(9 * age), way + 6 * i, spark, 0.7 - 0.15 * i
                    )
            if not 0 <= age < 2.0:
                continue
            if age < 0.3:
                frame.glow(place[0], place[1], flash, tints[tint], 0.5 * (1 - age / 0.3))
            where = place + velocity * (1 - np.exp(-2.1 * age)) / 2.1
            where[:, 1] += 42 * age**2
            fade = max(0.0, 1 - age / 2.0) * min(1.0, 0.12 + 2.0 * age)
            shine = fade * np.where(age > 0.9, 0.4 + 0.6 * (np.sin(30 * t + 40 * twinkle) > 0), 1.0)
            for (px, py), s in zip(where, shine, strict=True):
                trails[tint].add(px, py, big if 0.25 < age < 0.6 else spark, s)
        for lights, tint_name in zip(trails, tints, strict=True):
            seen = lights.map[: water - 96 : 2]
            if not lights.is_dark:
                depth = min(len(seen), HEIGHT - water)
                shift = np.round(5 * np.sin(np.arange(depth) * 0.5 + 5 * t)).astype(np.intp)
                rows = np.clip(len(seen) - 1 - np.arange(depth), 0, None)
                columns = (np.arange(WIDTH)[None, :] + shift[:, None]) % WIDTH
                frame.light(0, water, seen[rows[:, None], columns], tint_name, 0.5)
            lights.shine(frame, keep=0.80)
        yield frame
