"""Instruments made of numbers, and the tape they are recorded on."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SAMPLES_PER_SECOND = 48_000
Sound = NDArray[np.float32]


def hertz(note: float) -> float:
    """The frequency of a MIDI note number (69 is 440 Hz)."""
    return float(440.0 * 2 ** ((note - 69) / 12))


def _seconds(seconds: float) -> Sound:
    count = int(seconds * SAMPLES_PER_SECOND)
    return np.asarray(np.arange(count) / SAMPLES_PER_SECOND, dtype=np.float32)


def _cycle(weights: tuple[float, ...]) -> Sound:
    angle = np.linspace(0, 2 * np.pi, 4096, endpoint=False)
    wave = sum(weight * np.sin(angle * (i + 1)) for i, weight in enumerate(weights))
    return np.asarray(wave, dtype=np.float32)


_WARM = _cycle((1.0, 0.45, 0.28, 0.12, 0.08, 0.04))


@lru_cache(maxsize=64)
def bell(note: float, seconds: float = 2.4) -> Sound:
    """A small bell: partials that are not quite in tune, the high ones gone first."""
    t, f = _seconds(seconds), 2 * np.pi * hertz(note)
    sound = np.exp(-2.2 * t) * np.sin(f * t)
    sound += 0.5 * np.exp(-3.5 * t) * np.sin(2.003 * f * t)
    sound += 0.22 * np.exp(-7 * t) * np.sin(3.98 * f * t) + 0.1 * np.exp(-12 * t) * np.sin(
        np.float32(6.8) * f * t
    )
    return _edges(sound.astype(np.float32), 0.003, 0.05)


@lru_cache(maxsize=64)
def pluck(note: float, seconds: float = 2.2, bright: float = 0.5) -> Sound:
    """A plucked string: noise that runs round a delay line and is smoothed each time.

    Karplus and Strong, "Digital Synthesis of Plucked-String and Drum Timbres" (1983). One period
    is computed at a time, so that numpy does the inner loop.
    """
    period = max(8, round(SAMPLES_PER_SECOND / hertz(note)))
    rng = np.random.default_rng(round(note * 100))
    string = rng.uniform(-1, 1, period).astype(np.float32)
    for _ in range(round((1 - bright) * 12)):
        string = (string + np.roll(string, 1)) * np.float32(0.5)
    string = string / np.float32(max(1e-3, float(np.abs(string).max())))
    keep = np.float32(0.5 * 0.001 ** (1 / (hertz(note) * seconds)))
    rounds = int(seconds * SAMPLES_PER_SECOND) // period + 1
    sound = np.empty((rounds, period), dtype=np.float32)
    for i in range(rounds):
        sound[i] = string
        string = (string + np.roll(string, 1)) * keep
    return _edges(sound.ravel() * np.float32(0.8), 0.002, 0.1)


@lru_cache(maxsize=64)
def piano(note: float, seconds: float = 2.6) -> Sound:
    """A soft electric piano: one sine bends the phase of another."""
    t, f = _seconds(seconds), 2 * np.pi * hertz(note)
    bend = 1.1 * np.exp(-5 * t) * np.sin(f * t) + 0.25 * np.exp(-16 * t) * np.sin(7 * f * t)
    return _edges((np.exp(-1.9 * t) * np.sin(f * t + bend)).astype(np.float32), 0.004, 0.1)


def pad(notes: tuple[float, ...], seconds: float, attack_s: float = 1.0) -> Sound:
    """A slow chord of slightly detuned warm waves."""
    t = _seconds(seconds)
    sound = np.zeros_like(t)
    for i, note in enumerate(notes):
        for detune in (-0.06, 0.05):
            step = hertz(note + detune) * 4096 / SAMPLES_PER_SECOND
            phase = (np.arange(len(t)) * step + 997 * i).astype(np.int64) & 4095
            sound += _WARM[phase]
    return _edges(sound / np.float32(2.5 * len(notes)), attack_s, attack_s)


def noise(
    rng: np.random.Generator, seconds: float, low_hz: float, high_hz: float, tilt: float = 0.5
) -> Sound:
    """Noise between two frequencies, weaker upwards by the power `tilt`; peak about 1."""
    count = int(seconds * SAMPLES_PER_SECOND)
    length = 1 << 16  # One and a third seconds, repeated with a turn, sounds endless and is cheap.
    bins = np.fft.rfftfreq(length, 1 / SAMPLES_PER_SECOND)
    shape = np.where(bins > 0, np.maximum(bins, 1) ** -tilt, 0)
    shape /= (1 + (low_hz / np.maximum(bins, 1)) ** 4) * (1 + (bins / high_hz) ** 4)
    turns = np.exp(2j * np.pi * rng.random(len(bins)))
    loop = np.fft.irfft(shape * turns, length)
    loop /= np.abs(loop).max()
    starts = rng.integers(0, length)
    return np.asarray(loop[(np.arange(count) + starts) & (length - 1)], dtype=np.float32)


def swell(seconds: float, period_s: float, low: float, phase: float = 0.0) -> Sound:
    """A slow wave of loudness between `low` and 1."""
    t = _seconds(seconds)
    wave = 0.5 - 0.5 * np.cos(2 * np.pi * (t / period_s + phase))
    return np.asarray(low + (1 - low) * wave**1.5, dtype=np.float32)


@lru_cache(maxsize=4)
def kick() -> Sound:
    t = _seconds(0.4)
    fall = 2 * np.pi * (48 * t + 90 * (1 - np.exp(-26 * t)) / 26)
    return np.asarray(np.sin(fall) * np.exp(-9 * t), dtype=np.float32)


@lru_cache(maxsize=8)
def hit(seconds: float, low_hz: float, high_hz: float, decay: float) -> Sound:
    """A short burst of noise: brush, hat, drop, crackle."""
    rng = np.random.default_rng(int(low_hz))
    burst = noise(rng, seconds, low_hz, high_hz, 0.2)
    return np.asarray(burst * np.exp(-decay * _seconds(seconds)), dtype=np.float32)


def chirp(from_hz: float, to_hz: float, seconds: float) -> Sound:
    """A tone that glides: a drop of water upwards, a bird either way."""
    t = _seconds(seconds)
    part = t / np.float32(seconds)
    turn = 2 * np.pi * (from_hz * t + (to_hz - from_hz) * t * part / 2)
    return np.asarray(np.sin(turn) * np.sin(np.pi * part) ** 2, dtype=np.float32)


def _edges(sound: Sound, attack_s: float, release_s: float) -> Sound:
    sound = sound.copy()
    rise = min(int(attack_s * SAMPLES_PER_SECOND), len(sound) // 2)
    fall = min(int(release_s * SAMPLES_PER_SECOND), len(sound) // 2)
    if rise:
        sound[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    if fall:
        sound[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return sound


class Tape:
    """Two channels and a room."""

    def __init__(self, seconds: float, seed: int) -> None:
        self.seconds, self.seed = seconds, seed
        count = int(seconds * SAMPLES_PER_SECOND)
        self.sides = np.zeros((2, count), dtype=np.float32)
        self.room = np.zeros(count, dtype=np.float32)

    def add(
        self, sound: Sound, at_s: float = 0, gain: float = 1, pan: float = 0, wet: float = 0.3
    ) -> None:
        """Record a sound; `pan` goes from -1 (left) to 1 (right), `wet` is its share of room."""
        start = int(at_s * SAMPLES_PER_SECOND)
        piece = sound[: max(0, self.sides.shape[1] - start)] * np.float32(gain)
        if start < 0 or not len(piece):
            return
        place = slice(start, start + len(piece))
        angle = (pan + 1) * np.pi / 4
        self.sides[0, place] += piece * np.float32(np.cos(angle))
        self.sides[1, place] += piece * np.float32(np.sin(angle))
        if wet:
            self.room[place] += piece * np.float32(wet)

    def master(self, rng: np.random.Generator, room_s: float = 1.8) -> NDArray[np.float32]:
        """The finished recording, shape (samples, 2): with room, faded, peak at -4 dBFS."""
        mixed = self.sides + self._echo(rng, room_s)
        count = mixed.shape[1]
        rise, fall = min(count // 3, 7200), min(count // 3, 43_200)
        mixed[:, :rise] *= np.linspace(0, 1, rise, dtype=np.float32)
        mixed[:, count - fall :] *= np.linspace(1, 0, fall, dtype=np.float32) ** 1.5
        mixed = np.tanh(mixed / max(1e-6, 3 * float(np.sqrt(np.mean(mixed**2)))) * 0.75)
        mixed *= np.float32(10 ** (-4 / 20)) / max(1e-6, float(np.abs(mixed).max()))
        return np.ascontiguousarray(mixed.T)

    def _echo(self, rng: np.random.Generator, room_s: float) -> NDArray[np.float32]:
        """The room's answer: fading noise, at half the sample rate, where a room is dark anyway."""
        count = len(self.room)
        half = self.room[: count & ~1].reshape(-1, 2).mean(axis=1)
        tail = int(room_s * SAMPLES_PER_SECOND / 2)
        length = 1 << int(np.ceil(np.log2(len(half) + tail)))
        if 3 * length // 4 >= len(half) + tail:
            length = 3 * length // 4
        fading = np.exp(-6.9 * np.arange(tail) / tail) / np.sqrt(tail / 8)
        sent = np.fft.rfft(half, length)
        echo = np.zeros((2, count), dtype=np.float32)
        for side in range(2):
            answer = rng.normal(0, 1, tail) * fading
            answer = (answer + np.roll(answer, 1) + np.roll(answer, 2)) / 2
            heard = np.fft.irfft(sent * np.fft.rfft(answer, length), length)[: len(half)]
            echo[side, : count & ~1] = np.interp(
                np.arange(count & ~1) / 2, np.arange(len(half)), heard
            )
        return echo
