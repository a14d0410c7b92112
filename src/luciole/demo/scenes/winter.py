"""Indoors in winter: a snow globe, a candle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luciole.demo.canvas import Frame, Paint
from luciole.demo.draw import (
    HEIGHT,
    WIDTH,
    clouds,
    cutout,
    grid,
    oval,
    ramp,
    skyline,
    soft,
    stroke,
)
from luciole.demo.fields import Lights, wash
from luciole.demo.scenes.stage import Take, scene


@scene("globe")
def globe(take: Take) -> Iterator[Frame]:
    """A snow globe that somebody has just put down."""
    rng = take.rng
    cx, cy, radius = 270, 430, 218
    x, y = grid()
    paint = Paint.sky(
        [(0, "#3a0f1e"), (0.5, "#6e1f2c"), (0.76, "#a13f38"), (0.77, "#5a2c1c"), (1, "#2a120c")]
    )
    for _ in range(38):
        spot, r = rng.uniform((0, 0), (WIDTH, 700)), rng.uniform(8, 30)
        tint = ("#ffcf70", "#ff9a5a", "#ffe6b8")[int(rng.integers(0, 3))]
        paint.light(
            np.clip(soft(r, 1) * 3, 0, 1),
            tint,
            int(spot[0]) - 20,
            int(spot[1]),
            rng.uniform(0.05, 0.3),
        )
    away = np.hypot(x - cx, y - cy)
    inside = np.clip(radius - away, 0, 1)
    scene_paint = Paint.sky([(0.2, "#0d2350"), (0.5, "#3f6ea8"), (0.66, "#bcd4e6"), (1, "#bcd4e6")])
    for i, tone in enumerate(("#6f93bd", "#93b2d0")):
        line = (455 + 45 * i + 30 * skyline(rng, WIDTH, 170, 3)).astype(np.float32)
        scene_paint.hill(line, [(0, tone), (1, tone)], 60)
    scene_paint.hill(
        (548 + 10 * np.sin(x[0] * 0.02)).astype(np.float32), [(0, "#ffffff"), (1, "#a9c4de")], 110
    )
    firs = []
    for fx, size in ((130, 130), (180, 100), (372, 150), (422, 110)):
        for tier in range(4):
            wide, base = size * (0.30 - 0.055 * tier), 562 - size * 0.2 * tier
            firs.append([(fx - wide, base), (fx, base - size * 0.4), (fx + wide, base)])
    scene_paint.over(cutout(firs, WIDTH, HEIGHT), "#1f4a52")
    scene_paint.over(
        cutout(
            [[(a, b - 5) for a, b in f[:2]] + [(f[1][0] + 2, f[1][1] + 14)] for f in firs],
            WIDTH,
            HEIGHT,
        ),
        "#eaf4ff",
        strength=0.85,
    )
    house = [[(222, 566), (222, 486), (322, 486), (322, 566)]]
    scene_paint.over(cutout(house, WIDTH, HEIGHT), "#b5483a")
    scene_paint.over(cutout([[(204, 492), (272, 424), (340, 492)]], WIDTH, HEIGHT), "#f4faff")
    scene_paint.over(
        cutout([[(296, 424), (296, 462), (312, 474), (312, 424)]], WIDTH, HEIGHT), "#7a3028"
    )
    for wx in (236, 286):
        scene_paint.over(np.ones((24, 22), dtype=np.float32), "#ffdf80", wx, 508)
        scene_paint.light(soft(50, 2), "#ffb040", wx - 39, 470, 0.35)
    scene_paint.over(np.ones((36, 20), dtype=np.float32), "#5a2a20", 262, 530)
    paint.pixels += (scene_paint.pixels - paint.pixels) * inside[..., None]
    rim = np.clip(1 - np.abs(away - radius + 5) / 7, 0, 1)
    paint.light(rim, "#dff0ff", strength=0.35)
    paint.over(inside * ramp(away, radius - 60, radius + 10), "#0a1638", strength=0.5)
    wood = cutout([[(110, 592), (430, 592), (468, 718), (72, 718)]], WIDTH, HEIGHT)
    paint.over(wood, "#7a4a26").light(
        wood * np.exp(-(((x - 210) / 70) ** 2)), "#8a5a30", strength=0.6
    )
    paint.over(wood * (np.abs(y - 640) < 5), "#d8a24a").over(
        wood * ramp(y, 690, 720), "#2a120c", strength=0.6
    )
    paint.over(
        np.exp(-(((x - 270) / 190) ** 2) - ((y - 722) / 10) ** 2) * (y > 717),
        "#000000",
        strength=0.6,
    )
    still = paint.vignette(0.35).frame(rng)
    shine = np.clip(1 - np.hypot((x[:, 110:250] - 178) / 34, (y[250:420] - 330) / 74), 0, 1) ** 0.8
    count = 420
    angle, reach = rng.uniform(0, 6.28, count), np.sqrt(rng.uniform(0, 1, count)) * 196
    phase, large = rng.uniform(0, 6.28, count), rng.integers(0, 3, count)
    flakes, snow = [soft(r, 1.0) for r in (2.3, 3.1, 4.3)], Lights("#f4faff")
    for t, p in take.times():
        frame = still.copy()
        stir = np.exp(-1.6 * p * take.seconds / 3)
        turn = angle + 3.2 * (1 - stir) + 0.05 * t
        fx = cx + reach * np.cos(turn) + 9 * np.sin(1.3 * t + phase)
        fy = cy + reach * np.sin(turn) * 0.96
        top = cy - np.sqrt(np.maximum(0, 200**2 - (fx - cx) ** 2))
        bottom = np.minimum(
            cy + np.sqrt(np.maximum(0, 204**2 - (fx - cx) ** 2)), 556 + 8 * np.sin(phase)
        )
        fy = top + (fy - top + 34 * t * (0.6 + 0.3 * large)) % np.maximum(20, bottom - top)
        for i in range(count):
            snow.add(fx[i], fy[i], flakes[large[i]], 0.85)
        snow.shine(frame)
        frame.light(110, 250, shine, "#ffffff", 0.30)
        yield frame


@scene("candle")
def candle(take: Take) -> Iterator[Frame]:
    """A candle, and a wall that breathes with it."""
    rng = take.rng
    paint = Paint.sky(
        [(0, "#0c0710"), (0.6, "#1d0f18"), (0.83, "#24121a"), (0.84, "#170b0c"), (1, "#080405")]
    )
    plaster = clouds(rng, WIDTH, HEIGHT, 90, 5)
    paint.pixels *= (0.75 + 0.5 * plaster)[..., None]
    x, y = grid()
    wax = cutout(
        [
            [(214, 560), (326, 560), (330, 846), (210, 846)],
            oval(270, 846, 60, 12),
            oval(222, 600, 9, 46),
            oval(318, 584, 7, 34),
        ],
        WIDTH,
        HEIGHT,
    )
    paint.over(wax, "#d9b98a")
    paint.over(wax * ramp(np.abs(x - 262), 16, 66), "#6a3420", strength=0.75)
    paint.over(wax * ramp(y, 590, 846), "#4a2018", strength=0.7)
    paint.light(wax * np.exp(-np.maximum(0, y - 556) / 56), "#ff9a3c", strength=0.85)
    paint.over(cutout([oval(270, 562, 56, 14)], WIDTH, HEIGHT), "#ffd08a")
    paint.over(cutout([oval(270, 563, 42, 9)], WIDTH, HEIGHT), "#e8963f")
    plate = cutout([oval(270, 858, 150, 26)], WIDTH, HEIGHT) * (1 - wax)
    paint.over(plate, "#3a2420").light(
        plate * np.exp(-np.hypot((x - 270) / 90, (y - 848) / 12)), "#c97a3a"
    )
    paint.stamp(stroke([(270, 562), (271, 545), (274, 530)], 4), "#1a0d0a")
    still = paint.frame(rng)
    wx, wy = grid(68, 120)
    rough = (0.7 + 0.6 * plaster[::8, ::8][:120, :68]).astype(np.float32)
    everywhere = np.ones((HEIGHT, WIDTH), dtype=np.float32)
    everywhere -= 0.65 * wax
    gx, gy = grid(150, 300)
    tint = np.array([0.62, 0.26, 0.08], dtype=np.float32)
    specks = [
        (rng.uniform(150, 390), rng.uniform(0, 560), rng.uniform(10, 26), rng.uniform(0, 6))
        for _ in range(26)
    ]
    motes, mote = Lights("#ffb05a"), soft(2.6, 1.2)
    for t, _ in take.times():
        frame = still.copy()
        flicker = (
            1
            + 0.06 * np.sin(9.1 * t) * np.sin(2.3 * t)
            + 0.05 * np.sin(17 * t + 1) * np.sin(1.1 * t)
        )
        lean = 0.10 * np.sin(1.7 * t) + 0.05 * np.sin(4.3 * t)
        away = np.hypot(wx - 33.7 - 10 * lean, (wy - 58) * 0.92) / np.float32(46 * flicker)
        glow = (np.exp(-(away**2) * 1.5) * rough * flicker)[..., None] * tint
        wash(frame, 0, glow, WIDTH, HEIGHT, everywhere)
        for mx, my, speed, phase in specks:
            motes.add(
                mx + 12 * np.sin(0.7 * t + phase),
                (my - speed * t) % 560,
                mote,
                0.25 + 0.25 * np.sin(2 * t + phase),
            )
        motes.shine(frame)
        tall = 168 * (0.94 + 0.10 * (flicker - 1) * 5)
        up = np.clip((278 - gy) / np.float32(tall), -0.2, 1.3)
        spine = 75 + 92 * lean * np.maximum(up, 0) ** 1.6 + 5 * np.sin(6 * t - 5 * up) * up**2
        wide = 27 * np.sqrt(np.clip(up + 0.06, 0, 1)) * np.clip(1 - up, 0, 1) ** 0.75 * 1.75 + 0.1
        side = np.abs(gx - spine) / wide
        body = np.clip(1 - side**2, 0, 1) * ((up > -0.05) & (up < 1))
        halo = np.exp(-(np.hypot((gx - spine) / 46, (gy - 190) / 96) ** 2) * 1.6)
        frame.light(195, 258, halo * 0.5, "#ff8a2a")
        frame.over(
            195, 258, np.clip(body * 1.7, 0, 1) * np.clip(0.22 + up * 2.2, 0, 1), "#ff9a2e", 0.95
        )
        frame.over(195, 258, np.clip(body * 1.5 - 0.35, 0, 1) * np.clip(up * 3.2, 0, 1), "#ffe9a0")
        frame.light(195, 258, np.clip(body, 0, 1) * np.clip(0.25 - up, 0, 1) * 2.4, "#2f5cff", 0.7)
        yield frame
