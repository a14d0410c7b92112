"""Round little pictures of the people, 256 pixels square, as PNG."""

from __future__ import annotations

import io
import zlib

import numpy as np
from PIL import Image

from luciole.demo.canvas import Paint
from luciole.demo.cast import Person
from luciole.demo.draw import Field, Points, clouds, cutout, grid, oval, skyline, soft

SIZE = 256


def _shape(*outlines: Points) -> Field:
    return cutout(outlines, SIZE, SIZE, 3)


def draw(person: Person) -> bytes:
    """The person's avatar, always the same."""
    rng = np.random.default_rng(zlib.crc32(person.handle.encode()))
    above, below, tint = person.colours
    paint = Paint.sky([(0, above), (1, below)], SIZE, SIZE)
    paint.light(clouds(rng, SIZE, SIZE, 90, 4), "#ffffff", strength=0.07)
    paint.light(soft(170, 2), tint, -42, -42, 0.14)
    _MOTIFS[person.motif](paint, tint, rng)
    paint.vignette(0.3)
    pixels = (np.clip(paint.pixels, 0, 1) * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


Rng = np.random.Generator


def _face(paint: Paint, tint: str, rng: Rng) -> None:
    paint.over(_shape(oval(128, 118, 84, 88)), tint)
    paint.over(_shape(oval(128, 268, 96, 74)), "#2f7f86")
    paint.over(_shape(oval(128, 205, 24, 34)), "#8a4f3a")
    paint.over(_shape(oval(128, 136, 54, 64)), "#a8644a")
    paint.over(_shape(oval(108, 82, 66, 34, -0.35), oval(156, 84, 52, 30, 0.5)), tint)
    for x in (106, 150):
        paint.over(_shape(oval(x, 138, 6, 8)), "#1f1018")
        paint.over(_shape(oval(x + (8 if x > 128 else -8), 160, 12, 8)), "#d9706a", strength=0.4)
    smile = _shape(oval(128, 166, 22, 16)) * (grid(SIZE, SIZE)[1] > 166)
    paint.over(smile, "#fff3ea")


def _firefly(paint: Paint, tint: str, rng: Rng) -> None:
    paint.light(soft(120, 2.2), tint, 8, 26, 0.75)
    paint.over(_shape(oval(128, 164, 24, 44)), tint)
    paint.light(_shape(oval(128, 172, 14, 28)), "#ffffff", strength=0.5)
    paint.over(
        _shape(oval(94, 112, 24, 50, 0.9), oval(162, 112, 24, 50, -0.9)), "#dff6ff", strength=0.55
    )
    paint.over(_shape(oval(128, 118, 22, 28), oval(128, 86, 17, 15)), "#15202a")


def _wave(paint: Paint, tint: str, rng: Rng) -> None:
    paint.over(_shape(oval(128, 104, 50, 50)), "#ffe9b0")
    x = np.arange(SIZE, dtype=np.float32)
    for i, tone in enumerate(("#a8566e", "#6b3a6e", tint)):
        tops = 128 + 36 * i + 11 * np.sin(x * 0.045 + 1.9 * i)
        paint.hill(tops.astype(np.float32), [(0, "#ffc9a0"), (0.06, tone), (1, tone)], 70)


def _mountain(paint: Paint, tint: str, rng: Rng) -> None:
    paint.over(_shape(oval(168, 84, 34, 34)), "#ffb24a")
    for i, tone in enumerate(("#7cc9c6", "#3fa7b0", tint)):
        x = np.arange(SIZE, dtype=np.float32)
        tops = 116 + 40 * i + 0.8 * np.abs((x + 60 * i) % 150 - 75) - 30
        paint.hill(tops.astype(np.float32), [(0, "#ffffff"), (0.04, tone), (1, tone)], 120)


def _sun(paint: Paint, tint: str, rng: Rng) -> None:
    x, y = grid(SIZE, SIZE)
    away = np.hypot(x - 128, y - 122) + clouds(rng, SIZE, SIZE, 18, 3) * 5
    paint.over(np.clip(78 - away, 0, 1) * (0.75 + 0.25 * clouds(rng, SIZE, SIZE, 30, 3)), tint)
    branch: Points = [(0, 214), (120, 190), (256, 204), (256, 212), (120, 199), (0, 228)]
    paint.over(_shape(branch), "#2a1f22")
    for cx, cy in ((60, 200), (120, 186), (186, 196)):
        petals = [
            oval(cx + 11 * np.cos(a), cy + 11 * np.sin(a), 10, 7, a) for a in np.arange(5) * 1.257
        ]
        paint.over(_shape(*petals), "#f29bb0")


def _aurora(paint: Paint, tint: str, rng: Rng) -> None:
    x, y = grid(SIZE, SIZE)
    for base, colour in ((150, tint), (118, "#39d6ff"), (92, "#b45aff")):
        above = base + 22 * np.sin(x * 0.03 + base) - y
        rays = 0.5 + 0.5 * clouds(rng, SIZE, 2, 12, 2)[:1]
        curtain = np.where(above > 0, np.exp(-above / 46), np.exp(above / 5)) * rays
        paint.light(curtain.astype(np.float32), colour, strength=0.8)
    hills = (206 + 16 * skyline(rng, SIZE, 120, 4)).astype(np.float32)
    paint.hill(hills, [(0, "#04101a"), (1, "#04101a")], 50)


def _moon(paint: Paint, tint: str, rng: Rng) -> None:
    disc = _shape(oval(134, 110, 70, 70))
    paint.over(disc, tint).over(disc * clouds(rng, SIZE, SIZE, 40, 3), "#d9a880", strength=0.35)
    dune = 176 - 22 * np.sin(np.linspace(0, 3.1, SIZE))
    paint.hill(dune.astype(np.float32), [(0, "#f2a765"), (0.3, "#b6503f"), (1, "#4b1838")], 100)


def _train(paint: Paint, tint: str, rng: Rng) -> None:
    paint.over(_shape(oval(128, 150, 40, 40)), "#ffe0a0")
    line = (150 + 12 * skyline(rng, SIZE, 90, 3)).astype(np.float32)
    paint.hill(line, [(0, "#7b4f74"), (1, "#38294f")], 110)
    x, y = grid(SIZE, SIZE)
    inside = np.hypot(np.maximum(np.abs(x - 128) - 58, 0), np.maximum(np.abs(y - 120) - 62, 0))
    paint.over(np.clip(inside - 26, 0, 1), tint)
    paint.over(np.clip(4 - np.abs(inside - 28), 0, 1), "#e8b890", strength=0.8)


def _petal(paint: Paint, tint: str, rng: Rng) -> None:
    for ring, size in ((96, 44), (62, 32), (34, 20)):
        angles = np.arange(10) * 2 * np.pi / 10 + ring
        petals = [
            oval(128 + ring * 0.8 * np.cos(a), 128 + ring * 0.8 * np.sin(a), size, size * 0.42, a)
            for a in angles
        ]
        paint.over(_shape(*petals), tint, strength=0.62)
        paint.light(_shape(*petals), "#ffd9c4", strength=0.12)
    paint.over(_shape(oval(128, 128, 20, 20)), "#ffe98a")


def _drop(paint: Paint, tint: str, rng: Rng) -> None:
    for _ in range(16):
        x, y = rng.integers(-20, SIZE, 2)
        colour = ("#ffb14a", "#ff5f6d", tint)[int(rng.integers(0, 3))]
        paint.light(np.clip(soft(rng.uniform(14, 34), 1) * 8, 0, 1), colour, int(x), int(y), 0.3)
    round_part = oval(128, 156, 52, 52)
    paint.over(_shape(round_part, [(128, 44), (84, 128), (172, 128)]), tint, strength=0.85)
    paint.light(_shape(oval(108, 160, 12, 22, 0.3)), "#ffffff", strength=0.7)


def _flame(paint: Paint, tint: str, rng: Rng) -> None:
    paint.light(soft(128, 2), tint, 0, -10, 0.6)
    paint.over(_shape(oval(128, 214, 34, 52)), "#e8cfa0")
    y = np.linspace(0, np.pi, 30)
    side = np.stack([128 + 26 * np.sin(y) ** 0.8 * (y / np.pi) ** 0.5, 60 + 92 * y / np.pi], 1)
    paint.over(_shape(np.concatenate([side, (side * (-1, 1) + (256, 0))[::-1]])), tint)
    paint.over(_shape(oval(128, 128, 11, 20)), "#fff3c0")


def _jelly(paint: Paint, tint: str, rng: Rng) -> None:
    paint.light(soft(120, 2), tint, 8, -20, 0.4)
    dome = _shape(oval(128, 118, 66, 62)) * (grid(SIZE, SIZE)[1] < 124)
    for i in range(6):
        along = np.linspace(0, 1, 24)
        x = 84 + 17.6 * i + 9 * np.sin(along * 7 + i)
        outline = np.concatenate(
            [np.stack([x - 3, 120 + 100 * along], 1), np.stack([x + 3, 120 + 100 * along], 1)[::-1]]
        )
        paint.light(_shape(outline), tint, strength=0.6)
    paint.over(dome, tint, strength=0.85)
    paint.light(_shape(oval(106, 92, 16, 24, 0.5)), "#ffffff", strength=0.4)


_MOTIFS = {
    "face": _face,
    "firefly": _firefly,
    "wave": _wave,
    "mountain": _mountain,
    "sun": _sun,
    "aurora": _aurora,
    "moon": _moon,
    "train": _train,
    "petal": _petal,
    "drop": _drop,
    "flame": _flame,
    "jelly": _jelly,
}
