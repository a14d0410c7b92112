"""The city: lights come on at dusk; rain on a window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from luciole.demo.canvas import Frame, Paint, Sprite
from luciole.demo.draw import (
    HEIGHT,
    WIDTH,
    Field,
    blend,
    clouds,
    grid,
    ramp,
    scaled,
    soft,
    yuv,
)
from luciole.demo.fields import Lights
from luciole.demo.scenes.stage import Take, scene

_HIGH = [(0, "#4a7fc4"), (0.35, "#5b4a96"), (0.65, "#1c1d52"), (1, "#070a24")]
_LOW = [(0, "#ffe3b0"), (0.35, "#ff9a6a"), (0.65, "#7a3f7c"), (1, "#1f2c5c")]
_ROWS = [
    (430, 70, [(0, "#9db4d0"), (0.35, "#a86f8a"), (0.65, "#3c3168"), (1, "#131c40")]),
    (520, 84, [(0, "#7189ad"), (0.35, "#74466f"), (0.65, "#2a2150"), (1, "#0d1432")]),
    (640, 104, [(0, "#455a80"), (0.35, "#452a52"), (0.65, "#170f34"), (1, "#070a1e")]),
]


@scene("skyline")
def city(take: Take) -> Iterator[Frame]:
    """An evening in a few seconds: the sun goes, and window after window somebody comes home."""
    rng = take.rng
    rows = [_Blocks(rng, top, wide, number) for number, (top, wide, _) in enumerate(_ROWS)]
    grain = rng.normal(0, 1.0, (HEIGHT, WIDTH)).astype(np.float32)
    haze = ramp(scaled(clouds(rng, WIDTH, 1500, 230, 4), WIDTH, 440), 0.5, 0.9)
    haze *= np.hanning(440).astype(np.float32)[:, None]
    stars = [(*rng.integers((0, 0), (WIDTH, 380)), rng.uniform(0.2, 1)) for _ in range(90)]
    star, moon_glow, sun_glow = soft(1.7, 1.2), soft(150, 2.4), soft(190, 2.2)
    cars = [
        (rng.uniform(0, WIDTH), rng.uniform(60, 120), int(rng.integers(0, 2))) for _ in range(16)
    ]
    heaven = Lights("#ffffff")
    white, red, beam = Lights("#fff0c4"), Lights("#ff4a3a"), soft(9, 1.8)
    frame = Frame.plain("#000000")
    for t, p in take.times():
        when = min(1.0, p * 1.12)
        high, low = blend(_HIGH, when), blend(_LOW, when)
        fall = np.linspace(0, 1.5, HEIGHT, dtype=np.float32)[:, None].clip(0, 1) ** 1.4
        frame.rows(high + (low - high) * fall, grain)
        frame.light(0, 60, haze, low, 0.34)
        night = max(0.0, (when - 0.5) * 2)
        if night > 0.1:
            for x, y, s in stars:
                heaven.add(x, y, star, s * night)
            heaven.shine(frame)
        sun = 330 + 620 * when
        if sun < 700:
            frame.glow(250, sun, sun_glow, low, 0.5)
            frame.disc(250, sun, 60, "#ffe9b4", 1.5)
        if night > 0:
            mx, my = 400 - 40 * when, 470 - 330 * night
            frame.glow(mx, my, moon_glow, "#8fa8e8", 0.5 * night)
            frame.disc(mx, my, 34, "#f6f3e2", 1.3)
        for blocks, (_, _, tones) in zip(rows, _ROWS, strict=True):
            blocks.draw(frame, blend(tones, when), when)
        frame.over(0, 890, np.ones((70, WIDTH), dtype=np.float32), "#0b0d1c", 0.85)
        for x, speed, way in cars:
            at = (x + speed * t) % (WIDTH + 60) - 30
            if way:
                white.add(at, 905, beam, 0.4 + 0.6 * night)
            else:
                red.add(WIDTH - at, 922, beam, 0.4 + 0.6 * night)
        white.shine(frame)
        red.shine(frame)
        yield frame


class _Blocks:
    """A row of houses; each window has a moment at which its light goes on."""

    def __init__(self, rng: np.random.Generator, top: int, wide: int, number: int) -> None:
        self.first = top - 150
        self.mask = np.zeros((HEIGHT - self.first, WIDTH), dtype=np.bool_)
        self.moment = np.full(self.mask.shape, 9.0, dtype=np.float32)
        faces = np.ones(self.mask.shape, dtype=np.float32)
        self.glow = rng.random(WIDTH * HEIGHT, dtype=np.float32)
        x, unit = -int(rng.integers(0, 30)), 5 + 2 * number
        while x < WIDTH:
            width = int(rng.integers(wide // 2, wide))
            roof = int(rng.integers(20, 250 - 30 * number))
            self.mask[roof:, max(0, x) : max(0, x + width - 2 + number)] = 1
            faces[:, max(0, x) : max(0, x + width)] = rng.uniform(0.8, 1.2)
            if rng.random() < 0.4:
                self.mask[
                    max(0, roof - 40) : roof, max(0, x + width // 2) : max(0, x + width // 2 + 2)
                ] = 1
            elif rng.random() < 0.5:
                self.mask[max(0, roof - 14) : roof, max(0, x + 8) : max(0, x + width - 12)] = 1
            for wy in range(roof + unit, self.mask.shape[0] - 2 * unit, 2 * unit):
                late = rng.uniform(0, 0.25)
                for wx in range(x + unit, x + width - 2 * unit, 2 * unit - 2):
                    if wx >= 0 and rng.random() < 0.6:
                        moment = 0.32 + late + 0.5 * rng.random()
                        self.moment[wy : wy + unit, wx : wx + unit - 2] = moment
            x += width
        faces *= 1 - 0.16 * (self.moment < 9)
        fade = np.linspace(0, 1, len(self.mask), dtype=np.float32)[:, None]
        self.faces = np.asarray(faces * (1 + 0.25 * fade), dtype=np.float32)
        self.fine = self._order(self.moment, 1)
        self.coarse = self._order(self.moment[::2, ::2], 2)

    def _order(self, moment: Field, step: int) -> tuple[NDArray[np.intp], Field]:
        """The window pixels of a plane by the moment of their light, and those moments."""
        rows, columns = np.nonzero(moment < 9)
        when = moment[rows, columns]
        order = np.argsort(when, kind="stable")
        flat = (rows + self.first // step) * (WIDTH // step) + columns
        return flat[order], when[order]

    def draw(self, frame: Frame, colour: Field, when: float) -> None:
        ink, lamp = yuv(colour), yuv("#ffd27f")
        luma, face = frame.y[self.first :], 16 + (ink[0] - 16) * self.faces
        luma[...] = np.where(self.mask, np.clip(face, 16, 235).astype(np.uint8), luma)
        coarse = self.mask[::2, ::2]
        for plane, value, light in ((frame.u, ink[1], lamp[1]), (frame.v, ink[2], lamp[2])):
            plane[self.first // 2 :][coarse] = int(value)
            places, moments = self.coarse
            plane.ravel()[places[: np.searchsorted(moments, when)]] = int(light)
        places, moments = self.fine
        lit = int(np.searchsorted(moments, when))
        frame.y.ravel()[places[:lit]] = np.minimum(235, lamp[0] * (0.6 + 0.4 * self.glow[:lit]))


@scene("rain")
def rain(take: Take) -> Iterator[Frame]:
    """City lights out of focus behind a wet window; each drop holds the street upside down."""
    rng = take.rng
    paint = Paint.sky([(0, "#0a1026"), (0.5, "#18244a"), (0.8, "#2d2450"), (1, "#0c0a1c")])
    tints = ["#ff9a2a", "#ff3f5a", "#2aa8ff", "#ffc23a", "#7a4bff", "#ff5aa8"]
    for _ in range(58):
        radius = rng.uniform(18, 50)
        x, y = int(rng.integers(-60, WIDTH)), int(rng.normal(500, 210))
        ring = np.clip(soft(radius, 1) * radius / 2.5, 0, 1)
        ring *= 0.72 + 0.28 * np.clip(1.15 - soft(radius, 1), 0, 1)
        paint.light(ring, tints[int(rng.integers(0, len(tints)))], x, y, rng.uniform(0.2, 0.62))
    for x in (90, 250, 430):
        paint.light(soft(90, 2.2), "#ff8a3c", x - 90, 690, 0.4)
    behind = paint.pixels.copy()
    paint.pixels *= np.float32(0.86)
    paint.pixels += (clouds(rng, WIDTH, HEIGHT, 200, 3)[..., None] * np.float32(0.05)) * np.array(
        [0.7, 0.85, 1], np.float32
    )
    for _ in range(520):
        _drop(
            paint.pixels,
            behind,
            rng.uniform(0, WIDTH),
            rng.uniform(0, HEIGHT),
            float(rng.gamma(2.0, 1.9) + 1.4),
        )
    still = paint.vignette(0.35).frame(rng)
    clean = Paint(behind * np.float32(0.93)).vignette(0.35).frame(rng)
    runs = []
    for _ in range(11):
        radius = rng.uniform(8, 13)
        runs.append(
            (
                rng.uniform(20, WIDTH - 20),
                rng.uniform(-300, 700),
                rng.uniform(45, 140),
                radius,
                rng.uniform(0, 6),
            )
        )
    pearls = {step: _pearl(step, rng) for step in range(8, 14)}
    flashes = [(x, rng.uniform(0, 6), soft(40, 1)) for x in (90, 250, 430)]
    for t, _ in take.times():
        frame = still  # The trails stay, as they do on glass.
        for across, start, speed, radius, phase in runs:
            down = start + speed * t + 26 * np.sin(1.6 * t + phase)
            way = int(down)
            left = int(across + 7 * np.sin(down * 0.018 + phase))
            wide = int(radius * 0.6)
            if 4 < way < HEIGHT - 4 and wide < left < WIDTH - wide - 2:
                step = max(4, int(speed / 24) + 3) & ~1
                rows = slice(max(0, way - step) & ~1, way & ~1)
                columns = slice((left - wide) & ~1, (left + wide) & ~1)
                frame.y[rows, columns] = clean.y[rows, columns]
                half = (
                    slice(rows.start // 2, rows.stop // 2),
                    slice(columns.start // 2, columns.stop // 2),
                )
                frame.u[half], frame.v[half] = clean.u[half], clean.v[half]
        shown = frame.copy()
        for across, start, speed, radius, phase in runs:
            down = start + speed * t + 26 * np.sin(1.6 * t + phase)
            pearl = pearls[int(radius)]
            left = int(across + 7 * np.sin(down * 0.018 + phase))
            shown.put(pearl, left - pearl.mask.shape[1] // 2, int(down) - pearl.mask.shape[0] // 2)
        for fx, phase, glow in flashes:
            shown.glow(fx, 770, glow, "#ffb060", 0.12 + 0.1 * np.sin(3 * t + phase))
        yield shown


def _drop(pixels: Field, behind: Field, x: float, y: float, radius: float) -> None:
    """A drop on the glass: a small lens that turns the light behind it round."""
    reach = int(radius) + 1
    x0, y0 = int(x) - reach, int(y) - reach
    if x0 < 0 or y0 < 0 or x0 + 2 * reach + 1 > WIDTH or y0 + 2 * reach + 1 > HEIGHT:
        return
    dx, dy = grid(2 * reach + 1, 2 * reach + 1)
    dx, dy = dx - reach, (dy - reach) * np.float32(0.86)
    away = np.hypot(dx, dy)
    columns = np.clip(x - dx * 9, 0, WIDTH - 1).astype(np.intp)
    rows = np.clip(y - dy * 11, 0, HEIGHT - 1).astype(np.intp)
    seen = behind[rows, columns] * (0.75 + 0.5 * (dy / radius))[..., None] * np.float32(1.25)
    shine = np.clip(1 - np.hypot(dx + radius * 0.35, dy + radius * 0.4) / (radius * 0.35), 0, 1)
    seen = seen + (shine * np.float32(0.7))[..., None]
    mask = np.clip(radius - away + 0.5, 0, 1)[..., None]
    part = pixels[y0 : y0 + 2 * reach + 1, x0 : x0 + 2 * reach + 1]
    part += (seen - part) * mask * np.float32(0.85)


def _pearl(radius: int, rng: np.random.Generator) -> Sprite:
    wide, tall = 2 * radius + 4, (3 * radius + 4) & ~1
    x, y = grid(wide, tall)
    dx, dy = (x - wide / 2) / radius, (y - tall * 0.6) / (radius * 1.15)
    narrow = np.where(dy < 0, 1 + 0.35 * dy**2, 1)
    away = np.hypot(dx * narrow, np.where(dy < 0, dy * 0.8, dy))
    paint = Paint.sky(
        [(0, "#ffd49a"), (0.35, "#7a5a8a"), (0.75, "#141a38"), (1, "#2a3a66")], wide, tall
    )
    paint.light(np.clip(1 - np.hypot(dx + 0.35, dy + 0.3) * 2.4, 0, 1), "#ffffff")
    paint.light(np.clip(1 - np.hypot(dx - 0.3, dy - 0.55) * 2.2, 0, 1), "#ffb060", strength=0.7)
    return Sprite.of(
        paint, np.clip((1 - away) * radius * 0.7, 0, 1).astype(np.float32) * np.float32(0.9), rng
    )
