"""Indoors: a cat and a firefly, a snow globe, a candle."""

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
    polygon,
    ramp,
    skyline,
    soft,
    stroke,
)
from luciole.demo.fields import Lights, wash
from luciole.demo.scenes.stage import Take, scene

_FUR = "#07060f"


def _round(x: float, y: float, rx: float, ry: float, turn: float = 0.0, steps: int = 40) -> Field:
    angle = np.linspace(0, 2 * np.pi, steps)
    px, py = rx * np.cos(angle), ry * np.sin(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([x + px * cos - py * sin, y + px * sin + py * cos], 1).astype(np.float32)


@scene("cat")
def cat(take: Take) -> Iterator[Frame]:
    """A cat on the sill follows a firefly with its whole head; the tail has its own opinion."""
    rng = take.rng
    paint = Paint.sky([(0, "#0b1440"), (0.4, "#25407c"), (0.7, "#5c7fae"), (1, "#9db6c4")])
    for _ in range(120):
        x, y = int(rng.integers(0, WIDTH)), int(rng.integers(0, 520))
        paint.light(soft(rng.uniform(0.8, 2), 1.3), "#ffffff", x, y, rng.uniform(0.2, 0.9))
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
    paint.over((y > 806).astype(np.float32) * np.ones_like(x), "#2a1b26")
    paint.light(np.exp(-np.abs(y - 808) / 2.5) * np.ones_like(x), "#8a7690", strength=0.6)
    pot = cutout([[(430, 806), (424, 740), (500, 740), (494, 806)]], WIDTH, HEIGHT)
    leaves = [_round(462 + 34 * np.sin(a), 720 - 40 * np.cos(a), 9, 38, a) for a in (-0.9, -0.45, 0, 0.4, 0.85)]
    paint.over(cutout(leaves, WIDTH, HEIGHT), "#16313a").over(pot, "#3d2230")
    body = [_round(252, 726, 82, 92), _round(258, 650, 56, 70), _round(222, 796, 40, 16), _round(300, 796, 40, 16)]
    body.append(np.array([(176, 740), (200, 640), (312, 640), (332, 740), (322, 806), (184, 806)], np.float32))
    paint.over(cutout(body, WIDTH, HEIGHT), _FUR)
    still = paint.vignette(0.4).frame(rng)
    glow, core, path = soft(90, 2.8), soft(7, 1.2), np.pi * 2 / max(take.seconds, 0.1)
    for t, _ in take.times():
        frame = still.copy()
        fx = 270 + 165 * np.sin(2 * path * t) + 20 * np.sin(7 * path * t)
        fy = 400 + 120 * np.sin(3 * path * t + 1) + 14 * np.cos(9 * path * t)
        swish = np.sin(2.2 * t) + 0.4 * np.sin(5.1 * t)
        bend = np.linspace(0, 1, 18)
        tail = np.stack([
            320 + 96 * bend + 16 * swish * bend**2,
            792 - 20 * np.sin(bend * 3) + 96 * bend**2 + 22 * swish * bend**2.5,
        ], 1)
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

    shapes = [_round(x, y, 64, 54, lean)]
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
        frame.stamp(polygon(_round(ex, ey, 15, 13 * blink + 0.5, lean), 3), "#c9e86a")
        px, py = ex + 6 * dx / away, ey + 6 * dy / away * blink
        frame.stamp(polygon(_round(px, py, 6.5, 10 * blink + 0.3, lean), 3), "#05050a")
        frame.disc(px - 2, py - 4 * blink, 2.2, "#ffffff", 1, blink)
    frame.stamp(polygon([at(-5, 20), at(5, 20), at(0, 26)], 3), "#c98a94")


@scene("globe")
def globe(take: Take) -> Iterator[Frame]:
    """A snow globe that somebody has just put down."""
    rng = take.rng
    cx, cy, radius = 270, 430, 218
    x, y = grid()
    paint = Paint.sky([(0, "#3a0f1e"), (0.5, "#6e1f2c"), (0.76, "#a13f38"), (0.77, "#5a2c1c"), (1, "#2a120c")])
    for _ in range(38):
        spot, r = rng.uniform((0, 0), (WIDTH, 700)), rng.uniform(8, 30)
        tint = ("#ffcf70", "#ff9a5a", "#ffe6b8")[int(rng.integers(0, 3))]
        paint.light(np.clip(soft(r, 1) * 3, 0, 1), tint, int(spot[0]) - 20, int(spot[1]), rng.uniform(0.05, 0.3))
    away = np.hypot(x - cx, y - cy)
    inside = np.clip(radius - away, 0, 1)
    scene_paint = Paint.sky([(0.2, "#0d2350"), (0.5, "#3f6ea8"), (0.66, "#bcd4e6"), (1, "#bcd4e6")])
    for i, tone in enumerate(("#6f93bd", "#93b2d0")):
        line = (455 + 45 * i + 30 * skyline(rng, WIDTH, 170, 3)).astype(np.float32)
        scene_paint.hill(line, [(0, tone), (1, tone)], 60)
    scene_paint.hill((548 + 10 * np.sin(x[0] * 0.02)).astype(np.float32), [(0, "#ffffff"), (1, "#a9c4de")], 110)
    firs = []
    for fx, size in ((130, 130), (180, 100), (372, 150), (422, 110)):
        for tier in range(4):
            wide, base = size * (0.30 - 0.055 * tier), 562 - size * 0.2 * tier
            firs.append([(fx - wide, base), (fx, base - size * 0.4), (fx + wide, base)])
    scene_paint.over(cutout(firs, WIDTH, HEIGHT), "#1f4a52")
    scene_paint.over(cutout([[(a, b - 5) for a, b in f[:2]] + [(f[1][0] + 2, f[1][1] + 14)] for f in firs], WIDTH, HEIGHT), "#eaf4ff", strength=0.85)
    house = [[(222, 566), (222, 486), (322, 486), (322, 566)]]
    scene_paint.over(cutout(house, WIDTH, HEIGHT), "#b5483a")
    scene_paint.over(cutout([[(204, 492), (272, 424), (340, 492)]], WIDTH, HEIGHT), "#f4faff")
    scene_paint.over(cutout([[(296, 424), (296, 462), (312, 474), (312, 424)]], WIDTH, HEIGHT), "#7a3028")
    for wx in (236, 286):
        scene_paint.over(np.ones((24, 22), dtype=np.float32), "#ffdf80", wx, 508)
        scene_paint.light(soft(50, 2), "#ffb040", wx - 39, 470, 0.35)
    scene_paint.over(np.ones((36, 20), dtype=np.float32), "#5a2a20", 262, 530)
    paint.pixels += (scene_paint.pixels - paint.pixels) * inside[..., None]
    rim = np.clip(1 - np.abs(away - radius + 5) / 7, 0, 1)
    paint.light(rim, "#dff0ff", strength=0.35)
    paint.over(inside * ramp(away, radius - 60, radius + 10), "#0a1638", strength=0.5)
    base = [[(110, 592), (430, 592), (468, 718), (72, 718)]]
    wood = cutout(base, WIDTH, HEIGHT)
    paint.over(wood, "#7a4a26").light(wood * np.exp(-((x - 210) / 70) ** 2), "#8a5a30", strength=0.6)
    paint.over(wood * (np.abs(y - 640) < 5), "#d8a24a").over(wood * ramp(y, 690, 720), "#2a120c", strength=0.6)
    paint.over(np.exp(-((x - 270) / 190) ** 2 - ((y - 722) / 10) ** 2) * (y > 717), "#000000", strength=0.6)
    still = paint.vignette(0.35).frame(rng)
    shine = np.clip(1 - np.hypot((x[:, 110:250] - 178) / 34, (y[250:420] - 330) / 74), 0, 1) ** 0.8
    count = 420
    angle, reach = rng.uniform(0, 6.28, count), np.sqrt(rng.uniform(0, 1, count)) * 196
    phase, size = rng.uniform(0, 6.28, count), rng.integers(0, 3, count)
    flakes, snow = [soft(r, 1.0) for r in (2.3, 3.1, 4.3)], Lights("#f4faff")
    for t, p in take.times():
        frame = still.copy()
        stir = np.exp(-1.6 * p * take.seconds / 3)
        turn = angle + 3.2 * (1 - stir) + 0.05 * t
        fx = cx + reach * np.cos(turn) + 9 * np.sin(1.3 * t + phase)
        fy = cy + reach * np.sin(turn) * 0.96
        top = cy - np.sqrt(np.maximum(0, 200**2 - (fx - cx) ** 2))
        bottom = np.minimum(cy + np.sqrt(np.maximum(0, 204**2 - (fx - cx) ** 2)), 556 + 8 * np.sin(phase))
        fy = top + (fy - top + 34 * t * (0.6 + 0.3 * size)) % np.maximum(20, bottom - top)
        for i in range(count):
            snow.add(fx[i], fy[i], flakes[size[i]], 0.85)
        snow.shine(frame)
        frame.light(110, 250, shine, "#ffffff", 0.30)
        yield frame


@scene("candle")
def candle(take: Take) -> Iterator[Frame]:
    """A candle, and a wall that breathes with it."""
    rng = take.rng
    paint = Paint.sky([(0, "#0c0710"), (0.6, "#1d0f18"), (0.83, "#24121a"), (0.84, "#170b0c"), (1, "#080405")])
    plaster = clouds(rng, WIDTH, HEIGHT, 90, 5)
    paint.pixels *= (0.75 + 0.5 * plaster)[..., None]
    x, y = grid()
    wax = cutout([[(214, 560), (326, 560), (330, 846), (210, 846)], _round(270, 846, 60, 12), _round(222, 600, 9, 46), _round(318, 584, 7, 34)], WIDTH, HEIGHT)
    paint.over(wax, "#d9b98a")
    paint.over(wax * ramp(np.abs(x - 262), 16, 66), "#6a3420", strength=0.75)
    paint.over(wax * ramp(y, 590, 846), "#4a2018", strength=0.7)
    paint.light(wax * np.exp(-np.maximum(0, y - 556) / 56), "#ff9a3c", strength=0.85)
    paint.over(cutout([_round(270, 562, 56, 14)], WIDTH, HEIGHT), "#ffd08a")
    paint.over(cutout([_round(270, 563, 42, 9)], WIDTH, HEIGHT), "#e8963f")
    plate = cutout([_round(270, 858, 150, 26)], WIDTH, HEIGHT) * (1 - wax)
    paint.over(plate, "#3a2420").light(plate * np.exp(-np.hypot((x - 270) / 90, (y - 848) / 12)), "#c97a3a")
    paint.stamp(stroke([(270, 562), (271, 545), (274, 530)], 4), "#1a0d0a")
    still = paint.frame(rng)
    wx, wy = grid(68, 120)
    rough = (0.7 + 0.6 * plaster[::8, ::8][:120, :68]).astype(np.float32)
    everywhere = np.ones((HEIGHT, WIDTH), dtype=np.float32)
    everywhere -= 0.65 * wax
    gx, gy = grid(150, 300)
    tint = np.array([0.62, 0.26, 0.08], dtype=np.float32)
    specks = [(rng.uniform(150, 390), rng.uniform(0, 560), rng.uniform(10, 26), rng.uniform(0, 6)) for _ in range(26)]
    motes, mote = Lights("#ffb05a"), soft(2.6, 1.2)
    for t, _ in take.times():
        frame = still.copy()
        flicker = 1 + 0.06 * np.sin(9.1 * t) * np.sin(2.3 * t) + 0.05 * np.sin(17 * t + 1) * np.sin(1.1 * t)
        lean = 0.10 * np.sin(1.7 * t) + 0.05 * np.sin(4.3 * t)
        away = np.hypot(wx - 33.7 - 10 * lean, (wy - 58) * 0.92) / np.float32(46 * flicker)
        glow = (np.exp(-(away**2) * 1.5) * rough * flicker)[..., None] * tint
        wash(frame, 0, glow, WIDTH, HEIGHT, everywhere)
        for mx, my, speed, phase in specks:
            motes.add(mx + 12 * np.sin(0.7 * t + phase), (my - speed * t) % 560, mote, 0.25 + 0.25 * np.sin(2 * t + phase))
        motes.shine(frame)
        tall = 168 * (0.94 + 0.10 * (flicker - 1) * 5)
        up = np.clip((278 - gy) / np.float32(tall), -0.2, 1.3)
        spine = 75 + 92 * lean * np.maximum(up, 0) ** 1.6 + 5 * np.sin(6 * t - 5 * up) * up**2
        wide = 27 * np.sqrt(np.clip(up + 0.06, 0, 1)) * np.clip(1 - up, 0, 1) ** 0.75 * 1.75 + 0.1
        side = np.abs(gx - spine) / wide
        body = np.clip(1 - side**2, 0, 1) * ((up > -0.05) & (up < 1))
        halo = np.exp(-np.hypot((gx - spine) / 46, (gy - 190) / 96) ** 2 * 1.6)
        frame.light(195, 258, halo * 0.5, "#ff8a2a")
        frame.over(195, 258, np.clip(body * 1.7, 0, 1) * np.clip(0.22 + up * 2.2, 0, 1), "#ff9a2e", 0.95)
        frame.over(195, 258, np.clip(body * 1.5 - 0.35, 0, 1) * np.clip(up * 3.2, 0, 1), "#ffe9a0")
        frame.light(195, 258, np.clip(body, 0, 1) * np.clip(0.25 - up, 0, 1) * 2.4, "#2f5cff", 0.7)
        yield frame
