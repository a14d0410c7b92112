"""Small pieces of music, a mood each; the same seed plays the same notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from luciole.demo.sounds import (
    SAMPLES_PER_SECOND,
    Sound,
    Tape,
    bell,
    chirp,
    hit,
    kick,
    noise,
    pad,
    piano,
    pluck,
    swell,
)

__all__ = ["MOODS", "SAMPLES_PER_SECOND", "burst_times", "compose", "pendulum_hertz"]

Rng = np.random.Generator
Mood = Callable[[Tape, Rng], None]
MOODS: dict[str, Mood] = {}

PENTATONIC = (0, 2, 4, 7, 9)
MINOR_PENTATONIC = (0, 3, 5, 7, 10)
MAJOR_TURN = ((0, 4, 7, 11), (9, 12, 16, 19), (5, 9, 12, 16), (7, 11, 14, 17))
MINOR_TURN = ((0, 3, 7, 10), (8, 12, 15, 19), (3, 7, 10, 14), (10, 14, 17, 20))


def compose(mood: str, seconds: float, seed: int) -> NDArray[np.float32]:
    """Stereo samples in -1..1, shape (samples, 2)."""
    rng = np.random.default_rng([seed, 1])
    tape = Tape(seconds, seed)
    MOODS[mood](tape, rng)
    return tape.master(rng)


def burst_times(seconds: float, seed: int) -> list[tuple[float, float]]:
    """When each firework opens and how large it is; picture and sound both ask here."""
    rng = np.random.default_rng([seed, 2])
    times: list[tuple[float, float]] = []
    at = 0.55
    while not times or at < seconds - 0.9:  # The first rises however short the film.
        times.append((at, float(rng.uniform(0.55, 1.0))))
        at += float(rng.uniform(0.35, 0.85))
    return times


def pendulum_hertz(number: int) -> float:
    """Swings per second of one of the fifteen pendulums; all meet again after 12 seconds."""
    return (6 + number) / 12


def _mood(name: str) -> Callable[[Mood], Mood]:
    def register(play: Mood) -> Mood:
        MOODS[name] = play
        return play

    return register


def _walk(rng: Rng, scale: Sequence[int], root: int, count: int, span: int = 10) -> list[int]:
    """A melody that mostly steps and sometimes leaps, within `span` notes of the scale."""
    place, notes = span // 2, []
    for _ in range(count):
        place = int(np.clip(place + rng.choice([-2, -1, -1, 1, 1, 2, 3, -3]), 0, span - 1))
        notes.append(root + 12 * (place // len(scale)) + scale[place % len(scale)])
    return notes


def _chords(
    tape: Tape, turn: Sequence[Sequence[int]], root: int, each_s: float, gain: float
) -> None:
    for i in range(int(np.ceil(tape.seconds / each_s))):
        notes = tuple(float(root + n) for n in turn[i % len(turn)])
        tape.add(pad(notes, each_s * 1.35, each_s * 0.35), i * each_s, gain, 0, 0.4)


def _arpeggio(
    tape: Tape,
    rng: Rng,
    play: Callable[[float], Sound],
    turn: Sequence[Sequence[int]],
    root: int,
    step_s: float,
    steps: int = 8,
    gain: float = 0.5,
    rest: float = 0.12,
) -> None:
    """Broken chords, `steps` notes each, with a rest here and there."""
    shape = rng.permutation([0, 2, 1, 3, 2, 1, 3, 2])
    for i in range(int(tape.seconds / step_s)):
        if i % steps and rng.random() < rest:
            continue
        chord = turn[(i // steps) % len(turn)]
        note = root + chord[shape[i % 8] % len(chord)] + (12 if i % 8 == 5 else 0)
        loud = gain * (1.0 if i % steps == 0 else 0.7) * rng.uniform(0.8, 1.0)
        tape.add(play(note), i * step_s + rng.uniform(0, 0.012), loud, rng.uniform(-0.5, 0.5), 0.35)


def _crickets(tape: Tape, rng: Rng, gain: float) -> None:
    for pan, pitch in ((-0.7, 4300), (0.6, 4750)):
        at = rng.uniform(0, 0.5)
        while at < tape.seconds:
            for i in range(3):
                tape.add(chirp(pitch, pitch * 1.01, 0.045), at + i * 0.06, gain, pan, 0.1)
            at += rng.uniform(0.45, 0.9)


@_mood("bells")
def _bells(tape: Tape, rng: Rng) -> None:
    """Night: crickets, a far chord, bells that come like lights."""
    root = int(rng.choice([60, 62, 65, 67]))
    _chords(tape, MAJOR_TURN, root - 12, 3.0, 0.35)
    at, notes = 0.3, iter(_walk(rng, PENTATONIC, root, 400))
    while at < tape.seconds:
        tape.add(bell(next(notes) + 12), at, rng.uniform(0.3, 0.6), rng.uniform(-0.8, 0.8), 0.6)
        at += float(rng.choice([0.25, 0.5, 0.5, 0.75]))
    _crickets(tape, rng, 0.05)


@_mood("harp")
def _harp(tape: Tape, rng: Rng) -> None:
    """Plucked broken chords, as for paper and sunlight."""
    root = int(rng.choice([55, 57, 60, 62]))
    _arpeggio(tape, rng, lambda n: pluck(n, 2.2, 0.55), MAJOR_TURN, root, 0.22)
    _chords(tape, MAJOR_TURN, root - 12, 1.76, 0.18)


@_mood("guitar")
def _guitar(tape: Tape, rng: Rng) -> None:
    """A darker string, slower, minor."""
    root = int(rng.choice([50, 52, 53]))
    _arpeggio(tape, rng, lambda n: pluck(n, 2.8, 0.3), MINOR_TURN, root, 0.29, 6, 0.6)
    for i, note in enumerate(_walk(rng, MINOR_PENTATONIC, root + 12, 40)):
        tape.add(pluck(note, 2.0, 0.6), 0.58 + i * 1.16, 0.4, 0.3, 0.5)


@_mood("lofi")
def _lofi(tape: Tape, rng: Rng) -> None:
    """Electric piano, brushes, a record that crackles."""
    beat, root = 60 / float(rng.uniform(76, 88)), int(rng.choice([53, 55, 57, 58]))
    for i in range(int(tape.seconds / beat) + 1):
        at = i * beat
        if i % 2 == 0:
            for n in MAJOR_TURN[(i // 4) % 4]:
                tape.add(piano(root + n), at + rng.uniform(0, 0.03), 0.26, rng.uniform(-0.3, 0.3))
            tape.add(kick(), at, 0.9, 0, 0.02)
            tape.add(kick(), at + beat * 0.75, 0.5 * (rng.random() < 0.4), 0, 0.02)
        else:
            tape.add(hit(0.25, 1200, 6000, 18), at, 0.34, 0.1, 0.15)
        for half in (0.0, 0.56):
            tape.add(hit(0.06, 7000, 14000, 60), at + half * beat, 0.13, -0.2, 0)
    for i, note in enumerate(_walk(rng, PENTATONIC, root + 12, 64)):
        if rng.random() < 0.55:
            tape.add(piano(note, 1.5), (i + 0.5 * (rng.random() < 0.3)) * beat / 2, 0.3, 0.3, 0.4)
    for _ in range(int(tape.seconds * 9)):
        where = rng.uniform(0, tape.seconds)
        tape.add(hit(0.004, 2000, 9000, 300), where, rng.uniform(0.02, 0.1), rng.uniform(-1, 1), 0)


@_mood("sea")
def _sea(tape: Tape, rng: Rng) -> None:
    """Waves left and right, a slow chord, a few bells."""
    root = int(rng.choice([57, 60, 62]))
    for pan, period, phase in ((-0.6, 4.1, 0.1), (0.6, 5.3, 0.6)):
        wash = noise(rng, tape.seconds, 200, 3200, 0.6) * swell(tape.seconds, period, 0.12, phase)
        tape.add(wash, 0, 0.55, pan, 0.1)
    _chords(tape, MAJOR_TURN, root - 12, 3.6, 0.3)
    for i, note in enumerate(_walk(rng, PENTATONIC, root, 60)):
        tape.add(piano(note, 3.0), 0.4 + i * 0.9, 0.32, rng.uniform(-0.4, 0.4), 0.6)


@_mood("rain")
def _rain(tape: Tape, rng: Rng) -> None:
    """Rain on glass and a piano in the next room."""
    for pan in (-0.8, 0.8):
        tape.add(noise(rng, tape.seconds, 900, 9000, 0.25), 0, 0.16, pan, 0.05)
    for _ in range(int(tape.seconds * 14)):
        low = rng.uniform(900, 2600)
        drop, at = chirp(low, low * 1.5, 0.025), rng.uniform(0, tape.seconds)
        tape.add(drop, at, rng.uniform(0.02, 0.12), rng.uniform(-1, 1), 0.3)
    root = int(rng.choice([57, 58, 60]))
    _arpeggio(tape, rng, lambda n: piano(n, 3.0), MINOR_TURN, root, 0.42, 8, 0.4, 0.3)


@_mood("deep")
def _deep(tape: Tape, rng: Rng) -> None:
    """Under water: a drone, bubbles, far whales."""
    root = int(rng.choice([38, 40, 43]))
    _chords(tape, MINOR_TURN[:2], root, 4.0, 0.6)
    tape.add(noise(rng, tape.seconds, 40, 300, 0.8) * swell(tape.seconds, 6, 0.3), 0, 0.3)
    at = 0.4
    while at < tape.seconds:
        low = rng.uniform(300, 900)
        for i in range(int(rng.integers(1, 5))):
            rise = chirp(low, low * 1.8, 0.07)
            tape.add(rise, at + i * 0.09, 0.1, rng.uniform(-0.8, 0.8), 0.6)
        at += rng.uniform(0.7, 1.6)
    for i, note in enumerate(_walk(rng, MINOR_PENTATONIC, root + 24, 20)):
        tape.add(pad((float(note),), 2.0, 0.8), 0.8 + i * 1.7, 0.3, rng.uniform(-0.6, 0.6), 1.0)


@_mood("space")
def _space(tape: Tape, rng: Rng) -> None:
    """Wide chords and a quick glassy pattern."""
    root = int(rng.choice([48, 50, 53]))
    _chords(tape, MINOR_TURN, root, 3.2, 0.5)
    _arpeggio(tape, rng, lambda n: bell(n, 1.2), MINOR_TURN, root + 24, 0.2, 16, 0.25, 0.3)


@_mood("kalimba")
def _kalimba(tape: Tape, rng: Rng) -> None:
    """Short bright strings in a skipping rhythm, a soft kick under them."""
    root, step = int(rng.choice([60, 62, 64, 65])), float(rng.choice([0.18, 0.2]))
    for i, note in enumerate(_walk(rng, PENTATONIC, root, int(tape.seconds / step))):
        if i % 8 in (0, 3, 6) or rng.random() < 0.45:
            tape.add(pluck(note, 0.9, 0.1), i * step, 0.6, rng.uniform(-0.5, 0.5), 0.3)
        if i % 8 in (0, 5):
            tape.add(pluck(root - 12 + (0 if i % 16 < 8 else 5), 1.6, 0.05), i * step, 0.8, 0, 0.1)
        if i % 4 == 0:
            tape.add(kick(), i * step, 0.35, 0, 0.02)
        tape.add(hit(0.05, 6000, 14000, 70), i * step, 0.05 + 0.05 * (i % 2), 0.4, 0)


@_mood("train")
def _train(tape: Tape, rng: Rng) -> None:
    """Wheels over the joints of the rail, and a waltz."""
    tape.add(noise(rng, tape.seconds, 40, 500, 0.7), 0, 0.28, 0, 0.02)
    for i in range(int(tape.seconds / 0.9) + 1):
        for j, late in enumerate((0.0, 0.13)):
            tape.add(hit(0.12, 150, 1200, 30), i * 0.9 + late, 0.5 - 0.15 * j, -0.2 + 0.4 * j, 0.1)
    root = int(rng.choice([57, 59, 60]))
    _arpeggio(tape, rng, lambda n: pluck(n, 1.6, 0.45), MAJOR_TURN, root, 0.225, 12, 0.5, 0.15)


@_mood("fireworks")
def _fireworks(tape: Tape, rng: Rng) -> None:
    """A chord over the river, and a boom with sparks for each firework of the picture."""
    _chords(tape, MAJOR_TURN, 48, 2.4, 0.4)
    _arpeggio(tape, rng, lambda n: bell(n, 1.6), MAJOR_TURN, 72, 0.3, 8, 0.25, 0.2)
    for at, size in burst_times(tape.seconds, tape.seed):
        tape.add(kick(), at, 0.9 * size, rng.uniform(-0.5, 0.5), 0.5)
        tape.add(hit(0.5, 300, 5000, 9), at, 0.35 * size, rng.uniform(-0.5, 0.5), 0.6)
        for _ in range(9):
            late = at + rng.uniform(0.25, 1.0)
            tape.add(hit(0.05, 3000, 9000, 70), late, 0.12, rng.uniform(-0.9, 0.9), 0.3)


@_mood("pendulum")
def _pendulum(tape: Tape, rng: Rng) -> None:
    """Each pendulum has a bell, rung in the middle of its way."""
    _chords(tape, MAJOR_TURN[:1], 48, 6.0, 0.25)
    for number in range(15):
        note = 60 + 12 * (number // 5) + PENTATONIC[number % 5]
        swings = pendulum_hertz(number)
        for i in range(int(tape.seconds * 2 * swings) + 1):
            at, pan = (i + 0.5) / (2 * swings), (-0.6 if i % 2 else 0.6)
            tape.add(bell(note, 0.9), at, 0.26 + rng.uniform(0, 0.05), pan, 0.35)


@_mood("birds")
def _birds(tape: Tape, rng: Rng) -> None:
    """A morning: birds left and right, slow strings."""
    root = int(rng.choice([53, 55, 60]))
    _chords(tape, MAJOR_TURN, root - 12, 2.6, 0.4)
    _arpeggio(tape, rng, lambda n: pluck(n, 2.4, 0.35), MAJOR_TURN, root, 0.325, 8, 0.45, 0.25)
    at = 0.5
    while at < tape.seconds:
        base, pan = rng.uniform(2400, 4200), rng.uniform(-0.9, 0.9)
        for i in range(int(rng.integers(2, 6))):
            song = chirp(base, base * rng.uniform(0.8, 1.3), 0.07)
            tape.add(song, at + i * 0.11, 0.07, pan, 0.4)
        at += rng.uniform(0.8, 1.8)
