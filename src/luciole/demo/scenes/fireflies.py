"""The picture on our shield: fireflies over a dark meadow, and fireflies that write a word."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from luciole.demo.canvas import Frame, Paint, Sprite
from luciole.demo.draw import (
    HEIGHT,
    WIDTH,
    clouds,
    cutout,
    ease,
    ramp,
    skyline,
    soft,
    words,
)
from luciole.demo.fields import Lights
from luciole.demo.scenes.stage import Take, scene

_NIGHT = [(0, "#050a1e"), (0.35, "#0d2138"), (0.62, "#1d4a55"), (0.75, "#3a6b58"), (1, "#0a1a16")]
_LIGHT = "#e8ff7a"


def _meadow(rng: np.random.Generator) -> Paint:
    """Stars, a moon behind thin cloud, two rows of wood and the ground mist."""
    paint = Paint.sky(_NIGHT)
    for _ in range(150):
        x, y = int(rng.integers(0, WIDTH)), int(rng.beta(1, 2) * 560)
        paint.light(soft(rng.uniform(0.8, 2.2), 1.5), "#cfe4ff", x, y, rng.uniform(0.15, 0.8))
    paint.light(soft(190, 2.6), "#6d8cae", 220, 20, 0.7)
    paint.light(soft(30, 0.25), "#f4f0d8", 380, 180, 0.9)
    veil = ramp(clouds(rng, WIDTH, 420, 190), 0.45, 0.95)
    paint.light(veil * np.hanning(420).astype(np.float32)[:, None], "#24485a", 0, 60, 0.6)
    far = 600 + 26 * skyline(rng, WIDTH, 180) + 9 * skyline(rng, WIDTH, 16, 2)
    paint.hill(far, [(0, "#163c40"), (1, "#2d5f52")], 130)
    near = 668 + 22 * skyline(rng, WIDTH, 140) + 16 * np.abs(skyline(rng, WIDTH, 22, 3))
    paint.hill(near, [(0, "#0b2527"), (0.5, "#123430"), (1, "#0a1d18")], 220)
    mist = np.exp(-(((np.arange(260, dtype=np.float32) - 130) / 55) ** 2))[:, None]
    paint.light(mist * clouds(rng, WIDTH, 260, 150, 3), "#5d9a83", 0, 590, 0.35)
    return paint.vignette(0.4)


def _grass(rng: np.random.Generator, blades: int, tall: float, colour: str) -> list[Sprite]:
    """The same tuft in seven leans of the wind."""
    roots = [
        (rng.uniform(-20, WIDTH + 20), tall * rng.uniform(0.45, 1.0), rng.uniform(-0.3, 0.3))
        for _ in range(blades)
    ]
    height, leans = (int(tall) + 40) & ~1, []
    for step in range(7):
        outlines = []
        for x, size, bend in roots:
            lean = (bend + 0.11 * (step - 3)) * size
            outline = [(x - 3.2, height), (x - 1.6 + lean * 0.3, height - size * 0.6)]
            outline += [(x + lean, height - size), (x + 2 + lean * 0.36, height - size * 0.55)]
            outlines.append([*outline, (x + 3.4, height)])
        mask = cutout(outlines, WIDTH, height)
        leans.append(Sprite(Frame.plain(colour, WIDTH, height), mask))
    return leans


def _wind(t: float, phase: float) -> int:
    return int(3.5 + 2.4 * np.sin(1.1 * t + phase) + 0.6 * np.sin(2.7 * t))


@scene("fireflies")
def fireflies(take: Take) -> Iterator[Frame]:
    """Sixty lights that drift and breathe, between two rows of moving grass."""
    rng = take.rng
    still = _meadow(rng).frame(rng)
    back = _grass(rng, 70, 190, "#0a211c")
    front = _grass(rng, 46, 330, "#040d0d")
    count = 60
    home = np.stack([rng.uniform(0, WIDTH, count), rng.uniform(470, 900, count)], axis=1)
    turns = rng.integers(1, 4, (count, 4)) * 2 * np.pi / 9
    phase = rng.uniform(0, 2 * np.pi, (count, 5))
    deep = rng.uniform(0.35, 1.0, count)
    sizes = [22, 32, 46, 62]
    glows = [0.5 * soft(s, 3.0) for s in sizes]
    for glow in glows:  # The animal itself: a bright point in its own light.
        size, point = len(glow), soft(2 + len(glow) / 22, 0.8)
        first = size // 2 - len(point) // 2
        glow[first : first + len(point), first : first + len(point)] += point
    lights = Lights("#d3f26a")
    for t, _ in take.times():
        frame = still.copy()
        x = home[:, 0] + 46 * np.sin(turns[:, 0] * t + phase[:, 0])
        x += 18 * np.sin(2.3 * turns[:, 1] * t + phase[:, 1])
        y = home[:, 1] + 40 * np.sin(turns[:, 2] * t + phase[:, 2])
        y += 14 * np.sin(2.1 * turns[:, 3] * t + phase[:, 3])
        shine = np.clip(np.sin(1.7 * t + phase[:, 4]), 0, 1) ** 1.4
        for i in range(count):
            if i == count // 2:
                lights.shine(frame)
                frame.put(back[_wind(t, 0.6)], 0, HEIGHT - 228)
            if shine[i] > 0.04:
                glow = glows[int(np.searchsorted(sizes, 62 * deep[i]))]
                lights.add(x[i], y[i], glow, shine[i] * (0.35 + 0.65 * deep[i]))
        lights.shine(frame)
        frame.put(front[_wind(t, 0)], 0, HEIGHT - 300)
        yield frame


def _spread(
    rng: np.random.Generator, places: NDArray[np.intp], apart_px: float
) -> NDArray[np.intp]:
    """Some of the places, none nearer to another than `apart_px`."""
    chosen: list[NDArray[np.intp]] = []
    for place in rng.permutation(places)[:6000]:
        if not chosen or (((np.array(chosen) - place) ** 2).sum(axis=1)).min() > apart_px**2:
            chosen.append(place)
    return np.array(chosen)


@scene("luciole")
def luciole(take: Take) -> Iterator[Frame]:
    """Fireflies come from everywhere, write `luciole`, and go."""
    rng = take.rng
    still = _meadow(rng).frame(rng)
    front = _grass(rng, 46, 300, "#040d0d")
    chosen = places = _spread(rng, np.argwhere(words("luciole", 156) > 0.6), 7.4)
    count = len(chosen)
    middle = (places[:, 1].max() + places[:, 1].min()) / 2
    goal = np.stack([chosen[:, 1] - middle + WIDTH / 2, chosen[:, 0] + 300], axis=1)
    start = np.stack([rng.uniform(-60, WIDTH + 60, count), rng.uniform(520, 980, count)], axis=1)
    leave = goal + rng.normal(0, 1, (count, 2)) * (260, 200) - (0, 160)
    swing = rng.uniform(-150, 150, (count, 2))
    delay, phase = rng.uniform(0, 0.14, count), rng.uniform(0, 6.28, (count, 2))
    small, large = soft(7, 1.6), soft(7, 1.4)
    large = np.pad(large, 15) + 0.45 * soft(22, 2.2)
    lights = Lights(_LIGHT)
    for t, p in take.times():
        frame = still.copy()
        come = np.array([ease((p - 0.04 - d) / 0.36) for d in delay])[:, None]
        part = np.array([ease((p - 0.80 - d / 2) / 0.22) for d in delay])[:, None]
        at = start + (goal - start) * come + swing * np.sin(np.pi * come) + (leave - goal) * part
        at += np.stack([np.sin(2.1 * t + phase[:, 0]), np.cos(1.7 * t + phase[:, 1])], 1) * 3
        shine = (0.6 + 0.4 * np.sin(3 * t + phase[:, 0])) * (1 - 0.9 * part[:, 0])
        shine *= min(1.0, 0.15 + 3 * p)
        for i in range(count):
            lights.add(at[i, 0], at[i, 1], large if i % 4 == 0 else small, shine[i])
        lights.shine(frame)
        frame.put(front[_wind(t, 0)], 0, HEIGHT - 270)
        yield frame
