"""Shapes that repeat: a kaleidoscope of petals, a wave of pendulums, soap bubbles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from luciole.demo.canvas import Frame, Paint, Sprite
from luciole.demo.draw import (
    HEIGHT,
    WIDTH,
    Field,
    clouds,
    cutout,
    gradient,
    grid,
    ramp,
    soft,
    threads,
)
from luciole.demo.fields import Lights, sample
from luciole.demo.music import pendulum_hertz
from luciole.demo.scenes.stage import Take, scene

_GARDENS = {
    "peony": ("#2a0a2e #6a1450 #d93a7a #ff8fa8 #ffd9c4 #ffe98a #3a8a6a", "#1a0620"),
    "lagoon": ("#04243a #0a5a7a #16a6b6 #7ae0d0 #f4fbe0 #ffb84a #ff6a4a", "#021424"),
}


def _petals(rng: np.random.Generator, colours: list[str], ground: str) -> Frame:
    """Flowers lying over each other, 512 pixels square."""
    side = 512
    paint = Paint.sky([(0, ground), (0.5, colours[0]), (1, ground)], side, side)
    for number in range(120):
        cx, cy = rng.uniform(0, side, 2)
        size, count = rng.uniform(26, 105) * (1 - 0.5 * number / 120), int(rng.integers(5, 10))
        turn, tint = rng.uniform(0, 6.28), colours[int(rng.integers(1, len(colours)))]
        along = np.linspace(0, np.pi, 12)
        for ring, part in ((1.0, 0.75), (0.62, 1.0)):
            shapes = []
            for i in range(count):
                a = turn + ring + i * 2 * np.pi / count
                out, wide = (
                    size * ring * (1 - np.cos(along)) / 2,
                    size * ring * 0.24 * np.sin(along),
                )
                side_points = np.concatenate(
                    [np.stack([out, wide], 1), np.stack([out, -wide], 1)[::-1]]
                )
                spin = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
                shapes.append(side_points @ spin + size + 2)
            span = int(2 * size + 4)
            mask = cutout(shapes, span, span, 2)
            x, y = grid(span, span)
            away = np.hypot(x - size, y - size) / np.float32(size)
            left, top = int(cx - size), int(cy - size)
            paint.over(mask * np.float32(0.9), tint, left, top, part)
            paint.over(mask * ramp(away, 0.9, 0.0), colours[0], left, top, 0.55)
            paint.light(mask * ramp(away, 0.55, 1.0), "#ffffff", left, top, 0.16)
        paint.over(
            np.clip(soft(size * 0.17, 1) * 9, 0, 1),
            colours[5],
            int(cx - size * 0.17),
            int(cy - size * 0.17),
        )
    frame = paint.frame(rng)
    blurred = Image.fromarray(frame.y).filter(ImageFilter.GaussianBlur(1.1))
    frame.y[...] = np.asarray(blurred)  # It is sampled without smoothing, so it must be smooth.
    return frame


@scene("kaleidoscope")
def kaleidoscope(take: Take) -> Iterator[Frame]:
    """Two mirrors and a garden. Computed at half size; petals forgive that."""
    rng = take.rng
    tints, ground = _GARDENS[take.look or "peony"]
    texture = _petals(rng, tints.split(), ground)
    width, height = WIDTH // 2, HEIGHT // 2
    x, y = grid(width, height)
    dx, dy = x - width / 2 + 0.5, y - height / 2 + 0.5
    away, wedge = np.hypot(dx, dy), np.float32(2 * np.pi / 10)
    angle = np.arctan2(dy, dx) + np.float32(np.pi)
    dim = np.clip(1.06 - (away / 300) ** 2 * 0.62, 0, 1)
    for t, p in take.times():
        folded = np.abs((angle + np.float32(0.22 * t)) % wedge - wedge / 2)
        zoom = np.float32(0.80 + 0.16 * np.sin(2 * np.pi * p))
        turn = folded + np.float32(0.5 * np.sin(2 * np.pi * p))
        u = away * zoom * np.cos(turn) + np.float32(130 + 110 * np.cos(2 * np.pi * p))
        v = away * zoom * np.sin(turn) + np.float32(130 + 110 * np.sin(2 * np.pi * p))
        rows, columns = _bounce(v), _bounce(u)
        luma = sample(texture.y, rows, columns)
        half_rows, half_columns = rows[::2, ::2] // 2, columns[::2, ::2] // 2
        yield Frame(
            (16 + (luma.astype(np.float32) - 16) * dim).astype(np.uint8),
            sample(texture.u, half_rows, half_columns),
            sample(texture.v, half_rows, half_columns),
        )


def _bounce(place: Field) -> NDArray[np.intp]:
    """Places on a texture of 512 that is mirrored at its edges."""
    whole = place.astype(np.intp) & 1023
    return np.where(whole < 512, whole, 1023 - whole)


@scene("pendulums")
def pendulums(take: Take) -> Iterator[Frame]:
    """Fifteen pendulums, each a little faster than the one before; they ring at the bottom."""
    rng = take.rng
    paint = Paint.sky([(0, "#171130"), (0.45, "#2a1c4a"), (0.8, "#4a2a58"), (1, "#1c1230")])
    x, y = grid()
    paint.light(np.exp(-(np.hypot((x - 270) / 300, (y - 430) / 420) ** 2)), "#6a4a9a", strength=0.5)
    paint.over(((y > 40) & (y < 58)).astype(np.float32) * (np.abs(x - 270) < 190), "#c08a4a")
    paint.light(
        ((y > 40) & (y < 45)).astype(np.float32) * (np.abs(x - 270) < 190), "#ffd9a0", strength=0.5
    )
    paint.over(
        ((y >= 58) & (y < 74)) * np.exp(-(y - 58) / 6) * (np.abs(x - 270) < 190),
        "#000000",
        strength=0.5,
    )
    still = paint.vignette(0.4).frame(rng)
    tints = gradient(
        [(0, "#ffe26a"), (0.3, "#ff8a5a"), (0.55, "#ff4f93"), (0.8, "#8a6aff"), (1, "#4ad8ff")], 15
    )
    balls = [_ball(tints[i], 15 + 0.62 * (14 - i), rng) for i in range(15)]
    shadows = [soft(15 + 0.62 * (14 - i), 0.3) for i in range(15)]
    glow, ring = soft(70, 2.4), Lights("#c9b4ff")
    for t, _ in take.times():
        frame = still.copy()
        places, lines = [], []
        for i in range(15):
            hertz = pendulum_hertz(i)
            swing = 0.30 * np.cos(2 * np.pi * hertz * t)
            length = 820 - 41 * i
            places.append((270 + length * np.sin(swing), 50 + length * np.cos(swing), swing))
            lines.append((np.array([(270.0, 50.0), places[-1][:2]]), 1, 190))
        strings = threads(lines, 0.6)
        frame.over(strings.x, strings.y, strings.mask, "#e6d9ff", 0.5)
        for i, (px, py, swing) in enumerate(places):
            near = np.exp(-((swing / 0.07) ** 2))
            if near > 0.05:
                frame.glow(px, py, glow, tints[i], 0.7 * near)
            ring.add(px, py, shadows[i], 0.16)
        ring.shine(frame, keep=0.72)
        for i, (px, py, _) in enumerate(places):
            size = balls[i].mask.shape[0]
            frame.put(balls[i], round(px - size / 2), round(py - size / 2))
        yield frame


def _ball(tint: Field, radius: float, rng: np.random.Generator) -> Sprite:
    size = (int(2 * radius) + 4) & ~1
    x, y = grid(size, size)
    dx, dy = (x - size / 2 + 0.5) / np.float32(radius), (y - size / 2 + 0.5) / np.float32(radius)
    away = np.hypot(dx, dy)
    lit = np.clip(1.15 - 0.75 * np.hypot(dx + 0.35, dy + 0.45), 0.15, 1.1)
    pixels = (tint[None, None, :] * lit[..., None]).astype(np.float32)
    shine = np.clip(1 - np.hypot(dx + 0.38, dy + 0.45) / 0.34, 0, 1) ** 1.5
    rim = np.clip(away - 0.6, 0, 1) * np.clip(dy, 0, 1)
    pixels += (0.85 * shine + 0.5 * rim)[..., None]
    return Sprite.of(
        Paint(pixels), np.clip((1 - away) * radius + 0.5, 0, 1).astype(np.float32), rng
    )


@scene("bubbles")
def bubbles(take: Take) -> Iterator[Frame]:
    """Soap bubbles over a garden in the afternoon; their colours are those of thin films."""
    rng = take.rng
    paint = Paint.sky([(0, "#8fd0e6"), (0.35, "#bfe6c0"), (0.6, "#7fbf6a"), (1, "#2f6a3f")])
    for _ in range(70):
        radius = rng.uniform(14, 64)
        px, py = int(rng.integers(-60, WIDTH)), int(rng.normal(640, 210))
        tint = ("#ffef9a", "#ffb0c8", "#d8ffb0", "#ffffff", "#8fe0a0")[int(rng.integers(0, 5))]
        paint.light(
            np.clip(soft(radius, 1) * radius / 5, 0, 1), tint, px, py, rng.uniform(0.05, 0.26)
        )
    paint.light(soft(330, 1.8), "#fff3c0", 330 - 200, -330, 0.9)
    veil = ramp(clouds(rng, WIDTH, HEIGHT, 240, 3), 0.3, 0.9)
    paint.over(veil, "#1f5a3a", strength=0.25)
    still = paint.vignette(0.3).frame(rng)
    sizes = [18, 28, 42, 62, 88]
    films = [[_film(size, rng.uniform(0, 6), rng) for _ in range(2)] for size in sizes]
    flight = []
    for i in range(26):
        size = int(rng.choice([0, 0, 1, 1, 2, 2, 3, 4])) if i > 1 else 4
        flight.append((rng.uniform(0, WIDTH), rng.uniform(0, 1300), size, rng.uniform(0, 6), i % 2))
    flight.sort(key=lambda item: item[2])
    for t, _ in take.times():
        frame = still.copy()
        for start, y, size, phase, kind in flight:
            radius = sizes[size]
            place = start + (16 + radius / 3) * np.sin(0.8 * t + phase) + 12 * t
            up = (y - (50 + radius * 0.9) * t) % 1300 - 170
            film = films[size][kind]
            left = round((place + 120) % (WIDTH + 240) - 120 - radius)
            frame.put(film, left, round(up - radius + 3 * np.sin(2 * t + phase)))
        yield frame


def _film(radius: int, phase: float, rng: np.random.Generator) -> Sprite:
    size = 2 * radius + 4
    x, y = grid(size, size)
    dx, dy = (x - size / 2) / np.float32(radius), (y - size / 2) / np.float32(radius)
    away = np.hypot(dx, dy)
    thick = 5.5 * dy + 2.2 * np.sin(2.4 * dx + phase) + 7 * away**3 + phase
    waves = [0.55 + 0.45 * np.cos(thick * k) for k in (1.0, 1.18, 1.38)]
    pixels = np.stack(waves, axis=-1).astype(np.float32) * np.float32(0.95) + np.float32(0.1)
    shine = np.clip(1 - np.hypot((dx + 0.42) * 1.4, dy + 0.5) / 0.24, 0, 1)
    small = np.clip(1 - np.hypot(dx - 0.45, dy - 0.5) / 0.16, 0, 1)
    white = np.maximum(shine, 0.8 * small)
    pixels += (1 - pixels) * white[..., None]
    edge = np.clip((1 - away) * radius + 0.5, 0, 1)
    mask = edge * np.clip(0.13 + 0.62 * away**3.2 + white, 0, 0.95)
    return Sprite.of(Paint(pixels), mask.astype(np.float32), rng)
